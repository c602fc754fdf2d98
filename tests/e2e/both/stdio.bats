# stdio.bats - bytes in and out of the main process
#
# KETCH_TEST_BULK_MIB: so many MiB cross each border, by default as many as an emulated machine passes on in seconds; 1024 by hand.
load ../lib

setup_file() {
	store_open
	local bulk=64
	[ "$ISOLATION" = vm ] || bulk=256
	export SUM BYTES=$((${KETCH_TEST_BULK_MIB:-$bulk} << 20)) # what looks random, the same in every run
	mkdir "$DIR/bind"
	SUM=$(openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 2>/dev/null </dev/zero | head -c "$BYTES" | tee "$DIR/bind/in" | sha256sum)
	is "$(stat -c %s "$DIR/bind/in")" "$BYTES"
	# One instance for the next three: its stdin ends before it reads the bind mount, and it has the last word.
	# dd, for cp with its 4 KiB takes twice the time in a VM.
	krun --rm -i -v "$DIR/bind:/b" ketch/base sh -c 'cat; echo err >&2; dd if=/b/in of=/b/out bs=1M 2>/dev/null; echo after' \
		<"$DIR/bind/in" >"$DIR/stdout" 2>"$DIR/stderr"
}
teardown_file() { store_close; }

@test "stdout and stderr stay apart; the end of stdin arrives, and output after it still comes" {
	is "$(tail -c +$((BYTES + 1)) "$DIR/stdout")" after
	is "$(cat "$DIR/stderr")" err
}

@test "many megabytes through stdin and back out of stdout" {
	is "$(head -c "$BYTES" "$DIR/stdout" | sha256sum)" "$SUM"
}

@test "many megabytes read from a bind mount and written to it" {
	is "$(sha256sum <"$DIR/bind/out")" "$SUM"
}

@test "a command that does not read its stdin ends all the same" {
	run bash -c 'yes | "$KETCH" run --rm -i --isolation "$ISOLATION" ketch/base true'
	is "$status" 0
}

@test "output that could not be written is no success" {
	local to
	for to in 1 2; do
		run --separate-stderr bash -c '"$KETCH" run --rm --isolation "$ISOLATION" ketch/base sh -c "echo x >&$0" '"$to>/dev/full" "$to"
		is "$status" 125
	done
	run --separate-stderr bash -c '"$KETCH" run --rm --isolation "$ISOLATION" ketch/base sh -c "echo x; exit 3" >/dev/full'
	is "$status" 3
	like "$stderr" 'cannot write to stdout: No space left on device'
}

@test "the reader of stdout may go away" {
	is "$(krun --rm ketch/base sh -c "yes | head -c 300000000" | head -n 1)" y
	await 10 nothing_left
}
