# stdio.bats - what a container gets of the caller's descriptors, and what nobody else may keep
load lib

@test "nobody but the container holds the caller's pipes: their end is the container's end" {
	bundle pipes . sh -c 'echo hello; read x; echo bye'
	run timeout 30 python3 - "$RUNTIME" --root "$DIR/state" "$DIR/b/pipes" "$TAG-pipes" <<-'END'
		import os, subprocess, sys
		rt, bundle, name = sys.argv[1:4], sys.argv[4], sys.argv[5]
		stdin, out, err = os.pipe(), os.pipe(), os.pipe()
		def holders():
		    ids = {os.readlink(f"/proc/self/fd/{fd}") for fd in (stdin[0], out[1], err[1])}
		    found = set()
		    for pid in filter(str.isdecimal, os.listdir("/proc")):
		        try:
		            fds = os.listdir(f"/proc/{pid}/fd")
		            if ids & {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in fds}:
		                found.add(int(pid))
		        except OSError:
		            pass
		    return found - {os.getpid()}
		subprocess.run([*rt, "create", "--bundle", bundle, name], check=True, stdin=stdin[0], stdout=out[1], stderr=err[1])
		pid = __import__("json").loads(subprocess.check_output([*rt, "state", name]))["pid"]
		assert holders() == {pid}, (holders(), pid)
		subprocess.run([*rt, "start", name], check=True, stdin=subprocess.DEVNULL)
		print(os.read(out[0], 100))
		assert holders() == {pid}, (holders(), pid)
		for fd in stdin[0], out[1], err[1]:
		    os.close(fd)
		os.write(stdin[1], b"\n")
		print(os.read(out[0], 100), os.read(out[0], 100), os.read(err[0], 100))
	END
	is "$output" $'b\'hello\\n\'\nb\'bye\\n\' b\'\' b\'\''
	ended pipes
	remove pipes
}

@test "two hundred stray descriptors of the caller: a container and an exec see 0, 1, 2" {
	local fds='cd /proc/self/fd && for fd in *; do [ -e /proc/$$/fd/$fd ] && echo $fd; done'
	bundle stray . sh -c "$fds"
	stray() {
		python3 -c '
import os, sys
for n in range(3, 203):
    os.dup2(os.open("/etc" if n % 2 else "/", os.O_RDONLY), n, inheritable=True)
os.execv(sys.argv[1], sys.argv[1:])' "$RUNTIME" --root "$DIR/state" "$@" </dev/null
	}
	is "$(stray run --bundle "$DIR/b/stray" "$TAG-stray" | paste -sd' ')" '0 1 2'
	staying stray
	is "$(stray exec "$TAG-stray" sh -c "$fds" | paste -sd' ')" '0 1 2'
	remove stray
}

@test "--preserve-fds N: those, and no more" {
	echo three >"$DIR/f3" && echo four >"$DIR/f4" && echo five >"$DIR/f5"
	bundle keep . sh -c 'cat <&3; cat <&4; [ -e /proc/$$/fd/5 ] && echo leaked'
	is "$(rt run --preserve-fds 2 --bundle "$DIR/b/keep" "$TAG-keep" </dev/null 3<"$DIR/f3" 4<"$DIR/f4" 5<"$DIR/f5")" $'three\nfour'
	staying keep
	is "$(rt exec --preserve-fds 1 "$TAG-keep" sh -c 'cat <&3; [ -e /proc/$$/fd/4 ] && echo leaked' </dev/null \
		3<"$DIR/f3" 4<"$DIR/f4" 5<"$DIR/f5")" three
	remove keep
	says 1 '' bash -c '"$@" 3<&-' - "$RUNTIME" --root "$DIR/state" create --preserve-fds 9 --bundle "$DIR/b/keep" "$TAG-keep"
}

@test "LISTEN_FDS: passed on when LISTEN_PID is ours, with LISTEN_PID the container's" {
	echo socket >"$DIR/f3"
	bundle listen . sh -c 'echo $LISTEN_FDS $LISTEN_PID $$; cat <&3'
	is "$(bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' - "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/listen" "$TAG-listen" \
		</dev/null 3<"$DIR/f3")" $'1 1 1\nsocket'
	bundle listen . sh -c 'echo ${LISTEN_FDS-none}; [ ! -e /proc/$$/fd/3 ] || echo leaked'
	is "$(LISTEN_FDS=1 LISTEN_PID=1 "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/listen" "$TAG-listen" \
		</dev/null 3<"$DIR/f3")" none
}

@test "NOTIFY_SOCKET: what the container says arrives at the caller's socket" {
	cc -D_GNU_SOURCE -O1 -static -o "$DIR/rootfs/bin/notify" "$OCI/notify.c"
	bundle notify . sh -c 'notify STATUS=early; notify "STATUS=x
READY=1
MAINPID=1"; echo sent; exec sleep 1000'
	run timeout 30 python3 - "$RUNTIME" --root "$DIR/state" "$DIR/b/notify" "$TAG-notify" "$DIR/host.sock" <<-'END'
		import os, socket, subprocess, sys
		rt, bundle, name, path = sys.argv[1:4], sys.argv[4], sys.argv[5], sys.argv[6]
		host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		host.bind(path)
		host.settimeout(10)
		env = {**os.environ, "NOTIFY_SOCKET": path}
		out = open("/run/notify.out", "w")
		subprocess.run([*rt, "create", "--bundle", bundle, name], check=True, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
		start = subprocess.Popen([*rt, "start", name], env=env, stdin=subprocess.DEVNULL)
		said = b""
		while b"BARRIER=1" not in said:
		    text, fds, _, _ = socket.recv_fds(host, 4096, 1)
		    said += text + b"\n"
		assert start.poll() is None  # it waits until its messages have been dealt with
		os.close(fds[0])
		start.wait(10)
		print(said.decode(), start.returncode)
	END
	like "$output" '^READY=1'$'\n+'"MAINPID=$(pid_of notify)"$'\n+''BARRIER=1'$'\n+'' *0$' || { cat /run/notify.out; return 1; }
	rm "$DIR/rootfs/bin/notify"
	remove notify
}

@test "NOTIFY_SOCKET: run in the foreground passes signals on while the container is not ready yet" {
	cc -D_GNU_SOURCE -O1 -static -o "$DIR/rootfs/bin/notify" "$OCI/notify.c"
	bundle patient . sh -c 'trap "notify READY=1; exit 7" USR1; echo up; while :; do sleep 0.1; done'
	run timeout 30 python3 - "$RUNTIME" --root "$DIR/state" "$DIR/b/patient" "$TAG-patient" "$DIR/patient.sock" <<-'END'
		import os, signal, socket, subprocess, sys
		rt, bundle, name, path = sys.argv[1:4], sys.argv[4], sys.argv[5], sys.argv[6]
		host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		host.bind(path)
		host.settimeout(10)
		run = subprocess.Popen([*rt, "run", "--bundle", bundle, name], env={**os.environ, "NOTIFY_SOCKET": path}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
			stderr=subprocess.DEVNULL) # not ours: a container that stays would keep it open
		run.stdout.readline()
		run.send_signal(signal.SIGUSR1)
		print(host.recv(4096).split(b"\n")[0].decode(), run.wait(10))
	END
	is "$output" 'READY=1 7'
	rm "$DIR/rootfs/bin/notify"
}

@test "the caller's /dev/null keeps its owner and mode, whoever the container's user is" {
	local before
	before=$(stat -c '%u:%g %a' /dev/null)
	bundle null '.process.user = {uid: 1000, gid: 1000}' id -u
	"$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/null" "$TAG-null" </dev/null >/dev/null 2>/dev/null 3>&-
	is "$(stat -c '%u:%g %a' /dev/null)" "$before"
	staying null
	rt exec --user 1000:1000 "$TAG-null" true </dev/null >/dev/null 2>/dev/null 3>&-
	is "$(stat -c '%u:%g %a' /dev/null)" "$before"
	remove null
}

@test "a file of the host that is stdin, stdout or stderr keeps its owner and mode" {
	beyond runc 'turns it over to the user'
	beyond crun 'turns it over to the user'
	echo input >"$DIR/in"
	chmod 600 "$DIR/in" && install -m 600 /dev/null "$DIR/file"
	bundle file '.process.user = {uid: 1000, gid: 1000}' cat
	"$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/file" "$TAG-file" <"$DIR/in" >"$DIR/file" 2>&1 3>&-
	is "$(cat "$DIR/file")" input
	is "$(stat -c '%u:%g %a' "$DIR/in" "$DIR/file" | sort -u)" '0:0 600'
}

@test "pipes are the user's: /dev/stdout can be opened again" {
	bundle reopen '.process.user = {uid: 1000, gid: 1000}' sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
	is "$(rt run --bundle "$DIR/b/reopen" "$TAG-reopen" </dev/null 2>&1 3>&- | sort | cat)" $'err\nout'
}

@test "--console-socket: the master is handed over; the container has it as its controlling terminal" {
	bundle tty '.process.terminal = true | .process.consoleSize = {height: 33, width: 44}' \
		sh -c 'tty; stty size; (echo it is mine >/dev/tty); ls -l /dev/console; stat -c %t:%T /dev/console; read x; stty size'
	run "$OCI/console.py" "$DIR/console" "run='$RUNTIME' --root $DIR/state start $TAG-tty" 'expect=/dev/pts/0\s+33 44\s+it is mine' \
		resize=55x66 'send=\r' 'expect=55 66' -- "$RUNTIME" --root "$DIR/state" create --bundle "$DIR/b/tty" \
		--console-socket "$DIR/console" --pid-file "$DIR/tty.pid" "$TAG-tty"
	is "$status" 0 || { echo "$output" >&2; return 1; }
	like "$output" 'ptmx'
	ended tty
	remove tty
}

@test "the terminal belongs to the container's user" {
	bundle owner '.process.terminal = true | .process.user = {uid: 1000, gid: 1000}' sh -c 'stat -c "owner %u mode %a" "$(tty)"; read x'
	run "$OCI/console.py" "$DIR/console" "run='$RUNTIME' --root $DIR/state start $TAG-owner" 'expect=owner 1000 mode 6[02]0' 'send=\r' -- \
		"$RUNTIME" --root "$DIR/state" create --bundle "$DIR/b/owner" --console-socket "$DIR/console" "$TAG-owner"
	is "$status" 0 || { echo "$output" >&2; return 1; }
	remove owner
}

@test "run at a terminal: size, resize, exit status" {
	bundle term '.process.terminal = true' sh -c '
		for size in "30 100" "40 120"; do until [ "$(stty size)" = "$size" ]; do :; done; echo sized as $size; done; read x; exit 6'
	run "$E2E/terminal.py" 30x100 'expect=sized as 30 100' resize=40x120 'expect=sized as 40 120' 'send=\r' -- \
		"$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/term" "$TAG-term"
	is "$status" 6 || { echo "$output" >&2; return 1; }
}

@test "a program that does not read its terminal holds up neither its output nor a signal" {
	bundle deaf '.process.terminal = true' sh -c 'stty -icanon -echo; trap "exit 8" TERM; while :; do echo on; sleep 0.1; done'
	head -c 300000 /dev/zero | tr '\0' x >"$DIR/typed"
	"$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/deaf" "$TAG-deaf" <"$DIR/typed" >"$DIR/shown" 3>&- & local pid=$! status=0
	has_lines() { [ "$(wc -l <"$DIR/shown")" -ge "$1" ]; }
	await 10 has_lines 5
	kill -TERM "$pid"
	wait "$pid" || status=$?
	is "$status" 8
}

@test "terminal and console socket have to fit each other" {
	bundle tty '.process.terminal = true' true
	says 1 'console.socket' rt create --bundle "$DIR/b/tty" "$TAG-tty"
	says 1 '' rt create --bundle "$DIR/b/tty" --console-socket "$DIR/no-such-socket" "$TAG-tty"
	bundle tty . true
	says 1 'console.socket' rt create --bundle "$DIR/b/tty" --console-socket "$DIR/no-such-socket" "$TAG-tty"
	audit
}

@test "the caller's environment does not get in" {
	bundle env . env
	is "$(MARK=host HOSTMARK=1 rt run --bundle "$DIR/b/env" "$TAG-env" </dev/null 3>&- | grep -v '^HOME=' | sort)" \
		$'MARK=of-the-bundle\nPATH=/bin:/sbin:/usr/bin:/usr/sbin'
}
