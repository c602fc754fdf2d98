# checkpoint.bats - checkpoint and restore by CRIU, which works on few kernels: here on the bed's
load ../oci/lib

setup() { command -v criu >/dev/null || skip 'criu is not installed'; }

# counter NAME [JQ]: counts aloud into a pipe, whose other end writes $DIR/NAME.out
counter() {
	bundle "$1" "${2:-.}" sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	rt create --bundle "$DIR/b/$1" "$TAG-$1" </dev/null 3>&- 2>&1 | cat >"$DIR/$1.out" &
	await 20 has_status "$1" created
	start "$1"
	await 20 test -s "$DIR/$1.out"
}
dump() { rt checkpoint --image-path "$DIR/$1.img" "${@:2}" "$TAG-$1"; } # NAME [FLAG...]
last() { tail -n 1 "$1"; }

# goes_on NAME: restored with a pipe as its stdout, it counts on from where it was
goes_on() {
	local before
	before=$(last "$DIR/$1.out")
	rt restore --detach --bundle "$DIR/b/$1" --image-path "$DIR/$1.img" --work-path "$DIR/$1.work" \
		--pid-file "$DIR/$1.pid" "${@:2}" "$TAG-$1" </dev/null 3>&- 2>&1 | cat >"$DIR/$1.again" &
	await 30 test -s "$DIR/$1.again"
	is "$(head -n 1 "$DIR/$1.again")" $((before + 1))
	has_status "$1" running
	is "$(cat "$DIR/$1.pid")" "$(pid_of "$1")"
}

@test "a counter that is checkpointed, deleted and restored counts on, into the new pipe" {
	counter c '.mounts += [{destination: "/var/run/host", type: "bind", source: "/etc", options: ["rbind", "ro"]}]'
	dump c
	is "$(status_of c)" stopped
	rt delete "$TAG-c"
	goes_on c
	is "$(cat "/proc/$(pid_of c)/cgroup")" "0::/$TAG/c"
	is "$(cat "/sys/fs/cgroup/$TAG/c/pids.max")" 200
	is "$(rt exec "$TAG-c" cat /proc/self/cgroup)" 0::/
	rt exec "$TAG-c" test -e /run/host/passwd
	remove c
}

@test "what protects the host is there again: masks, read-only paths, capabilities, the filter" {
	local filter='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	counter p "$filter"
	rights() { grep -E '^(Cap|Seccomp|NoNewPrivs)' "/proc/$(pid_of p)/status"; }
	mounts() { cut -d' ' -f5,6 "/proc/$(pid_of p)/mountinfo" | sort; }
	rights >"$DIR/rights"
	mounts >"$DIR/mounts.before"
	dump p
	remove p
	goes_on p
	rights | diff "$DIR/rights" -
	mounts | diff "$DIR/mounts.before" -
	remove p
	rm -r "$DIR/state/.seccomp" # compiled filters, kept for the next container
}

@test "--leave-running: it goes on" {
	local count
	counter r
	dump r --leave-running
	is "$(status_of r)" running
	count=$(last "$DIR/r.out")
	further() { [ "$(last "$DIR/r.out")" -gt "$1" ]; }
	await 20 further "$count"
	remove r
}

@test "--pre-dump and --parent-path" {
	counter d
	rt checkpoint --pre-dump --image-path "$DIR/d.pre" "$TAG-d"
	is "$(status_of d)" running
	dump d --parent-path ../d.pre
	remove d
	goes_on d
	remove d
}

@test "stdout in a file of the host, which is given again; a network namespace of somebody else" {
	touch "$DIR/netns"
	unshare --net="$DIR/netns" true
	staying f ".linux.namespaces |= map(if .type == \"network\" then .path = \"$DIR/netns\" else . end)"
	dump f
	remove f
	rt restore --detach --bundle "$DIR/b/f" --image-path "$DIR/f.img" "$TAG-f" </dev/null >>"$DIR/f.out" 2>&1 3>&-
	has_status f running
	is "$(stat -Lc %i "/proc/$(pid_of f)/ns/net")" "$(stat -c %i "$DIR/netns")"
	is "$(readlink "/proc/$(pid_of f)/fd/1")" "$DIR/f.out"
	remove f
	umount "$DIR/netns"
}

@test "restore in the foreground: its exit status, and the container is gone" {
	local status=0
	bundle g . sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
	rt create --bundle "$DIR/b/g" "$TAG-g" </dev/null >/dev/null 2>&1 3>&-
	start g
	dump g
	remove g
	rt restore --bundle "$DIR/b/g" --image-path "$DIR/g.img" "$TAG-g" </dev/null >/dev/null 2>&1 3>&- &
	await 30 has_status g running
	rt kill "$TAG-g" TERM
	wait $! || status=$?
	is $status 7
}

# shell NAME: a shell that answers each line with it and the size of its terminal, and each new size too, checkpointed (in
# two steps) while it waits for the next
shell() {
	bundle "$1" '.process.terminal = true | .process.consoleSize = {height: 33, width: 44} |
		.mounts += [{destination: "/a \"b", type: "bind", source: "/etc", options: ["rbind", "ro"]}]' \
		sh -c 'trap "echo now \$(stty size)" WINCH
			while :; do read x || continue; echo "got $x at $(stty size)"; [ "$x" != end ] || exit 5; done'
	at_console "run='$RUNTIME' --root $DIR/state start $TAG-$1" 'send=one\r' 'expect=got one at 33 44' \
		"run='$RUNTIME' --root $DIR/state checkpoint --pre-dump --image-path $DIR/$1.pre $TAG-$1" \
		"run='$RUNTIME' --root $DIR/state checkpoint --parent-path ../$1.pre --image-path $DIR/$1.img $TAG-$1" -- \
		create --bundle "$DIR/b/$1" --console-socket "$DIR/console" "$TAG-$1"
	remove "$1"
}
# at_console STEP... -- VERB [WORD...]: who sits at the console socket of a command
at_console() {
	local steps=()
	while [ "$1" != -- ]; do steps+=("$1") && shift; done
	run "$OCI/console.py" "$DIR/console" "${steps[@]}" -- "$RUNTIME" --root "$DIR/state" "${@:2}" 3>&-
	is "$status" 0 || { echo "$output" >&2; return 1; }
}

@test "a terminal: restored through --console-socket, and in the foreground at the caller's own" {
	shell t
	at_console 'send=two\r' 'expect=got two at 33 44' resize=11x22 'expect=now 11 22' \
		'send=three\r' 'expect=got three at 11 22' \
		"run='$RUNTIME' --root $DIR/state exec $TAG-t test -e '/a \"b/passwd' -a -c /dev/console" \
		"run=[ \$(cut -d' ' -f7 /proc/\$(cat $DIR/t.pid)/stat) != 0 ]" -- \
		restore --detach --bundle "$DIR/b/t" --image-path "$DIR/t.img" --pid-file "$DIR/t.pid" \
		--console-socket "$DIR/console" "$TAG-t"
	remove t
	run "$OCI/../e2e/terminal.py" 12x34 'expect=now 12 34' 'send=two\r' 'expect=got two at 12 34' \
		resize=22x33 'expect=now 22 33' 'send=end\r' eof -- \
		"$RUNTIME" --root "$DIR/state" restore --bundle "$DIR/b/t" --image-path "$DIR/t.img" "$TAG-t" 3>&-
	is "$status" 5
	audit
}

@test "terminals that do not fit the config, or that nobody takes: nothing is left" {
	local without
	shell u
	says 1 'a terminal needs --console-socket' rt restore --detach --bundle "$DIR/b/u" --image-path "$DIR/u.img" "$TAG-u"
	says 1 '--console-socket .*/none' rt restore --detach --bundle "$DIR/b/u" --image-path "$DIR/u.img" \
		--console-socket "$DIR/none" "$TAG-u"
	counter v
	dump v
	remove v
	without=$(jq '.process.terminal = true' "$DIR/b/v/config.json")
	echo "$without" >"$DIR/b/v/config.json"
	says 1 'the images hold no terminal' rt restore --bundle "$DIR/b/v" --image-path "$DIR/v.img" "$TAG-v"
	audit
}

# server WORD...: a criu that serves something, once it listens; as long as it has work
server() {
	mkfifo "$DIR/serves"
	criu "$@" --status-fd 5 -v4 </dev/null >"$DIR/server.out" 2>&1 3>&- 5>"$DIR/serves" &
	is "$(timeout 30 od -An -tx1 -N1 <"$DIR/serves")" ' 00'
	rm "$DIR/serves"
}

@test "--page-server: the memory goes there, and the restore has it from there" {
	counter w
	mkdir "$DIR/w.pages"
	server page-server --images-dir "$DIR/w.pages" --log-file log --address 127.0.0.1 --port 2700
	dump w --page-server 127.0.0.1:2700
	wait $!
	[ ! -e "$DIR/w.img/pages-1.img" ]
	remove w
	cp "$DIR/w.pages"/*.img "$DIR/w.img"
	goes_on w
	remove w
}

# On one host both are there at once: the restored container has a config of its own, with other cgroups.
@test "--lazy-pages: the memory is served by the dump, and fetched when the restored container needs it" {
	local checkpoint
	criu check --feature uffd-noncoop
	counter x
	bundle y . sh
	mkfifo "$DIR/status"
	dump x --lazy-pages --page-server '[::1]:2701' --status-fd 5 </dev/null 3>&- 5>"$DIR/status" &
	checkpoint=$!
	is "$(timeout 60 od -An -tx1 -N1 <"$DIR/status")" ' 00'
	like "$(ss -ltnH 'sport = :2701')" ' \[::1\]:2701 ' # nowhere else
	mkdir "$DIR/y.work"
	server lazy-pages --images-dir "$DIR/x.img" --work-dir "$DIR/y.work" --page-server --address ::1 --port 2701
	cp -a "$DIR/x.img" "$DIR/y.img"
	cp "$DIR/x.out" "$DIR/y.out"
	goes_on y --lazy-pages
	wait "$checkpoint"
	has_status x stopped
	remove x
	remove y
}

# A11: what restore does is said by its own bundle; a checkpoint that came from elsewhere cannot say it.
@test "what lies in the images beside CRIU's own is data: a config, hooks, streams that are options" {
	counter i
	dump i
	remove i
	jq '.hostname = "evil" | .hooks = {createRuntime: [{path: "/bin/touch", args: ["touch", "/tmp/marker"]}]} | .process.capabilities = null' \
		"$DIR/b/i/config.json" >"$DIR/i.img/config.json"
	cp "$DIR/i.img/config.json" "$DIR/i.img/spec.dump"
	printf 'exec-cmd\naction-script /tmp/marker.sh\n' | tee "$DIR/i.img/criu.conf" >"$DIR/i.img/runc.conf"
	[ -s "$DIR/i.img/descriptors.json" ]
	jq -c '. + ["pipe:[1]\n--action-script=/tmp/marker.sh", "file[1:2]:/etc/shadow"]' "$DIR/i.img/descriptors.json" >"$DIR/i.streams"
	cp "$DIR/i.streams" "$DIR/i.img/descriptors.json"
	goes_on i
	is "$(rt exec "$TAG-i" hostname)" "$(jq -r .hostname "$DIR/b/i/config.json")"
	is "$(grep CapEff "/proc/$(pid_of i)/status" | cut -f2)" "$(grep CapPrm "/proc/$(pid_of i)/status" | cut -f2)"
	[ ! -e /tmp/marker ]
	remove i
	# only the first three are streams; one of them that names what it likes gets what the caller's pipe is, or nothing
	mkdir "$DIR/i.img.odd" && cp -a "$DIR/i.img/." "$DIR/i.img.odd"
	echo '["/dev/null", "pipe:[1]:x --action-script=/tmp/marker.sh", "../../etc/shadow"]' >"$DIR/i.img.odd/descriptors.json"
	rt restore --detach --bundle "$DIR/b/i" --image-path "$DIR/i.img.odd" "$TAG-i" </dev/null >/dev/null 2>&1 3>&- || :
	[ ! -e /tmp/marker ]
	remove i
}

@test "images that are not whole: one line, and nothing is left" {
	counter h
	dump h
	remove h
	truncate -s 2 "$DIR/h.img/inventory.img"
	says 1 'criu restore failed: [^i].*restore.log' \
		rt restore --detach --bundle "$DIR/b/h" --image-path "$DIR/h.img" "$TAG-h"
	audit
}

# CRIU does not die with it, and may have made the processes that nobody has recorded yet.
@test "a restore that is killed half-way: delete --force leaves nothing" {
	counter k
	dump k
	remove k
	mkfifo "$DIR/made"
	# what is killed is the runtime; this is a CRIU that has done all but to end
	printf '#!/bin/sh\ncriu "$@"\necho >%s\nexec sleep 1000\n' "$DIR/made" >"$DIR/criu"
	chmod +x "$DIR/criu"
	"$RUNTIME" --root "$DIR/state" --criu "$DIR/criu" restore --detach --bundle "$DIR/b/k" --image-path "$DIR/k.img" \
		"$TAG-k" </dev/null >/dev/null 2>&1 3>&- &
	timeout 60 cat "$DIR/made"
	kill -9 $!
	wait $! || :
	has_status k creating
	remove k
	audit
}

@test "hosts whose mounts are shared, as systemd has them" {
	mount --make-rshared /
	counter s
	dump s
	remove s
	goes_on s
	remove s
	mount --make-rprivate / # as it was
}
