#!/usr/bin/env bats
# snapshots of instances, and going back to them

load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

stop() { ketch stop "$@" >/dev/null; }
# Runs a command in the instance, which is started for it and stopped afterwards.
within() { # INSTANCE COMMAND
	ketch start "$1" >/dev/null && await 30 status_is "$1" running && ketch exec "$1" sh -c "$2" && stop "$1"
}

@test "snapshots of an instance at rest: made, listed, gone back to, in any order" {
	stay --name sn >/dev/null
	ketch exec sn sh -c 'echo one >/file; mkdir /dir; echo x >/dir/x; rm /etc/group; ln /file /other'
	stop sn
	is "$(ketch snapshot create sn)" snap0
	within sn 'echo two >/file; rm -r /dir; mkdir /dir; echo y >/dir/y'
	is "$(ketch snapshot create -m "the second" sn@b)" b
	is "$(ketch snapshot ls --format '{{.Name}} {{.Parent}} {{.Holds}} {{.Description}}' sn)" \
		$'snap0  disk \nb snap0 disk the second'

	ketch rollback --keep last sn@snap0
	is "$(within sn 'cat /file /other /dir/*; ls /dir; ls /etc/group 2>&1 || :')" $'one\none\nx\nx\nls: /etc/group: No such file or directory'
	ketch rollback sn@b

	is "$(ketch snapshot inspect -f '{{.name}}' sn@b)" b
	ketch snapshot rename sn@b c
	refused 1 'has no snapshot "b"' ketch rollback sn@b
	refused 1 'already' ketch snapshot create sn@c
	refused 1 'names no snapshot' ketch snapshot rm sn
	refused 1 'invalid snapshot name' ketch snapshot create sn@a/b
	refused 1 'is not running: it has no memory|cannot be kept here: .*(CRIU|criu)' ketch snapshot create --live sn@x
	ketch snapshot rm sn@snap0
	ketch start sn >/dev/null
	await 30 status_is sn running
	is "$(ketch exec sn sh -c 'cat /file; ls /dir')" $'two\ny'
	is "$(ketch diff sn | grep -E ' /(dir|file|other|etc/group)')" \
		$'A /dir\nA /dir/y\nD /etc/group\nA /file\nA /other'
}

@test "what is not as it was in a snapshot is listed" {
	ketch exec sn sh -c 'rm /other; touch -d @1 /file; rm /dir/y; mkdir /dir/new; echo z >/dir/new/z'
	is "$(ketch snapshot diff sn@c)" $'C /dir\nA /dir/new\nA /dir/new/z\nD /dir/y\nC /file\nD /other'
	ketch exec sn sh -c 'rm -r /dir/new; echo y >/dir/y'
	refused 1 'names no snapshot' ketch snapshot diff sn
	refused 1 'has no snapshot "none"' ketch snapshot diff sn@none
}

@test "a snapshot of an instance that runs is whole" {
	ketch exec sn sh -c 'echo live >/file; i=0; while [ $i -lt 50 ]; do echo $i >/dir/$i; i=$((i+1)); done'
	is "$(ketch snapshot create --disk-only sn@live)" live # with memory: memory.bats
	refused 1 'is running: stop it first, or add --stop' ketch rollback sn@live
	ketch exec sn sh -c 'echo later >/file; rm /dir/[0-9]*'
	ketch rollback --stop sn@live
}

@test "one that would be removed with its snapshots is not stopped to go back to them" {
	stay --rm --name brief >/dev/null
	ketch snapshot create brief@here >/dev/null
	refused 1 'brief is removed when it is stopped \(--rm\), with its snapshots' ketch rollback --stop brief@here
	refused 1 'brief is removed when it is stopped \(--rm\)' ketch rollback --stop --group brief@here
	status_is brief running
	ketch rm -f brief >/dev/null
}

@test "two states are compared, and gone back to one after the other" {
	[ "$ISOLATION" = container ] || skip "a machine boots for each look: its clones show what it went back to"
	is "$(within sn 'cat /file; ls /dir | wc -l')" $'live\n51'
	is "$(ketch snapshot diff sn@last sn@c)" ""
	ketch rollback sn@last
	is "$(within sn 'cat /file; ls /dir')" $'two\ny'
	ketch rollback sn@live
}

@test "clones go on by themselves, also when what they were made of has gone" {
	ketch clone sn@live tt >/dev/null
	ketch clone sn uu >/dev/null
	refused 1 'the name "vv" is given twice' ketch clone sn vv ww vv
	refused 1 'the name "tt" is in use' ketch clone sn@live vv tt
	refused 1 'no such instance: vv' ketch port vv
	ketch start tt >/dev/null
	await 30 status_is tt running
	is "$(ketch exec tt sh -c 'echo t >>/file; cat /file; hostname')" "$(printf 'live\nt\n%.12s' "$(inspect_of tt .Id)")"
	ketch rm sn >/dev/null
	is "$(ketch exec tt sh -c 'cat /file; ls /dir | wc -l')" $'live\nt\n51'
	ketch rm -f tt >/dev/null
	ketch start uu >/dev/null
	await 30 status_is uu running
	is "$(ketch exec uu sh -c 'cat /file; ls /dir | wc -l')" $'live\n51'
	ketch rm -f uu >/dev/null
	is "$(find "$KETCH_ROOT/writable" -mindepth 1)" ""
}

# What is in a file of a volume, seen from the host; unpacked, for any name of a file may be a link to another in the archive.
volume_file() { # VOLUME FILE
	local to
	to=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	ketch volume export "$1" | tar -xf - -C "$to"
	cat "$to/$2"
}

states() { find "$KETCH_ROOT/volumes" -mindepth 3 -maxdepth 3 -path '*/snapshots/*' | wc -l; }

@test "volumes are in a snapshot, also of one that runs, and go back with it" {
	stay --name vv -v data:/data -v /anon >/dev/null
	local anon
	anon=$(inspect_of vv '.Mounts[] | select(.Destination == "/anon").Name')
	ketch exec vv sh -c 'echo one >/data/file; echo one >/anon/file; ln /data/file /data/other'
	ketch snapshot create vv@live >/dev/null
	is "$(ketch snapshot ls --format '{{.Name}} {{.Holds}}' vv)" "live disk, 2 volumes"
	ketch exec vv sh -c 'echo two >/data/file; rm /data/other; echo two >/anon/file'
	ketch volume snapshot create data@vol >/dev/null
	refused 1 'vv runs with the volume data: stop it first$' ketch volume rollback data@vol
	ketch rollback --stop --keep two vv@live
	local data=$KETCH_ROOT/volumes/data/_data
	is "$(cat "$data/other") $(volume_file "$anon" file)" "one one"
	echo three >"$data/file" # as the instance would
	is "$(cat "$data/other")" three
	ketch rollback --no-volumes vv@live
	is "$(volume_file data file)" three
	ketch rollback vv@two
	is "$(volume_file data file)" two
	is "$(within vv 'cat /data/file /anon/file; ls /data')" $'two\ntwo\nfile'
}

@test "a volume that another instance runs with does not go back" {
	local user
	user=$(ISOLATION=container stay -v data:/data) # the quick wall: it holds the volume
	refused 1 'runs with the volume data: stop it first, or leave the volumes as they are' ketch rollback vv@two
	ketch exec "$user" sh -c 'echo four >/data/file'
	ketch snapshot create vv@four >/dev/null
	ketch rm -f "$user" >/dev/null
	ketch rollback vv@two
	ketch rollback vv@four
	is "$(volume_file data file)" four
}

@test "volumes alone have the same verbs" {
	is "$(ketch volume snapshot ls -q data)" vol
	is "$(ketch volume snapshot create -m "the second" data)" snap0
	is "$(ketch volume snapshot ls --format '{{.Name}} {{.Volume}} {{.Description}}' data)" $'vol data \nsnap0 data the second'
	is "$(ketch volume snapshot inspect --format '{{.Volume}} {{.Name}} {{.Description}}' data@snap0)" 'data snap0 the second'
	refused 1 'has no snapshot "x"' ketch volume snapshot inspect -f . data@x
	ketch volume rollback --keep before data@vol
	is "$(volume_file data file)" two
	is "$(ketch volume snapshot diff data@vol)" ''
	is "$(ketch volume snapshot diff data@vol data@before)" 'C /file'
	mkdir -p "$KETCH_ROOT/volumes/data/_data/dev" && touch "$KETCH_ROOT"/volumes/data/_data/$'dev/new\n'
	is "$(ketch volume snapshot diff data@vol data)" $'A /dev\nA /dev/new?'
	is "$(ketch volume snapshot diff data@before data | head -2)" $'A /dev\nA /dev/new?'
	rm -r "$KETCH_ROOT/volumes/data/_data/dev"
	refused 1 'names no snapshot' ketch volume snapshot diff data
	refused 1 'has no snapshot "x"' ketch volume snapshot diff data@vol data@x
	refused 1 'no such volume' ketch volume snapshot diff data@vol nosuch
	ketch volume clone data@before d2 >/dev/null
	is "$(volume_file d2 file)" four
	refused 1 'there is a volume d2 already' ketch volume clone data d2
	refused 1 'has no snapshot "x"' ketch volume rollback data@x
	refused 1 'already' ketch volume snapshot create data@vol
	refused 1 'names no snapshot' ketch volume snapshot rm data
	refused 1 'data has a snapshot "vol" already' ketch volume snapshot rename data@snap0 vol
	refused 1 'invalid snapshot name' ketch volume snapshot rename data@snap0 'a b'
	refused 1 'has no snapshot "x"' ketch volume snapshot rename data@x y
	ketch volume snapshot rename data@snap0 second
	is "$(ketch volume snapshot ls -q data | xargs)" 'vol second before'
	refused 1 'no such volume' ketch volume snapshot create nosuch
	ketch volume snapshot rm data@vol data@second data@before >/dev/null
	ketch volume rm d2 >/dev/null
}

@test "doctor --audit names files of layers and states that no record names, until the next verb" {
	local layer
	layer=$(printf '%064d' 7)
	unlike "$(ketch doctor --audit || :)" 'writable layer|state of a volume'
	mkdir -p "$KETCH_ROOT/writable/$layer" "$KETCH_ROOT/volumes/data/snapshots/none/data"
	run ketch doctor --audit
	is "$status" 1
	like "$output" "left over: writable layer $KETCH_ROOT/writable/$layer"
	like "$output" "left over: state of a volume $KETCH_ROOT/volumes/data/snapshots/none"
	ketch snapshot create vv@swept >/dev/null
	ketch snapshot rm vv@swept >/dev/null
	unlike "$(ketch doctor --audit || :)" 'writable layer|state of a volume'
}

@test "a clone has copies of the volumes, or what it is told" {
	ketch clone vv@two v1 >/dev/null
	ketch clone --volumes share vv v2 >/dev/null
	ketch clone --volumes none vv v3 >/dev/null
	is "$(inspect_of v1 '.Mounts[0].Name') $(volume_file data-v1 file) $(volume_file data file)" "data-v1 two two"
	is "$(inspect_of v2 '.Mounts[0].Name')" data
	like "$(inspect_of v3 '.Mounts[0].Name')" '^[0-9a-f]{64}$'
	ketch snapshot create --no-volumes vv@bare >/dev/null
	refused 1 'has a volume in /data, which is not in the snapshot' ketch clone vv@bare v4
	unknown v4
	ketch rm -v vv v1 v2 v3 >/dev/null
	is "$(states)" 0
	ketch volume rm data data-v1 >/dev/null
	is "$(ketch volume ls -q)" ""
}

@test "an instance that stands on many layers starts, and all of them are seen" {
	local i
	krun -d --name deep --network none ketch/base sh -c 'test -s /file || echo first >/file; tail -f /dev/null' >/dev/null
	await 30 ketch exec deep test -s /file
	ketch stop -t 0 deep >/dev/null
	for i in {1..80}; do ketch snapshot create "deep@$i" >/dev/null; done
	ketch start deep >/dev/null
	is "$(ketch exec deep cat /file)" first
	ketch rm -f deep >/dev/null
}

@test "a snapshot whose time is over goes" {
	ketch create --isolation "$ISOLATION" --name ee ketch/base true >/dev/null
	ketch snapshot create --expiry 1ms ee@short >/dev/null
	ketch snapshot create --expiry 1h ee@long >/dev/null
	is "$(ketch snapshot ls -q ee)" long
	ketch rm ee >/dev/null
}

automatic() { ketch snapshot ls --format '{{.Name}}' "$1" | grep -c '^auto-[0-9.-]*$' || :; }
have_automatic() { [ "$(automatic "$1")" -ge "$2" ]; }
newest() { ketch snapshot ls -q "$1" | tail -1; }
newer_than() { [ "$(newest "$1")" != "$2" ]; }

@test "snapshots are made by themselves, the newest stay, and one before a rollback" {
	refused 125 "--snapshot-every: 'often' is no duration" krun -d --snapshot-every often ketch/base true
	refused 125 'is for what --snapshot-every makes' krun -d --snapshot-keep 3 ketch/base true
	refused 125 "--snapshot-keep: '0'" krun -d --snapshot-every 1h --snapshot-keep 0 ketch/base true
	stay --name au --snapshot-every 1s --snapshot-keep 2 >/dev/null
	ketch exec au sh -c 'echo one >/file'
	await 60 have_automatic au 2
	local last
	last=$(newest au)
	await 60 newer_than au "$last"
	ketch update --snapshot-every 0 au >/dev/null
	is "$(inspect_of au .SnapshotEvery)" 0
	ketch update --snapshot-every 1h --snapshot-keep 2 au >/dev/null
	[ "$(automatic au)" -le 3 ] # one may have been on its way
	ketch exec au sh -c 'echo two >/file'
	ketch rollback --stop au >/dev/null
	is "$(automatic au)" 2
	is "$(ketch cp au:/file - | tar -xOf -)" one
}

@test "what was before that rollback is gone back to" {
	[ "$ISOLATION" = container ] || skip "a machine boots for the look"
	ketch rollback "au@$(newest au)"
	is "$(ketch cp au:/file - | tar -xOf -)" two
	ketch rm au >/dev/null
}
