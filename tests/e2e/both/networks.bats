# networks.bats - instances on networks: addresses, names, who reaches whom, coming and going, and that nothing is left
load ../lib

# Two networks: web, with both families and its own subnet, and lab.  one and two are on web, far is on lab.
setup_file() {
	store_open
	ketch network create --ipv6 --subnet 10.9.0.0/24 --subnet fd00:9::/64 --label tier=front web >"$DIR/web.id"
	ketch network create lab >/dev/null
	export ONE TWO
	ONE=$(stay --name one --network web:ip=10.9.0.77,alias=first --cap-add net_raw)
	TWO=$(stay --name two --network web --mac-address 02:aa:bb:cc:dd:01 --cap-add net_raw --add-host gate:host-gateway)
	ISOLATION=container stay --name far --network lab --cap-add net_raw >/dev/null # two of this run, and one beside them
}

teardown_file() { store_close; }

reaches() { ketch exec "$1" ping -c1 -W"${3:-20}" "$2" >/dev/null; } # INSTANCE ADDRESS [SECONDS]
kept_out() { ! reaches "$@" 2; }
networks_of() { inspect_of "$1" '.NetworkSettings.Networks | keys | join(" ")'; } # INSTANCE
links() { ip -o link | grep -c ' k[vs]-'; }
has_no_link() { [ "$(links)" -eq "$1" ]; }
audited() { ketch doctor --audit || :; } # other stores may have left cgroups on the machine
leases() { sqlite3 "$KETCH_ROOT/ketch.db" 'SELECT count(*) FROM lease'; }
leases_are() { [ "$(leases)" -eq "$1" ]; }

@test "ls, inspect: Docker's formats; labels, filters and the networks that every store has" {
	is "$(ketch network ls --format '{{.Name}} {{.Driver}} {{.Scope}}')" \
		$'bridge bridge local\nhost host local\nlab bridge local\nnone null local\nweb bridge local'
	is "$(ketch network ls -q --no-trunc -f name=web)" "$(cat "$DIR/web.id")"
	is "$(ketch network ls -q -f type=custom -f label=tier=front)" "$(cut -c1-12 "$DIR/web.id")"
	is "$(ketch network inspect web | jq -c '.[0] | [.IPAM.Config[].Subnet, .IPAM.Config[].Gateway, .EnableIPv6]')" \
		'["10.9.0.0/24","fd00:9::/64","10.9.0.1","fd00:9::1",true]'
	is "$(ketch network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}};{{end}}' web | tr ';' '\n' | sort | xargs)" \
		"one 10.9.0.77/24 two 10.9.0.2/24"
}

@test "an instance has the addresses that inspect tells, a gateway, and names of its own in /etc" {
	is "$(inspect_of one '.NetworkSettings.Networks.web | [.IPAddress, .IPPrefixLen, .Gateway, .MacAddress] | join(" ")')" \
		"10.9.0.77 24 10.9.0.1 02:42:0a:09:00:4d"
	is "$(inspect_of two .NetworkSettings.MacAddress)" 02:aa:bb:cc:dd:01
	run -0 ketch exec two sh -c 'cat /sys/class/net/eth0/address; ip -4 addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf'
	like "$output" 02:aa:bb:cc:dd:01
	like "$output" 'inet 10\.9\.0\.2/24'
	like "$output" 'default via 10\.9\.0\.1'
	like "$output" $'10.9.0.2\t'"$(cut -c1-12 <<<"$TWO")"
	like "$output" $'10.9.0.1\tgate'
	like "$output" 'nameserver 10\.9\.0\.1'
	like "$(ketch exec two ip -6 addr show eth0)" 'fd00:9::[0-9a-f]+/64'
	is "$(ketch exec far sh -c 'ip -6 addr show eth0 | wc -l')" 0
}

@test "instances of one network reach each other by address and name, those of two do not" {
	reaches two 10.9.0.77
	reaches one two
	reaches two first
	reaches two "$(inspect_of one .NetworkSettings.Networks.web.GlobalIPv6Address)"
	reaches far 10.89.0.1 || reaches far "$(inspect_of far .NetworkSettings.Networks.lab.Gateway)"
	kept_out far 10.9.0.77
	kept_out one "$(inspect_of far .NetworkSettings.Networks.lab.IPAddress)"
	run ! ketch exec far nslookup first
}

# matrix: who reaches one, two, far and the gateways of web and lab, a line for each who asks; all at once, for silence takes long
matrix() {
	local from two far lab
	two=$(inspect_of two .NetworkSettings.Networks.web.IPAddress) far=$(inspect_of far .NetworkSettings.Networks.lab.IPAddress)
	lab=$(inspect_of far .NetworkSettings.Networks.lab.Gateway)
	for from in one two far; do
		ketch exec "$from" sh -c 'for a; do ping -c1 -W3 "$a" >/dev/null 2>&1 & p="$p $!"; done
			for pid in $p; do wait $pid && printf y || printf n; done' - 10.9.0.77 "$two" "$far" 10.9.0.1 "$lab" \
			>"$DIR/reached.$from" &
	done
	wait
	for from in one two far; do echo "$(cat "$DIR/reached.$from") $from"; done
}
helpers() { # pids of the name services of this store
	{ find /proc/[0-9]*/fd -lname "$KETCH_RUN_ROOT/networks/*/lock*" 2>/dev/null || :; } | cut -d/ -f3 | sort -u
}
none_helps() { [ -z "$(helpers)" ]; }

@test "who reaches whom is the same when every helper was killed and all rules were flushed" {
	local before pids
	before=$(matrix)
	like "$before" '^yyn'
	like "$(tail -1 <<<"$before")" '^nny'
	pids=$(helpers)
	is "$(wc -w <<<"$pids")" 2
	kill -9 $pids
	await 5 none_helps
	is "$(matrix)" "$before"
	nft flush ruleset
	ketch run --isolation container --rm --network web ketch/base true
	is "$(matrix)" "$before"
	ketch network inspect web lab >/dev/null # a look is enough
	reaches two first
	is "$(helpers | wc -w)" 2
}

@test "--ip-range: the addresses that are given away, and no more; one that is asked for may be another of the subnet" {
	ketch network create --subnet 10.77.0.0/24 --ip-range 10.77.0.64/31 small >/dev/null
	ISOLATION=container stay --name first --network small >/dev/null
	ISOLATION=container stay --name second --network small >/dev/null
	is "$(inspect_of first .NetworkSettings.Networks.small.IPAddress) $(inspect_of second .NetworkSettings.Networks.small.IPAddress)" \
		"10.77.0.64 10.77.0.65"
	refused 125 'address' krun --rm --network small ketch/base true
	is "$(krun --rm --network small --ip 10.77.0.9 ketch/base ip -4 -o addr show eth0 | grep -o '10.77.0.9/24')" 10.77.0.9/24
	refused 1 'no matching subnet for range 10.79.0.0/28' ketch network create --subnet 10.78.0.0/24 --ip-range 10.79.0.0/28 none-such
	ketch rm -f first second >/dev/null
	ketch network rm small
}

@test "--dns, --dns-search, --dns-option: what resolv.conf says" {
	is "$(krun --rm --network lab --dns 192.0.2.1 --dns-search example.org --dns-search a.b --dns-option ndots:2 \
		ketch/base cat /etc/resolv.conf)" $'nameserver 192.0.2.1\nsearch example.org a.b\noptions ndots:2'
	unlike "$(ISOLATION=container krun --rm --network lab --dns-search . ketch/base cat /etc/resolv.conf)" search
	refused 125 "'a b' is not a valid domain" krun --rm --dns-search 'a b' ketch/base true
}

@test "connect and disconnect while it runs: a second address, and a name there" {
	ketch network connect --alias guest lab one
	is "$(networks_of one)" "lab web"
	reaches one "$(inspect_of far .NetworkSettings.Networks.lab.IPAddress)"
	reaches far guest
	reaches one far # web is the first that its resolver asks
	like "$(ketch exec one nslookup far.lab)" "Address: $(inspect_of far .NetworkSettings.Networks.lab.IPAddress)"
	run ! ketch exec two nslookup far
	run ! ketch exec far nslookup two
	like "$(ketch exec one ip addr show eth1)" "$(inspect_of one .NetworkSettings.Networks.lab.IPAddress)"
	refused 1 'endpoint with name one already exists in network lab' "$KETCH" network connect lab one
	ketch network disconnect lab one
	is "$(networks_of one)" web
	run ! ketch exec one ip addr show eth1
	run ! ketch exec one nslookup far
	kept_out one "$(inspect_of far .NetworkSettings.Networks.lab.IPAddress)"
	reaches one two
	refused 1 'container one is not connected to network lab' "$KETCH" network disconnect lab one
	refused 1 'container one is not connected to network none' "$KETCH" network disconnect none one
	ketch create --isolation "$ISOLATION" --network none --name alone ketch/base >"$DIR/alone"
	refused 1 'container alone has --network none for its life' "$KETCH" network disconnect none alone
	refused 1 'container alone is not connected to network lab' "$KETCH" network disconnect lab alone
	ketch rm alone
	like "$(ketch events --since 5m --until 0s --filter type=network --format '{{.Action}} {{.Actor.Attributes.name}}' | tail -2 | xargs)" \
		'^connect lab disconnect lab$'
}

@test "its files in /etc follow: its own name, and whom it asks" {
	local web lab before
	stay --network web --name moved >/dev/null
	web=$(inspect_of moved .NetworkSettings.Networks.web.IPAddress)
	ketch exec moved sh -c 'echo 10.9.9.9 mine >>/etc/hosts; echo "# mine" >>/etc/resolv.conf'
	before=$(ketch exec moved cat /etc/hosts /etc/resolv.conf)
	ketch network connect lab moved
	lab=$(inspect_of moved .NetworkSettings.Networks.lab.IPAddress)
	own() { ketch exec moved sh -c 'grep -w "$(hostname)" /etc/hosts | cut -f 1 | grep -v :; grep -c nameserver /etc/resolv.conf; grep -h mine /etc/hosts /etc/resolv.conf'; }
	is "$(own)" "$web"$'\n'"$lab"$'\n2\n10.9.9.9 mine\n# mine'
	ketch network disconnect lab moved
	is "$(ketch exec moved cat /etc/hosts /etc/resolv.conf)" "$before"
	ketch network connect lab moved && ketch network disconnect web moved # the one that it began with
	lab=$(inspect_of moved .NetworkSettings.Networks.lab.IPAddress)
	is "$(own)" "$lab"$'\n1\n10.9.9.9 mine\n# mine'
	like "$(ketch exec moved nslookup far)" "Address: $(inspect_of far .NetworkSettings.Networks.lab.IPAddress)"
	# what is not such a file any more stays as it is, and holds nothing up
	ketch exec moved sh -c 'umount /etc/hosts 2>/dev/null; rm -f /etc/hosts 2>/dev/null && mkfifo /etc/hosts || :'
	ketch network disconnect lab moved
	ketch rm -f moved >/dev/null
}

@test "what cannot be: one line, and nothing is made" {
	local before
	before=$(ketch network ls -q)
	refused 1 'network with name web already exists' "$KETCH" network create web
	refused 1 'overlaps with network web' "$KETCH" network create --subnet 10.9.0.128/25 other
	refused 1 'it should be 10.7.0.0/16' "$KETCH" network create --subnet 10.7.1.0/16 other
	refused 1 'no matching subnet for gateway 10.6.0.1' "$KETCH" network create --subnet 10.7.0.0/16 --gateway 10.6.0.1 other
	refused 1 'there is an interface of this name' "$KETCH" network create -o com.docker.network.bridge.name=lo other
	refused 1 'invalid network name' "$KETCH" network create 'a b'
	refused 1 '--opt nothing=1' "$KETCH" network create -o nothing=1 other
	refused 1 'only one instance of "host" network is allowed' "$KETCH" network create -d host other
	refused 1 'has active endpoints \(name:"[a-z]+" id:"[0-9a-f]{12}"\)' "$KETCH" network rm web
	refused 1 'host is a pre-defined network and cannot be removed' "$KETCH" network rm host
	refused 125 'network nowhere not found' krun --network nowhere ketch/base true
	refused 125 '10\.9\.0\.77: instance [0-9a-f]{12} has it' krun --rm --network web --ip 10.9.0.77 ketch/base true
	refused 125 'it is the gateway of network web' krun --network web --ip 10.9.0.1 ketch/base true
	refused 125 'no configured subnet contains it' krun --network web --ip 10.1.1.1 ketch/base true
	refused 125 'conflicting options: --network none and other networks' krun --network none --network web ketch/base true
	refused 125 'conflicting options: mac-address and --network none' krun --network none --mac-address 02:00:00:00:00:01 ketch/base true
	is "$(ketch network ls -q)" "$before"
	leases_are 3
}

# without_nft COMMAND...: on a host that has no nft; no_admin COMMAND...: for who may change no network
without_nft() {
	[ -d "$DIR/path" ] || { mkdir "$DIR/path" && ln -sf /usr/sbin/* /usr/bin/* "$DIR/path" && rm "$DIR/path/nft"; }
	PATH=$DIR/path "$@"
}
no_admin() { setpriv --bounding-set -net_admin "$@"; }

@test "without nft, or the right to change networks: one line that says so, and nothing is half made" {
	local before links
	before=$(ketch network ls -q) links=$(ip -o link | sort)
	refused 1 'networks need CAP_NET_ADMIN; without it there is --network none$' no_admin "$KETCH" network create other
	refused 125 'networks need CAP_NET_ADMIN; without it there is --network none$' \
		no_admin "$KETCH" run --isolation "$ISOLATION" --rm --network lab ketch/base true
	nft flush ruleset # else it is not needed
	refused 1 '^ketch: networks need the program nft \(package nftables\), which is not here$' without_nft "$KETCH" network create other
	refused 125 '^ketch: networks need the program nft \(package nftables\), which is not here$' \
		without_nft "$KETCH" run --isolation "$ISOLATION" --rm --network lab ketch/base true
	await 5 leases_are 3
	is "$(ketch network ls -q)" "$before"
	same_links() { [ "$(ip -o link | sort)" = "$links" ]; }
	await 5 same_links
	ketch run --isolation container --rm --network lab ketch/base true # and puts the rules back
	reaches two 10.9.0.77
}

# wire0 is an interface of the host, and behind it somebody has 192.168.7.1.
@test "macvlan: what cannot be is refused by its flag" {
	local flag
	ip link add wire0 type veth peer name wire1
	ip addr add 192.168.7.1/24 dev wire1
	refused 1 'parent=wire0: this interface is down' "$KETCH" network create -d macvlan -o parent=wire0 --subnet 192.168.7.0/24 wire
	ip link set wire0 up
	ip link set wire1 up
	refused 1 'parent=none0: this host has no such interface' "$KETCH" network create -d macvlan -o parent=none0 --subnet 192.168.7.0/24 wire
	refused 1 'parent=INTERFACE says whose wire' "$KETCH" network create -d macvlan --subnet 192.168.7.0/24 wire
	refused 1 'subnet says which IPv4 addresses' "$KETCH" network create -d macvlan -o parent=wire0 wire
	refused 1 'internal: the wire of a macvlan network leads out' "$KETCH" network create -d macvlan -o parent=wire0 --internal --subnet 192.168.7.0/24 wire
	refused 1 'opt vlan: it is for macvlan' "$KETCH" network create -o vlan=7 wire
	ketch network create -d macvlan -o parent=wire0 --subnet 192.168.7.0/24 --dns 192.168.7.1 wire >/dev/null
	is "$(ketch network inspect -f '{{.Driver}} {{.Options.parent}}' wire)" "macvlan wire0"
	for flag in "-p 80" "--egress none" "--net-rate 1mbit" "--deny out:tcp:80"; do
		refused 125 "network wire is of driver macvlan" krun --network wire $flag ketch/base true
	done
	[ "$ISOLATION" = container ] ||
		refused 1 'a virtual machine that runs keeps its cards on networks of driver macvlan' "$KETCH" network connect wire two
}

@test "its address comes back when it ends, by itself or killed with its monitor; a stopped one can change networks" {
	local pid id
	is "$(leases)" 3
	pid=$(monitor_of two)
	kill -9 "$pid"
	await 5 gone "$pid"
	status_is two exited
	leases_are 2
	await 5 has_no_link $((2 + $(ip -o link | grep -c ' ks-')))
	ketch network connect --ip 10.9.0.2 web far
	is "$(inspect_of far .NetworkSettings.Networks.web.IPAddress)" 10.9.0.2
	ketch network disconnect web far
	ketch network disconnect web two
	ketch network connect --ip 10.9.0.99 web two
	ketch network connect --ip 192.168.7.9 wire two
	ketch start two >/dev/null
	is "$(inspect_of two .NetworkSettings.Networks.web.IPAddress)" 10.9.0.99
	id=$(inspect_of far .Id)
	ketch stop -t 1 far >/dev/null
	await 5 leases_are 3 # two has two
	is "$(inspect_of far .NetworkSettings.Networks.lab.IPAddress)" ""
	ketch rm far >/dev/null
	ketch network prune -f
	is "$(ketch network ls -q -f name=lab)" ""
	unknown "$id"
}

@test "macvlan: it is on a wire of the host, and goes from there" {
	local beside
	is "$(networks_of two)" "web wire"
	reaches two 192.168.7.1
	beside=$(ketch run -d --isolation container --cap-add net_raw --network wire ketch/base "${STAY[@]}")
	is "$(ketch exec "$beside" cat /etc/resolv.conf)" "nameserver 192.168.7.1"
	reaches "$beside" 192.168.7.9
	kept_out "$beside" "$(inspect_of two .NetworkSettings.Networks.web.IPAddress)"
	ketch network disconnect wire "$beside"
	is "$(ketch exec "$beside" ip -o link | wc -l)" 1 # lo
	ketch rm -f "$beside" >/dev/null
	ketch stop -t 1 two >/dev/null
	await 5 leases_are 1
	is "$(ip -o link | grep -c '@wire0')" 1 # wire1
	ketch network rm wire
	ketch network create -d macvlan -o parent=wire0 --isolate --subnet 192.168.7.0/24 wire >/dev/null
	krun -d --name apart --cap-add net_raw --network wire --ip 192.168.7.11 ketch/base "${STAY[@]}" >/dev/null
	beside=$(ketch run -d --isolation container --cap-add net_raw --network wire --ip 192.168.7.12 ketch/base "${STAY[@]}")
	reaches apart 192.168.7.1
	reaches "$beside" 192.168.7.1
	kept_out apart 192.168.7.12
	kept_out "$beside" 192.168.7.11
	ketch rm -f apart "$beside" >/dev/null
	await 5 leases_are 1
	ketch network rm wire
	ip link del wire0
}

@test "doctor --audit names a link that bears the id of an instance that does not run" {
	unlike "$(audited)" 'link|rules'
	ip link add left0 type bridge
	ip link set left0 alias "ketch instance $(printf '0%.0s' {1..64})"
	run audited
	ip link del left0
	like "$output" 'link left0 of instance 000000000000'
	unlike "$(audited)" 'link|rules'
}

@test "doctor --audit names rules of instances that do not run and of networks that are in no record" {
	local table id
	table=$(nft list tables | sed -n 's/^table inet \(ketch.*\)/\1/p')
	for id in "$(printf '0%.0s' {1..64})" "network $(printf '1%.0s' {1..32})"; do
		nft "add element inet $table published4 { tcp . 192.0.2.9 . 99 comment \"$id\" : 10.9.0.200 . 80 }"
		audited >"$DIR/audit"
		nft "delete element inet $table published4 { tcp . 192.0.2.9 . 99 }"
		cat "$DIR/audit" >>"$DIR/audits"
	done
	is "$(grep -c "rules of instance 000000000000 in table $table" "$DIR/audits")" 1
	is "$(grep -c "rules of network 111111111111 in table $table" "$DIR/audits")" 1
	unlike "$(audited)" 'link|rules'
}

@test "doctor --audit waits for what is just being taken back" {
	local id lock auditor
	id=$(stay --name brief --network web)
	releases() { grep -qsz network-release /proc/[0-9]*/cmdline; }
	waits() { readlink "/proc/$auditor/fd/"* | grep -q pidfd; }
	exec {lock}<>"$KETCH_RUN_ROOT/networks/lock"
	flock "$lock" # the rules stay until this is let go
	ketch kill brief >/dev/null
	await 10 releases
	"$KETCH" doctor --audit >"$DIR/settled" 3>&- {lock}>&- &
	auditor=$!
	await 10 waits
	exec {lock}>&-
	wait "$auditor" || :
	unlike "$(<"$DIR/settled")" 'link|rules'
	ketch rm brief >/dev/null
}

@test "when all have gone the host is as it was: no links, no rules, no name service" {
	ketch rm -f one two >/dev/null
	await 5 leases_are 0
	ketch network rm web
	ketch network rm bridge || :
	await 5 has_no_link 0
	is "$(ip -o link | grep -c ' kt-')" 0
	is "$(nft list tables | grep -c ketch)" 0
}
