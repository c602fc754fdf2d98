# tty.bats - run -it: a real terminal
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

at_terminal() { run "$E2E/terminal.py" "$@"; }

@test "size, resize, echo, Ctrl-C, Ctrl-D and exit status; the user's terminal is as before" {
	at_terminal 24x80 'expect=# ' 'send=stty size; tty; test -t 0 && test -t 1 && test -t 2 && echo all three\r' \
		'expect=24 80\r' 'expect=/dev/(pts/0|console)' 'expect=all three\r' 'expect=# ' \
		resize=50x132 'send=stty size\r' 'expect=50 132\r' 'expect=# ' \
		'send=sh -c "printf rea%s dy; cat"\r' 'expect=ready' 'send=\x03' 'expect=# ' 'send=echo st$?\r' 'expect=st130' \
		'expect=# ' 'send=sh -c "printf rea%s dy; cat"\r' 'expect=ready' 'send=line\r' 'expect=line\r\nline' 'send=\x04' 'expect=# ' 'send=exit 4\r' 'expect=end of 4: echo' \
		-- sh -c '"$KETCH" run --rm -it -e "PS1=# " --isolation "$ISOLATION" ketch/base sh; s=$?
			echo "end of $s: $(stty -a | grep -o -- "-*echo\b")"; exit $s'
	is "$status" 4
}

@test "-t without -i: a terminal to write to" {
	at_terminal 24x80 'expect=terminal\r+\n' -- "$KETCH" run --rm -t --isolation "$ISOLATION" ketch/base \
		sh -c 'test -t 1 && echo terminal'
	is "$status" 0
}

@test "signals to the command reach the process" {
	at_terminal 24x80 'expect=ready' signal=15 -- "$KETCH" run --rm --isolation "$ISOLATION" ketch/base \
		sh -c 'trap "echo got TERM; exit 3" TERM; echo ready; tail -f /dev/null & wait'
	is "$status" 3
	like "$output" 'got TERM'
}

@test "-it when stdin is no terminal is refused in one line" {
	refused 125 'terminal' krun --rm -it ketch/base true
}
