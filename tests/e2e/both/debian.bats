# debian.bats - real programs of Debian 12 in one instance: redis, nginx, sqlite, python, gcc
load ../lib

setup_file() {
	store_open
	ketch import "$("$FIXTURES/get" debian)/rootfs.tar" debian:12
	krun -d --name deb -m 512m --stop-signal INT debian:12 redis-server --save '' --protected-mode no --loglevel notice >/dev/null
	await 60 logged deb 'Ready to accept connections'
}
teardown_file() { store_close; }

inside() { ketch exec deb "$@"; }

@test "redis-server is driven by redis-benchmark" {
	run inside redis-benchmark -q -n 2000 -c 10 -t set,get,lpush
	is "$status" 0
	like "$output" 'GET: [0-9.]+ requests per second'
	is "$(inside redis-cli set k v)" OK
	is "$(inside redis-cli get k)" v
}

@test "a C program is compiled and run" {
	ketch exec -i deb sh -c 'cat >/tmp/t.c' <<-'C'
		#include <stdio.h>
		#include <sys/utsname.h>
		int main(void) { struct utsname u; uname(&u); printf("%s %ld\n", u.sysname, 6L * 7); return 42; }
	C
	run inside sh -c 'gcc -O2 -Wall -o /tmp/t /tmp/t.c && /tmp/t'
	is "$status" 42
	is "$output" 'Linux 42'
}

@test "a page is fetched from nginx inside" {
	inside sh -c 'echo "a page of Ketch" >/var/www/html/index.html; nginx'
	is "$(inside python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1/").read().decode(), end="")')" \
		'a page of Ketch'
	inside nginx -s quit
}

# page URL: what is there, as soon as somebody answers
page() { inside python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end="")' "$1"; }

@test "redis here and nginx in a container beside it know each other by name" {
	ketch run -d --isolation container --name beside debian:12 \
		sh -c 'echo "a page beside" >/var/www/html/index.html; exec nginx -g "daemon off;"' >/dev/null
	is "$(ketch exec beside redis-cli -h deb set from beside)" OK
	is "$(inside redis-cli get from)" beside
	await 20 page http://beside/
	is "$(page http://beside/)" "a page beside"
	ketch rm -f beside >/dev/null
}

@test "sqlite3 keeps a table" {
	is "$(inside sqlite3 /root/t.db 'create table t(a); insert into t values (1), (2); select sum(a) from t; pragma integrity_check')" $'3\nok'
}

@test "dpkg finds its files as they were" {
	local packages=()
	[ "$ISOLATION" = container ] || packages=(coreutils libc6 perl-base redis-tools) # emulated: all take ten times as long
	is "$(inside dpkg --verify "${packages[@]}" 2>&1 | grep -v -E '/(doc|man|locale)/|/var/www|^missing' || :)" ''
}

@test "a set-user-id program gains by default, and does not with no-new-privileges" {
	local try='cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && setpriv --reuid 33 --regid 33 --clear-groups /tmp/id -u'
	is "$(inside sh -c "$try")" 0
	# inside.bats has it behind both walls
	is "$(ketch run --rm --isolation container --security-opt no-new-privileges debian:12 sh -c "$try")" 33
}

@test "stop sends the right signal: redis ends in order" {
	ketch stop -t 20 deb
	is "$(inspect_of deb .State.ExitCode)" 0
	like "$(ketch logs deb)" 'Received SIGINT'
	like "$(ketch logs deb)" 'bye bye'
}
