# wires.bats - what crosses a network: an instance behind the wall under test, and a container beside it
load ../lib

# DRIVER: of the machine, where it is one (tests/bed runs both).
setup_file() {
	store_open
	ketch network create --subnet 10.77.0.0/24 --ipv6 --subnet fd00:77::/64 --opt mtu=1400 one >/dev/null
	ketch network create --subnet 10.78.0.0/24 two >/dev/null
	ketch network create --subnet 10.79.0.0/24 three >/dev/null
	gcc -static -O2 -o "$DIR/datagram" "$E2E/datagram.c"
	start_one container peer
	start_one "$ISOLATION" sub
}
teardown_file() { store_close; }

start_one() { # ISOLATION NAME
	local driver=()
	[ "$1" = container ] || driver=(${DRIVER:+--driver "$DRIVER"})
	ketch run -d --isolation "$1" "${driver[@]}" --network one --name "$2" ketch/base "${STAY[@]}" >/dev/null
	await 60 logged "$2" ready
	ketch exec "$2" sh -c 'head -c 4194304 /dev/urandom >/tmp/a'
	ketch cp "$DIR/datagram" "$2:/bin/datagram"
}

address() { ketch exec "$1" ip -o addr show "$2" | sed -n "s/.* $3 \([0-9a-f.:]*\)\/.*scope global.*/\1/p"; } # INSTANCE LINK inet|inet6
links() { ketch exec "$1" ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort | tr '\n' ' '; } # INSTANCE

# echoes FROM TO ADDRESS PORT BYTES: so many go there, come back, and are the same.  Neither end waits for ever.
echoes() {
	ketch exec -d "$2" timeout 180 nc -l -p "$4" -e cat
	await 20 listens "$2" "$4" tcp || return 1
	ketch exec "$1" sh -c "head -c $5 /tmp/a >/tmp/b; timeout 120 nc $3 $4 </tmp/b | cmp - /tmp/b" && return
	state "$1" "$2" >&2
	return 1
}
# What tells why nothing came: links, neighbours and counters of either side, and of the host between them.
state() { # INSTANCE...
	local i
	for i; do
		echo "--- $i"
		timeout 60 ketch exec "$i" sh -c 'ip addr; ip route; ip neigh; cat /proc/net/dev /proc/interrupts'
	done
	echo "--- host"
	ip -s link
	bridge link 2>/dev/null
	true
}
listens() { ketch exec "$1" sh -c "grep -qi ':$(printf %04x "$2") ' /proc/net/$3 /proc/net/${3}6"; } # INSTANCE PORT tcp|udp

@test "bytes go there and back, 4 MiB of them, both ways, over IPv4 and IPv6" {
	echoes sub peer "$(address peer eth0 inet)" 4001 4194304
	echoes peer sub "$(address sub eth0 inet)" 4002 4194304
	echoes sub peer "$(address peer eth0 inet6)" 4003 500000
	echoes peer sub "$(address sub eth0 inet6)" 4004 500000
}

# crosses TO-ADDRESS PORT BYTES: one datagram, from the instance to the one beside it
crosses() {
	ketch exec peer timeout 120 datagram "$2" >"$DIR/got" &
	await 20 listens peer "$2" udp || return 1
	ketch exec sub sh -c "head -c $3 /tmp/a >/tmp/b && datagram $1 $2 </tmp/b"
	wait $! && cmp "$DIR/got" <(ketch exec sub cat /tmp/b)
}

@test "datagrams: as large as they fit, and in fragments, over IPv4 and IPv6" {
	local four six
	four=$(address peer eth0 inet) six=$(address peer eth0 inet6)
	crosses "$four" 4011 1372
	crosses "$four" 4012 40000
	crosses "$six" 4013 1352
	crosses "$six" 4014 40000
}

@test "names, addresses and the size of frames are those of the network; there are no other interfaces" {
	local out
	out=$(ketch exec sub ip -o link show eth0)
	like "$out" 'mtu 1400'
	like "$(address sub eth0 inet)" '^10\.77\.0\.'
	like "$(address sub eth0 inet6)" '^fd00:77::'
	like "$(ketch exec sub ip route)" 'default via 10.77.0.1 dev eth0'
	like "$(ketch exec sub ip -6 route)" 'default via fd00:77::1 dev eth0'
	is "$(links sub)" 'eth0 lo '
	is "$(ketch exec sub cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0
	unlike "$(ketch exec sub ip addr)" tentative
}

@test "connected while it runs, to one network after the other, and to the last one talked over" {
	ketch network connect two sub
	is "$(links sub)" 'eth0 eth1 lo '
	like "$(address sub eth1 inet)" '^10\.78\.0\.'
	ketch network disconnect two sub
	is "$(links sub)" 'eth0 lo '
	ketch network connect three sub
	ketch network connect three peer
	like "$(address sub eth1 inet)" '^10\.79\.0\.'
	echoes sub peer "$(address peer eth1 inet)" 4007 100000
	like "$(ketch exec sub ip route)" 'default via 10.77.0.1 dev eth0'
}

@test "stopped and started: on both networks, under addresses of theirs" {
	ketch restart -t 5 sub
	is "$(links sub)" 'eth0 eth1 lo '
	like "$(address sub eth0 inet)" '^10\.77\.0\.'
	like "$(address sub eth1 inet)" '^10\.79\.0\.'
	echoes sub peer "$(address peer eth1 inet)" 4008 1000
}

@test "the network that has the default route is left: it leads over the other one" {
	like "$(ketch exec sub ip route)" 'default via 10.77.0.1 dev eth0'
	ketch network disconnect one sub
	is "$(links sub)" 'eth1 lo '
	like "$(ketch exec sub ip route)" 'default via 10.79.0.1 dev eth1'
	is "$(ketch exec sub ip route | grep -c default)" 1
	echoes sub peer "$(address peer eth1 inet)" 4009 1000
}
