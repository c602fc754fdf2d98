# lib.bash - what every e2e file loads: a store of its own, waiting with a deadline, and the audit of leaks
#
# A file of both/ runs once for each isolation, with the same expectations: ISOLATION is container or vm.  A file
# of host/ has nothing to do with walls (images, help, errors) and runs once.  KETCH is the program.
#
# Each file works in a directory of its own, $DIR, with a copy of the suite's store (it has ketch/base) in
# $KETCH_ROOT, its live state in $KETCH_RUN_ROOT and a network namespace of its own, so files never see each other.
# Booting a VM takes seconds under software emulation: a file starts few instances and asks each many things.
bats_require_minimum_version 1.5.0
export KETCH_CONFIG= # the configuration of the machine is nothing to us
E2E=${BASH_SOURCE[0]%/*}

get_mills_since_epoch() { echo "$((${EPOCHREALTIME/[.,]/} / 1000))"; } # bats's own calls date, twice a case

# A process that stays until it is told to end, as quick to end as to start.
STAY=(sh -c 'trap "exit 0" TERM INT; tail -f /dev/null & echo ready; wait')

store_open() { # for setup_file
	[ "$(readlink /proc/self/ns/net)" != "$E2E_HOST_NET" ] ||
		{ echo "this is the machine's own network" >&2; return 1; }
	export DIR KETCH_ROOT KETCH_RUN_ROOT
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/ketch-e2e.XXXXXX")
	KETCH_ROOT=$DIR/store KETCH_RUN_ROOT=$DIR/run
	cp -a "$E2E_TEMPLATE" "$KETCH_ROOT"
	cp -a "$E2E_SUITE/run" "$KETCH_RUN_ROOT" # what was found out about KVM
	things "$KETCH_ROOT" >"$DIR/things"
	export E2E_BEGAN=$EPOCHREALTIME
}

store_close() { # for teardown_file: removes every instance, then nothing may be left of any
	local ids
	mapfile -t ids < <(ketch ps -aq)
	[ ${#ids[@]} -eq 0 ] || ketch rm -f "${ids[@]}"
	audit
	took
	rm -rf "$DIR"
}

took() { # says what a file cost, as a comment of TAP: where CI's time goes
	local us=$((${EPOCHREALTIME/[.,]/} - ${E2E_BEGAN/[.,]/}))
	printf '# %s: %d s, %d starts\n' "${BATS_TEST_FILENAME##*/}" $((us / 1000000)) \
		"$(ketch events --stream=false --filter event=start --format '{{.Action}}' | wc -l)" >&3
}

ketch() { "$KETCH" "$@"; }
krun() { "$KETCH" run --isolation "$ISOLATION" "$@"; } # FLAGS... IMAGE [CMD...]
stay() { # FLAGS...: prints the id once the process is ready for signals
	local id
	id=$(krun -d "$@" ketch/base "${STAY[@]}") && echo "$id" && await 30 logged "$id" ready
}

# What a store holds, apart from images and caches: one line for everything that an instance may leave.
things() { (cd "$1" && find instances tmp -mindepth 1 -maxdepth 1 2>/dev/null | sort); }

# What is in the run root of things that run.
things_run() {
	[ ! -d "$KETCH_RUN_ROOT" ] ||
		find "$KETCH_RUN_ROOT" -mindepth 1 ! \( -name kvm.json -o -name networks \
			-o -path '*/networks/lock' -o -path '*/networks/rules' -o -path '*/networks/forwarding-*' \)
}

# --- expectations: on a mismatch they say what was there

is() { # GOT WANT
	[ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "${1@Q}" "${2@Q}" >&2; return 1; }
}

like() { # GOT REGEX
	[[ $1 =~ $2 ]] || { printf 'got:    %s\nno match of: %s\n' "${1@Q}" "$2" >&2; return 1; }
}

unlike() { # GOT REGEX
	[[ ! $1 =~ $2 ]] || { printf 'got:    %s\na match of: %s\n' "${1@Q}" "$2" >&2; return 1; }
}

refused() { # STATUS REGEX COMMAND...: it fails with one line on stderr that matches, and says nothing else
	local want=$1 pattern=$2
	shift 2
	run --separate-stderr "$@" </dev/null
	is "$status" "$want" || { echo "$stderr" >&2; return 1; }
	is "$output" "" && is "$(grep -c '' <<<"$stderr")" 1 && like "$stderr" "$pattern" && like "$stderr" '^ketch'
}

# --- waiting

POLL=0.05
PATIENCE=4 # a machine that is busy with more than this, or slow, takes so many times as long
await() { # SECONDS COMMAND...: until it succeeds; the deadline, of a machine at rest, is a failure
	local end=$((SECONDS + PATIENCE * $1))
	shift
	until "$@"; do
		[ "$SECONDS" -le "$end" ] || { echo "waited in vain: $*" >&2; return 1; }
		sleep "$POLL" # between two looks at something that sends no event
	done
}

gone() { ! [ -e "/proc/$1" ] || [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" = Z ]; } # PID
status_is() { [ "$(inspect_of "$1" .State.Status)" = "$2" ]; } # INSTANCE STATUS
inspect_of() { ketch inspect "$1" | jq -r ".[0] | $2"; } # INSTANCE JQ-PATH
unknown() { ! ketch inspect "$1" >/dev/null 2>&1; } # INSTANCE
monitor_of() { jq .monitorPid "$KETCH_RUN_ROOT/$(inspect_of "$1" .Id)/state.json"; } # INSTANCE
logged() { ketch logs "$1" 2>&1 | grep -q -- "$2"; } # INSTANCE REGEX

# Its clock against ours; and its timers fire.
on_time() { # INSTANCE
	local theirs
	theirs=$(ketch exec "$1" sh -c "sleep 0.1; date +%s")
	[ $((theirs - $(date +%s))) -ge $((-4 * PATIENCE)) ] && [ $((theirs - $(date +%s))) -le 1 ]
}

# --- the audit

left() {
	"$E2E/audit.py" "$DIR"
	things_run
	things "$KETCH_ROOT" | diff "$DIR/things" - || :
}
nothing_left() { [ -z "$(left)" ]; }
audit() { await 10 nothing_left || { left >&2; return 1; }; }
