# programs.bats - iperf3, DNS and TFTP of real programs over a network and through published ports
load ../lib
load ../second

# The root of base with iperf3 and dnsmasq of this machine.
make_root() {
	local file
	cp -a "$("$FIXTURES/get" base)/rootfs" "$DIR/root"
	for file in $(type -P iperf3 dnsmasq) $(ldd "$(type -P iperf3)" "$(type -P dnsmasq)" | grep -o '/lib[^ :]*' | sort -u); do
		install -D "$file" "$DIR/root$file"
	done
	mkdir -p "$DIR/root/tftp"
	head -c 100000 /dev/urandom >"$DIR/root/tftp/boot"
	echo 'root:x:0:' >>"$DIR/root/etc/group"
}

setup_file() {
	store_open
	second_machine
	make_root
	ketch import -c 'CMD ["sh"]' "$DIR/root" programs >/dev/null
	ketch network create --ipv6 --subnet 10.23.0.0/24 --subnet fd00:23::/64 one >/dev/null
	ketch run -d --isolation container --name beside --network one programs iperf3 -s >/dev/null
	krun -d --name sub --network one -p 192.168.7.1:5353:53/udp -p 192.168.7.1:5353:53/tcp -p 192.168.7.1:6969:69/udp programs \
		dnsmasq -k -C /dev/null -u root -h -R -A /of.example/192.0.2.53 --txt-record=who.example,sub \
		--enable-tftp --tftp-root=/tftp --tftp-single-port >/dev/null
	ketch exec -d sub iperf3 -s
	await 60 listens beside 5201
	await 60 listens sub 5201
}
teardown_file() {
	kill "$(cat "$DIR/second")"
	store_close
}
listens() { ketch exec "$1" sh -c "grep -qi ':$(printf %04x "$2") ' /proc/net/tcp /proc/net/tcp6"; } # INSTANCE PORT

# passes FROM TO FLAGS...: some megabytes in a second, by iperf3, as the receiver counts
passes() {
	ketch exec "$1" iperf3 -J -c "$2" -t 1 "${@:3}" >"$DIR/json" || { cat "$DIR/json" >&2; return 1; }
	[ "$(jq .end.sum_received.bytes "$DIR/json")" -ge 2000000 ]
}

@test "iperf3 to the other wall and from it, by name, over IPv4 and IPv6" {
	passes sub beside -4
	passes sub beside -4 -R
	passes beside sub -4
	passes beside sub -4 -R
	passes sub beside -6
	passes beside sub -6
}

@test "DNS of an instance through its published port, asked from another machine by UDP and TCP" {
	is "$(second 'dig +short +time=20 @192.168.7.1 -p 5353 of.example')" 192.0.2.53
	is "$(second 'dig +short +time=20 +tcp @192.168.7.1 -p 5353 of.example')" 192.0.2.53
	is "$(second 'dig +short +time=20 @192.168.7.1 -p 5353 who.example TXT')" '"sub"'
}

@test "a file by TFTP through a published port" {
	second "curl -sS -m 60 -o $DIR/boot tftp://192.168.7.1:6969/boot"
	cmp "$DIR/boot" "$DIR/root/tftp/boot"
}
