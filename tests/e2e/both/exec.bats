# exec.bats - further processes in a running instance
load ../lib

setup_file() {
	store_open
	stay --name box -e FROM_RUN=yes -w /home -u ketch >/dev/null
}
teardown_file() { store_close; }

@test "the status is the command's, 127, 126 or 128 + n" {
	run ketch exec box sh -c 'exit 9'
	is "$status" 9
	run ketch exec box no-such-command
	is "$status" 127
	run ketch exec box /etc/passwd
	is "$status" 126
	run ketch exec box sh -c 'kill -KILL $$'
	is "$status" 137
}

@test "stdout and stderr stay apart" {
	run --separate-stderr ketch exec box sh -c 'echo out; echo err >&2'
	is "$output" out
	is "$stderr" err
}

@test "it has the instance's user, directory and environment" {
	is "$(ketch exec box sh -c 'echo $(id -un) $(pwd) $FROM_RUN $HOME')" 'ketch /home yes /home/ketch'
}

@test "-u, -w and -e change them" {
	is "$(ketch exec -u 0 -w /etc -e MORE=a -e FROM_RUN=no box sh -c 'echo $(id -u) $(pwd) $MORE $FROM_RUN')" '0 /etc a no'
	is "$(ketch exec -u daemon:adm box id -G)" 4
	is "$(ketch exec -u :adm box sh -c 'echo $(id -u):$(id -G)')" 0:4 # as in Docker: not the user of the image
}

@test "a directory or user that is not there is no place to run in, and is not made" {
	refused 126 'unable to find user tyop' ketch exec -u tyop box pwd
	refused 126 'working directory "/tyop": no such file or directory' ketch exec -w /tyop box pwd
	run ketch exec box ls -d /tyop
	is "$status" 1
}

@test "it has the instance's capabilities and filter, no more" {
	is "$(ketch exec -u 0 box awk '/^CapEff|^CapBnd|^Seccomp:/ { print $2 }' /proc/self/status | tr '\n' ' ')" \
		'00000000800405fb 00000000800405fb 2 '
}

@test "-i passes stdin on until its end; without it stdin is empty" {
	is "$(printf 'one\ntwo\n' | ketch exec -i box cat)" $'one\ntwo'
	is "$(echo unread | ketch exec box cat)" ''
}

@test "a command that ends while its stdin is under way takes nothing with it" {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		head -c 200000 /dev/zero | ketch exec -i box true
		head -c 200000 /dev/zero | ketch exec -i box sh -c 'exec <&-'
	done
	is "$(ketch exec box echo on)" on
}

@test "every byte survives both ways" {
	head -c 3000000 /dev/urandom >"$DIR/bytes"
	ketch exec -i box cat <"$DIR/bytes" >"$DIR/back"
	cmp "$DIR/bytes" "$DIR/back"
}

@test "-d returns at once and the process goes on" {
	run ketch exec -d -u 0 box sh -c 'echo detached >/tmp/detached'
	is "$status" 0
	is "$output" ''
	await 10 ketch exec box grep -q detached /tmp/detached
}

@test "many at the same time" {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		ketch exec box sh -c "seq 1 2000; exit $i" >"$DIR/many.$i" &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6 7 8; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		is "$status" "$i"
		is "$(wc -l <"$DIR/many.$i")" 2000
	done
}

@test "-it: a terminal with the user's size, resize, and Ctrl-C as a signal" {
	run "$E2E/terminal.py" 31x97 'expect=\$ ' 'send=stty size\r' 'expect=31 97' \
		resize=40x120 'send=stty size\r' 'expect=40 120' 'send=tty\r' 'expect=/dev/pts/' \
		'send=sh -c "printf rea%s dy; cat"\r' 'expect=ready' 'send=abc\r' 'expect=abc\r\nabc' 'send=\x03' 'expect=\$ ' 'send=exit 5\r' \
		-- "$KETCH" exec -it -e 'PS1=$ ' box sh
	is "$status" 5
}

@test "exec's reader may go away" {
	is "$(ketch exec box sh -c "yes | head -c 300000000" | head -n 1)" y
}

@test "exec --env-file and --privileged" {
	stay --name extra --rm >/dev/null
	printf 'FROM_FILE=1\n# none\nBOTH=file\n' >"$DIR/env"
	is "$(ketch exec --env-file "$DIR/env" -e BOTH=line extra sh -c 'echo $FROM_FILE $BOTH')" '1 line'
	is "$(ketch exec extra grep CapEff /proc/self/status)" $'CapEff:\t00000000800405fb'
	like "$(ketch exec --privileged extra grep CapEff /proc/self/status)" '0000[01][0-9a-f]fff[ef]ffffff$' # as many as the host has
	is "$(ketch exec -e 'A B=1' extra env | grep '^A ')" 'A B=1'
	refused 1 'invalid environment variable: A B' ketch exec --env-file <(echo 'A B=1') extra true
	refused 1 'nosuch' ketch exec --env-file /nosuch extra true
	is "$(ketch exec --env-file <(echo PIPED=1) --env-file /dev/null extra sh -c 'echo $PIPED')" 1
	refused 1 'is a directory' ketch exec --env-file / extra true
}

@test "who is told to end ends, also where nothing inside hears of it: after some seconds, or a second signal" {
	local name pids=()
	for name in once twice; do
		"$KETCH" exec box sh -c 'echo up; exec sleep 300' >"$DIR/$name" 2>"$DIR/$name.err" &
		pids+=($!)
		await 20 grep -q up "$DIR/$name"
	done
	ketch pause box
	kill "${pids[@]}"
	await 10 grep -q paused "$DIR/twice.err"
	kill "${pids[1]}"
	await 2 gone "${pids[1]}"
	status=0
	wait "${pids[0]}" || status=$?
	is "$status" 143
	like "$(tail -n 1 "$DIR/once.err")" 'not heard within 5 seconds'
	ketch unpause box
	is "$(ketch exec box echo here)" here
}

told_twice() { kill "$1" 2>/dev/null || :; gone "$1"; } # PID
@test "the same where nobody reads what it says" {
	local pid unread
	mkfifo "$DIR/unread"
	exec {unread}<>"$DIR/unread"
	"$KETCH" exec box yes >"$DIR/unread" 2>/dev/null &
	pid=$!
	await 20 grep -q '^7 ' "/proc/$pid/syscall" # poll: the pipe is full
	await 4 told_twice "$pid"
	exec {unread}>&-
	is "$(ketch exec box echo here)" here
}

@test "a process that exec started ends with its instance" {
	ketch exec extra tail -f /dev/null &
	local pid=$!
	ketch rm -f extra
	! wait "$pid"
}

@test "what does not run cannot be asked" {
	ketch stop box >/dev/null
	refused 1 'box.*not running' ketch exec box true
	refused 1 'no such instance.*nobody' ketch exec nobody true
}
