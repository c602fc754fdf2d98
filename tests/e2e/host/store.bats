# store.bats - images in and out of the store
load ../lib

setup_file() {
	store_open
	BASE=$("$FIXTURES/get" base)/rootfs
	export BASE
}
teardown_file() { store_close; }

layers() { find "$KETCH_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l; }

@test "import of a directory, a tar, a compressed tar and stdin gives images that hold the same" {
	tar -C "$BASE" -cf "$DIR/base.tar" .
	gzip -k "$DIR/base.tar"
	zstd -q "$DIR/base.tar" 2>/dev/null || xz -k "$DIR/base.tar"
	local f n=0
	for f in "$BASE" "$DIR"/base.tar*; do
		ketch import "$f" "copy:$((++n))"
		is "$(ketch run --rm "copy:$n" sh -c 'cat /etc/os-release; stat -c %a /tmp')" "$(cat "$BASE/etc/os-release")"$'\n1777'
	done
	ketch import - copy:stdin <"$DIR/base.tar"
	is "$(ketch run --rm copy:stdin echo ran)" ran
}

@test "the same tar again is the same layer" {
	local before
	before=$(layers)
	ketch import "$DIR/base.tar" again:1
	is "$(layers)" "$before"
	ketch rmi again:1
	is "$(layers)" "$before"
}

@test "images, image inspect, tag, rmi" {
	ketch tag ketch/base second/name:v2
	like "$(ketch images)" 'second/name +v2'
	is "$(ketch image inspect second/name:v2 | jq -r '.[0].Id')" "$(ketch image inspect ketch/base | jq -r '.[0].Id')"
	like "$(ketch rmi second/name:v2)" 'second/name:v2'
	refused 1 'no such image.*second/name' ketch image inspect second/name:v2
	is "$(ketch run --rm ketch/base echo still)" still
}

@test "an image that an instance uses is not removed" {
	ketch run --name user copy:1 true
	refused 1 'in use|used by' ketch rmi copy:1
	ketch rm user
	ketch rmi copy:1
}

@test "xattrs, device files, set-user-id bits, hard links, long and odd names survive" {
	local t=$DIR/tree long
	long=$(printf 'x%.0s' $(seq 250))
	cp -a "$BASE" "$t"
	mkdir -p "$t/odd/$long/$long"
	echo deep >"$t/odd/$long/$long/file"
	echo x >"$t/odd/"$'new\nline'
	echo x >"$t/odd/-rf *"
	mknod "$t/odd/null" c 1 3
	mkfifo "$t/odd/fifo"
	cp "$t/bin/busybox" "$t/odd/suid" && chmod 6755 "$t/odd/suid"
	ln "$t/odd/suid" "$t/odd/hard"
	ln -s ../../../../etc/passwd "$t/odd/up"
	chown 12345:54321 "$t/odd/fifo"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"a\0b")' "$t/odd/-rf *"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("0000000200040000000000000000000000000000"))' "$t/odd/hard"
	tar -C "$t" --xattrs --xattrs-include='*' -cf "$DIR/odd.tar" .
	local f
	for f in "$t" "$DIR/odd.tar"; do
		ketch import "$f" odd:1
		local root
		root=$(ketch run --rm -v "$DIR:/out" odd:1 sh -c 'cd /odd && tar -cf - . | cat >/out/back.tar; stat -c "%a %h %t:%T %u:%g %n" suid null fifo')
		is "$root" $'6755 2 0:0 0:0 suid\n644 1 1:3 0:0 null\n644 1 0:0 12345:54321 fifo'
		is "$(tar -tf "$DIR/back.tar" | sort)" "$(tar -C "$t/odd" -cf - . | tar -tf - | sort)"
		ketch create --name odd odd:1 true >/dev/null
		is "$(ketch export odd | python3 -c 'import sys, tarfile
for m in tarfile.open(fileobj=sys.stdin.buffer, mode="r|"):
    if m.name.endswith("odd/-rf *"):
        print(m.pax_headers["SCHILY.xattr.user.note"].encode())')" "b'a\\x00b'"
		ketch rm odd
		ketch rmi odd:1
	done
}

@test "an import that is killed leaves nothing visible, and the next job cleans up" {
	mkfifo "$DIR/slow"
	ketch import - partial:1 <"$DIR/slow" >/dev/null 2>&1 &
	local pid=$!
	exec 7>"$DIR/slow"
	head -c 1000000 "$DIR/base.tar" >&7
	await 10 has_staging
	kill -9 "$pid"
	exec 7>&-
	await 10 gone "$pid"
	unlike "$(ketch images)" 'partial'
	ketch import "$DIR/base.tar" whole:1
	is "$(ls "$KETCH_ROOT/tmp")" ''
}
has_staging() { [ -n "$(ls "$KETCH_ROOT/tmp" 2>/dev/null)" ]; }

@test "a command that makes nothing makes no store: one that is missing is as an empty one" {
	local none=(--root "$DIR/none" --run-root "$DIR/norun") words
	run --separate-stderr ketch "${none[@]}" ps -aq
	is "$status$output" 0
	like "$stderr" "there is no store in $DIR/none"
	is "$(KETCH_ROOT=$DIR/none ketch images -q 2>&1)" ""
	for words in 'volume ls' 'network ls' 'network inspect bridge' 'system df' info 'events --stream=false' 'kernel ls' \
		'profile ls' 'template ls' 'image verify' 'system prune -af' 'rm -f nobody' logout; do
		# shellcheck disable=SC2086 # words
		ketch "${none[@]}" $words </dev/null
	done
	run ! ketch "${none[@]}" logs nobody
	like "$output" 'no such instance: nobody'
	[ ! -e "$DIR/none" ] && [ ! -e "$DIR/norun" ]
	ketch "${none[@]}" volume create made
	is "$(ketch "${none[@]}" volume ls -q)" made
	rm -r "$DIR/none" "$DIR/norun"
}

read_only() { # COMMAND...: with the store on a read-only mount
	unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"' "$KETCH_ROOT" "$@"
}

@test "a store on a read-only file system can be looked at" {
	stay --isolation container --name runs >/dev/null
	ketch run --name ended ketch/base sh -c 'echo said; exit 3' || is $? 3
	local id
	id=$(stay --isolation container --name lost)
	kill -KILL "$(monitor_of lost)"
	await 10 gone "$(jq .monitorPid "$KETCH_RUN_ROOT/$id/state.json")"
	is "$(read_only "$KETCH" ps -a --format '{{.Names}} {{.State}}')" $'lost exited\nended exited\nruns running'
	is "$(read_only "$KETCH" logs ended)" said
	is "$(read_only "$KETCH" inspect -f '{{.State.ExitCode}}' ended)" 3
	is "$(read_only "$KETCH" images -q)" "$(ketch images -q)"
	is "$(read_only "$KETCH" exec runs echo hi)" hi
	refused 1 'read-only file system' read_only "$KETCH" rename ended other
	refused 125 'read-only file system' read_only "$KETCH" run ketch/base true
	refused 1 'read-only file system' read_only "$KETCH" rm ended
	ketch rm -f runs ended lost
}

@test "who waits for a lock of the store can be interrupted, and leaves nothing" {
	local pid
	mkdir -p "$KETCH_RUN_ROOT/networks"
	exec 7>>"$KETCH_RUN_ROOT/networks/lock"
	flock 7
	"$KETCH" run --rm --name waits ketch/base true 7>&- &
	pid=$!
	await 10 status_is waits starting
	kill -TERM "$pid"
	await 2 gone "$pid" # the lock is waited for much longer
	run wait "$pid"
	is "$status" 143
	exec 7>&-
	is "$(ketch ps -aq)" ""
}

@test "of those who choose the same name at the same moment each has one" {
	local i ids=()
	# the third that is asked for is the name's, and is 0
	for i in {1..8}; do
		strace -qq -o "$DIR/trace.$i" -e trace=getrandom -e inject=getrandom:retval=4:when=3 \
			"$KETCH" create --network none ketch/base true >/dev/null 3>&- &
		ids+=($!)
	done
	for i in "${ids[@]}"; do wait "$i"; done
	is "$(ketch ps -a --format '{{.Names}}' | sort -u | wc -l)" "$(ketch ps -aq | wc -l)"
	like "$(ketch ps -a --format '{{.Names}}')" able_barge
	ketch ps -aq | xargs "$KETCH" rm >/dev/null
}

@test "who is not root is told so" {
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 711 "$DIR"
	cp "$KETCH" "$DIR/ketch" # where everybody may run it
	refused 1 'permission denied: Ketch is used by root' "${as[@]}" "$DIR/ketch" ps
	refused 125 'permission denied: Ketch is used by root' "${as[@]}" "$DIR/ketch" run --rm ketch/base true
	"${as[@]}" "$DIR/ketch" version >/dev/null
}
