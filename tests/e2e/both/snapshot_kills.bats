# snapshot_kills.bats - kill -9 of snapshot create, rollback (also of a group), snapshot rm and clone at KILL_POINTS system calls of each
#
# After each the instance is as it was before, or as it is afterwards, and says so; what is left over goes with the next verb.
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
	stay --name one -v kv:/v >/dev/null
	write first && ketch stop one >/dev/null && ketch snapshot create one@first >/dev/null
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

# What the file in it says.  A machine boots for the look, so it is taken at the word of its volume unless a kill was before.
says() { # INSTANCE WORD
	[ "$ISOLATION" = vm ] && [ -z "$killed" ] || is "$(file "$1")" "$2"
}

# AFTER COMMAND...: at points spread evenly over its system calls; AFTER is told about each.
points() {
	local after=$1 n=${KILL_POINTS:-3} calls i killed=
	shift
	[ "$ISOLATION" = container ] || n=${KILL_POINTS:-1}
	calls=$("$DIR/killat" 0 "$KETCH" "$@" 2>&1 | grep -o '[0-9]\+' | tail -1)
	[ "$calls" -gt 50 ]
	"$after"
	killed=yes
	for ((i = 1; i <= n; i++)); do
		"$DIR/killat" $((calls * i / (n + 1) + RANDOM % 9)) "$KETCH" "$@" >/dev/null 2>&1 || :
		echo "at $i of $n"
		"$after" # not in a condition: bash would not stop at what fails in it
	done
}

rolled_back() { # it is one of the two, whole; then what it was before again
	local now
	now=$(volume kv)
	like "$now" '^(first|second)$'
	says one "$now"
	ketch rollback one@second
	is "$(volume kv)" second
	[ "$ISOLATION" = vm ] || says one second
}

@test "rollback" { points rolled_back rollback one@first; }

created() { # it is there or not, and holds what it must
	if [[ $(names) == "first new second" ]]; then
		ketch snapshot rm one@new >/dev/null
	else
		is "$(names)" "first second"
	fi
}

@test "snapshot create" {
	points created snapshot create one@new
	[ "$ISOLATION" = vm ] || is "$(file one)" second # of a machine: with the next
}

removed() {
	if [[ $(names) == "first new second" ]]; then
		says one second
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
	unknown two || { is "$(volume kv-two)" first && says two first; }
	unknown two || ketch rm two >/dev/null
	[ "$(ketch volume ls -q)" = kv ] || ketch volume rm kv-two >/dev/null
	is "$(ketch volume ls -q)" kv
}

@test "clone" { points cloned clone one@first two; }

# What is below /t: names, types, modes, owners, links, contents.
tree() {
	rm -rf "$DIR/t" && mkdir "$DIR/t"
	ketch cp one:/t - | tar -x --same-owner -p -C "$DIR/t"
	(cd "$DIR/t" && find . -printf '%P %y %m %U:%G %l\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2)
}

within() { # SCRIPT
	ketch start one >/dev/null && await 60 status_is one running && await 60 answers
	ketch exec one sh -c "$1" && seen=$(tree) && ketch stop one >/dev/null # while it runs a look costs a machine nothing
}

# Every way in which an upper layer covers a lower one: over a file, a directory, a link, what is deleted, a new directory
# in the place of another; and what each has alone.
two_layers() {
	within 'mkdir -p /t/both/in /t/gone/in /t/again/in /t/low; cd /t; for i in both both/in gone/in again/in low; do
		echo 1 >$i/a; echo 1 >$i/b; ln $i/a $i/l; done; echo 1 >file; mkdir dir; echo 1 >dir/x; ln -s a link; echo 1 >del'
	ketch snapshot create one@mid >/dev/null
	within 'cd /t; echo 2 >both/a; rm both/in/b; echo 2 >both/in/c; chmod 711 both/in; chown 7:8 both; rm -r gone; rm -r again
		mkdir -p again/new; echo 2 >again/new/z; rm file; mkdir file; echo 2 >file/y; rm -r dir; echo 2 >dir; rm link
		ln -s b link; rm del; mkdir up; echo 2 >up/u; mkfifo up/p'
	ketch snapshot create one@top >/dev/null
	wanted=$seen
	[ "$ISOLATION" = vm ] || is "$(tree)" "$wanted"
	n_layers=$(layers | wc -l) # with the new top, which a container has been looked through
}

merged() { # at any moment the tree is the same; then it is done
	is "$(tree)" "$wanted"
	[[ " $(names) " != *" mid "* ]] || ketch snapshot rm one@mid >/dev/null
	is "$(tree)" "$wanted"
	is "$(layers | wc -l)" $((n_layers - 1))
	within 'rm -r /t/*'
	ketch rollback one@top && is "$(tree)" "$wanted"
	ketch rollback one@second && ketch snapshot rm one@top >/dev/null
}

# A machine boots for each look at its tree: it is looked at when the merge was killed at one moment after the other.  Each
# next one goes on where the last one was, also when the snapshot has gone already.
killed_again_and_again() {
	local at victim=mid
	for ((at = 100; at <= 1000; at += 100)); do
		"$DIR/killat" "$at" "$KETCH" snapshot rm "one@$victim" >/dev/null 2>&1 || :
		[[ " $(names) " == *" $victim "* ]] || { victim=again && ketch snapshot create one@again >/dev/null; }
	done
	ketch snapshot rm "one@$victim" >/dev/null
}

@test "snapshot rm, and two layers become one" {
	local calls i n=$(((${KILL_POINTS:-3} + 2) / 3)) seen wanted n_layers
	two_layers
	if [ "$ISOLATION" = vm ]; then
		killed_again_and_again
		is "$(layers | wc -l)" $((n_layers - 1)) # the new top has no disk before the look
		is "$(tree)" "$wanted"
		return
	fi
	calls=$("$DIR/killat" 0 "$KETCH" snapshot rm one@mid 2>&1 | grep -o '[0-9]\+' | tail -1)
	[ "$calls" -gt 50 ]
	is "$(tree)" "$wanted"
	is "$(layers | wc -l)" $((n_layers - 1))
	merged
	for ((i = 1; i <= n; i++)); do
		two_layers
		"$DIR/killat" $((calls * i / (n + 1) + RANDOM % 9)) "$KETCH" snapshot rm one@mid >/dev/null 2>&1 || :
		merged || { echo "at $i of $n, of $calls" >&2; return 1; }
	done
}

# Nothing boots: what they are is told by their limits, and by a volume of each.
pair_is() { # WORD MIB
	local i
	for i in a b; do is "$(volume "p$i") $(inspect_of "p$i" .HostConfig.Memory)" "$1 $(($2 << 20))"; done
}

pair_write() { # WORD MIB
	local i
	for i in a b; do
		ketch volume export "p$i" >/dev/null # it is what it says
		echo "$1" >"$KETCH_ROOT/volumes/p$i/_data/file"
		ketch update -m "$2m" "p$i" >/dev/null
	done
	ketch snapshot create --group "pa,pb@$1" >/dev/null
}

pair_went_back() {
	case $(volume pa) in
		first) pair_is first 300 ;;
		*) pair_is second 400 ;;
	esac
	is "$(ketch snapshot ls -q pa | sort | xargs) $(ketch snapshot ls -q pb | sort | xargs)" "first second first second"
	ketch rollback --group pa,pb@second >/dev/null
	pair_is second 400
}

@test "rollback of a group: all of it is as it was, or as it is then" {
	local i n=${KILL_POINTS:-2}
	for i in a b; do
		ketch create --isolation "$ISOLATION" --name "p$i" -v "p$i:/v" ketch/base true >/dev/null
		ketch volume export "p$i" >/dev/null
		mkdir -p "$KETCH_ROOT/volumes/p$i/_data"
	done
	pair_write first 300
	pair_write second 400
	KILL_POINTS=$n points pair_went_back rollback --group pa,pb@first
	ketch rm pa pb >/dev/null
	ketch volume rm pa pb >/dev/null
}

@test "nothing is left of what was killed" {
	ketch rm one >/dev/null
	is "$(layers)" ""
	is "$(states)" 0
	ketch volume rm kv >/dev/null
}
