# lives.bats - a database lives through all that an instance meets: limits that change, pauses, crashes, copies, commits
load ../lib

setup_file() {
	store_open
	ketch import "$("$FIXTURES/get" debian)/rootfs.tar" debian:12 >/dev/null
	ketch create --isolation "$ISOLATION" --name db --restart on-failure -m 256m debian:12 \
		redis-server --dir /var/lib/redis --appendonly yes --appendfsync always --save '' --enable-debug-command yes >/dev/null
	ketch start db
	await 60 answers db
}
teardown_file() { store_close; }

cli() { ketch exec "$1" redis-cli "${@:2}"; } # INSTANCE WORD...
answers() { [ "$(cli "$1" ping 2>/dev/null)" = PONG ]; } # INSTANCE
restarted() { [ "$(inspect_of db .RestartCount)" = "$1" ] && answers db; } # TIMES

@test "a thousand keys are written, limits change under way" {
	cli db set answer 42
	ketch exec db redis-benchmark -q -n 2000 -r 1000 -t set >/dev/null &
	ketch update -m 200m db
	wait $!
	is "$(inspect_of db .HostConfig.Memory)" 209715200
	[ "$(cli db dbsize)" -gt 500 ]
}

# Both tell each write that is done by a line: that is what may not be lost.
redis_writes='i=0; while :; do i=$((i + 1)); echo "set w$i $i"; done | redis-cli'
sqlite_writes='(echo "create table t(i);"; i=0; while :; do i=$((i + 1)); echo "insert into t values($i); select $i;"; done) |
	stdbuf -oL sqlite3 -cmd ".timeout 60000" /var/lib/rows.db'
acknowledged() { wc -l <"$DIR/$1"; } # FILE: how many, as somebody outside knows
further() { [ "$(acknowledged redis)" -gt "$1" ] && [ "$(acknowledged sqlite)" -gt "$2" ]; } # REDIS SQLITE
rows() { ketch exec db sqlite3 -cmd '.timeout 60000' /var/lib/rows.db "select $1 from t" | tail -n 1; } # EXPRESSION
in_order() { printf '%s\n' "$@" | sort -nc; } # NUMBER...

@test "databases under load have in a snapshot what they had acknowledged, and go back to it" {
	local redis sqlite redis_after sqlite_after keys
	keys=$(cli db dbsize)
	ketch exec db sh -c "$redis_writes" >"$DIR/redis" &
	ketch exec db sh -c "$sqlite_writes" >"$DIR/sqlite" &
	await 60 further 20 20
	redis=$(acknowledged redis) sqlite=$(acknowledged sqlite)
	ketch snapshot create --disk-only db@busy >/dev/null
	redis_after=$(($(cli db dbsize) - keys)) sqlite_after=$(rows 'max(i)')
	await 60 further "$redis_after" "$sqlite_after" # they go on
	ketch rollback --stop db@busy
	wait
	ketch start db >/dev/null
	await 60 answers db
	in_order "$redis" $(($(cli db dbsize) - keys)) "$redis_after"
	in_order "$sqlite" "$(rows 'max(i)')" "$sqlite_after"
	is "$(rows 'count(*) = max(i)')" 1 # none is missing in between
	is "$(ketch exec db sqlite3 /var/lib/rows.db 'pragma integrity_check')" ok
}

@test "while it is paused nobody is answered; then everybody is" {
	ketch pause db
	is "$(inspect_of db .State.Status)" paused
	refused 1 'paused' ketch exec db redis-cli ping
	ketch unpause db
	is "$(cli db get answer)" 42
}

@test "it crashes, is started again by its policy, and has what was written" {
	local keys
	keys=$(cli db dbsize)
	run cli db debug segfault
	await 60 restarted 1
	is "$(cli db dbsize)" "$keys"
	is "$(cli db get answer)" 42
}

@test "stopped in order it ends with 0; its files can be copied, and it goes on" {
	ketch stop db
	is "$(inspect_of db '.State | .Status, .ExitCode')" $'exited\n0'
	[ "$ISOLATION" = vm ] || ketch cp db:/var/lib/redis/appendonlydir "$DIR/at-rest" # a machine boots for it: trees.bats
	ketch start db
	await 60 answers db
	ketch cp db:/var/lib/redis/appendonlydir "$DIR/copy"
	grep -q answer "$DIR"/copy/*.aof
	[ "$ISOLATION" = vm ] || diff "$DIR/at-rest" "$DIR/copy"
	is "$(cli db get answer)" 42
}

@test "all of Debian is exported while it goes on" {
	[ "$ISOLATION" = container ] || skip "half a minute under emulation: trees.bats exports a small root"
	ketch export db | tar -tf - | grep -q '^var/lib/redis/appendonlydir/.*aof'
	is "$(cli db get answer)" 42
}

@test "an image made of it while it runs has its data" {
	ketch commit db kept:1 >/dev/null
	ketch run -d --isolation container --name second kept:1 >/dev/null # trees.bats runs one behind both walls
	await 60 answers second
	is "$(cli second get answer)" 42
	cli second set answer 43
	is "$(cli db get answer)" 42
	ketch rm -f second db
	ketch rmi kept:1
	audit
}
