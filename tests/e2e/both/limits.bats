# limits.bats - -m, --cpus and --pids-limit hold, and mean the same behind both walls
load ../lib

setup_file() {
	store_open
	stay --name small -m 48m --cpus 0.25 --pids-limit 40 >/dev/null
}
teardown_file() { store_close; }

@test "--pids-limit: no process more than allowed, and the instance lives on" {
	run ketch exec small sh -c 'trap "kill \$p; echo ended" EXIT
		for i in $(seq 100); do tail -f /dev/null & p="$p $!"; done; echo all started'
	unlike "$output" 'all started'
	like "$output" 'ended'
	await 10 ketch exec small true
}

@test "--cpus: a busy loop gets a quarter of a CPU" {
	local used
	# user + system time in hundredths of a second over 4 s of wall clock
	used=$(ketch exec small sh -c '
		sh -c "while :; do :; done" & p=$!
		timeout 4 tail -f /dev/null
		awk "{ print \$14 + \$15 }" /proc/$p/stat; kill -9 $p')
	[ "$used" -ge 60 ] && [ "$used" -le 140 ] || { echo "used $used of 400" >&2; false; }
}

@test "-m: what does not fit is killed, the rest is not" {
	run ketch exec small sh -c 'head -c 200000000 /dev/zero | tail | wc -c'
	[ "$status" -ne 0 ] || [ "$output" != 200000000 ]
	is "$(ketch exec small echo alive)" alive
}

@test "-m: half of it can be used" {
	is "$(ketch exec small sh -c 'head -c 20000000 /dev/zero | tail | wc -c')" 20000000
}

@test "out of memory in the main process: 137, and inspect says why" {
	run krun --name oom -m 32m ketch/base sh -c 'exec tail -c 400000000 /dev/zero'
	is "$status" 137
	is "$(inspect_of oom .State.OOMKilled)" true
}

@test "the VMM, or the container's processes, are in the instance's cgroup" {
	local pid
	pid=$(inspect_of small .State.Pid)
	like "$(cat "/proc/$pid/cgroup")" "ketch.*$(inspect_of small .Id | cut -c1-12)"
}
