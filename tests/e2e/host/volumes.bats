# volumes.bats - the verbs of volumes, and what a kill, a full disk and a race leave of one
load ../lib

setup_file() {
	store_open
	# what "fill" copies: many files, so that a kill comes in between
	mkdir -p "$DIR/rootfs"
	cp -a "$("$FIXTURES/get" base)/rootfs/." "$DIR/rootfs"
	mkdir "$DIR/rootfs/many"
	seq 3000 | (cd "$DIR/rootfs/many" && xargs touch)
	ketch import -c 'CMD ["sh"]' "$DIR/rootfs" v/many >/dev/null
	rm -rf "$DIR/rootfs"
}

teardown_file() {
	ketch ps -aq | xargs -r "$KETCH" rm -fv
	ketch volume ls -q | xargs -r "$KETCH" volume rm
	is "$(ls -A "$KETCH_ROOT/volumes")" ""
	store_close
}

@test "create, ls, inspect, rm: the keys and words of Docker and Podman" {
	is "$(ketch volume create one)" one
	is "$(ketch volume create one)" one # once more is no failure
	like "$(ketch volume create)" '^[0-9a-f]{64}$'
	refused 1 'a volume named one with different options already exists' "$KETCH" volume create -o type=tmpfs one
	refused 1 'invalid characters for a volume name' "$KETCH" volume create 'a/b'
	refused 1 'invalid option: "size"' "$KETCH" volume create -o size=1 bad
	refused 1 'missing required option: "type"' "$KETCH" volume create -o device=/x bad
	refused 1 'type=nfs is not mounted by Ketch' "$KETCH" volume create -o type=nfs -o device=:/x bad
	refused 1 'device=DIRECTORY' "$KETCH" volume create -o type=none -o o=bind bad
	is "$(ketch volume inspect one | jq -c '.[0]|keys')" \
		'["CreatedAt","Driver","Labels","Mountpoint","Name","Options","Scope"]'
	is "$(ketch volume inspect one | jq -r '.[0].Mountpoint')" "$KETCH_ROOT/volumes/one/_data"
	is "$(ketch inspect one | jq -r '.[0].Name')" one
	refused 1 'no such volume: two' "$KETCH" volume rm two
	is "$(ketch volume rm one)" one
	[ ! -e "$KETCH_ROOT/volumes/one" ]
	run -0 ketch volume prune -f
	is "$(ketch volume ls -q)" ""
}

filled() { [ "$(ls "$KETCH_ROOT/volumes/half/.fill/data" 2>/dev/null | wc -l)" -gt "$1" ]; } # NUMBER

@test "a kill while a volume is filled leaves it as new; the next instance fills it wholly" {
	local i ketch
	for i in 400 1700 2900; do # the child that copies
		run strace -f -qq -o "$DIR/trace" -e trace=utimensat -e "inject=utimensat:signal=SIGKILL:when=$i" \
			"$KETCH" run --rm --network none --isolation container -v half:/many v/many true
		is "$status" 125
		is "$(ls "$KETCH_ROOT/volumes/half/_data" 2>/dev/null | wc -l)" 0
	done
	# the command: its child goes on for a moment, and holds the lock of the volume
	strace -f -qq -o "$DIR/trace" -e trace=utimensat -e inject=utimensat:delay_enter=1000 \
		"$KETCH" run --rm --network none --isolation container -v half:/many v/many true 3>&- &
	await 20 filled 100
	ketch=$(pgrep -P $!)
	kill -9 "$ketch"
	is "$(ls "$KETCH_ROOT/volumes/half/_data" 2>/dev/null | wc -l)" 0
	is "$(krun --rm --isolation container -v half:/many v/many sh -c 'ls /many | wc -l')" 3000
	is "$(ls -A "$KETCH_ROOT/volumes/half")" _data
	wait || :
}

@test "two that use a new volume at the same time: both see all of it" {
	local i
	for i in 1 2 3 4; do
		"$KETCH" run --rm --isolation container -v "both:/many" v/many sh -c 'ls /many | wc -l' >"$DIR/out.$i" 2>&1 &
	done
	wait
	is "$(cat "$DIR"/out.[1-4] | sort -u)" 3000
}

@test "removing a volume while instances are made with it: one is refused, none has a volume that is gone" {
	local i n
	for i in 1 2 3 4 5 6 7 8; do
		"$KETCH" run -d --name "race$i" --isolation container -v race:/data ketch/base sleep 100 >/dev/null 2>&1 &
		"$KETCH" volume rm race >/dev/null 2>&1 &
		"$KETCH" volume create race >/dev/null 2>&1 &
	done
	wait
	n=$(ketch ps -aqf name=race | wc -l)
	is "$n" 8
	for i in 1 2 3 4 5 6 7 8; do
		ketch exec "race$i" sh -c "touch /data/$i"
	done
	is "$(ls "$KETCH_ROOT/volumes/race/_data" | wc -l)" 8 # all have the same one
	refused 1 'volume is in use' "$KETCH" volume rm race
	ketch ps -aq | xargs "$KETCH" rm -fv >/dev/null
	is "$(ketch volume rm race)" race
}

@test "a disk that is full while a volume is filled: one line, and the volume is as new" {
	run -0 unshare -m --propagation private sh -c '
		mkdir -p "$DIR/small" && mount -t tmpfs -o size=1500k none "$DIR/small" || exit 99
		"$KETCH" volume create full >/dev/null
		mount -t tmpfs -o nr_inodes=500 none "$KETCH_ROOT/volumes/full"
		"$KETCH" run --rm --isolation container -v full:/many v/many true 2>&1
		ls -A "$KETCH_ROOT/volumes/full"'
	like "$output" '^ketch: cannot fill the volume full with what the image has in /many: no space left on device'
	unlike "$output" 'fill$'
	is "$(krun --rm --isolation container -v full:/many v/many sh -c 'ls /many | wc -l')" 3000
}

@test "removals that were killed are finished by the next" {
	ketch volume create left >/dev/null
	mkdir -p "$KETCH_ROOT/volumes/.gone-0123456789abcdef/x" "$KETCH_ROOT/volumes/nameless/_data"
	run -0 ketch volume prune -f
	[ ! -e "$KETCH_ROOT/volumes/.gone-0123456789abcdef" ] && [ ! -e "$KETCH_ROOT/volumes/nameless" ]
	[ -e "$KETCH_ROOT/volumes/left" ]
	# what cannot be removed is said, and holds up nobody else
	run -0 unshare -m --propagation private sh -c '
		mkdir -p "$KETCH_ROOT/volumes/.gone-1/m" && mount -t tmpfs none "$KETCH_ROOT/volumes/.gone-1/m" || exit 99
		"$KETCH" volume create other && "$KETCH" volume rm other'
	like "$output" 'other.*volumes/.gone-1: .*other'
	run -0 ketch volume prune -f
	[ ! -e "$KETCH_ROOT/volumes/.gone-1" ]
	# one that is made anew does not get what a removal has left
	mkdir -p "$KETCH_ROOT/volumes/again/_data/old"
	ketch volume create again >/dev/null
	is "$(ls -A "$KETCH_ROOT/volumes/again/_data")" ""
}

@test "system df and system prune: what is there is counted, what nobody uses goes, the rest stays" {
	ketch ps -aq | xargs -r "$KETCH" rm -fv >/dev/null
	ketch tag v/many v/kept
	ketch import "$("$FIXTURES/get" base)/rootfs" v/unused >/dev/null
	"$KETCH" run --isolation container -v /anon -v named:/n ketch/base dd if=/dev/zero of=/written bs=1M count=3 2>/dev/null
	ketch volume create dangling >/dev/null
	is "$(ketch system df --format '{{.Type}} {{.TotalCount}} {{.Active}}' | head -3 | tail -2)" \
		$'Containers 1 0\nLocal Volumes '"$(ketch volume ls -q | wc -l)"' 2'
	like "$(ketch system df --format '{{.Size}}' | sed -n 2p)" '^3\.[0-9]+MB$'
	like "$(ketch system df -v)" $'Images space usage:.*\nContainers space usage:.*\nLocal Volumes space usage:.*named +1 '
	run -0 ketch system prune -f
	like "$output" '^Deleted Containers:.*Total reclaimed space: '
	is "$(ketch ps -aq)" ""
	is "$(ketch volume ls -qf name=named -f name=dangling)" $'dangling\nnamed' # not without --volumes, and then anonymous ones
	ketch images -q v/kept | grep -q .
	id=$(ketch run -d --isolation container v/kept sleep 100)
	run -0 ketch image prune -af
	like "$output" 'Deleted Images:.*untagged: v/unused:latest.*deleted: sha256:'
	is "$(ketch images --format '{{.Repository}}' | sort -u)" $'v/kept\nv/many'
	ketch rm -f "$id" >/dev/null
}

@test "volume export and import: all of a volume and back, and nothing elsewhere" {
	ketch volume create from >/dev/null
	ketch volume create to >/dev/null
	(cd "$KETCH_ROOT/volumes/from/_data" && mkdir -m 2750 d && echo text >d/f && chmod 4711 d/f && ln d/f hard &&
		ln -s d/f link && chown 5:6 d . && mkfifo p && touch -d 2001-02-03 d/f)
	ketch volume export -o "$DIR/v.tar" from
	ketch volume export from | cmp - "$DIR/v.tar"
	ketch volume import to "$DIR/v.tar"
	ketch volume import to - <"$DIR/v.tar" # in the place of what is there
	zstd <"$DIR/v.tar" | ketch volume import to -
	refused 1 "v.cut: the gzip data is truncated" bash -c "gzip <\"\$DIR/v.tar\" | head -c 99 >\"\$DIR/v.cut\"; \"\$KETCH\" volume import to \"\$DIR/v.cut\""
	ketch volume export to | tar -tvf - --numeric-owner --full-time | sort -k 6 >"$DIR/to"
	diff "$DIR/to" <(tar -tvf "$DIR/v.tar" --numeric-owner --full-time | sort -k 6)
	like "$(cat "$DIR/to")" '-rws--x--x 0/0 +5 2001-02-03 '
	# an instance that comes later does not fill it
	is "$(krun --rm --isolation container -v to:/many v/many sh -c 'ls /many | wc -l')" 4
	refused 1 'no such volume: nosuch' "$KETCH" volume export nosuch
	refused 1 'no such volume: nosuch' "$KETCH" volume import nosuch "$DIR/v.tar"
	refused 1 'no such file' "$KETCH" volume import to "$DIR/none"
	head -c 2000 /etc/services >"$DIR/text"
	refused 1 'tar' "$KETCH" volume import to "$DIR/text"
	yes | head -c 1000000 >"$DIR/text" # more than a pipe holds
	refused 1 'tar' "$KETCH" volume import to "$DIR/text"
	(cd "$DIR" && ln -s / out && tar -cf evil.tar out && rm out && mkdir -p out/etc && touch out/etc/ketch-evil && tar -rf evil.tar out/etc/ketch-evil)
	run ketch volume import to "$DIR/evil.tar"
	[ ! -e /etc/ketch-evil ]
	rm -rf "$DIR/out"
}
