# bed.bats - that the bed is what its cases were sent there for: unified cgroups, and KVM for a virtual machine
load ../e2e/lib

# A wire of the host, at whose other end somebody speaks with VLAN 42.
setup_file() {
	store_open
	ip link add wire0 type veth peer name wire1
	ip link add link wire1 name wire1.42 type vlan id 42
	ip addr add 10.42.0.1/24 dev wire1.42
	for i in wire0 wire1 wire1.42; do ip link set $i up; done
	ketch network create --driver macvlan --subnet 10.42.0.0/24 --opt parent=wire0 --opt vlan=42 tagged >/dev/null
}
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
	id=$(krun -d --name machine --privileged -m 64m --network bridge --network tagged ketch/base "${STAY[@]}")
	is "$(inspect_of "$id" .VM.Kvm)" true
	is "$(inspect_of "$id" .VM.Driver)" kvm
	pid=$(inspect_of "$id" .State.Pid)
	is "$(cat "/proc/$pid/cgroup")" "0::/ketch/$id"
	is "$(ketch exec "$id" sh -c 'cat /sys/fs/cgroup/memory.max')" 67108864
	is "$(ketch exec "$id" uname -r)" "$(inspect_of "$id" .VM.Kernel)"
}

listens() { ketch exec "$1" sh -c "grep -q ':$(printf %04X "$2") ' /proc/net/tcp /proc/net/tcp6"; } # INSTANCE PORT

# The whole of it is both/wires.bats, which takes too long here.
@test "bytes cross its network, both ways" {
	[ "$ISOLATION" = vm ] || skip "this run is for containers"
	local address
	# One way after the other: nc does not read while it writes.  And the peer stays: with its end its namespace goes, and
	# what its kernel had not sent yet.
	krun -d --isolation container --name peer ketch/base sh -c \
		'nc -l -p 4001 -e sh -c "cat >/got"; nc -l -p 4002 -e cat /got; tail -f /dev/null' >/dev/null
	address=$(ketch exec peer ip -o -4 addr show eth0 | grep -o '[0-9.]*/' | tr -d /)
	await 20 listens peer 4001
	ketch exec machine sh -c "head -c 1000000 /dev/urandom >/tmp/a; timeout 60 nc $address 4001 </tmp/a"
	await 20 listens peer 4002
	ketch exec machine sh -c "timeout 60 nc $address 4002 </dev/null | cmp - /tmp/a"
	ketch rm -f peer
}

@test "on a macvlan network with vlan= a container and a machine speak with that number" {
	local beside
	beside=$(krun -d --isolation container --cap-add net_raw --network tagged ketch/base "${STAY[@]}")
	ketch exec "$beside" ping -c 1 -W 20 10.42.0.1
	if [ "$ISOLATION" = vm ]; then
		ketch exec machine ping -c 1 -W 20 10.42.0.1
		ketch exec machine ping -c 1 -W 20 "$(inspect_of "$beside" .NetworkSettings.Networks.tagged.IPAddress)"
	fi
	ketch rm -f "$beside"
}

# Magic SysRq: c panics, b resets, o powers off; the command that does it is lost with the machine.
@test "how a machine ended is told: panic, power-off; with time for it reboot, too" {
	[ "$ISOLATION" = vm ] || skip "this run is for containers"
	local key words
	while read -r key words; do
		[ "$key" != b ] || [ -n "${BED_ALL-}" ] || continue # each takes a boot
		ketch exec machine sh -c "echo $key >/proc/sysrq-trigger" || :
		await 30 status_is machine exited
		like "$(inspect_of machine .State.Error)" "$words"
		[ "$key" = o ] || ketch start machine
	done <<-END
		c ended by itself: the guest's kernel panicked
		b ended by itself: the guest rebooted
		o ended by itself: the guest powered off
	END
}

# What is in its memory only: /dev/shm.  The rest is both/memory.bats, with KETCH_DRIVER=qemu.
@test "the other driver runs the same under the same KVM, and goes back to its memory, on this host alone" {
	[ "$ISOLATION" = vm ] || skip "this run is for containers"
	krun -d --name other --driver qemu -m 64m ketch/base "${STAY[@]}" >/dev/null
	is "$(inspect_of other '.VM.Driver, .VM.Kvm')" $'qemu\ntrue'
	is "$(ketch exec other uname -r)" "$(inspect_of other .VM.Kernel)"
	ketch exec other sh -c 'echo kept >/dev/shm/word'
	ketch snapshot create --memory other@s >/dev/null
	on_time other
	ketch exec other sh -c 'echo lost >/dev/shm/word'
	ketch rollback --stop other@s
	is "$(ketch exec other cat /dev/shm/word)" kept
	on_time other
	like "$(ketch snapshot inspect other@s | jq -r '.[0].memory.host')" " with Linux $(uname -r)$"
	sqlite3 "$KETCH_ROOT/ketch.db" \
		"UPDATE snapshot SET doc = json_set(doc, '$.memory.host', 'a processor with Linux 1') WHERE name = 's'"
	refused 1 'fits only where it was written .a processor with Linux 1., not here .*' ketch rollback --stop other@s
	status_is other running
	ketch rm -f other
}
