# security.bats - what walls keep out, and what opens them on request
load ../lib

setup_file() {
	store_open
	stay --name box >/dev/null
}
teardown_file() { store_close; }

denied() { # COMMAND...: refused inside
	run ketch exec box "$@"
	[ "$status" -ne 0 ] || { echo "allowed: $*: $output" >&2; return 1; }
}

@test "no mount, no module, no clock, no device node, no raw disk, no other host name" {
	denied mount -t tmpfs none /mnt
	denied mount -t proc proc /tmp
	like "$(ketch exec box date -s 2000-01-01 2>&1)" 'not permitted'
	denied mknod /tmp/disk b 8 0
	denied hostname other
	denied sh -c 'echo 1 >/proc/sys/kernel/panic'
	denied sh -c 'echo b >/proc/sysrq-trigger'
	denied unshare -m true
	denied chroot /proc/1/root/.. mount -t tmpfs none /mnt
}

@test "--security-opt seccomp=FILE: just that profile" {
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 77 } ] }' \
		>"$DIR/profile.json"
	run krun --rm --security-opt "seccomp=$DIR/profile.json" ketch/base sh -c 'mkdir /x; echo "status $?"; touch /y && echo touched'
	like "$output" 'File descriptor in bad state' # errno 77
	like "$output" 'status 1'
	like "$output" 'touched'
}

@test "--privileged: all capabilities, no filter, no masks, mounts are allowed" {
	run krun --rm --privileged ketch/base sh -c '
		mkdir /mnt && mount -t tmpfs none /mnt && echo mounted
		awk "/^CapEff|^Seccomp:/ { print \$1 \$2 }" /proc/self/status
		cat /proc/keys >/dev/null && echo unmasked
		touch /dev/x && echo writable'
	is "$status" 0
	like "$output" 'mounted'
	like "$output" 'CapEff:000001fff[ef]ffffff' # all that the host has: CAP_SYS_RESOURCE may be missing
	like "$output" 'Seccomp:0'
	like "$output" 'unmasked'
}

