# running.bats - snapshots of an instance while it runs and writes; a machine goes on in a new layer then, and nothing is copied
load ../lib

setup_file() {
	store_open
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
	stay --name sw -m 96m >/dev/null
	ketch exec sw sh -c 'head -c 30m /dev/urandom >/big; sha256sum /big >/sum; echo one >/file; sync'
}
teardown_file() { store_close; }

write() { ketch exec sw sh -c "echo $1 >/file"; }
holds() { is "$(ketch exec "$1" sh -c 'sha256sum -c /sum && cat /file')" $'/big: OK\n'"$2"; } # INSTANCE WORD
begin() { ketch start "$1" >/dev/null && await 60 status_is "$1" running; }
layers() { find "$KETCH_ROOT/writable" -mindepth 2 -name disk.qcow2; }

@test "several snapshots of one that runs: each is what it was, and of a machine's disk there is no copy" {
	local i
	for i in 1 2 3; do
		is "$(ketch snapshot create --disk-only "sw@s$i")" "s$i"
		write "s$i"
	done
	[ "$ISOLATION" = container ] || is "$(layers | wc -l)" 3
	[ "$ISOLATION" = container ] || [ "$(du -sm "$KETCH_ROOT/writable" | cut -f1)" -lt 15 ]
	holds sw s3
	is "$(ketch snapshot ls --format '{{.Name}} {{.Parent}}' sw)" $'s1 \ns2 s1\ns3 s2'
	ketch clone sw@s1 first >/dev/null && begin first && holds first one
	ketch rm -f first
}

@test "a paused machine has its snapshot, too, and one with its memory goes on from there" {
	[ "$ISOLATION" = vm ] || skip 'the processes of containers: tests/bed/live.bats'
	ketch pause sw >/dev/null
	ketch snapshot create --disk-only sw@paused
	ketch unpause sw >/dev/null
	write paused
	ketch exec sw sh -c 'echo of memory >/dev/shm/word'
	ketch snapshot create --memory sw@mem
	write later
	ketch rollback --stop sw@mem >/dev/null
	holds sw paused
	is "$(ketch exec sw cat /dev/shm/word)" 'of memory'
	write again
	ketch snapshot create --disk-only sw@again
	is "$(layers | wc -l)" 6
}

@test "a machine that an older Ketch started: its files are copied, and it goes on" {
	[ "$ISOLATION" = vm ] || skip 'a container goes on in no new layer'
	local before word in
	said() { read -r -t 20 word <&"${OLDER[0]}" && is "$word" "$1"; }
	before=$(layers | wc -l)
	write older
	coproc OLDER { exec "$E2E/older.py" "$KETCH_RUN_ROOT/$(inspect_of sw .Id)" 3>&-; }
	said ready
	is "$(ketch snapshot create --disk-only sw@older)" older
	said refused
	in=${OLDER[1]}
	exec {in}>&-
	wait "$OLDER_PID"
	write newer
	is "$(layers | wc -l)" $((before + 2)) # the copy, and the layer that was made in vain: it is empty
	ketch clone sw@older copied >/dev/null && begin copied && holds copied older
	ketch rm -f copied
	is "$(ketch snapshot create --disk-only sw@newer)" newer
	holds sw newer
}

@test "kill -9 of snapshot create at any call: the instance goes on, and what it writes is lost neither then nor later" {
	local calls i n=${KILL_POINTS:-9}
	calls=$("$DIR/killat" 0 "$KETCH" snapshot create --disk-only sw@all 2>&1 | grep -o '[0-9]\+' | tail -1)
	for ((i = 1; i <= n; i++)); do
		"$DIR/killat" $((calls * i / (n + 1) + RANDOM % 9)) "$KETCH" snapshot create --disk-only "sw@killed$i" || :
		await 30 write "$i"
		is "$(ketch snapshot create --disk-only "sw@after$i")" "after$i"
	done
	write last
	ketch clone "sw@after$((n / 2))" half >/dev/null && begin half && holds half $((n / 2))
	ketch rm -f half
	ketch stop sw >/dev/null && begin sw && holds sw last
}

# Some moment of the next fifth of a second: which one is left to chance.
some_time() { read -r -t "$(printf '0.%03d' $((RANDOM % 200)))" <>"$DIR/never" || :; }

@test "it dies while a snapshot is made of it: that is whole or absent, and what was synced is there" {
	local i made pid n=${KILL_POINTS:-3}
	[ "$n" -le 12 ] || n=12 # boots
	mkfifo "$DIR/never"
	for ((i = 1; i <= n; i++)); do
		ketch exec sw sh -c "echo dying$i >/file; sync"
		pid=$(inspect_of sw .State.Pid)
		"$KETCH" snapshot create --disk-only "sw@dying$i" 3>&- >/dev/null 2>&1 &
		some_time
		kill -9 "$pid"
		made=0 && wait $! || made=$?
		ketch wait sw >/dev/null
		begin sw && holds sw "dying$i"
		is "$(ketch snapshot ls -q sw | grep -cx "dying$i")" $((made == 0))
		[ "$made" -eq 0 ] || continue
		ketch clone "sw@dying$i" died >/dev/null && begin died && holds died "dying$i"
		ketch rm -f died
	done
}

asks_or_gone() { grep -qs '^7 ' "/proc/$1/syscall" || gone "$1"; } # PID: poll, it waits for an answer

@test "a late answer is not taken for that to the next command" {
	[ "$ISOLATION" = vm ] || skip 'a container is asked nothing'
	local vmm first second
	goes_on() { ketch unpause sw >/dev/null; }
	vmm=$(inspect_of sw .State.Pid)
	write early
	ketch pause sw >/dev/null
	kill -STOP "$vmm"
	"$KETCH" snapshot create --disk-only sw@late 3>&- &
	first=$!
	await 20 grep -q '^7 ' "/proc/$first/syscall"
	kill -9 "$first"
	"$KETCH" snapshot create --disk-only sw@next >/dev/null 3>&- &
	second=$!
	await 20 asks_or_gone "$second"
	kill -CONT "$vmm"
	wait "$second" || :
	await 20 goes_on # the machine may still be about the step of the first
	write later
	if ketch clone sw@next next >/dev/null 2>&1; then
		begin next
		holds next early
		ketch rm -f next
	fi
	ketch snapshot create --disk-only sw@later >/dev/null
	holds sw later
}

@test "after more snapshots than it has room for they are copies, as whole as the others" {
	[ "$ISOLATION" = vm ] || skip 'a container has copies alone'
	local i
	for ((i = 0; i < 18; i++)); do
		write "many$i"
		ketch snapshot create --disk-only "sw@many$i" >/dev/null
		ketch snapshot rm "sw@many$i" >/dev/null
	done
	ketch snapshot create --disk-only sw@copy
	write end
	ketch clone sw@copy copy >/dev/null && begin copy && holds copy many17
	ketch rm -f copy
	ketch kill sw >/dev/null && ketch wait sw >/dev/null && begin sw && holds sw end
	ketch stop sw >/dev/null
	ketch snapshot create sw@short >/dev/null # merges what nobody needs
	begin sw && holds sw end
}
