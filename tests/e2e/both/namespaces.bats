# namespaces.bats - whose namespaces an instance is in; a virtual machine shares none, and says so
load ../lib

setup_file() {
	store_open
	[ "$ISOLATION" = container ] || return 0
	stay --name first --ipc shareable >/dev/null
}
teardown_file() { store_close; }
setup() { OURS=ketch-e2e-${DIR##*.}; } # of cgroups and files that are the machine's: another run may go on beside this one

ns_of() { # INSTANCE KIND
	ketch exec "$1" readlink "/proc/self/ns/$2"
}
host_ns() { readlink "/proc/self/ns/$1"; }

@test "what is shared with the host or with another instance: a machine refuses it by its flag" {
	[ "$ISOLATION" = vm ] || skip 'for machines'
	local flag
	for flag in --ipc=host --pid=host --uts=host --cgroupns=host --userns=auto --uidmap=0:100000:10; do
		refused 125 "^ketch: ${flag%=*}" krun "$flag" ketch/base true
	done
	is "$(krun --rm --ipc none --cgroup-parent "/$OURS/sub" --userns host ketch/base sh -c 'ls /dev/shm 2>/dev/null; echo end')" end
	[ "$(find /sys/fs/cgroup -maxdepth 3 -name "$OURS" | wc -l)" -gt 0 ]
	find /sys/fs/cgroup -depth -path "*/$OURS*" -type d -exec rmdir {} +
}

@test "--ipc, --pid, --uts, --cgroupns host: those of the host" {
	[ "$ISOLATION" = container ] || skip 'refused by a machine'
	stay --name hosts --ipc host --pid host --uts host --cgroupns host >/dev/null
	local kind
	for kind in ipc pid uts cgroup; do
		is "$(ns_of hosts $kind)" "$(host_ns $kind)"
	done
	[ "$(ns_of hosts mnt)" != "$(host_ns mnt)" ]
	is "$(ketch exec hosts hostname)" "$(hostname)"
	is "$(ketch exec hosts sh -c 'echo $HOSTNAME; cat /etc/hostname')" "$(hostname; hostname)"
	like "$(ketch exec hosts cat /proc/1/comm)" "$(cat /proc/1/comm)"
	ketch exec hosts sh -c ': >"/dev/shm/$1"' sh "$OURS" && rm "/dev/shm/$OURS"
	# process 1 is not its own: what is left is ended all the same
	ketch exec -d hosts sleep 1000
	ketch rm -f hosts
}

@test "container:NAME: the namespaces of another, and its /dev/shm" {
	[ "$ISOLATION" = container ] || skip 'refused by a machine'
	ketch exec first sh -c 'echo shared >/dev/shm/f'
	stay --name second --ipc container:first --pid container:first --uts container:first >/dev/null
	local kind
	for kind in ipc pid uts; do
		is "$(ns_of second $kind)" "$(ns_of first $kind)"
	done
	is "$(ketch exec second cat /dev/shm/f)" shared
	is "$(ketch exec second hostname)" "$(ketch exec first hostname)"
	like "$(ketch exec first ps)" 'tail -f /dev/null'
	is "$(ketch exec second sh -c 'readlink /proc/self/ns/ipc')" "$(ns_of first ipc)"
	refused 125 "--ipc container:second: it was not made with --ipc shareable" krun --ipc container:second ketch/base true
	refused 125 '--pid: no such' krun --pid container:nobody ketch/base true
	# a link in its place leads nowhere
	stay --name evil --ipc shareable --privileged >/dev/null
	ketch exec evil sh -c 'umount /dev/shm && rmdir /dev/shm && ln -s /etc /dev/shm'
	refused 125 'cannot share /dev/shm of the other container' krun --rm --ipc container:evil ketch/base true
	ketch rm -f evil
	ketch stop -t 0 second first
	refused 125 '--pid container:first: it is not running' krun --rm --pid container:first ketch/base true
	# its files are there all the same
	is "$(ketch cp second:/etc/hostname - | tar xO)" "$(inspect_of second .Config.Hostname)"
	ketch rm second
}

@test "--userns private and auto, --uidmap: IDs of its own" {
	[ "$ISOLATION" = container ] || skip 'refused by a machine'
	local a b
	is "$(krun --rm --userns private ketch/base awk '{ print $1, $3 }' /proc/self/uid_map)" '0 65536'
	stay --name auto1 --userns auto >/dev/null
	stay --name auto2 --userns auto:size=1000 -t >/dev/null
	a=$(ketch exec auto1 awk '{ print $2 }' /proc/self/uid_map) b=$(ketch exec auto2 awk '{ print $2 }' /proc/self/uid_map)
	[ "$a" -ne "$b" ] && [ "$a" -gt 65536 ]
	is "$(ketch exec auto2 awk '{ print $3 }' /proc/self/gid_map)" 1000
	is "$(ketch exec auto1 sh -c ': >/f; stat -c %u:%g /f /bin/sh')" $'0:0\n0:0'
	is "$(stat -c %u "/proc/$(inspect_of auto1 .State.Pid)")" "$a"
	is "$(inspect_of auto1 .HostConfig.UsernsMode)" auto
	is "$(krun --rm --uidmap 0:300000:10 --uidmap 10:400000:5 -u 11 ketch/base awk '{ print $1, $2, $3 }' /proc/self/uid_map)" \
		$'0 300000 10\n10 400000 5'
	refused 125 '--uidmap: .0:1. is not INSIDE' krun --uidmap 0:1 ketch/base true
	refused 125 '--uidmap: ID 0' krun --uidmap 1:300000:10 ketch/base true
	refused 125 '--uidmap.1..containerID: overlaps' krun --uidmap 0:300000:10 --uidmap 5:400000:5 ketch/base true
	refused 125 '--userns keep-id is for callers' krun --userns keep-id ketch/base true
	refused 125 '--pid host and --userns exclude' krun --userns auto --pid host ketch/base true
	refused 125 '--userns: invalid mode' krun --userns some ketch/base true
}

@test "--cgroup-parent: its cgroups are below it, and go with it" {
	[ "$ISOLATION" = container ] || skip 'with the others for machines'
	stay --name below --cgroup-parent "$OURS/sub" >/dev/null
	like "$(cat "/proc/$(inspect_of below .State.Pid)/cgroup")" "/$OURS/sub/$(inspect_of below .Id)"
	# the monitor is killed: the next command knows where to look
	kill -9 "$(monitor_of below)"
	await 10 status_is below exited
	is "$(find /sys/fs/cgroup -maxdepth 4 -path "*$OURS/sub/$(inspect_of below .Id)" | wc -l)" 0
	find /sys/fs/cgroup -depth -path "*/$OURS*" -type d -exec rmdir {} +
	refused 125 '--cgroup-parent' krun --cgroup-parent a/../b ketch/base true
}

@test "--ipc none has no /dev/shm; contradictions are refused" {
	[ "$ISOLATION" = container ] || skip 'with the others for machines'
	is "$(krun --rm --ipc none ketch/base sh -c 'grep -c /dev/shm /proc/mounts')" 0
	refused 125 '--uts host and --hostname exclude' krun --uts host -h a ketch/base true
	refused 125 '--init and --pid host exclude' krun --pid host --init ketch/base true
	refused 125 '--sysctl kernel.shmmax: is the host' krun --ipc host --sysctl kernel.shmmax=1 ketch/base true
	refused 125 '--ipc: invalid mode .what.' krun --ipc what ketch/base true
	refused 125 '--pid: invalid mode .shareable.' krun --pid shareable ketch/base true
}
