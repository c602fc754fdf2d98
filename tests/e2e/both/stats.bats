# stats.bats - what an instance uses, and its processes: the same numbers mean the same behind both walls
load ../lib

setup_file() {
	store_open
	stay --name box -m 256m >/dev/null
	ketch exec -d box tail -f /dev/null "two  words"
	ketch exec -d box sleep 1000
}
teardown_file() { store_close; }

of() { ketch stats --no-stream --no-trunc --split --format json box | jq -r "$1"; } # JQ-PATH

@test "stats: Docker's table" {
	run ketch stats --no-stream
	is "$status" 0
	like "${lines[0]}" '^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS$'
	like "${lines[1]}" "^$(inspect_of box .Id | cut -c1-12) +box +[0-9.]+% +[0-9.]+[KM]iB / 256MiB +[0-9.]+% +[0-9.]+[kM]?B / [0-9.]+[kM]?B +[0-9.]+[kM]?B / [0-9.]+[kM]?B +[0-9]+$"
	is "${#lines[@]}" 2
}

@test "memory that a process takes is seen, and goes with it" {
	local before after
	before=$(of .MemPerc)
	ketch exec -d box sh -c '(head -c 30000000 /dev/zero; sleep 3000) | tail'
	grown() { after=$(of .MemPerc); [ "${after%.*}" -ge $((${before%.*} + 8)) ]; }
	await 20 grown
	ketch exec box sh -c 'for p in /proc/[0-9]*; do
		[ "$(tr "\0" " " <$p/cmdline)" != "tail " ] || kill -9 ${p#/proc/}; done'
	shrunk() { after=$(of .MemPerc); [ "${after%.*}" -le $((${before%.*} + 4)) ]; }
	await 20 shrunk
}

@test "--split: the host spends at least what the workload uses" {
	like "$(ketch stats --no-stream --split)" 'ISOLATION +CACHE +HOST MEM +HOST CPU %'
	is "$(of .Isolation)" "$ISOLATION"
	like "$(of .HostMem)" '^[0-9.]+[KMG]iB$'
	[ "$ISOLATION" = container ] || like "$(of .HostMem)" '^([5-9][0-9]|[1-9][0-9][0-9])[0-9.]*MiB$'
}

@test "what does not run has no numbers; what is not there is an error" {
	ketch create --isolation "$ISOLATION" --name over ketch/base true >/dev/null
	like "$(ketch stats -a --no-stream)" 'over +-- +-- / -- +-- +-- / -- +-- / -- +--'
	unlike "$(ketch stats --no-stream)" over
	refused 1 'no such instance: nobody' ketch stats --no-stream nobody
	refused 1 'over.*not running' ketch top over
}

@test "stats goes on until its reader has gone" {
	[ "$(ketch stats --format json | head -n 3 | jq -r .Name | uniq -c | tr -s ' ')" = " 3 box" ]
}

@test "top: ps -ef of what is inside, and of nothing else" {
	run ketch top box
	is "$status" 0
	like "${lines[0]}" '^UID +PID +PPID +C +STIME +TTY +TIME +CMD$'
	like "$output" $'\nroot +[0-9]+ +[0-9]+ +[0-9]+ +[0-9:]+ +\\? +[0-9:]+ +sleep 1000'
	like "$output" 'tail -f /dev/null two  words'
	unlike "$output" 'bats|monitor'
	is "$(grep -c 'sleep 1000$' <<<"$output")" 1
}

@test "top -o: columns are chosen" {
	is "$(ketch top box -o pid,comm | head -n1 | tr -s ' ')" "PID COMMAND"
	like "$(ketch top box -o user,args)" 'root +sleep 1000'
	like "$(ketch top box aux)" 'COMMAND.*root +[0-9]+ +[0-9.]+ +[0-9.]+'
	refused 1 'no column "color"' ketch top box -o color
	refused 1 'unknown options' ketch top box -z
}

@test "what is paused: a container still tells, a machine says why it cannot" {
	ketch pause box
	if [ "$ISOLATION" = vm ]; then
		refused 1 "box is paused: unpause it first" ketch top box
		like "$(ketch stats --no-stream box)" "box +-- "
	else
		like "$(ketch top box)" "sleep 1000"
		like "$(ketch stats --no-stream box)" "box +[0-9.]+%"
	fi
	ketch unpause box
}

@test "users inside are numbers" {
	ketch exec -d -u 1234 box sleep 2000
	like "$(ketch top box)" '1234 .* sleep 2000'
}

@test "top without a name needs a terminal" {
	refused 1 'not on a terminal.*stats --no-stream' ketch top
}

@test "top without a name: a live table, sorted by keys, ended by q" {
	run timeout 60 python3 - "$KETCH" <<-'PY'
		import os, pty, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], [sys.argv[1], "top"])
		seen = b""
		def until(word):
		    global seen
		    while word not in seen:
		        seen += os.read(fd, 4096)
		until(b"by CPU")
		until(b"box")
		seen = b""
		os.write(fd, b"n")
		until(b"by name")
		os.write(fd, b"q")
		until(b"\033[?1049l")
		print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
	is "$output" 0
}

@test "a busy loop is seen, up to what the machine gives" {
	local cpu
	ketch exec -d box sh -c 'while :; do :; done'
	cpu=$(of .CPUPerc)
	cpu=${cpu%.*}
	[ "$cpu" -ge 10 ] || { echo "CPU: $cpu"; false; }
	[ "$cpu" -le 220 ] || { echo "CPU: $cpu"; false; }
}

@test "one that is killed before it answers has no numbers" {
	local monitor
	monitor=$(monitor_of box)
	kill -STOP "$monitor"
	"$KETCH" stats --no-stream box >"$DIR/table" &
	asks() { readlink "/proc/$1"/fd/* | grep -q socket:; }
	await 20 asks $!
	kill -KILL "$monitor"
	wait $! || is $? 1 # no signal ended it
}
