# update.bats - limits change while an instance runs, and stay in its record
load ../lib

setup_file() {
	store_open
	stay --name box -m 96m --pids-limit 200 >/dev/null
}
teardown_file() { store_close; }

# The first of these files inside, or on the host: what the kernel holds to.
inside() { ketch exec box sh -c 'for f; do [ ! -e $f ] || { cat $f; exit; }; done' sh "${@/#//sys/fs/cgroup/}"; } # FILE...
outside() { # FILE...
	local dir f
	for dir in $(jq -r '.cgroups[]' "$KETCH_RUN_ROOT/$(inspect_of box .Id)/state.json"); do
		for f in "$@"; do [ ! -e "$dir/$f" ] || { cat "$dir/$f" && return; }; done
	done
}

@test "-m: the kernel holds to the new limit at once" {
	is "$(inside memory.max memory/memory.limit_in_bytes)" $((96 << 20))
	is "$(ketch update -m 80m box)" box
	is "$(inside memory.max memory/memory.limit_in_bytes)" $((80 << 20))
	is "$(inspect_of box .HostConfig.Memory)" $((80 << 20))
	like "$(ketch stats --no-stream box)" '/ 80MiB'
	ketch update -m 96m box && ketch update -m 80m box # up to what it began with, and back
}

@test "--pids-limit: a number, and none" {
	ketch update --pids-limit 50 box
	is "$(inside pids.max pids/pids.max)" 50
	ketch update --pids-limit -1 box
	is "$(inside pids.max pids/pids.max)" max
}

@test "--cpus: given to one that had no such limit; who runs already is held, too" {
	ketch update --cpus 0.5 box
	like "$(outside cpu.max cpu.cfs_quota_us)" '^50000'
	is "$(inspect_of box .HostConfig.NanoCpus)" 500000000
	[ "$ISOLATION" = vm ] || grep -q "ketch/$(inspect_of box .Id)" <(grep -E 'cpu|^0::' "/proc/$(inspect_of box .State.Pid)/cgroup")
	ketch exec box true
}

@test "more than a running machine has is refused by name; a container takes it" {
	if [ "$ISOLATION" = vm ]; then
		refused 1 '--memory: .*stop it first' ketch update -m 4g box
		is "$(inspect_of box .HostConfig.Memory)" $((80 << 20))
	else
		ketch update -m 1g box
		is "$(inspect_of box .HostConfig.Memory)" $((1 << 30))
	fi
}

@test "bad values are one line, and change nothing" {
	refused 1 'least is 6m' ketch update -m 1m box
	refused 1 'no such instance: nobody' ketch update -m 64m nobody
	refused 1 'restart' ketch update --restart sometimes box
	is "$(inspect_of box .HostConfig.NanoCpus)" 500000000
}

@test "without a flag nothing would change: that is said" {
	refused 1 'nothing to change: give one flag or more' ketch update box
}

@test "update is told" {
	like "$(ketch events --stream=false --filter container=box --filter event=update)" 'container update .*name=box'
}

@test "--restart: the policy of what runs is another at once" {
	ketch update --restart on-failure:1 box
	is "$(inspect_of box .HostConfig.RestartPolicy.Name)" on-failure
	ketch update --restart no box
}

@test "what does not run starts with its new limits" {
	ketch stop -t 5 box
	ketch update -m 128m box
	ketch start box
	is "$(inside memory.max memory/memory.limit_in_bytes)" $((128 << 20))
}
