# recovery.bats - after kill -9 of anything the next command tells the true state, and rm -f leaves nothing
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

killed() { # PID: kill -9, and it is gone
	kill -9 "$1"
	await 10 gone "$1"
}

@test "the command that waits for it: the instance goes on" {
	krun --name on -i ketch/base "${STAY[@]}" </dev/zero >/dev/null 2>&1 &
	local pid=$!
	await 30 status_is on running
	killed "$pid"
	is "$(inspect_of on .State.Status)" running
	is "$(ketch exec on echo here)" here
}

apart() { unshare -pf --mount-proc "$KETCH" "$@"; } # it sees no process but its own

@test "the monitor: doctor --audit names what it leaves, until the next command has cleared it up" {
	local id
	id=$(inspect_of on .Id)
	run ketch doctor --audit
	unlike "$output" "$id|not judged"
	run apart doctor --audit
	is "$status" 0
	unlike "$output" 'left over'
	like "$output" 'not judged: processes outside of this PID namespace'
	killed "$(monitor_of on)"
	run ketch doctor --audit
	is "$status" 1
	like "$output" "left over: run directory $KETCH_RUN_ROOT/$id"
	like "$output" "left over: cgroup /[^ ]*$id"
	is "$(sort <<<"$output" | uniq -d)" '' # each thing once
	run apart doctor --audit --json
	is "$status" 1
	is "$(jq -c "[.complete, (.left | map(select(contains(\"${id:0:12}\") | not)))]" <<<"$output")" '[false,[]]'
	like "$output" "run directory $KETCH_RUN_ROOT/$id"
	like "$output" "cgroup /[^ ]*$id"
	await 10 status_is on exited
	run ketch doctor --audit
	unlike "$output" "$id"
}

@test "the instance has ended with its monitor, and ps says so" {
	is "$(ketch ps -q)" ''
	like "$(ketch ps -a)" 'on'
	refused 1 'not running' ketch exec on true
	ketch rm -f on
	audit
}

@test "the container's first process or the VMM: the monitor sees it and ends in order" {
	stay --name vmm >/dev/null
	killed "$(inspect_of vmm .State.Pid)"
	await 10 status_is vmm exited
	[ "$(inspect_of vmm .State.ExitCode)" -ne 0 ]
	ketch rm vmm
	audit
}

@test "the monitor and then all at once with rm -f: nothing is left" {
	stay --name both --rm >/dev/null
	local monitor pid
	monitor=$(monitor_of both) pid=$(inspect_of both .State.Pid)
	kill -9 "$monitor" "$pid"
	ketch rm -f both || unknown both
	await 10 gone "$pid"
	is "$(ketch ps -aq)" ''
	audit
}

@test "no inode is left on the disk: commands say so, ps and rm -f go on" {
	local more='0 2 5 8' # by hand all: FEW_INODES='0 1 2 3 4 5 6 7 8 9 10 11 12'
	[ "$ISOLATION" = vm ] && more='1 4'
	# shellcheck disable=SC2086
	run unshare -m --propagation private "$E2E/few_inodes.sh" ${FEW_INODES:-$more}
	is "$output" ""
}

@test "no byte is left on the disk: an instance answers, rollback and rm -f work" {
	run unshare -m --propagation private "$E2E/full_disk.sh"
	is "$output" ""
}
