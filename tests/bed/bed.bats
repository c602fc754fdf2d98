# bed.bats - that the bed is what its cases were sent there for: unified cgroups, and KVM for a virtual machine
load ../e2e/lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "containers are limited through cgroup v2" {
	local id
	id=$(krun -d --isolation container -m 64m --pids-limit 77 --cpus 0.5 ketch/base "${STAY[@]}")
	is "$(cat "/sys/fs/cgroup/ketch/$id/memory.max")" 67108864
	is "$(cat "/sys/fs/cgroup/ketch/$id/pids.max")" 77
	is "$(cat "/sys/fs/cgroup/ketch/$id/cpu.max")" '50000 100000'
	ketch rm -f "$id"
}

@test "a virtual machine runs under KVM, in the instance's cgroup" {
	[ "$ISOLATION" = vm ] || skip "this run is for containers"
	local id pid
	id=$(krun -d -m 64m ketch/base "${STAY[@]}")
	is "$(inspect_of "$id" .VM.Kvm)" true
	pid=$(inspect_of "$id" .State.Pid)
	is "$(cat "/proc/$pid/cgroup")" "0::/ketch/$id"
	is "$(ketch exec "$id" sh -c 'cat /sys/fs/cgroup/memory.max')" 67108864
	is "$(ketch exec "$id" uname -r)" "$(inspect_of "$id" .VM.Kernel)"
}
