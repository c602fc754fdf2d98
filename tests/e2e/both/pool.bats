# pool.bats - a network with ports that are ready: who starts is on it as on any other, and nothing is left of what was not used
load ../lib

# peer is a container on pooled, where three ports are ready; the other is the wall under test.
setup_file() {
	store_open
	ketch network create --ipv6 --subnet 10.19.0.0/24 --subnet fd00:19::/64 --opt pool=3 --opt mtu=1400 pooled >"$DIR/pooled.id"
	ketch network create --opt pool=2 --isolate --subnet 10.20.0.0/24 apart >/dev/null
	ISOLATION=container stay --name peer --network pooled --cap-add net_raw >/dev/null
}
teardown_file() { store_close; }

pool_links() { ip -o link | sed -n "s/^[0-9]*: \(kv-[0-9a-f]*\)@.*ketch pool $(ketch network inspect -f '{{.Id}}' "$1").*/\1/p"; } # NETWORK
ready() { ketch network inspect -f '{{.Pool.Size}} {{.Pool.Ready}}' "$1"; } # NETWORK
is_ready() { [ "$(ready "$1")" = "$2 $2" ]; } # NETWORK SIZE
link_of() { inspect_of "$1" ".NetworkSettings.Networks.$2.EndpointID"; } # INSTANCE NETWORK
reaches() { ketch exec "$1" ping -c1 -W"${3:-20}" "$2" >/dev/null; } # INSTANCE ADDRESS [SECONDS]
kept_out() { ! reaches "$@" 2; }
helpers() { # FILE: pids of those that hold this lock of a network
	{ find /proc/[0-9]*/fd -lname "$KETCH_RUN_ROOT/networks/*/$1*" 2>/dev/null || :; } | cut -d/ -f3 | sort -u
}
none_holds() { [ -z "$(helpers "$1")" ]; }
no_links() { ! ip -o link | grep -q "$1"; }
leases_are() { [ "$(sqlite3 "$KETCH_ROOT/ketch.db" 'SELECT count(*) FROM lease')" -eq "$1" ]; }
audited() { ketch doctor --audit || :; }

@test "ports are ready while somebody is on the network: on its bridge, down, known to the audit" {
	local l
	await 10 is_ready pooled 3
	is "$(ready apart)" "2 0"
	is "$(pool_links pooled | wc -l)" 3
	for l in $(pool_links pooled); do
		like "$(ip -o link show "$l")" 'mtu 1400 .* state DOWN'
		unlike "$(ip -o link show "$l")" '<[^>]*UP'
		like "$(ip -o link show "$l")" "master $(ketch network inspect -f '{{.Interface}}' pooled) "
	done
	unlike "$(nft list ruleset)" "$l"
	unlike "$(audited)" 'link|rules'
}

@test "a container gets one that was ready, under addresses, names, rules and ports of its own; a machine its tap" {
	local before
	before=$(pool_links pooled)
	stay --name sub --network pooled:alias=guest --cap-add net_raw -p 127.0.0.1:0:7 --deny out:tcp:9 >/dev/null
	if [ "$ISOLATION" = container ]; then
		like "$before" "$(link_of sub pooled)"
	else
		is "$(pool_links pooled)" "$before"
	fi
	is "$(inspect_of sub '.NetworkSettings.Networks.pooled | [.IPAddress, .GlobalIPv6Address, .MacAddress] | join(" ")')" \
		"10.19.0.3 fd00:19::3 02:42:0a:13:00:03"
	like "$(ketch exec sub ip -o link show eth0)" 'mtu 1400'
	like "$(ketch exec sub cat /sys/class/net/eth0/address)" 02:42:0a:13:00:03
	like "$(ketch exec sub ip route)" 'default via 10.19.0.1 dev eth0'
	like "$(ketch exec sub ip -6 route)" 'default via fd00:19::1 dev eth0'
	unlike "$(ketch exec sub ip addr)" tentative
	reaches sub peer
	reaches peer guest
	reaches peer fd00:19::3
	ketch exec -d sub nc -l -p 7 -e echo through
	await 20 listens sub 7
	is "$(said "$(inspect_of sub '.NetworkSettings.Ports["7/tcp"][0].HostPort')")" through
	ketch exec -d peer nc -l -p 9 -e echo denied
	await 20 listens peer 9
	run ! ketch exec sub nc -w 2 10.19.0.2 9
	await 10 is_ready pooled 3
	unlike "$(pool_links pooled)" "$(link_of sub pooled)"
}
said() { timeout 20 bash -c "cat </dev/tcp/127.0.0.1/$1"; } # PORT: of the host
listens() { ketch exec "$1" sh -c "grep -qi ':$(printf %04x "$2") ' /proc/net/tcp /proc/net/tcp6"; } # INSTANCE PORT

@test "a false address is dropped at such a port as at any other" {
	ketch exec peer ip addr add 10.19.0.77/24 dev eth0 2>/dev/null && return 1 # it has no right to, and
	ketch run -d --isolation "$ISOLATION" --name liar --network pooled --cap-add net_admin --cap-add net_raw ketch/base "${STAY[@]}" >/dev/null
	await 30 logged liar ready
	reaches liar peer
	ketch exec liar ip addr add 10.19.0.77/24 dev eth0
	run ! ketch exec liar ping -c1 -W2 -I 10.19.0.77 10.19.0.2
	ketch rm -f liar >/dev/null
}

@test "one with users of its own has a port of it" {
	run --separate-stderr ketch run --rm --isolation container --userns private --network pooled ketch/base \
		sh -c 'ip -o addr show eth0 | grep -c "10\.19\.0\."'
	[[ $stderr != *'cannot shift owners'* ]] || skip "the file system of the store cannot shift owners"
	is "$output" 1
}

@test "two of its networks at once, more starts at once than ports are ready" {
	local i ids=()
	ISOLATION=container stay --name both --network pooled --network apart --cap-add net_raw >/dev/null
	reaches both peer
	like "$(ketch exec both ip -o addr show eth1)" '10\.20\.0\.'
	await 10 is_ready apart 2
	for i in {1..8}; do
		ketch run -d --isolation container --network pooled ketch/base "${STAY[@]}" >"$DIR/id.$i" &
		ids+=($!)
	done
	for i in "${ids[@]}"; do wait "$i"; done
	is "$(for i in $(cat "$DIR"/id.*); do link_of "$i" pooled; done | sort -u | wc -l)" 8
	is "$(ketch network inspect pooled | jq '[.[0].Containers[].IPv4Address] | unique | length')" 11
	for i in $(cat "$DIR"/id.*); do reaches peer "$(inspect_of "$i" .NetworkSettings.Networks.pooled.IPAddress)"; done
	cat "$DIR"/id.* | xargs "$KETCH" rm -f >/dev/null
}

@test "isolated ports of a pool are isolated" {
	krun -d --name alone --network apart --cap-add net_raw ketch/base "${STAY[@]}" >/dev/null
	await 30 logged alone ready
	reaches alone 10.20.0.1
	ISOLATION=container stay --name other --network apart --cap-add net_raw >/dev/null
	reaches other 10.20.0.1
	kept_out other "$(inspect_of alone .NetworkSettings.Networks.apart.IPAddress)"
	kept_out alone "$(inspect_of other .NetworkSettings.Networks.apart.IPAddress)"
	ketch rm -f alone other both >/dev/null
	await 10 no_links "ketch pool $(ketch network inspect -f '{{.Id}}' apart)"
}

@test "killed, its ports are gone; who starts makes his own, and there is a pool again" {
	local pids links l
	await 10 is_ready pooled 3
	links=$(pool_links pooled)
	pids=$(helpers pool.lock)
	is "$(wc -w <<<"$pids")" 1 # the maker holds nothing
	kill -9 $pids
	for l in $links; do await 10 no_links " $l@"; done
	is "$(ISOLATION=container krun --rm --network pooled ketch/base sh -c 'ip -o addr show eth0 | grep -c "10\.19\.0\."')" 1
	await 10 is_ready pooled 3
	helpers pool.lock | xargs kill -9
	await 10 none_holds pool.lock
	ketch network inspect pooled >/dev/null # a look is enough
	await 10 is_ready pooled 3
	reaches peer sub
}

@test "what somebody has taken away is not used: links, and the bridge from under them" {
	local l bridge
	for l in $(pool_links pooled); do ip link del "$l"; done
	is "$(ISOLATION=container krun --rm --network pooled ketch/base sh -c 'ip -o addr show eth0 | grep -c "10\.19\.0\."')" 1
	await 10 is_ready pooled 3
	bridge=$(ketch network inspect -f '{{.Interface}}' pooled)
	for l in $(pool_links pooled); do ip link set "$l" nomaster; done
	ISOLATION=container stay --name again --network pooled --cap-add net_raw >/dev/null
	like "$(ip -o link show "$(link_of again pooled)")" "master $bridge "
	reaches again peer
	ketch rm -f again >/dev/null
}

@test "what cannot be: one line" {
	refused 1 'opt pool=65: it cannot have this value' "$KETCH" network create --opt pool=65 other
	refused 1 'opt pool=-1: it cannot have this value' "$KETCH" network create --opt pool=-1 other
	refused 1 'opt pool=many: it cannot have this value' "$KETCH" network create --opt pool=many other
	ip link add wire0 type veth peer name wire1
	ip link set wire0 up
	refused 1 'opt pool: a macvlan network has no ports' \
		"$KETCH" network create -d macvlan -o parent=wire0 -o pool=1 --subnet 192.168.9.0/24 other
	ip link del wire0
}

@test "the last one ends it: no links, no processes, nothing in the run root" {
	ketch stop -t 1 sub >/dev/null
	await 10 leases_are 1
	await 10 is_ready pooled 3
	ketch rm -f sub peer >/dev/null
	await 10 leases_are 0
	await 10 no_links ' kv-'
	await 10 none_holds pool.lock
	await 10 none_holds lock
	[ ! -e "$KETCH_RUN_ROOT/networks/$(cat "$DIR/pooled.id")" ]
	is "$(ready pooled)" "3 0"
	unlike "$(audited)" 'link|rules'
	ketch network rm pooled apart >/dev/null
}
