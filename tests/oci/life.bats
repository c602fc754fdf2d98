# life.bats - create, start, state, kill, delete, list: what callers rely on (ecosystem.md, 1a)
load lib

@test "create, start, end, delete: each state is seen, and nothing is left" {
	bundle life . sh -c 'echo "started as $$"; exec sleep 1000'
	create life
	is "$(status_of life)" created
	is "$(out life)" ''
	start life
	is "$(status_of life)" running
	await 10 grep -q 'started as 1' "$DIR/life.out"
	rt kill "$TAG-life" KILL
	ended life
	is "$(pid_of life)" 0
	rt delete "$TAG-life"
}

@test "state: every member, in Go's formats" {
	local now before state
	bundle state . sleep 1000
	before=$(date +%s)
	create state
	state=$(rt state "$TAG-state")
	like "$(jq -r .ociVersion <<<"$state")" '^1\.[0-9]+\.[0-9]+'
	is "$(jq -r .id <<<"$state")" "$TAG-state"
	is "$(jq -r .bundle <<<"$state")" "$DIR/b/state"
	is "$(jq -r .rootfs <<<"$state")" "$DIR/rootfs"
	is "$(jq -r .owner <<<"$state")" ""
	is "$(jq -r '.annotations."test.key"' <<<"$state")" value
	is "$(jq .pid <<<"$state")" "$(cat "$DIR/state.pid")"
	like "$(jq -r .created <<<"$state")" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?Z$'
	now=$(date +%s)
	[ "$(date -d "$(jq -r .created <<<"$state")" +%s)" -ge "$before" ]
	[ "$(date -d "$(jq -r .created <<<"$state")" +%s)" -le "$now" ]
	remove state
}

@test "the pid file is there and whole when create returns; the process is a child of the nearest subreaper" {
	bundle pid . sleep 1000
	run python3 - "$RUNTIME" --root "$DIR/state" create --bundle "$DIR/b/pid" --pid-file "$DIR/pid.pid" "$TAG-pid" <<-'END'
		import ctypes, os, subprocess, sys
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, as conmon and the shim are
		args = sys.argv[1:]
		file = args[args.index("--pid-file") + 1]
		subprocess.run(args, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
		text = open(file).read()
		print(repr(text))
		assert text.isdecimal(), text
		pid = int(text)
		stat = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
		assert int(stat[1]) == os.getpid(), f"its parent is {stat[1]}, not {os.getpid()}"
		subprocess.run([args[0], *args[1:3], "kill", args[-1], "9"], check=True)
		pid_, status = os.waitpid(pid, 0)
		assert os.waitstatus_to_exitcode(status) == -9
		print("children:", open(f"/proc/self/task/{os.getpid()}/children").read().split())
	END
	is "$status" 0 || { echo "$output" >&2; return 1; }
	like "$output" 'children: \[\]'
	remove pid
}

@test "the exit status reaches whoever waits for the pid" {
	bundle code . sh -c 'exit 42'
	run python3 - "$RUNTIME" --root "$DIR/state" --bundle "$DIR/b/code" "$TAG-code" <<-'END'
		import ctypes, os, subprocess, sys
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
		rt, bundle, name = sys.argv[1:4], sys.argv[4:6], sys.argv[6]
		subprocess.run([*rt, "create", *bundle, "--pid-file", "/run/code.pid", name], check=True, stdin=subprocess.DEVNULL)
		subprocess.run([*rt, "start", name], check=True)
		print(os.waitstatus_to_exitcode(os.waitpid(int(open("/run/code.pid").read()), 0)[1]))
	END
	is "$output" 42
	ended code
	remove code
}

@test "run: exit status, --detach, --pid-file, --keep" {
	bundle run . sh -c 'echo out; echo err >&2; exit 7'
	run --separate-stderr rt run --bundle "$DIR/b/run" "$TAG-run" </dev/null 3>&-
	is "$status" 7 && is "$output" out && is "$stderr" err
	says 1 'does not exist' rt state "$TAG-run"
	(cd "$DIR/b/run" && ! rt run "$TAG-run" >/dev/null 2>&1 3>&-) # the bundle is the current directory
	bundle run . "${STAY[@]}"
	rt run -d --pid-file "$DIR/run.pid" -b "$DIR/b/run" "$TAG-run" </dev/null >/dev/null 2>&1 3>&-
	is "$(status_of run)" running
	is "$(cat "$DIR/run.pid")" "$(pid_of run)"
	remove run
	bundle run . true
	if rt run --help | grep -q -- --keep; then
		rt run --keep -b "$DIR/b/run" "$TAG-run" </dev/null 3>&-
		is "$(status_of run)" stopped
		rt delete "$TAG-run"
	fi
}

@test "run: a signal to it reaches the container; the status of one that was killed is 128 and the signal" {
	local status pid
	bundle relay . sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	ended_with() { # STATUS COMMAND...: what run returns when that was done to it
		: >"$DIR/relay.out" # the ready of the one before would do
		"$RUNTIME" --root "$DIR/state" run -b "$DIR/b/relay" "$TAG-relay" </dev/null >>"$DIR/relay.out" 2>&1 3>&- &
		pid=$!
		await 10 grep -q ready "$DIR/relay.out"
		eval "$2"
		status=0
		wait "$pid" || status=$?
		is "$status" "$1"
	}
	ended_with 9 'kill -TERM $pid'
	ended_with 137 'rt kill "$TAG-relay" KILL'
}

@test "kill: by number, by name, with and without SIG; the default is TERM" {
	local signal
	bundle kill . sh -c 'trap "echo got-usr1" USR1; trap "echo got-term" TERM; echo ready; while :; do sleep 0.05; done'
	up kill
	await 10 grep -q ready "$DIR/kill.out"
	for signal in 10 USR1 SIGUSR1; do
		: >"$DIR/kill.out"
		rt kill "$TAG-kill" $signal
		await 10 grep -q got-usr1 "$DIR/kill.out"
	done
	rt kill "$TAG-kill"
	await 10 grep -q got-term "$DIR/kill.out"
	says 1 'signal' rt kill "$TAG-kill" NOSUCH
	says 1 'signal' rt kill "$TAG-kill" 1000
	remove kill
}

@test "kill --all reaches every process" {
	bundle all . sh -c 'sleep 1001 & sleep 1002 & echo ready; wait'
	up all
	await 10 grep -q ready "$DIR/all.out"
	rt kill --all "$TAG-all" 9
	ended all
	rt delete "$TAG-all"
}

@test "kill of a container without a pid namespace of its own: --all ends its children too" {
	bundle hostpid '.linux.namespaces |= map(select(.type != "pid"))' sh -c 'sleep 1003 & echo ready; wait'
	up hostpid
	await 10 grep -q ready "$DIR/hostpid.out"
	rt kill -a "$TAG-hostpid" KILL
	ended hostpid
	rt delete "$TAG-hostpid"
}

@test "delete --force of a running, a created and a paused container" {
	local how
	for how in running created paused; do
		staying force
		[ $how != created ] || { remove force; bundle force . sleep 1000; create force; }
		[ $how != paused ] || rt pause "$TAG-force"
		is "$(status_of force)" $how
		remove force
		says 1 'does not exist' rt state "$TAG-force"
		audit
	done
}

@test "delete of a created container that was never started" {
	beyond runc 'ends it; the specification wants an error'
	beyond crun 'ends it; the specification wants an error'
	bundle created . sleep 1000
	create created
	says 1 'is not stopped|not stopped' rt delete "$TAG-created"
	is "$(status_of created)" created
	remove created
}

@test "what crun has besides: --config of create and run, --regex of delete" {
	beyond runc 'has neither'
	bundle other . false
	cp "$DIR/b/other/config.json" "$DIR/other.json"
	bundle other . echo bundled
	says 1 '' rt run -b "$DIR/b/other" --config "$DIR/other.json" "$TAG-other"
	is "$(cd "$DIR" && rt run -b "$DIR/b/other" --config b/other/config.json "$TAG-other" </dev/null 3>&-)" bundled
	says 1 'nosuch' rt create -b "$DIR/b/other" --config "$DIR/nosuch.json" "$TAG-other"
	for name in web-1 web-2 db-1; do bundle $name . sleep 1000 && create $name; done
	rt delete --force --regex "^$TAG-web-[0-9]+\$"
	is "$(rt list -q)" "$TAG-db-1"
	says 1 '' rt delete --regex "^$TAG-db" # it is not stopped
	[ "${RUNTIME##*/}" = crun ] || says 1 'regular expression' rt delete --regex '('
	rt delete --force --regex "^$TAG-none"
	remove db-1
}

@test "list: table, -q, JSON; empty root" {
	local table
	is "$("$RUNTIME" --root "$DIR/none" list -q)" ''
	like "$("$RUNTIME" --root "$DIR/none" list -f json)" '^(null|\[\])$'
	bundle l1 . sleep 1000
	create l1
	staying l2
	table=$(rt list)
	like "$(head -1 <<<"$table")" '^ID +PID +STATUS +BUNDLE +CREATED +OWNER *$'
	like "$(grep l1 <<<"$table")" "^$TAG-l1 +$(pid_of l1) +created +$DIR/b/l1 +20.*Z +root *$"
	like "$(grep l2 <<<"$table")" "^$TAG-l2 +$(pid_of l2) +running "
	is "$(rt list --quiet | sort | paste -sd' ')" "$TAG-l1 $TAG-l2"
	is "$(rt list --format=json | jq -r 'sort_by(.id)[] | .id + " " + .status + " " + .owner' | paste -sd' ')" \
		"$TAG-l1 created root $TAG-l2 running root"
	is "$(rt list -f json | jq -c 'map(select(.id | endswith("l1"))) | .[0] | keys')" \
		'["annotations","bundle","created","id","ociVersion","owner","pid","rootfs","status"]'
	remove l1 && remove l2
}

@test "a container whose process was killed by others is stopped, and goes" {
	staying lost
	kill -9 "$(pid_of lost)"
	ended lost
	rt delete "$TAG-lost"
}

@test "forty cycles leave nothing" {
	local i
	bundle many . true
	for ((i = 0; i < 40; i++)); do
		rt run -b "$DIR/b/many" "$TAG-many" </dev/null >/dev/null 3>&-
	done
}

@test "two creates of one name: one wins, the other says so" {
	beyond runc 'two can win'
	local i won=0
	bundle race . sleep 1000
	for i in 1 2 3 4 5; do
		{ rt create -b "$DIR/b/race" "$TAG-race" </dev/null 3>&- && echo won; } >"$DIR/race.$i" 2>&1 &
	done
	wait
	for i in 1 2 3 4 5; do
		if grep -q '^won' "$DIR/race.$i"; then won=$((won + 1)); else like "$(cat "$DIR/race.$i")" 'already exists'; fi
	done
	is "$won" 1
	is "$(status_of race)" created
	remove race
}

@test "delete --force of a container that is just being made waits for whoever makes it, and then removes it" {
	beyond runc 'removes what is there so far'
	local maker deleter status=0
	bundle slow '.process.terminal = true' sleep 1000
	# a socket whose queue is full, so that create waits before it has a process
	python3 - "$DIR/full" "$DIR/full.go" 3>&- <<-'END' &
		import os, socket, sys
		server, first = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(0)
		first.connect(sys.argv[1])
		open(sys.argv[1] + ".listens", "w").close()
		open(sys.argv[2]).read()  # a FIFO
		kept = [server.accept() for _ in range(2)]
		open(sys.argv[2]).read()
	END
	mkfifo "$DIR/full.go"
	await 10 test -e "$DIR/full.listens"
	"$RUNTIME" --root "$DIR/state" create -b "$DIR/b/slow" --console-socket "$DIR/full" "$TAG-slow" </dev/null >"$DIR/slow.out" 2>&1 3>&- &
	maker=$!
	await 10 has_status slow creating
	"$RUNTIME" --root "$DIR/state" delete --force "$TAG-slow" 3>&- &
	deleter=$!
	waits() { find "/proc/$deleter/fd" -lname "*/state/$TAG-slow" 2>/dev/null | grep -q .; }
	await 10 waits
	echo >"$DIR/full.go"
	wait "$maker" || { status=$?; cat "$DIR/slow.out" >&2; return $status; }
	wait "$deleter"
	echo >"$DIR/full.go"
	says 1 'does not exist' rt state "$TAG-slow"
	rm "$DIR/full"*
}
