# kill.bats - kill -9 of the runtime at KILL_POINTS of its system calls: `delete --force` then leaves nothing
load lib

setup_file() {
	oci_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$OCI/killat.c"
	bundle loop . "${STAY[@]}"
}

sweep() { # COMMAND
	beyond runc 'leaves a cgroup or a process behind at many points'
	run "$OCI/kill_points.py" "$RUNTIME" "$DIR/killat" "$DIR" "$TAG" "${KILL_POINTS:-12}" "$1"
	is "$status" 0 || { echo "$output" >&2; return 1; }
}

@test "killed in create" { sweep create; }
@test "killed in start" { sweep start; }
@test "killed in exec" { sweep exec; }
@test "killed in kill" { sweep kill; }
@test "killed in delete" { sweep delete; }
@test "killed in delete --force" { sweep 'delete --force'; }
