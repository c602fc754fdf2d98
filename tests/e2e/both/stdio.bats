# stdio.bats - bytes in and out of the main process
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

# A gigabyte takes seconds in a container; a VM under software emulation moves some 20 MB/s.
size() { if [ "$ISOLATION" = vm ]; then echo $((256 << 20)); else echo $((1 << 30)); fi; }
stream() { openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 2>/dev/null </dev/zero | head -c "$1"; } # BYTES: repeatable

@test "stdout and stderr stay apart, every byte value survives" {
	run --separate-stderr krun --rm ketch/base sh -c 'echo out; echo err >&2; echo out2'
	is "$status" 0
	is "$output" $'out\nout2'
	is "$stderr" err
}

@test "a gigabyte (256 MiB for a VM) through stdin and back out of stdout" {
	local n want
	n=$(size)
	want=$(stream "$n" | sha256sum)
	is "$(stream "$n" | krun --rm -i ketch/base cat | sha256sum)" "$want"
}

@test "a gigabyte (256 MiB for a VM) written to and read from a bind mount" {
	local n
	n=$(size)
	mkdir "$DIR/bind"
	stream "$n" >"$DIR/bind/in"
	is "$(krun --rm -v "$DIR/bind:/b" ketch/base sh -c 'cp /b/in /b/out && sha256sum </b/in')" "$(sha256sum <"$DIR/bind/in")"
	cmp "$DIR/bind/in" "$DIR/bind/out"
	rm -r "$DIR/bind"
}

@test "the end of stdin arrives, and output after it still comes" {
	is "$(printf 'a\nb\n' | krun --rm -i ketch/base sh -c 'wc -l; echo after')" $'2\nafter'
}

@test "a command that does not read its stdin ends all the same" {
	run bash -c 'yes | "$KETCH" run --rm -i --isolation "$ISOLATION" ketch/base true'
	is "$status" 0
}

@test "the reader of stdout may go away" {
	is "$(krun --rm ketch/base sh -c "yes | head -c 300000000" | head -n 1)" y
	await 10 nothing_left
}
