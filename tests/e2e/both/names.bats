# names.bats - names on networks, as instances of either wall hear them, beside a container and one on another network
load ../lib

setup_file() {
	store_open
	export RIG=$E2E/../names
	ip link add outside type bridge
	ip addr add 198.51.100.9/24 dev outside
	ip link set outside up
	"$RIG/upstream.py" 127.0.0.9 "$DIR/asked" 3>&- >"$DIR/upstream" &
	"$RIG/upstream.py" 198.51.100.9 "$DIR/asked" 3>&- >"$DIR/other" &
	await 10 grep -q ready "$DIR/upstream"
	await 10 grep -q ready "$DIR/other"
	ketch network create --dns 127.0.0.9 --ipv6 one
	ketch network create --dns 127.0.0.9 two
	stay --name web --network one --network-alias www --network-alias Store
	ISOLATION=container stay --name peer --network one
	ISOLATION=container stay --name far --network two
}

teardown_file() {
	kill "$(sed -n 's/ready //p' "$DIR/upstream")" "$(sed -n 's/ready //p' "$DIR/other")"
	ketch rm -f web peer far
	ketch network rm one two
	store_close
}

address_of() { ketch exec "$1" ip addr show eth0 | sed -n "s/.*$2 \([0-9a-f.:]*\)\/.*scope global.*/\1/p"; } # INSTANCE inet|inet6
# What an instance hears: addresses, or names of an address, a line each.
hears() { # INSTANCE QUESTION
	ketch exec "$1" nslookup "${@:2}" | sed -n '/^Name:/,$ s/^Address: *//p; s/.*name = //p' | sort -u
}
# NETWORK: its name service here; another store may have a network of this name
service() {
	local pid here
	here=$(readlink /proc/self/ns/net)
	for pid in $(pgrep -f "ketch-net names $1 ketch-"); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$here" ] || { echo "$pid" && return; }
	done
}

@test "a name, its aliases and the short id are known to the other wall, and its name to it" {
	local web peer id
	web=$(address_of web inet) peer=$(address_of peer inet) id=$(inspect_of web .Id)
	like "$web" '^10\.'
	is "$(hears peer web | grep -v :)" "$web"
	is "$(hears peer WWW | grep -v :) $(hears peer store.ketch | grep -v :) $(hears peer "${id::12}" | grep -v :)" "$web $web $web"
	is "$(hears web peer | grep -v :) $(hears web peer.one | grep -v :)" "$peer $peer"
	is "$(hears web "$peer")" peer
	is "$(hears peer "$web")" web
	is "$(hears peer web | grep :)" "$(address_of web inet6)"
}

@test "its resolver is the gateway, as its route says" {
	local gateway
	gateway=$(ketch exec web ip route | sed -n 's/default via \([^ ]*\).*/\1/p')
	like "$gateway" '^10\.'
	is "$(ketch exec web grep nameserver /etc/resolv.conf)" "nameserver $gateway"
}

@test "another network does not know it" {
	run ! ketch exec far nslookup web
	is "$(hears far "$(address_of web inet)")" ""
	run ! ketch exec web nslookup far
	unlike "$(cat "$DIR/asked")" 'web|far'
}

@test "other names are asked of the resolvers" {
	is "$(hears web a.example.org)" $'192.0.2.1\n2001:db8::1'
	run ! ketch exec web nslookup single
	unlike "$(cat "$DIR/asked")" 'single'
}

@test "ketch resolve" {
	is "$(ketch resolve www | grep -v :)" "$(address_of web inet)"
	is "$(ketch resolve --network one web.one.ketch | grep -v :)" "$(address_of web inet)"
	is "$(ketch resolve "$(address_of web inet)")" web
	refused 1 'nobody is called web' ketch resolve --network two web
	refused 1 'nobody is called nosuch' ketch resolve nosuch
	refused 1 'nobody is on a network nosuch' ketch resolve --network nosuch web
	refused 1 'neither a name nor an address' ketch resolve 'a b'
}

@test "who may reach some names outside reaches no others, and who learns gets a list of them" {
	krun --name shut --network one --egress a.example.org --egress '*.wild.example.org' ketch/base sh -c '
		nslookup a.example.org && nslookup x.wild.example.org && ! nslookup b.example.org && nslookup peer &&
		! timeout 2 nslookup a.example.org 198.51.100.9' >"$DIR/shut" 2>&1
	unlike "$(cat "$DIR/asked")" 'b.example.org'
	refused 1 'has not learnt any name' ketch egress shut
	# what is learnt goes by addresses: one wall is enough
	ISOLATION=container krun --name learner --network one --egress learn ketch/base sh -c 'nslookup c.example.org; nslookup D.example.org
		nslookup e.example.org 198.51.100.9' >/dev/null
	is "$(ketch egress learner | xargs)" "--egress=c.example.org --egress=d.example.org"
	ketch rm shut learner
}

@test "bad words of --egress" {
	refused 125 "--egress: 'a b' is no name outside" krun --rm --egress 'a b' ketch/base true
	refused 125 "--egress: 'single' is no name outside" krun --rm --egress single ketch/base true
	refused 125 "'192.0.2.1' is an address: --allow out:192.0.2.1 lets it" krun --rm --egress 192.0.2.1 ketch/base true
	refused 125 '--egress none: other names are given' krun --rm --egress none --egress a.example.org ketch/base true
	refused 125 'conflicting options: egress and --network none' krun --rm --network none --egress a.example.org ketch/base true
}

@test "a killed name service is there again with the next change, and goes with the last instance" {
	local old
	old=$(service one)
	kill -9 "$old"
	await 5 gone "$old"
	ketch network inspect one >/dev/null
	await 5 eval 'service one | grep -q .'
	is "$(hears web peer | grep -v :)" "$(address_of peer inet)"
	old=$(service one)
	kill -9 "$old"
	await 5 gone "$old"
	ISOLATION=container krun --rm --network one ketch/base nslookup web
	is "$(hears web peer | grep -v :)" "$(address_of peer inet)"
	ketch stop -t 0 far
	no_service() { [ -z "$(service two)" ]; }
	await 5 no_service
	refused 1 'nobody is called far' ketch resolve far
	ketch start far
	await 5 eval 'service two | grep -q .'
}

@test "a name service that cannot start: why is told, and its instance does not run" {
	mkdir "$DIR/bin"
	cp "$KETCH" "${KETCH%/*}/ketch-monitor" "$DIR/bin"
	printf '#!/bin/sh\n' >"$DIR/bin/ketch-net"
	chmod +x "$DIR/bin/ketch-net"
	ketch network create four >/dev/null
	refused 125 'name service of network four: it ended at its start' \
		"$DIR/bin/ketch" run --isolation container --network four ketch/base true
	ketch network rm four
}
