# second.bash - a second machine for tests of what comes from outside: a namespace on the wire "lan"
# shellcheck shell=bash

# A second machine: a namespace on the wire "lan", 192.168.7.2 there, and we 192.168.7.1.
second_machine() {
	unshare -n sleep 3600 &
	echo "$!" >"$DIR/second"
	await 5 differs "$!"
	ip link add lan type veth peer name eth0 netns "$!"
	ip address add 192.168.7.1/24 dev lan && ip link set lan up
	second "ip address add 192.168.7.2/24 dev eth0; ip link set eth0 up; ip route add default via 192.168.7.1"
}
differs() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
second() { nsenter -t "$(cat "$DIR/second")" -n sh -c "$1"; } # COMMAND
