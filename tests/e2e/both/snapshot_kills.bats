# snapshot_kills.bats - kill -9 of snapshot create, rollback, snapshot rm and clone at KILL_POINTS system calls of each
#
# After each the instance is as it was before, or as it is afterwards, and says so; what is left over goes with the next verb.
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
	local id
	id=$(stay --name one -v kv:/v)
	write first && ketch stop "$id" >/dev/null && ketch snapshot create one@first >/dev/null
	ketch start one >/dev/null && await 60 status_is one running && await 60 answers
	write second && ketch stop one >/dev/null && ketch snapshot create one@second >/dev/null
}
teardown_file() { store_close; }

answers() { ketch exec one true; }
write() { ketch exec one sh -c "echo $1 >/file; echo $1 >/v/file; sync"; }
file() { ketch cp "$1:/file" - | tar -xOf -; } # INSTANCE
volume() { ketch volume export "$1" | tar -xOf - file; } # VOLUME
states() { find "$KETCH_ROOT/volumes" -mindepth 3 -maxdepth 3 -path '*/snapshots/*' | wc -l; }
names() { ketch snapshot ls -q one | sort | xargs; }
layers() { find "$KETCH_ROOT/writable" -mindepth 1 -maxdepth 1 -printf '%f\n'; }

# AFTER COMMAND...: at points spread evenly over its system calls; AFTER is told about each.
points() {
	local after=$1 n=${KILL_POINTS:-6} calls i
	shift
	[ "$ISOLATION" = container ] || n=1 # a machine boots for each look
	calls=$("$DIR/killat" 0 "$KETCH" "$@" 2>&1 | grep -o '[0-9]\+' | tail -1)
	[ "$calls" -gt 50 ]
	"$after"
	for ((i = 1; i <= n; i++)); do
		"$DIR/killat" $((calls * i / (n + 1) + RANDOM % 9)) "$KETCH" "$@" >/dev/null 2>&1 || :
		"$after" || { echo "at $i of $n" >&2; return 1; }
	done
}

rolled_back() { # it is one of the two, whole; then what it was before again
	local now
	now=$(file one)
	like "$now" '^(first|second)$'
	is "$(volume kv)" "$now"
	ketch rollback one@second
	is "$(volume kv)" second
	[ "$ISOLATION" = vm ] || is "$(file one)" second
}

@test "rollback" { points rolled_back rollback one@first; }

created() { # it is there or not, and holds what it must
	if [[ $(names) == "first new second" ]]; then
		ketch snapshot rm one@new >/dev/null
	else
		is "$(names)" "first second"
	fi
}

@test "snapshot create" { points created snapshot create one@new && is "$(file one)" second; }

removed() {
	if [[ $(names) == "first new second" ]]; then
		is "$(file one)" second
	else
		is "$(names)" "first second"
		ketch snapshot create one@new >/dev/null
	fi
}

@test "snapshot rm" {
	ketch snapshot create one@new >/dev/null
	points removed snapshot rm one@new
	ketch snapshot rm one@new >/dev/null
}

cloned() { # there is none, or it is whole
	unknown two || is "$(file two) $(volume kv-two)" "first first"
	unknown two || ketch rm two >/dev/null
	[ "$(ketch volume ls -q)" = kv ] || ketch volume rm kv-two >/dev/null
	is "$(ketch volume ls -q)" kv
}

@test "clone" { points cloned clone one@first two; }

@test "nothing is left of what was killed" {
	ketch rm one >/dev/null
	is "$(layers)" ""
	is "$(states)" 0
	ketch volume rm kv >/dev/null
}
