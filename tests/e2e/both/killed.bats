# killed.bats - kill -9 at KILL_POINTS system calls of each command: the next one tells what is so, rm -f leaves nothing
#
# By hand more of them, as 'KILL_POINTS=100 MONITOR_KILLS=200': a few of each are what there is time for at every change.
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
}
teardown_file() { store_close; }

sweep() { # COMMAND [POINTS]
	local points=${2:-2}
	if [ "$ISOLATION" = vm ]; then
		[[ -n ${KILL_POINTS:-} || $1 =~ ^(start|pause|snapshot\ running)$ ]] ||
			skip "it has to boot a machine for each point, and does nothing of its own for one"
		points=1
	fi
	"$E2E/kill_points.py" "$KETCH" "$DIR/killat" "$ISOLATION" "$DIR" "${KILL_POINTS:-$points}" "$1"
}

@test "create" { sweep create; }
@test "port add" { sweep 'port add'; }
@test "port rm" { sweep 'port rm'; }
@test "network disconnect" { sweep 'network disconnect'; }
@test "start" { sweep start; }
@test "stop" { sweep stop; }
@test "kill" { sweep kill; }
@test "rm" { sweep rm; }
@test "rm -f" { sweep 'rm -f'; }
@test "pause" { sweep pause; }
@test "unpause" { sweep unpause; }
@test "rename" { sweep rename; }
@test "restart" { sweep restart; }
@test "run -p" { sweep 'run -p' 1; }
@test "exec" { sweep exec 1; }
@test "update" { sweep update 1; }
@test "cp in" { sweep 'cp in' 1; }
@test "cp out" { sweep 'cp out' 1; }
@test "cp at rest" { sweep 'cp at rest' 1; }
@test "export" { sweep export 1; }
@test "commit" { sweep commit 1; }
@test "rmi" { sweep rmi 1; }
@test "snapshot create" { sweep 'snapshot create' 1; }
@test "snapshot running" { sweep 'snapshot running' 1; }
@test "snapshot rm" { sweep 'snapshot rm' 1; }
@test "rollback" { sweep rollback 1; }
@test "snapshot group" { sweep 'snapshot group' 1; }
@test "rollback group" { sweep 'rollback group' 1; }
@test "update-image" { sweep update-image 1; }
@test "clone" { sweep clone 1; }
@test "network create" { sweep 'network create' 1; }
@test "network rm" { sweep 'network rm' 1; }
@test "network run" { sweep 'network run' 1; }
@test "network connect" { sweep 'network connect' 1; }
@test "volume create" { sweep 'volume create' 1; }
@test "volume run" { sweep 'volume run' 1; }
@test "volume rm" { sweep 'volume rm' 1; }

@test "the monitor, at random moments" {
	local times=10
	[ "$ISOLATION" = vm ] && times=2
	"$E2E/monitor_kills.py" "$KETCH" "$ISOLATION" "$DIR" "${MONITOR_KILLS:-$times}" "${SEED:-$RANDOM}"
}
