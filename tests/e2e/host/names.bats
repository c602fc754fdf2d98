# names.bats - the name service of a network by itself: what dig is told, whom it asks, what it bears
load ../lib

setup_file() {
	store_open
	export RIG=$E2E/../names NET=$DIR/net BUSYBOX
	BUSYBOX=$("$FIXTURES/get" base)/rootfs/bin/busybox
	mkdir "$NET" "$NET/etc"
	ip link add br0 type bridge
	ip addr add 10.9.0.1/24 dev br0
	ip addr add fd09::1/64 dev br0 nodad
	ip link set br0 up
	document '{}'
	echo 'nameserver 127.0.0.8' >"$NET/etc/resolv.conf"
	upstream 127.0.0.9 1
	upstream 127.0.0.8 8
	serve
}

teardown_file() {
	local p
	for p in "$NET"/*.pid; do kill "$(cat "$p")" || :; done
	await 5 dead
	store_close
}

document() { # JSON that is merged into it: the whole is replaced, as names_write does
	jq -n --argjson more "$1" '{network: "net", bridge: "br0", gateway: "10.9.0.1", gateway6: "fd09::1",
		subnet: "10.9.0.0/24", subnet6: "fd09::/64", upstream: ["127.0.0.9"], entries: ([
		{instance: ("a" * 64), names: ["web", "www", "aaaaaaaaaaaa"], address: "10.9.0.5", address6: "fd09::5"},
		{instance: ("b" * 64), names: ["db", "www"], address: "10.9.0.6"}] +
		[range(60) | {instance: "c\(.)", names: ["many"], address: "10.9.0.\(100 + .)"}])} * $more' >"$NET/next"
	mv "$NET/next" "$NET/names"
}

upstream() { # ADDRESS VALUE
	"$RIG/upstream.py" "$1" "$NET/$1.log" "$2" >"$NET/$1.out" 3>&- &
	echo $! >"$NET/$1.pid"
	await 10 grep -q ready "$NET/$1.out"
}

# In a mount namespace with an /etc of its own.
serve() {
	rm -f "$NET/rig.out"
	unshare -m -- sh -c 'mount --bind "$NET/etc" /etc && exec "$@"' serve \
		"$RIG/rig.py" "$NET" 10.9.0.1 fd09::1 --bridge br0 >"$NET/rig.out" 2>&1 3>&- &
	await 10 grep -qs . "$NET/rig.out"
	grep -q ready "$NET/rig.out" || { cat "$NET/rig.out"; return 1; }
}

keeper() { sed -n 's/ready //p' "$NET/rig.out"; }
worker() { cat "/proc/$(keeper)/task/$(keeper)/children"; }
dead() { [ ! -s "$NET/rig.out" ] || [ ! -e "/proc/$(keeper)" ] && ! ss -Hlun 'sport = 53' | grep -q 10.9.0.1; }
ask() { dig +time=8 +tries=1 +noall +answer +short "@10.9.0.1" "$@"; }
status() { dig +time=8 +tries=1 "@10.9.0.1" "$@" | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }
heard() { cat "$NET/127.0.0.9.log" 2>/dev/null; }
says() { is "$(ask "${@:2}")" "$1" 2>/dev/null; } # ANSWER QUESTION

@test "names, aliases and short ids, forward and reverse, of either family, in any case" {
	is "$(ask web)" 10.9.0.5
	is "$(ask WeB AAAA)" fd09::5
	is "$(ask aaaaaaaaaaaa)" 10.9.0.5
	is "$(ask www | sort | xargs)" "10.9.0.5 10.9.0.6"
	is "$(ask web.ketch) $(ask web.net) $(ask web.net.ketch)" "10.9.0.5 10.9.0.5 10.9.0.5"
	is "$(ask -x 10.9.0.6) $(ask -x fd09::5)" "db. web."
	is "$(dig +short @fd09::1 web)" 10.9.0.5
	is "$(ask +tcp web)" 10.9.0.5
	is "$(status db AAAA)" NOERROR
	is "$(status nobody) $(status nobody.ketch) $(status -x 10.9.0.99)" "NXDOMAIN NXDOMAIN NXDOMAIN"
	unlike "$(heard)" '[^.]ketch|web|nobody'
}

@test "the first of several changes" {
	local firsts
	firsts=$(for _ in 1 2 3 4; do ask www | head -n 1; done | sort -u | xargs)
	is "$firsts" "10.9.0.5 10.9.0.6"
}

@test "an answer that does not fit is cut, and whole by TCP or where there is room" {
	like "$(dig +noedns +ignore @10.9.0.1 many)" 'flags: qr aa tc'
	is "$(ask +noedns many | wc -l)" 60
	is "$(ask +bufsize=4096 +ignore many | wc -l)" 60
	is "$(ask many.example.org | wc -l)" 70
	like "$(heard)" 'udp many.example.org A.*tcp many.example.org A'
	is "$(ask +tcp huge.example.org TXT | tr -d '" ' | wc -c)" $((156 * 255 + 1))
}

@test "what is not ours is asked of the resolvers, and only the right answer counts" {
	is "$(ask a.example.org) $(ask a.example.org AAAA)" "192.0.2.1 2001:db8::1"
	is "$(ask alias.example.org | xargs)" "a.example.org. 192.0.2.1"
	is "$(ask liar.example.org)" 192.0.2.1
	local both
	both=$(status silent.example.org & status garbage.example.org & wait)
	is "$both" "SERVFAIL
SERVFAIL"
	is "$(status refused.example.org)" REFUSED
}

@test "another resolver takes over from one that is silent or refuses, and from none at all" {
	document '{"upstream": ["127.0.0.77", "127.0.0.9", "127.0.0.8"]}'
	await 5 says 192.0.2.1 a.example.org
	document '{"upstream": ["127.0.0.9", "127.0.0.8"]}'
	await 5 says 192.0.2.1 a.example.org
	is "$(status refused.example.org)" REFUSED
	document '{"upstream": []}'
	await 5 says 192.0.2.8 a.example.org
}

@test "the host's resolv.conf is followed" {
	document '{"upstream": []}'
	await 5 says 192.0.2.8 a.example.org
	echo 'nameserver 127.0.0.9' >"$NET/etc/new"
	mv "$NET/etc/new" "$NET/etc/resolv.conf"
	await 5 says 192.0.2.1 a.example.org
	echo 'nameserver 127.0.0.8' >"$NET/etc/resolv.conf"
	await 5 says 192.0.2.8 a.example.org
	mkdir "$NET/etc/run"
	echo 'nameserver 127.0.0.9' >"$NET/etc/run/stub.conf"
	ln -sf run/stub.conf "$NET/etc/resolv.conf"
	await 5 says 192.0.2.1 a.example.org
	echo 'nameserver 127.0.0.8' >"$NET/etc/run/new"
	mv "$NET/etc/run/new" "$NET/etc/run/stub.conf"
	await 5 says 192.0.2.8 a.example.org
	rm "$NET/etc/resolv.conf"
	no_resolver() { [ "$(status a.example.org)" = SERVFAIL ]; }
	await 5 no_resolver
	# we are no resolver of our own
	echo 'nameserver 10.9.0.1' >"$NET/etc/resolv.conf"
	is "$(status a.example.org)" SERVFAIL
	document '{}'
	await 5 says 192.0.2.1 a.example.org
}

@test "who comes and goes is known at once; a broken document changes nothing" {
	document '{"entries": [{"instance": "dd", "names": ["new"], "address": "10.9.0.9"}]}'
	await 5 says 10.9.0.9 new
	is "$(status web)" NXDOMAIN
	echo '{"entries":' >"$NET/next"
	mv "$NET/next" "$NET/names"
	is "$(ask new)" 10.9.0.9
	document '{}'
	await 5 says 10.9.0.5 web
}

@test "an internal network asks nobody" {
	document '{"internal": true}'
	await 5 eval '[ "$(status a.example.org)" = NXDOMAIN ]'
	: >"$NET/127.0.0.9.log"
	is "$(status other.example.org) $(ask web)" "NXDOMAIN 10.9.0.5"
	is "$(heard)" ""
	document '{}'
	await 5 says 192.0.2.1 a.example.org
}

@test "who is not of the network gets no answer" {
	like "$(dig +time=1 +tries=1 -b 127.0.0.1 @10.9.0.1 web)" "timed out"
	like "$(dig +time=1 +tries=1 +tcp -b 127.0.0.1 @10.9.0.1 web)" "communications error|end of file|connection reset|timed out"
}

@test "2,000 broken packets do it no harm, nor its memory" {
	local before
	before=$(worker)
	is "$("$RIG/hostile.py" 10.9.0.1 2000)" "ok 2000"
	is "$(worker)" "$before"
	[ "$(sed -n 's/VmRSS:\t* *\([0-9]*\).*/\1/p' "/proc/${before% }/status")" -lt 8000 ]
}

@test "connections that say nothing are few, and keep no other client out" {
	local fds=() fd
	for _ in {1..10}; do exec {fd}<>/dev/tcp/10.9.0.1/53; fds+=("$fd"); done
	like "$(ask +tcp web)" "end of file|connection reset|timed out"
	ip addr add 10.9.0.200/24 dev br0
	is "$(ask +tcp -b 10.9.0.200 web)" 10.9.0.5
	for fd in "${fds[@]}"; do exec {fd}>&-; done
	await 5 says 10.9.0.5 +tcp web
}

in_set() { nft list set inet ketch "$1" | tr -d '\n'; } # NAME

@test "who may reach some names has their addresses in its set before it hears them, and nothing else" {
	local id
	id=$(printf 'e%.0s' {1..64})
	nft -f - <<-X
		table inet ketch {
			set egress4 { type ipv4_addr . ipv4_addr; flags timeout; }
			set egress6 { type ipv6_addr . ipv6_addr; flags timeout; }
		}
	X
	ip addr add 10.9.0.70/24 dev br0
	ip addr add fd09::70/64 dev br0 nodad
	document '{"entries": [{"instance": "'"$id"'", "names": ["shut"], "address": "10.9.0.70", "address6": "fd09::70",
		"egressGiven": true, "egress": ["a.example.org", "*.wild.example.org", "short.example.org", "many.example.org"]}]}'
	await 5 says 10.9.0.70 shut
	is "$(status -b 10.9.0.70 b.example.org)" NXDOMAIN
	is "$(status -b 10.9.0.70 wild.example.org)" NXDOMAIN
	is "$(in_set egress4 | grep -c elements)" 0
	is "$(ask -b 10.9.0.70 a.example.org; in_set egress4 | grep -o '10.9.0.70 . [0-9.]* timeout [0-9a-z]*')" \
		$'192.0.2.1\n10.9.0.70 . 192.0.2.1 timeout 1m10s'
	is "$(ask -b 10.9.0.70 a.example.org AAAA; in_set egress6 | grep -o 'fd09::70 . [0-9a-f:]*')" \
		$'2001:db8::1\nfd09::70 . 2001:db8::1'
	# by IPv6 it is the same instance
	is "$(dig +short -b fd09::70 @fd09::1 b.example.org A; dig +short -b fd09::70 @fd09::1 deep.in.wild.example.org A)" 192.0.2.1
	nft flush set inet ketch egress4
	is "$(ask -b 10.9.0.70 short.example.org; in_set egress4 | grep -o 'timeout [0-9a-z]*')" $'192.0.2.1\ntimeout 40s'
	is "$(ask -b 10.9.0.70 +tcp short.example.org)" 192.0.2.1
	# more than are let through at a time: none is, and none is told
	is "$(status -b 10.9.0.70 +tcp many.example.org)" SERVFAIL
	is "$(status -b 10.9.0.70 a.example.org HTTPS)" NOERROR
	: >"$NET/127.0.0.9.log"
	is "$(status -b 10.9.0.70 secret.of.mine.example.com TXT)" NXDOMAIN
	is "$(heard)" ""
	# no set, no answer
	nft delete table inet ketch
	is "$(status -b 10.9.0.70 a.example.org)" SERVFAIL
	document '{}'
	await 5 says 10.9.0.5 web
}

@test "who learns is kept from nothing, and its list has what it has found" {
	local id
	id=$(printf 'f%.0s' {1..64})
	mkdir "$NET/$id"
	document '{"entries": [{"instance": "'"$id"'", "names": ["learner"], "address": "10.9.0.70", "egressLearn": true}]}'
	await 5 says 10.9.0.70 learner
	is "$(ask -b 10.9.0.70 A.example.org) $(ask -b 10.9.0.70 a.example.org) $(ask -b 10.9.0.70 b.example.org)" \
		"192.0.2.1 192.0.2.1 192.0.2.1"
	is "$(ask -b 10.9.0.70 learner)" 10.9.0.70
	is "$(status -b 10.9.0.70 refused.example.org)" REFUSED
	await 5 grep -q b.example.org "$NET/$id/asked"
	is "$(xargs <"$NET/$id/asked")" "a.example.org b.example.org"
	document '{}'
	await 5 says 10.9.0.5 web
}

# A client with this card in a network namespace of its own, on the bridge.
with_card() { # MAC COMMAND...
	local mac=$1 holder status=0
	shift
	unshare -n sleep 60 3>&- &
	holder=$!
	await 5 eval '[ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	ip link add card0 address "$mac" type veth peer name port0
	ip link set port0 master br0 up
	ip link set card0 netns "$holder"
	nsenter -n -t "$holder" ip link set card0 up
	nsenter -n -t "$holder" "$@" || status=$?
	kill "$holder"
	await 5 eval '[ ! -e /sys/class/net/port0 ]'
	return "$status"
}

@test "DHCP gives a known card its address and all that belongs to it, twice" {
	document '{"mtu": 1400, "entries": [{"instance": "ee", "names": ["vm"], "address": "10.9.0.40", "mac": "02:42:0a:09:00:28",
		"dhcp": true}, {"instance": "ff", "names": ["agent"], "address": "10.9.0.41", "mac": "02:42:0a:09:00:29"}]}'
	await 5 says 10.9.0.40 vm
	cat >"$NET/script" <<-'X'
		#!/bin/sh
		[ "$1" != bound ] || echo "$ip/$mask $router $dns $mtu $hostname $lease $serverid"
	X
	chmod +x "$NET/script"
	run -0 --separate-stderr with_card 02:42:0a:09:00:28 "$BUSYBOX" udhcpc -i card0 -s "$NET/script" -q -n -t 5 -T 1
	is "$output" "10.9.0.40/24 10.9.0.1 10.9.0.1 1400 vm 3600 10.9.0.1"
	: >"$NET/leases"
	with_card 02:42:0a:09:00:28 dhclient -1 -v -d -sf "$NET/script" -lf "$NET/leases" -pf "$NET/dhclient" \
		card0 >"$NET/dhclient.out" 2>&1 &
	await 10 grep -q 'bound to 10.9.0.40' "$NET/dhclient.out" || { cat "$NET/dhclient.out"; return 1; }
	grep -q 'option routers 10.9.0.1' "$NET/leases"
	kill "$(cat "$NET/dhclient")"
	wait "$!" || :
}

@test "DHCP gives nobody else anything: unknown cards, and those that have an agent" {
	run ! with_card 02:42:0a:09:00:99 "$BUSYBOX" udhcpc -i card0 -s "$NET/script" -q -n -t 1 -T 1
	run ! with_card 02:42:0a:09:00:29 "$BUSYBOX" udhcpc -i card0 -s "$NET/script" -q -n -t 1 -T 1
	document '{}'
	await 5 says 10.9.0.5 web
}

@test "the process that reads has no rights" {
	local p
	p=$(worker)
	p=${p% }
	like "$(cat "/proc/$p/status")" 'CapPrm:	0+
.*CapBnd:	0+
.*NoNewPrivs:	1
Seccomp:	2'
	unlike "$(sed -n 's/^Uid:\t//p' "/proc/$p/status")" '^0'
	is "$(ls -A "/proc/$p/root")" ""
	is "$(sed -n 's/^CapEff:\t//p' "/proc/$(keeper)/status")" 0000000000001000
	is "$(readlink "/proc/$(keeper)/cwd")" /
	unlike "$(readlink "/proc/$(keeper)"/fd/* "/proc/$p"/fd/* | sort -u | xargs)" '(^| )/( |$)' # what the rig has left open
}

@test "a killed worker takes the keeper with it, a killed keeper the worker; the next one serves" {
	local old
	old=$(worker)
	kill -9 "${old% }"
	await 5 dead
	serve
	is "$(ask web)" 10.9.0.5
	kill -9 "$(keeper)"
	await 5 dead
	serve
	is "$(ask web)" 10.9.0.5
}

@test "without its names, or without its lock, it ends" {
	rm "$NET/names"
	await 5 dead
	document '{}'
	serve
	rm "$NET/lock"
	await 5 dead
	serve
	is "$(ask web)" 10.9.0.5
	rm "$NET/lock" # for teardown
}

@test "the relay for [::1] passes bytes on, and nobody else's" {
	ip addr add fd00::1/128 dev lo
	is "$("$RIG/relay.py")" ok
}
