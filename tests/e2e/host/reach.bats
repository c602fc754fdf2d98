# reach.bats - who may reach whom, 120 cells: as it must be, and the same after the rules were flushed and each helper was killed
load ../lib
load ../second

# web: addresses of both families, ports that are ready, w1 and the machine w2; lab: isolated, l1 and l2; inner: internal, i1;
# both is on web and inner, plain on the default network, none on none.  192.168.7.2 is another machine.
WHO="w1 w2 l1 l2 i1 both plain none"
setup_file() {
	local name
	store_open
	second_machine
	ketch network create --ipv6 --subnet 10.9.0.0/24 --subnet fd00:9::/64 --opt pool=2 web >/dev/null
	ketch network create --isolate --subnet 10.10.0.0/24 lab >/dev/null
	ketch network create --internal --subnet 10.11.0.0/24 inner >/dev/null
	there w1 --network web:ip=10.9.0.11,ip6=fd00:9::11 -p '[::1]:8080:80' -p 192.168.7.1:8081:80
	ISOLATION=vm stay --name w2 --network web:ip=10.9.0.12 --cap-add net_raw >/dev/null
	there l1 --network lab:ip=10.10.0.11
	there l2 --network lab:ip=10.10.0.12
	there i1 --network inner:ip=10.11.0.11
	there both --network web:ip=10.9.0.13 --network inner:ip=10.11.0.13
	there plain
	there none --network none
	ketch exec -d w1 sh -c 'mkdir /w; echo published >/w/it; httpd -p 80 -h /w'
	PLAIN=$(inspect_of plain .NetworkSettings.IPAddress)
	export PLAIN
}
there() { ISOLATION=container stay --name "$1" --cap-add net_raw "${@:2}" >/dev/null; } # NAME FLAG...

teardown_file() {
	kill "$(cat "$DIR/second")"
	store_close
}

# A line for each who asks: does the answer come from w1 (by both families and by name), w2, l1, l2, i1, both (by both
# addresses), plain, the gateways of the four, and the other machine?  All at once: silence takes long.
reached() {
	local who
	for who in $WHO; do
		ketch exec "$who" sh -c 'for a; do ping -c1 -W3 "$a" >/dev/null 2>&1 & p="$p $!"; done
			for pid in $p; do wait $pid && printf y || printf n; done' - \
			10.9.0.11 fd00:9::11 w1 10.9.0.12 10.10.0.11 10.10.0.12 10.11.0.11 10.9.0.13 10.11.0.13 "$PLAIN" \
			10.9.0.1 10.10.0.1 10.11.0.1 "${PLAIN%.*}.1" 192.168.7.2 >"$DIR/reached.$who" 3>&- &
	done
	wait
	for who in $WHO; do echo "$(cat "$DIR/reached.$who") $who"; done
}
WANTED='yyyynnnynnynnny w1
yyyynnnynnynnny w2
nnnnynnnnnnynny l1
nnnnnynnnnnynny l2
nnnnnnynynnnynn i1
yyyynnyyynynyny both
nnnnnnnnnynnnyy plain
nnnnnnnnnnnnnnn none'

# The helpers of this network namespace: for each its kind, what it is for, and its pid.
helpers() {
	local p words
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = ketch-net ] && [ "$(readlink "$p/ns/net")" = "$(readlink /proc/self/ns/net)" ] || continue
		mapfile -d '' -t words <"$p/cmdline"
		echo "${words[1]} ${words[2]} ${p#/proc/}"
	done
}
kinds() { helpers | cut -d' ' -f1 | sort | xargs; }
ALL="names names names names names names names names pool pool" # of each two processes
is_ready() { [ "$(ketch network inspect -f '{{.Pool.Ready}}' web)" = 2 ]; }
gone() { [ ! -e "/proc/$1" ]; }
published() { curl -sS -m 20 'http://[::1]:8080/it' && second 'curl -sS -m 20 http://192.168.7.1:8081/it'; }
all_is_well() {
	is "$(reached)" "$WANTED"
	is "$(published)" $'published\npublished'
}

@test "who reaches whom is what the networks say" {
	await 10 is_ready
	is "$(kinds)" "$ALL relay"
	all_is_well
}

@test "the same when all rules were flushed, and a command has put them back" {
	nft flush ruleset
	ketch run --rm --isolation container --network web ketch/base true
	all_is_well
}

@test "the same after kill -9 of each helper, one after the other, and a look" {
	local kind of pid
	while read -r kind of pid; do
		[ -e "/proc/$pid" ] || continue # of two the other ends, too
		kill -9 "$pid"
		await 5 gone "$pid"
		ketch network inspect web lab inner bridge >/dev/null
		await 10 is_ready
		is "$(kinds)" "$ALL relay"
		all_is_well
	done < <(helpers)
}

@test "the same when all of them are killed at once" {
	helpers | cut -d' ' -f3 | xargs kill -9
	await 5 none_helps
	ketch network inspect web lab inner bridge >/dev/null
	all_is_well
	await 10 is_ready
	is "$(kinds)" "$ALL relay"
}
none_helps() { [ -z "$(kinds)" ]; }
