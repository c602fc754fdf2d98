# defaults.bats - what a process gets when nothing is asked for: secure by default, the same behind both walls
load ../lib

setup_file() {
	store_open
	ketch run --isolation "$ISOLATION" --name plain ketch/base sh -c "$(cat "$E2E/report.sh")" plain a 'b  c' \
		>"$DIR/report" 2>"$DIR/stderr"
}
teardown_file() { store_close; }

of() { sed -n "s|^$1=||p" "$DIR/report"; } # NAME

@test "nothing is said beside the command's own output" {
	unlike "$(cat "$DIR/stderr")" '.' || [ "$ISOLATION" = vm ]
}

@test "arguments arrive as they were given" { is "$(of args)" 'a b  c'; }
@test "it is the first process of its own pid namespace, with none beside it but its children" {
	is "$(of pid)" 1
	[ "$(of processes)" -le 5 ]
}
@test "root, with no further group" { is "$(of uid)" '0 gid=0 groups=0'; }
@test "the working directory is /" { is "$(of cwd)" /; }
@test "the host name is the short id" { is "$(of hostname)" "$(inspect_of plain .Id | cut -c1-12)"; }
@test "the umask is 0022" { is "$(of umask)" 0022; }
@test "no descriptor comes with it but 0, 1 and 2" { like "$(of fds)" '^0 1 2( 3)?$'; }
@test "stdin is /dev/null" { is "$(of stdin)" /dev/null; }

@test "11 capabilities, none inheritable, none ambient" {
	is "$(of status.CapBnd)" 00000000800405fb
	is "$(of status.CapEff)" 00000000800405fb
	is "$(of status.CapPrm)" 00000000800405fb
	is "$(of status.CapInh)" 0000000000000000
	is "$(of status.CapAmb)" 0000000000000000
}

@test "a seccomp filter is on, no_new_privs is not" {
	is "$(of status.Seccomp)" 2
	is "$(of status.NoNewPrivs)" 0
}

@test "PATH, HOME and HOSTNAME are set, and nothing of the caller's environment" {
	is "$(of env.PATH)" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	is "$(of env.HOME)" /root
	is "$(of env.HOSTNAME)" "$(of hostname)"
	unlike "$(grep '^env\.' "$DIR/report")" 'KETCH|BATS'
}

@test "only the devices that every container has" {
	is "$(grep -o '^dev\.[^=]*' "$DIR/report" | grep -vE 'dev\.(fd|stdin|stdout|stderr|core)$' | cut -c5- | sort | tr '\n' ' ')" \
		'full mqueue null ptmx pts random shm tty urandom zero '
	is "$(of dev.null)" 'character special file 1:3 666'
	is "$(of dev.shm)" 'directory 0:0 1777'
}

@test "what tells of the host is masked" {
	for p in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /sys/firmware; do
		like "$(of "masked.$p")" '^0?$'
	done
}

@test "/proc/sys, /sys and sysrq are read-only; the root, /tmp and /dev/shm can be written" {
	for p in /proc/sys /proc/sysrq-trigger /sys; do is "$(of "write.$p")" no; done
	for p in / /tmp /dev/shm; do is "$(of "write.$p")" yes; done
}

@test "the network is a loopback interface and one on the default network, both up" {
	is "$(grep '^net\.' "$DIR/report" | sort)" $'net.eth0=1\nnet.lo=1'
}

@test "nothing of the host's mounts is visible" {
	unlike "$(grep '^mount\.' "$DIR/report")" "$DIR|/tmp/|ketch-e2e"
}

@test "its cgroup looks like the root of the tree" {
	like "$(of cgroup)" '^/ ?$'
}

@test "an instance that has ended is kept, with its status" {
	is "$(inspect_of plain .State.Status)" exited
	is "$(inspect_of plain .State.ExitCode)" 0
	is "$(inspect_of plain .Isolation)" "$ISOLATION"
}
