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
