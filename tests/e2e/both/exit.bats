# exit.bats - the exit status of run is Docker's
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "the command's own status, and --rm leaves nothing" {
	[ "$ISOLATION" = container ] || skip "restart.bats sees that of a machine"
	run krun --rm ketch/base sh -c 'exit 7'
	is "$status" 7
	is "$(ketch ps -aq)" ''
	audit
}

@test "127: the command is not found, and the message says which" {
	run --separate-stderr krun --rm ketch/base no-such-command
	is "$status" 127
	like "$stderr" 'no-such-command'
	is "$output" ''
}

@test "126: the command cannot be executed; with --debug it is told what was done until then" {
	run --separate-stderr ketch --debug run --isolation "$ISOLATION" --rm ketch/base /etc/passwd
	like "$stderr" 'debug: (mount /proc|vmm-start|qemu|.*qemu-system)'
	is "$status" 126
	like "$stderr" '/etc/passwd'
}

@test "128 + n: the command was ended by a signal" {
	run krun --rm --init ketch/base sh -c 'kill -TERM $$'
	is "$status" 143
}

@test "125: Ketch itself failed, nothing is left" {
	refused 125 'nobody-knows' krun --rm -u nobody-knows ketch/base true
	is "$(ketch ps -aq)" ''
	audit
}

@test "who tells it to end at any moment leaves nothing with --rm" {
	local moment moments=(0.02 0.05 0.1) # which step each meets does not matter: it must be none too early, or too late
	[ "$ISOLATION" = vm ] || moments+=(0.03 0.04 0.07 0.15 0.2)
	for moment in "${moments[@]}"; do
		timeout -s INT "$moment" "$KETCH" run --rm --isolation "$ISOLATION" ketch/base \
			sh -c 'trap "exit 0" INT; sleep 0.1' || : # of the signal, or before it
	done
	await 30 none_is_there
}
none_is_there() { [ -z "$(ketch ps -aq)" ]; }
