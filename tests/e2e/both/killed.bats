# killed.bats - kill -9 at KILL_POINTS system calls of each command: the next one tells what is so, rm -f leaves nothing
#
# By hand more of them, as 'KILL_POINTS=100 MONITOR_KILLS=200': a few of each are what there is time for at every change.
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
	[ "$ISOLATION" = container ] || seed
}
teardown_file() { store_close; }

seed() { # the machine whose clones are killed for at rest: it boots once
	stay --name seed -m 96m >/dev/null
	ketch exec seed sh -c 'echo here >/file; sync' && ketch stop seed >/dev/null && ketch snapshot create seed@ran >/dev/null
}

AT_REST='create|rm|rename|update|rmi|snapshot create|snapshot rm|rollback|snapshot group|rollback group|clone|update-image'
BOOTS='start|pause|snapshot running|export instance|import instance|commit|set isolation' # a machine, for each point

sweep() { # COMMAND
	local points=1
	if [ "$ISOLATION" = vm ]; then
		if [[ $1 =~ ^($AT_REST)$ ]]; then
			points=4
		elif [[ -z ${KILL_POINTS:-} && ! $1 =~ ^($BOOTS)$ ]]; then
			skip "it has to boot a machine for each point, and does nothing of its own for one"
		fi
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
@test "run -p" { sweep 'run -p'; }
@test "run warm" {
	[ "$ISOLATION" = vm ] || skip "a container boots nothing"
	sweep 'run warm'
}
@test "exec" { sweep exec; }
@test "update" { sweep update; }
@test "cp in" { sweep 'cp in'; }
@test "cp out" { sweep 'cp out'; }
@test "cp at rest" { sweep 'cp at rest'; }
@test "export" { sweep export; }
@test "export instance" { sweep 'export instance'; }
@test "import instance" { sweep 'import instance'; }
@test "commit" { sweep commit; }
@test "rmi" { sweep rmi; }
@test "snapshot create" { sweep 'snapshot create'; }
@test "snapshot running" { sweep 'snapshot running'; }
@test "snapshot rm" { sweep 'snapshot rm'; }
@test "rollback" { sweep rollback; }
@test "snapshot group" { sweep 'snapshot group'; }
@test "rollback group" { sweep 'rollback group'; }
@test "update-image" { sweep update-image 1; }
@test "clone" { sweep clone; }
@test "set isolation" { sweep 'set isolation'; }
@test "network create" { sweep 'network create'; }
@test "network rm" { sweep 'network rm'; }
@test "network run" { sweep 'network run'; }
@test "network connect" { sweep 'network connect'; }
@test "volume create" { sweep 'volume create'; }
@test "volume run" { sweep 'volume run'; }
@test "volume rm" { sweep 'volume rm'; }

@test "what the killed ones stood on is whole: it starts, and has what was written" {
	[ "$ISOLATION" = vm ] || skip "of a container each point makes one anew"
	is "$(ketch snapshot ls -q seed)" ran
	ketch start seed >/dev/null && await 60 status_is seed running
	is "$(ketch exec seed cat /file)" here
	ketch rm -f seed >/dev/null
}

@test "the monitor, at random moments" {
	local times=6
	[ "$ISOLATION" = vm ] && times=2
	"$E2E/monitor_kills.py" "$KETCH" "$ISOLATION" "$DIR" "${MONITOR_KILLS:-$times}" "${SEED:-$RANDOM}"
}
