# storm.bats - many commands at once on a few names: each returns in order, and nothing is left
#
# STORM_SIZE: names, processes and commands of each, by hand '10 64 10' and more; STORM_SEED repeats one.
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "everybody does everything at the same time" {
	local size='8 30 10'
	[ "$ISOLATION" = container ] || size='2 6 6' # machines are emulated
	# shellcheck disable=SC2086
	"$E2E/storm.py" "$KETCH" "$ISOLATION" ${STORM_SIZE:-$size} "${STORM_SEED:-$RANDOM}"
}

@test "what is there afterwards works, and goes" {
	local id
	for id in $(ketch ps -aq); do
		[[ $(ketch inspect "$id" | jq -r '.[0].State.Status') =~ ^(created|running|paused|exited|restarting)$ ]]
		ketch rm -f "$id"
	done
	is "$(ketch ps -aq)" ''
	audit
}

# Nothing boots here: it is about records.
@test "what several change at once of an instance is all there" {
	local i net
	ketch create --isolation "$ISOLATION" --name one ketch/base "${STAY[@]}" >/dev/null
	for i in {1..3}; do
		for net in a b; do ketch network create "$net$i" >/dev/null; done
		ketch update -m $((64 + i))m one >/dev/null &
		ketch update --pids-limit $((100 + i)) one >/dev/null &
		ketch network connect "a$i" one &
		ketch network connect "b$i" one &
		wait
		is "$(inspect_of one '.HostConfig | .Memory, .PidsLimit')" $(((64 + i) << 20))$'\n'$((100 + i))
		is "$(inspect_of one '.NetworkSettings.Networks | length')" 3
		for net in a b; do ketch network disconnect "$net$i" one; done
	done
}

@test "it starts as it is by then: whoever changes it meanwhile changes what runs, too" {
	[ "$ISOLATION" = container ] || skip "a machine would boot for each"
	local i
	ketch update --restart no one >/dev/null
	for i in {1..3}; do
		ketch update -m $((80 + i))m one >/dev/null &
		ketch start one >/dev/null &
		ketch network connect "a$i" one
		wait
		is "$(ketch exec one sh -c 'ls /sys/class/net | grep -c eth')" 2
		like "$(ketch stats --no-stream --format '{{.MemUsage}}' one)" "/ $((80 + i))MiB"
		ketch stop one >/dev/null
		ketch network disconnect "a$i" one
	done
	ketch rm one >/dev/null
}
