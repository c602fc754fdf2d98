# storm.bats - many commands at once on a few names: each returns in order, and nothing is left
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "everybody does everything at the same time" {
	local size=(10 64 10)
	[ "$ISOLATION" = container ] || size=(3 8 6) # machines are emulated
	"$E2E/storm.py" "$KETCH" "$ISOLATION" "${size[@]}" "${STORM_SEED:-$RANDOM}"
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
