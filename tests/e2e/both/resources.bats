# resources.bats - the limits beside --memory, --cpus and --pids-limit: set where they act, shown by inspect
load ../lib

setup_file() {
	store_open
	export DISK
	DISK=$(find /dev -maxdepth 1 -type b -print -quit)
	stay --name lim -m 64m --memory-swap 64m --memory-reservation 32m --oom-score-adj 77 \
		${DISK:+--device-read-bps "$DISK:1m" --device-write-iops "$DISK:100"} \
		-c 512 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 >/dev/null
}
teardown_file() { store_close; }

cgroup_file() { # INSTANCE FILE...: what the first of them says in one of its cgroups on the host
	local dir name
	for name in "${@:2}"; do
		while read -r dir; do
			[ ! -e "$dir/$name" ] || { cat "$dir/$name"; return; }
		done < <(jq -r '.cgroups[]' "$KETCH_RUN_ROOT/$(inspect_of "$1" .Id)/state.json")
	done
	return 1
}

@test "CPU time: shares, period and quota are set for the whole instance" {
	like "$(cgroup_file lim cpu.cfs_quota_us cpu.max)" '^25000( 50000)?$'
	like "$(cgroup_file lim cpu.cfs_period_us cpu.max)" '50000$'
	like "$(cgroup_file lim cpu.shares cpu.weight)" '^(512|59)$'
}

@test "--cpuset-cpus and --cpuset-mems: on the host, and what the workload counts" {
	is "$(cgroup_file lim cpuset.cpus)" 0
	is "$(cgroup_file lim cpuset.mems)" 0
	is "$(ketch exec lim nproc)" 1
}

@test "--memory-reservation is what it keeps, and what its wall costs besides" {
	[ "$(cgroup_file lim memory.soft_limit_in_bytes memory.low)" -ge $((32 << 20)) ]
	[ "$(cgroup_file lim memory.soft_limit_in_bytes memory.low)" -lt $((512 << 20)) ]
}

@test "--oom-score-adj: of the processes inside, and of what holds them on the host" {
	is "$(ketch exec lim cat /proc/self/oom_score_adj /proc/1/oom_score_adj)" $'77\n77'
	is "$(cat "/proc/$(inspect_of lim .State.Pid)/oom_score_adj")" 77
}

@test "block devices: rates are set on the host, whose disk it is" {
	[ -n "$DISK" ] || skip 'no block device here'
	like "$(cgroup_file lim blkio.throttle.read_bps_device io.max)" "(rbps=| )1048576"
	like "$(cgroup_file lim blkio.throttle.write_iops_device io.max)" "(wiops=| )100"
	is "$(inspect_of lim '.HostConfig | .BlkioDeviceReadBps[0].Path + " " + (.BlkioDeviceReadBps[0].Rate | tostring)')" "$DISK 1048576"
}

@test "what cgroup v2 lacks: set on v1, left out with a warning on v2; what a machine lacks: refused" {
	if [ "$ISOLATION" = vm ]; then
		refused 125 '^ketch: --memory-swap works for containers only' krun -m 64m --memory-swap 128m ketch/base true
		refused 125 '^ketch: --oom-kill-disable works for containers only' krun --oom-kill-disable ketch/base true
		return
	fi
	stay --name old -m 64m --memory-swap 96m --memory-swappiness 7 >/dev/null
	like "$(cgroup_file old memory.memsw.limit_in_bytes memory.swap.max)" '^(100663296|33554432)$'
	cgroup_file old memory.swappiness | grep -qx 7 || like "$(inspect_of old '.Warnings[]')" '--memory-swappiness: ignored'
	ketch rm -f old
}

@test "inspect shows them as Docker does" {
	is "$(inspect_of lim '.HostConfig | [.Memory, .MemorySwap, .MemoryReservation, .OomScoreAdj, .CpuShares,
		.CpuPeriod, .CpuQuota, .CpusetCpus, .CpusetMems, .OomKillDisable] | @csv')" \
		'67108864,67108864,33554432,77,512,50000,25000,"0","0",false'
}

@test "bad limits: one line that names the flag, and nothing is made" {
	refused 125 '--cpuset-cpus: .4096. is not available' krun --cpuset-cpus 4096 ketch/base true
	refused 125 '--cpuset-mems: .x. is not a list' krun --cpuset-mems x ketch/base true
	refused 125 '--memory-swap: needs --memory' krun --memory-swap 1g ketch/base true
	refused 125 '--memory-reservation: more than' krun -m 64m --memory-reservation 65m ketch/base true
	refused 125 '--memory-swappiness' krun --memory-swappiness 101 ketch/base true
	refused 125 '--oom-score-adj' krun --oom-score-adj 2000 ketch/base true
	refused 125 '--cpus and --cpu-quota exclude' krun --cpus 1 --cpu-quota 5000 ketch/base true
	refused 125 '--blkio-weight: the range' krun --blkio-weight 1 ketch/base true
	refused 125 '--device-read-bps: /dev/zero is not a block' krun --device-read-bps /dev/zero:1m ketch/base true
	is "$(ketch ps -aq | wc -l)" 1
}
