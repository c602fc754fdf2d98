# killed.bats - kill -9 at KILL_POINTS system calls of each command: the next one tells what is so, rm -f leaves nothing
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
}
teardown_file() { store_close; }

sweep() { # COMMAND
	local points=4
	if [ "$ISOLATION" = vm ]; then
		[[ $1 =~ ^(start|pause)$ ]] || skip "it has to boot a machine for each point, and does nothing of its own for one"
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

@test "the monitor, at random moments" {
	local times=20
	[ "$ISOLATION" = vm ] && times=2
	"$E2E/monitor_kills.py" "$KETCH" "$ISOLATION" "$DIR" "${MONITOR_KILLS:-$times}" "${SEED:-$RANDOM}"
}
