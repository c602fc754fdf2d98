# system.bats - --system: a Debian 12 boots with systemd as process 1, has a journal, its own cgroups, and ends in order
load ../lib

setup_file() {
	store_open
	ketch import "$("$FIXTURES/get" systemd)/rootfs.tar" sysd:12 >/dev/null
	krun -d --system --name sys -m 256m --pids-limit 500 sysd:12 >/dev/null
	await 120 logged sys 'Reached target.*multi-user.target'
	await 60 is_up
}
teardown_file() { store_close; }

is_up() { [ "$(ketch exec sys systemctl is-system-running)" = running ]; }
inside() { ketch exec sys "$@"; }

@test "systemd is process 1, and all it wants to start has started" {
	is "$(inside cat /proc/1/comm)" systemd
	is "$(inside systemctl is-system-running)" running
	is "$(inside systemd-detect-virt --container)" container-other
	is "$(inspect_of sys '.Path, .Config.StopSignal')" $'/sbin/init\nSIGRTMIN+3'
}

@test "its cgroups are its own to divide, its limits are not" {
	like "$(inside systemd-run -q --pipe --wait -p MemoryMax=50M cat /proc/self/cgroup)" '0::/system.slice/run-.*service'
	is "$(inside stat -f -c %T /sys/fs/cgroup)" cgroup2fs
	run inside sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null'
	unlike "$output" '268435456|^500'
	like "$(inside cat /proc/self/cgroup)" '0::/'
}

@test "services, the journal and exec beside them" {
	inside sh -c 'printf "[Service]\nExecStart=/bin/sh -c \"echo said by a service; exec sleep 1000\"\n" >/etc/systemd/system/s.service'
	inside systemctl daemon-reload
	inside systemctl start s
	is "$(inside systemctl is-active s)" active
	said() { inside journalctl -u s --no-pager | grep -q 'said by a service'; }
	await 20 said
	is "$(inside findmnt -n -o FSTYPE /run)" tmpfs
}

@test "stop is a clean shutdown: it ends by itself, with status 0" {
	ketch stop sys
	is "$(inspect_of sys '.State.ExitCode')" 0
	logged sys 'Halting system'
}

@test "what contradicts a process 1 is refused" {
	refused 125 '--system and --init exclude' krun --system --init sysd:12
	refused 125 '--system and --pid host exclude' krun --system --pid host sysd:12
}

# busybox has another word for it (SIGPWR) and ends by reboot(2); Alpine's OpenRC runs below it.
@test "stop is a clean shutdown with busybox as init, too" {
	krun -d --system --name busy -m 64m --network none ketch/base \
		sh -c 'echo "::shutdown:/bin/echo goes down in order" >/etc/inittab; exec init' >/dev/null
	ready() { [ "$(ketch exec busy cat /proc/1/comm)" = init ] && ketch exec busy grep -q 'SigCgt:.*8.\{4\}$' /proc/1/status; } # SIGTSTP: it is on its way
	await 60 ready
	ketch stop -t 30 busy
	logged busy 'goes down in order'
	is "$(inspect_of busy .State.ExitCode)" 0
	ketch rm busy
}

# Debian's packages: sysvinit as process 1, below it OpenRC.
@test "OpenRC boots, runs a service and shuts down in order" {
	[ "$ISOLATION" = container ] || skip "a further system boots and ends for minutes under emulation"
	ketch import "$("$FIXTURES/get" openrc)/rootfs.tar" openrc:12 >/dev/null
	krun -d --system --name rc -m 256m --network none openrc:12 sh -c '
		printf "%s\n" "#!/sbin/openrc-run" "start() { echo said by a service; }" >/etc/init.d/hello
		chmod +x /etc/init.d/hello && ln -s ../../init.d/hello /etc/runlevels/default/ && exec /sbin/init' >/dev/null
	await 60 logged rc 'said by a service'
	is "$(ketch exec rc cat /proc/1/comm)" init
	ketch stop -t 60 rc
	logged rc 'Will now halt'
	is "$(inspect_of rc .State.ExitCode)" 0
	ketch rm rc
}
