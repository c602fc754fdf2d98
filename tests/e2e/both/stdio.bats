# stdio.bats - bytes in and out of the main process
load ../lib

setup_file() {
	store_open
	export SUM # of a gigabyte that looks random, the same in every run
	mkdir "$DIR/bind"
	SUM=$(openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 2>/dev/null </dev/zero | head -c 1G | tee "$DIR/bind/in" | sha256sum)
	is "$(stat -c %s "$DIR/bind/in")" $((1 << 30))
}
teardown_file() { store_close; }

# A word on stdout and stderr behind the end of stdin.
ends() { printf 'a\nb\n' | krun --rm -i ketch/base sh -c 'wc -l; echo err >&2; echo after'; }

@test "stdout and stderr stay apart; the end of stdin arrives, and output after it still comes" {
	run --separate-stderr ends
	is "$status" 0
	is "$output" $'2\nafter'
	is "$stderr" err
}

@test "a gigabyte through stdin and back out of stdout" {
	is "$(krun --rm -i ketch/base cat <"$DIR/bind/in" | sha256sum)" "$SUM"
}

@test "a gigabyte read from a bind mount and written to it" {
	krun --rm -v "$DIR/bind:/b" ketch/base dd if=/b/in of=/b/out bs=1M # cp with its 4 KiB: twice the time in a VM
	is "$(sha256sum <"$DIR/bind/out")" "$SUM"
}

@test "a command that does not read its stdin ends all the same" {
	run bash -c 'yes | "$KETCH" run --rm -i --isolation "$ISOLATION" ketch/base true'
	is "$status" 0
}

@test "the reader of stdout may go away" {
	is "$(krun --rm ketch/base sh -c "yes | head -c 300000000" | head -n 1)" y
	await 10 nothing_left
}
