# storm.bats - many commands at once on a few names: each returns in order, and nothing is left
#
# STORM_SIZE: names, processes and commands of each, by hand '10 64 10' and more; STORM_SEED repeats one.
load ../lib

setup_file() { store_open; }
recorded() { # INSTANCE JQ-PATH
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT spec FROM instance WHERE name = ?", sys.argv[2:]).fetchone()[0])' \
		"$KETCH_ROOT/ketch.db" "$1" | jq -r "$2"
}
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

# Nor here: one that has written nothing has nothing to carry.
@test "whoever changes it while it goes behind the other wall changes what is there then" {
	local i there=vm
	[ "$ISOLATION" = container ] || there=container
	ketch network create side >/dev/null
	ketch create --isolation "$ISOLATION" --name two ketch/base true >/dev/null
	for i in {1..4}; do
		ketch update -m $((1000 + 100 * i))m two >/dev/null &
		ketch network connect side two &
		ketch set two isolation=$there >/dev/null
		wait
		is "$(inspect_of two '.HostConfig.Memory, (.NetworkSettings.Networks | length)')" \
			$(((1000 + 100 * i) << 20))$'\n'2
		[ $there = container ] || [ "$(recorded two .vm.ram)" -gt $(((1000 + 100 * i) << 20)) ]
		ketch update -m 64m two >/dev/null
		ketch network disconnect side two
		ketch set two isolation="$ISOLATION" >/dev/null
	done
	ketch rename two three &
	ketch set two isolation=$there >/dev/null || : # it may have that name no more
	wait
	is "$(inspect_of three .Name)" three
	ketch rm three >/dev/null
}

has_cards() { [ "$(ketch exec "$1" sh -c 'ls /sys/class/net | grep -c eth')" = "$2" ]; } # INSTANCE NUMBER
has_failed_once() { [[ $(inspect_of "$1" '"\(.State.Status) \(.RestartCount)"') =~ ^restarting|[1-9]$ ]]; } # INSTANCE
@test "networks of an instance that is between two starts: it has them when it runs" {
	local i last=2
	[ "$ISOLATION" = container ] || last=1
	for ((i = 1; i <= last; i++)); do
		krun -d --restart on-failure --name "again$i" ketch/base \
			sh -c 'if [ -e /was ]; then sleep 1000; fi; touch /was; exit 1' >/dev/null
		await 60 has_failed_once "again$i"
		ketch network connect "a$i" "again$i"
		await 60 status_is "again$i" running
		await 60 has_cards "again$i" 2
		ketch rm -f "again$i" >/dev/null
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
