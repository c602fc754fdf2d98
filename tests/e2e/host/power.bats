# power.bats - the power goes off at POWER_CUTS moments of many commands: what they had acknowledged is there, the rest wholly or not
#
# By hand more of them, as 'POWER_CUTS=300 POWER_SEED=2': the seed chooses which writes had not reached the disk.
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "a power cut loses nothing that was acknowledged, and leaves nothing half done" {
	# a disk of half a GiB, three times, mostly holes: in memory it is made anew in no time
	TMPDIR=/dev/shm unshare -m --pid --fork --kill-child --mount-proc "$E2E/power_loss.py" "$KETCH" \
		"$("$FIXTURES/get" base)/rootfs" "${POWER_CUTS:-20}" "${POWER_SEED:-1}"
}
