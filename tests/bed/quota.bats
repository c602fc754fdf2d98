# quota.bats - --storage-opt size= of containers: a project of an ext4 that holds projects to their limits
load ../e2e/lib

setup_file() {
	export DISK
	DISK=$(mktemp -d "${TMPDIR:-/tmp}/ketch-quota.XXXXXX")
	truncate -s 1G "$DISK/image"
	mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota "$DISK/image"
	mkdir "$DISK/mounted"
	modprobe -aq loop quota_v2
	mount -o loop,prjquota "$DISK/image" "$DISK/mounted"
	export TMPDIR=$DISK/mounted
	store_open
}

teardown_file() {
	store_close
	umount "$DISK/mounted"
	rm -rf "$DISK"
}

# What is left of its ceiling in an instance, in MiB.
room() { ketch exec "$1" df -m / | awk 'END { print $4 }'; } # INSTANCE
fill() { ketch exec "$1" dd if=/dev/zero of="$2" bs=1M count="$3" 2>&1; } # INSTANCE FILE MIB
project_of() { lsattr -pd "$KETCH_ROOT/instances/$(inspect_of "$1" .Id)" | awk '{ print $1 }'; } # INSTANCE

# PROJECT: bytes that it has, and its limit (quotactl_fd(2), Q_GETQUOTA of projects; struct if_dqblk)
quota_of() {
	python3 - "$KETCH_ROOT" "$1" <<-'END'
		import ctypes, os, struct, sys
		b = ctypes.create_string_buffer(72)
		fd = os.open(sys.argv[1], os.O_RDONLY)
		if ctypes.CDLL(None, use_errno=True).syscall(443, fd, 0x80000702, int(sys.argv[2]), b) < 0:
		    sys.exit(os.strerror(ctypes.get_errno()))
		hard, _, now = struct.unpack_from("QQQ", b)
		print(now, hard * 1024)
	END
}

stands() { # INSTANCE: its ceiling is where it was, 60 MiB are written
	[ "$(room "$1")" -lt 70 ] && [ "$(room "$1")" -gt 55 ] || { room "$1" && return 1; }
	like "$(fill "$1" /c 100)" 'o space left|quota exceeded'
	ketch exec "$1" rm /c
}

@test "doctor knows that a store can hold containers to a size" {
	like "$(ketch doctor)" 'ok +project quotas'
}

@test "a ceiling stands through a restart, a snapshot, a rollback" {
	stay --name one --storage-opt size=128m >/dev/null
	unlike "$(fill one /a 60)" 'o space left|quota exceeded'
	stands one
	ketch restart -t 5 one >/dev/null
	stands one
	ketch stop one >/dev/null
	ketch snapshot create one@s >/dev/null
	ketch start one >/dev/null
	stands one
	fill one /b 10 >/dev/null
	ketch rollback --stop one@s >/dev/null
	ketch start one >/dev/null
	stands one
}

@test "a clone has a ceiling of its own, and what is removed frees its project" {
	local mine
	mine=$(project_of one)
	ketch stop one >/dev/null
	ketch clone one@s two >/dev/null
	ketch start two >/dev/null
	[ "$(project_of two)" -ne "$mine" ]
	unlike "$(fill two /b 100)" 'o space left|quota exceeded'
	ketch rm -f two >/dev/null
	[ "$(quota_of "$mine" | cut -d' ' -f1)" -gt $((60 << 20)) ]
	is "$(quota_of "$mine" | cut -d' ' -f2)" $((128 << 20))
	ketch rm one >/dev/null
	is "$(quota_of "$mine")" "0 0"
}

@test "without the option nothing is limited, and no project taken" {
	local id
	id=$(stay --name free)
	is "$(project_of free)" 0
	unlike "$(fill free /a 200)" 'o space left|quota exceeded'
	ketch rm -f "$id" >/dev/null
}
