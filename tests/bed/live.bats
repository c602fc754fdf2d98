# live.bats - snapshot create --live: the processes of a container go on from where they were, through CRIU, which works on few
# kernels: here on the bed's
load ../e2e/lib

setup_file() {
	store_open
}
teardown_file() { store_close; }
setup() { command -v criu >/dev/null || skip 'criu is not installed'; }

# Counts in its memory, aloud and into a file, and keeps one open that nobody else finds any more.
COUNT='trap "exit 7" TERM; exec 9>/root/gone; rm /root/gone; i=0
while :; do i=$((i + 1)); echo $i; echo $i >/root/count; echo $i >&9; sleep 0.1; done'

counter() { ketch run -d --name "$@" ketch/base sh -c "$COUNT" >/dev/null && await 20 logged "$1" '^2$'; } # NAME [FLAG...]
count_of() { ketch exec "$1" cat /root/count; } # INSTANCE
last() { ketch logs "$1" | tail -n 1; } # INSTANCE
beyond() { [ "$(last "$1")" -gt "$2" ]; } # INSTANCE NUMBER
files_of() { echo "$KETCH_ROOT/instances/$(inspect_of "$1" .Id)/snapshots"; } # INSTANCE

# What protects the host, and what it sees: rights, mounts, namespaces that are its own, cgroup.
around() { # INSTANCE
	local pid
	pid=$(inspect_of "$1" .State.Pid)
	grep -E '^(Cap|Seccomp|NoNewPrivs|Uid|Gid|NSpid)' "/proc/$pid/status" | sed 's/\(NSpid:\).*\t/\1 /'
	cut -d' ' -f5,6 "/proc/$pid/mountinfo" | sort
	cat "/proc/$pid/cgroup" "/proc/$pid/oom_score_adj" "/proc/$pid/limits" "/proc/$pid/attr/current"
	for ns in mnt pid net ipc uts cgroup; do
		[ "$(readlink "/proc/$pid/ns/$ns")" = "$(readlink "/proc/self/ns/$ns")" ] && echo "the host's $ns"
	done
	ketch exec "$1" sh -c 'cat /proc/self/cgroup /etc/hostname; hostname; cat /proc/sys/net/ipv4/ping_group_range
		ip -o addr | grep -v inet6 | sed "s/^[0-9]*//"; ls -l /dev | sed "s/ [A-Z][a-z][a-z] .*:.. / /"'
}

@test "a counter goes on with the number that it had, and its files and its log with it" {
	local at after
	counter cc --tmpfs /scratch --stop-signal TERM
	ketch exec cc sh -c 'echo of memory >/scratch/file'
	around cc >"$DIR/around"
	ketch snapshot create --live cc@ss
	like "$(ketch snapshot ls cc)" 'disk, processes'
	is "$(ketch snapshot inspect cc@ss | jq -r '.[0].memory.format')" criu/1
	after=$(last cc)
	await 20 beyond cc "$after" # it goes on
	ketch exec cc sh -c 'echo later >/scratch/file; echo later >/root/file'
	ketch logs cc >"$DIR/before"
	ketch rollback --stop cc@ss
	status_is cc running
	await 20 beyond cc 1
	ketch logs cc >"$DIR/log"
	# the stop has its last lines in the log, too; the first line of the new part is of the snapshot
	at=$(awk 'NR > 1 && $1 <= last { print $1; exit } { last = $1 }' "$DIR/log")
	echo "goes on at $at, was $after"
	[ "$at" -gt 2 ] && [ "$at" -le $((after + 1)) ]
	await 20 beyond cc $((at + 2))
	[ "$(count_of cc)" -ge "$at" ]
	is "$(ketch exec cc cat /scratch/file)" 'of memory'
	run ketch exec cc cat /root/file
	is "$status" 1
	around cc | diff "$DIR/around" -
}

@test "what was restored is as any other: pause, stats, top, exit code, and a snapshot of it again" {
	local id
	id=$(inspect_of cc .Id)
	ketch pause cc
	ketch unpause cc
	like "$(ketch top cc)" 'sleep'
	ketch snapshot create --live cc@again
	ketch rollback --stop cc@again
	like "$(ketch exec cc sh -c 'ls /proc/1/fd')" 9
	ketch stop cc
	is "$(inspect_of cc .State.ExitCode)" 7
	[ ! -e "$KETCH_RUN_ROOT/$id" ] && [ ! -e "/sys/fs/cgroup/ketch/$id" ] && [ ! -e "$KETCH_ROOT/instances/$id/criu" ]
	ketch start cc # from its command
	await 20 logged cc '^1$'
}

listens() { [ "$(timeout 5 bash -c 'cat </dev/tcp/$0/80' "$1" 2>/dev/null)" = hello ]; } # ADDRESS

@test "users, mounts, volumes, settings of a network of its own, limits: all is there again" {
	local flags=(--network none --user 1000:1000 --read-only --tmpfs /root:mode=1777 -v "vol:/data" -v "$DIR/host:/host:ro"
		-v "$DIR/host:/data/deep" --sysctl net.ipv4.tcp_syncookies=0 --sysctl kernel.msgmax=7000 --hostname here
		--security-opt no-new-privileges -m 64m --oom-score-adj 300 --cap-add SYS_NICE)
	mkdir "$DIR/host" && echo 'of the host' >"$DIR/host/file"
	ketch run --rm -v vol:/data ketch/base sh -c 'mkdir /data/deep; chmod 777 /data'
	counter mm "${flags[@]}" --tmpfs /scratch
	ketch exec mm sh -c 'echo kept >/data/file'
	around mm >"$DIR/around"
	ketch snapshot create --live mm@ss
	like "$(ketch snapshot ls mm)" 'disk, processes, 1 volume'
	ketch exec mm sh -c 'echo later >/data/file'
	ketch rollback --stop mm@ss
	around mm | diff "$DIR/around" -
	is "$(ketch exec mm cat /data/file /host/file /data/deep/file /proc/sys/net/ipv4/tcp_syncookies /proc/sys/kernel/msgmax)" \
		$'kept\nof the host\nof the host\n0\n7000'
	ketch exec mm sh -c 'echo again >/proc/1/fd/1' # the pipe is its user's
	await 20 logged mm again
	is "$(cat "/sys/fs/cgroup/ketch/$(inspect_of mm .Id)/memory.max")" $((64 << 20))
	ketch rm -f mm >/dev/null
	ketch volume rm vol >/dev/null
}

connected() { ketch exec "$1" grep -q '0100007F:0007 01' /proc/net/tcp; } # INSTANCE: to its own port 7
runs() { ketch top "$1" | grep -q -- "$2"; } # INSTANCE WORDS

@test "who listens goes on listening at its address; a connection is closed; what exec had started is not there" {
	local address
	ketch run -d --name tt ketch/base sh -c 'nc -ll -p 80 -e echo hello & nc -ll -p 7 -e cat &
		until nc 127.0.0.1 7 </dev/null; do sleep 0.1; done; echo ready; sleep 3600 | (nc 127.0.0.1 7; echo closed) & while :; do sleep 0.1; done' >/dev/null
	await 20 logged tt ready
	address=$(inspect_of tt .NetworkSettings.IPAddress)
	await 20 listens "$address"
	await 20 connected tt
	ketch exec -d tt sleep 4321
	await 20 runs tt 'sleep 4321'
	ketch snapshot create --live tt@ss
	listens "$address"
	connected tt # it has noticed nothing
	ketch rollback --stop tt@ss
	await 20 listens "$(inspect_of tt .NetworkSettings.IPAddress)"
	await 20 logged tt closed
	unlike "$(ketch top tt)" 'sleep 4321'
	ketch rm -f tt >/dev/null
}

@test "a profile of AppArmor confines what is restored, and what is executed in it" {
	printf 'profile ketch-live flags=(attach_disconnected,mediate_deleted) {
		file, capability, network, unix, signal, ptrace, mount, umount, pivot_root, dbus, deny /secret rwklx,\n}' >"$DIR/profile"
	apparmor_parser --replace --skip-cache "$DIR/profile"
	counter pp --security-opt apparmor=ketch-live
	ketch snapshot create --live pp@ss
	ketch rollback --stop pp@ss
	is "$(cat "/proc/$(inspect_of pp .State.Pid)/attr/current")" 'ketch-live (enforce)'
	is "$(ketch exec pp cat /proc/self/attr/current)" 'ketch-live (enforce)'
	ketch rm -f pp >/dev/null
	apparmor_parser --remove "$DIR/profile"
}

began_twice() { [ "$(ketch logs ii | grep -c begins)" = 2 ]; }

@test "attach, input, and the policy for its end" {
	ketch run -di --name ii --restart on-failure:1 ketch/base sh -c \
		'echo begins; n=0; while read -r l; do n=$((n + 1)); echo "got $l $n"; done; exit 3' >/dev/null
	await 20 logged ii begins
	ketch snapshot create --live ii@ss
	ketch rollback --stop ii@ss
	is "$(ketch logs ii | grep -c begins)" 1
	run ketch attach ii <<<there
	like "$output" 'got there 1'
	await 20 began_twice # it ended with 3, and was started again
	ketch rm -f ii >/dev/null
}

@test "its monitor's death is its own" {
	local pid
	ketch rollback --stop cc@ss
	pid=$(inspect_of cc .State.Pid)
	kill -9 "$(monitor_of cc)"
	await 20 gone "$pid"
	status_is cc exited
	ketch rollback cc@ss
	status_is cc running
}

criu_of() { pgrep -f "^criu .*$(inspect_of "$1" .Id)"; } # INSTANCE
none_of() { ! criu_of "$1" >/dev/null; }

@test "a command that is killed leaves what runs running, and the snapshot is not there, or whole" {
	local id dir at file pid
	id=$(inspect_of cc .Id) dir=$KETCH_ROOT/instances/$(inspect_of cc .Id)
	for file in criu/dump.log 'snapshots/*/processes/core-1.img' 'snapshots/*/processes/pstree.img' 'snapshots/*/mac'; do
		ketch snapshot rm cc@ss cc@again 2>/dev/null || :
		at=$(last cc)
		"$KETCH" snapshot create --live cc@killed 3>&- &
		pid=$!
		POLL=0.01 await 20 compgen -G "$dir/$file" >/dev/null
		kill -9 "$pid" || : # it may have been quick
		wait "$pid" || :
		await 30 none_of cc
		await 20 beyond cc "$at"
		is "$(cat "/sys/fs/cgroup/ketch/$id/cgroup.freeze")" 0
		[ -z "$(ketch snapshot ls -q cc)" ] || { ketch rollback --stop cc@killed && await 20 beyond cc 1; }
		ketch snapshot rm cc@killed 2>/dev/null || :
	done
	ketch snapshot create --live cc@ss
	is "$(ketch snapshot ls -q cc)" ss
	is "$(find "$dir/snapshots" -name pstree.img | wc -l)" 1
}

# Has cc go back and returns while CRIU restores it; that may be over before it is seen.  Sets `pid` of the command.
begin_restore() { # ID
	for _ in {1..10}; do
		ketch stop -t 1 cc
		"$KETCH" rollback cc@ss 3>&- &
		pid=$!
		until gone "$pid"; do ! pgrep -f "^criu restore .*$1" >/dev/null || return 0; done
		wait "$pid"
	done
	return 1
}

@test "one that ends while CRIU restores it leaves nothing of it" {
	local id how pid
	id=$(inspect_of cc .Id)
	for how in monitor kill stop; do
		begin_restore "$id"
		case $how in
		monitor) kill -9 "$(monitor_of cc)" ;;
		kill) ketch kill cc || : ;;
		stop) ketch stop -t 1 cc ;;
		esac
		wait "$pid" || echo "rollback: $?"
		await 30 none_of cc
		await 20 status_is cc exited
		[ ! -e "$KETCH_RUN_ROOT/$id" ] && [ ! -e "/sys/fs/cgroup/ketch/$id" ]
	done
	ketch rollback cc@ss
	await 20 beyond cc 1
}

@test "images that were changed, or that CRIU does not like, are refused in one line, and all stays as it is" {
	local images at
	images=$(echo "$(files_of cc)"/*/processes)
	at=$(last cc)
	cp "$images/core-1.img" "$DIR/core"
	printf x | dd of="$images/core-1.img" bs=1 seek=100 conv=notrunc status=none
	refused 1 'was not written by this store, or is damaged' ketch rollback --stop cc@ss
	cp "$DIR/core" "$images/core-1.img"
	touch "$images/more.img"
	refused 1 'was not written by this store, or is damaged' ketch rollback --stop cc@ss
	rm "$images/more.img"
	mv "$images/streams.json" "$DIR"
	refused 1 'was not written by this store, or is damaged' ketch rollback --stop cc@ss
	mv "$DIR/streams.json" "$images"
	mkdir "$DIR/without"
	for tool in sh cat tail; do ln -s "$(type -P $tool)" "$DIR/without"; done
	refused 1 'cannot run CRIU: criu: No such file' env PATH="$DIR/without" "$KETCH" rollback --stop cc@ss
	refused 1 'cannot run CRIU: criu: No such file' env PATH="$DIR/without" "$KETCH" snapshot create --live cc
	status_is cc running
	await 20 beyond cc "$at"
	# what CRIU finds out by itself, at a start: the file of the host is not as long as it was
	echo 'a line' >"$DIR/input"
	ketch run -d --name ff -v "$DIR/input:/input" ketch/base sh -c 'exec 5</input; echo ready; while :; do sleep 0.1; done' >/dev/null
	await 20 logged ff ready
	ketch snapshot create --live ff@ss
	ketch stop -t 1 ff
	echo 'another' >>"$DIR/input"
	run ketch rollback ff@ss
	is "$status" 1
	like "$output" 'its processes cannot be restored: criu restore failed: .*bad size'
	[ -e "$KETCH_ROOT/instances/$(inspect_of ff .Id)/criu/restore.log" ]
	status_is ff exited
	ketch rollback --disk-only ff@ss
	ketch start ff
	ketch rm -f ff >/dev/null
}
