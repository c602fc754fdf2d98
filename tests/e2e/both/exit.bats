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

@test "126: the command cannot be executed" {
	run --separate-stderr krun --rm ketch/base /etc/passwd
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
