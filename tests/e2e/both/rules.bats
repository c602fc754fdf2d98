#!/usr/bin/env bats
# rules.bats - who may speak with an instance and whom it may speak with: --allow, --deny, --egress none, --net-rate
load ../lib

WEB='mkdir /w; cp /etc/hostname /w/name; httpd -p 80 -h /w; httpd -p 81 -h /w; echo ready; trap "exit 0" TERM; tail -f /dev/null & wait'

setup_file() {
	store_open
	krun -d --name web --hostname web --allow tcp:80 --deny friend:80 --deny out:friend:81 --egress none \
		ketch/base sh -c "$WEB" >/dev/null
	await 60 logged web ready
	# who asks is a container in either run: the rules are outside of both walls
	ketch run -d --name other ketch/base sh -c "$WEB" >/dev/null
	ketch run -d --name friend ketch/base sh -c "$WEB" >/dev/null
	await 30 logged friend ready
	await 30 logged other ready
}

teardown_file() { store_close; }

# FROM TO PORT [SECONDS]: does it answer?
reaches() { ketch exec "$1" nc -w "${4:-20}" "$(address "$2")" "$3" </dev/null >/dev/null 2>&1; }
kept_out() { ! reaches "$@" 2; }
address() { ketch exec "$1" hostname -i; }

@test "--allow: what it names is let in, the rest is not" {
	reaches other web 80
	kept_out other web 81
}

@test "--deny by the name of an instance that came later: it is kept out, whatever is allowed" {
	kept_out friend web 80
	ketch rm -f friend
	ketch run -d --name friend ketch/base sh -c "$WEB" >/dev/null
	await 30 logged friend ready
	kept_out friend web 80
}

@test "--deny out: it may not begin that, and others may" {
	kept_out web friend 81
	reaches web friend 80
	reaches other friend 81
}

@test "the same when somebody deleted all rules, after the next command" {
	nft flush ruleset
	ketch run --isolation container --rm ketch/base true
	reaches other web 80
	kept_out other web 81
	kept_out friend web 80
}

@test "rules that make no sense are refused by their flag" {
	refused 125 '--allow tcp:0' krun --rm --allow tcp:0 ketch/base true
	refused 125 '--deny icmp:80.*no ports' krun --rm --deny icmp:80 ketch/base true
	refused 125 '--allow in:tcp:80 and --deny in:80 contradict' krun --rm --allow tcp:80 --deny 80 ketch/base true
	refused 125 '--net-rate 5apples' krun --rm --net-rate 5apples ketch/base true
	refused 125 '--net-burst needs' krun --rm --net-burst 10k ketch/base true
	refused 125 'networks of ours' krun --rm --network none --allow tcp:80 ketch/base true
}

# The time of 2 MiB in milliseconds.
fetch_ms() {
	local start
	start=$(date +%s%N)
	is "$(curl -sS -m 30 "http://$(address slow)/data" | wc -c)" 2097152
	echo $((($(date +%s%N) - start) / 1000000))
}

@test "--net-rate: never faster, changed while it runs and while it does not, and nothing is left of it" {
	ketch run -d --name slow --net-rate 1m:out --net-burst 64k ketch/base sh -c 'mkdir /w
		dd if=/dev/zero of=/w/data bs=64k count=32 2>/dev/null; httpd -p 80 -h /w; echo ready; tail -f /dev/null' >/dev/null
	await 30 logged slow ready
	[ "$(fetch_ms)" -gt 1500 ] # 2 MiB at 1 MiB a second, less what may go at once
	is "$(ketch update --net-rate 0 slow)" slow
	no_second_links
	ketch update --net-rate 1m:out slow
	[ "$(fetch_ms)" -gt 1500 ]
	refused 1 'net-rate 5apples' ketch update --net-rate 5apples slow
	ketch update --net-rate 0 slow
	ketch stop -t 0 slow >/dev/null
	ketch update --net-rate 2m:out slow
	no_second_links
	ketch start slow >/dev/null
	[ "$(ip -br link show type ifb | wc -l)" = 1 ]
	ketch rm -f slow
	await 10 no_second_links
}
no_second_links() { [ -z "$(ip -br link show type ifb)" ]; }
