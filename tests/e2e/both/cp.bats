# cp.bats - ketch cp: files between the host and a running instance, as `docker cp` puts them (one that does not run:
# trees.bats)
load ../lib

setup_file() {
	store_open
	mkdir "$DIR/w" "$DIR/bind" "$DIR/out"
	echo secret >"$DIR/out/secret"
	stay --name box -v "$DIR/bind:/bind" >/dev/null
}
teardown_file() { store_close; }
setup() {
	rm -rf "$DIR/w" && mkdir -p "$DIR/w/tree/sub"
	cd "$DIR/w" || return
	echo one >file
	echo two >tree/sub/two
	ln -s sub/two tree/link
	ln tree/sub/two tree/hard
	inside 'rm -rf /t; mkdir -p /t/dir'
}

inside() { ketch exec box sh -c "$1"; }

@test "a file goes in and comes out: to a new name, over a file, into a directory" {
	ketch cp file box:/t/new
	ketch cp file box:/t/dir
	ketch cp file box:/t/dir/
	is "$(inside 'cat /t/new /t/dir/file; ls /t/dir')" $'one\none\nfile'
	echo other | tee other | ketch exec -i box tee /t/new >/dev/null
	ketch cp box:/t/new file
	is "$(cat file)" other
	ketch cp box:t/dir/file .
	is "$(cat file)" one
	ketch cp other box:/t/new
	is "$(inside 'cat /t/new')" other
}

@test "mode and time stay; the owner is root inside and the caller outside, or with -a as it was" {
	chmod 2751 file && touch -d '2001-02-03 04:05:06' file && chown 12:34 file
	ketch cp file box:/t
	is "$(inside 'stat -c "%u:%g %a %Y" /t/file')" "0:0 751 $(stat -c %Y file)"
	ketch cp -a file box:/t
	is "$(inside 'stat -c "%u:%g %a" /t/file')" '12:34 751'
	inside 'chown 56:78 /t/file; chmod 4755 /t/file'
	ketch cp box:/t/file back
	is "$(stat -c '%u:%g %a' back)" '0:0 755'
	ketch cp -a box:/t/file back
	is "$(stat -c '%u:%g %a' back)" '56:78 755'
}

@test "attributes of users go in and come out, and are in the archive" {
	python3 -c 'import os; os.setxattr("file", "user.note", b"n\n")' 2>err ||
		{ echo "no attributes here: $(tail -n 1 err)"; skip 'the file system of the tests has no attributes'; }
	ketch cp file box:/t/file
	ketch cp box:/t/file back
	is "$(python3 -c 'import os; print(os.getxattr("back", "user.note"))')" "b'n\\n'"
	like "$(ketch cp box:/t/file - | head -c 1500 | tr -d '\0')" 'SCHILY\.xattr\.user\.note=n'
}

@test "a directory goes with all that is in it: as the new one, into one that is there, or its content alone" {
	ketch cp tree box:/t/new
	ketch cp tree box:/t/dir
	ketch cp tree/. box:/t/dir/.
	is "$(inside 'cd /t; cat new/sub/two dir/tree/sub/two dir/sub/two; readlink new/link; stat -c %h new/hard')" \
		$'two\ntwo\ntwo\nsub/two\n2'
	ketch cp box:/t/new back
	diff -r --no-dereference tree back
	ketch cp box:/t/new back
	diff -r --no-dereference tree back/new
	ketch cp box:/t/new/. back/content
	diff -r --no-dereference tree back/content
	is "$(stat -c %h back/hard)" 2
}

@test "links stay links; -L copies what the source points to" {
	inside 'cd /t; echo here >target; ln -s target l; ln -s /t/dir d; echo x >dir/x'
	ketch cp box:/t/l l && is "$(readlink l)" target
	ketch cp -L box:/t/l f && is "$(cat f)" here
	ketch cp -L box:/t/d d && is "$(cat d/x)" x
	ketch cp box:/t/d/ e && is "$(cat e/x)" x
	ln -s file local
	ketch cp local box:/t && is "$(inside 'readlink /t/local')" file
	ketch cp -L local box:/t/followed && is "$(inside 'cat /t/followed')" one
	# a link at the end of the destination is written behind
	ketch cp file box:/t/l && is "$(inside 'cat /t/target; readlink /t/l')" $'one\ntarget'
}

@test "- is a tar archive on stdout, and one on stdin that is unpacked in a directory" {
	ketch cp tree box:/t
	is "$(ketch cp box:/t/tree - | tar t | sort)" $'tree/\ntree/hard\ntree/link\ntree/sub/\ntree/sub/two'
	is "$(ketch cp box:/t/tree/sub/two - | tar xO)" two
	local f
	for f in gnu pax ustar; do
		inside 'rm -rf /t/dir/*'
		tar -c --format=$f tree file | ketch cp - box:/t/dir
		is "$(inside 'cd /t/dir; cat tree/sub/two file; readlink tree/link; stat -c %h tree/hard')" $'two\none\nsub/two\n2'
	done
	for f in gzip bzip2 xz zstd; do # which Docker takes, too
		inside 'rm -rf /t/dir/*'
		tar -c --use-compress-program=$f tree file | ketch cp - box:/t/dir
		tar -c --use-compress-program=$f tree >packed
		ketch cp - box:/t/dir <packed
		is "$(inside 'cd /t/dir; cat tree/sub/two file')" $'two\none'
	done
	refused 1 'only be unpacked in a directory' bash -c 'tar c file | "$KETCH" cp - box:/t/dir/file'
	refused 1 'only be unpacked in a directory' bash -c 'tar c file | "$KETCH" cp - box:/t/none'
}

@test "many megabytes go in and out unchanged, and long names do" {
	local name mib=64
	[ "$ISOLATION" = container ] || mib=16 # inside they are summed up under emulation
	name=$(printf 'n%.0s' {1..200})
	head -c "${KETCH_TEST_BULK_MIB:-$mib}M" /dev/urandom >big
	ketch cp big "box:/t/$name"
	is "$(inside "sha256sum </t/$name")" "$(sha256sum <big)"
	ketch cp "box:/t/$name" .
	cmp big "$name"
}

@test "mounts are seen as inside: a bind, /proc, a device" {
	ketch cp file box:/bind/in
	is "$(cat "$DIR/bind/in")" one
	ketch cp box:/bind - | tar t | grep -qx bind/in
	is "$(ketch cp box:/etc/hostname - | tar xO)" "$(inside hostname)"
	refused 1 'device nodes are not copied' ketch cp box:/dev/null .
	refused 1 'file or directory|not permitted|denied' ketch cp file box:/proc/new
}

@test "the whole root comes out, but for what the kernel has in it; a file of /proc with what it says" {
	echo bound >"$DIR/bind/file"
	ketch cp box:/ whole
	is "$(cat whole/bind/file; ls whole/t)" $'bound\ndir'
	is "$(ls whole/dev whole/proc whole/sys)" $'whole/dev:\n\nwhole/proc:\n\nwhole/sys:'
	ketch cp box:/proc/1/status status
	like "$(cat status)" 'Name:'
	is "$(ketch cp box:/proc/sys/kernel/ostype - | tar xO)" Linux
	is "$(ketch cp box:/sys/kernel/mm/transparent_hugepage/enabled - | tar xO)" \
		"$(inside 'cat /sys/kernel/mm/transparent_hugepage/enabled')"
	refused 1 'does not say how many' ketch cp box:/proc/kallsyms .
}

@test "what cannot be copied is said in one line" {
	inside 'echo f >/t/f'
	refused 1 '/t/none: no such file or directory' ketch cp box:/t/none .
	refused 1 'none/here: no such file or directory' ketch cp box:/t/f none/here
	refused 1 '^ketch: /none/here: no such file or directory' ketch cp box:/t/f /none/here
	refused 1 'box:/t/none/: the directory does not exist' ketch cp file box:/t/none/
	refused 1 '/t/none/x: no such file or directory' ketch cp file box:/t/none/x
	refused 1 '/t/f/: it is no directory' ketch cp file box:/t/f/
	refused 1 'place of a file' ketch cp tree box:/t/f
	refused 1 'place of a file' ketch cp box:/t/dir file
	refused 1 'none: no such file or directory' ketch cp none box:/t
	refused 1 'bad tar archive' bash -c 'head -c 2000 /dev/urandom | "$KETCH" cp - box:/t'
	refused 1 'cut short' bash -c 'tar c tree | head -c 1024 | "$KETCH" cp - box:/t'
	refused 1 '^ketch: the gzip data is truncated$' bash -c 'tar cz tree | head -c 100 | "$KETCH" cp - box:/t'
	refused 1 'gzip data is (corrupt|truncated)' bash -c '{ printf "\x1f\x8b\x08"; head -c 2000 /dev/urandom; } | "$KETCH" cp - box:/t'
	refused 1 'bad tar archive' bash -c 'head -c 2000 /dev/urandom | gzip | "$KETCH" cp - box:/t'
	refused 1 'only be unpacked in a directory' bash -c 'head -c 8m /dev/urandom >big; tar cz big 2>/dev/null | "$KETCH" cp - box:/t/none'
	is "$(ls "$KETCH_ROOT/tmp")" ""
	refused 1 'one of the two must be in an instance' ketch cp file other
	refused 1 'between instances' ketch cp box:/a box:/b
	refused 1 'no such instance: none' ketch cp none:/a .
	refused 1 'names no instance' ketch cp :/a .
	refused 1 'requires exactly 2 arguments' ketch cp box:/a
}

@test "links inside do not lead out, and what is hidden there is not found" {
	inside "cd /t; ln -s '$DIR/out' abs; ln -s '../../../../../../../..$DIR/out' rel; ln -s /proc/1/root/ magic"
	refused 1 'no such file' ketch cp box:/t/abs/secret .
	refused 1 'no such file' ketch cp -L box:/t/rel/secret .
	refused 1 'no such file' ketch cp file box:/t/abs/secret
	refused 1 'no such file|symbolic links|denied' ketch cp "box:/t/magic$DIR/out/secret" .
	inside "cd /t; rm abs; ln -s '$DIR/out/secret' abs"
	refused 1 'no such file' ketch cp -L box:/t/abs .
	is "$(cat "$DIR/out/secret")" secret
}

@test "links that come out are not followed on the host" {
	inside "mkdir -p /t/evil; cd /t/evil; ln -s '$DIR/out' d; ln -s '$DIR/out/secret' f"
	mkdir host host/evil
	ln -s "$DIR/out" host/evil/sub # the user's own link, which a tree from inside must not walk through
	ketch cp box:/t/evil host
	is "$(readlink host/evil/d)" "$DIR/out"
	inside "cd /t/evil; mkdir sub; echo evil >sub/secret"
	refused 1 'links are not followed' ketch cp box:/t/evil host
	is "$(cat "$DIR/out/secret")" secret
}

@test "while the workload swaps a directory and a link, nothing outside changes" {
	inside "mkdir -p /t/race/d; echo f >/t/race/d/secret; ln -s '$DIR/out' /t/race/l"
	ketch exec -d box sh -c 'cd /t/race; while [ -e /t/race ]; do mv d x; mv l d; mv x l; mv d x; mv l d; mv x l; done'
	echo evil >secret
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ketch cp secret box:/t/race/d/secret 2>/dev/null || :
		ketch cp box:/t/race got 2>/dev/null || :
		ketch cp -L box:/t/race/d/secret got 2>/dev/null || :
		rm -rf got
	done
	inside 'mv /t/race /t/over'
	is "$(cat "$DIR/out/secret")" secret
	is "$(ls "$DIR/out")" secret
}

@test "a copy that is interrupted ends on both sides" {
	# its archive never ends: the copy is there until its client is killed
	"$KETCH" cp - box:/t < <(tar c file; exec tail -f /dev/null) 2>/dev/null &
	local pid=$!
	await 20 inside 'test -e /t/file'
	kill -KILL "$pid"
	wait "$pid" || :
	await 20 inside '! ls -l /proc/[0-9]*/exe 2>&1 | grep -q "cannot read"'
	is "$(ketch cp box:/t/file - | tar xO)" one
}
