# cgroup.bats - limits, update, pause, events, ps, on whatever cgroups the machine has
load lib

unified() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }
# value NAME V1-CONTROLLER/FILE V2-FILE: what the container's cgroup says
value() {
	if unified; then cat "/sys/fs/cgroup/$TAG/$1/$3"; else cat "/sys/fs/cgroup/${2%%/*}/$TAG/$1/${2#*/}"; fi
}

@test "cgroupsPath is where it says, with the limits of linux.resources" {
	local map=.
	! unified || map='.linux.resources.unified = {"memory.high": "201326592", "pids.max": "150"}'
	staying limits ".linux.resources.cpu = {shares: 512, quota: 20000, period: 100000} | $map"
	is "$(value limits memory/memory.limit_in_bytes memory.max)" 268435456
	if unified; then is "$(value limits '' memory.high) $(value limits '' pids.max)" '201326592 150'
	else is "$(value limits pids/pids.max)" 200; fi
	if unified; then is "$(value limits '' cpu.max)" '20000 100000'
	else
		is "$(value limits cpu/cpu.cfs_quota_us)" 20000
		is "$(value limits cpu/cpu.shares)" 512
	fi
	is "$(grep -c "/$TAG/limits\$" "/proc/$(pid_of limits)/cgroup")" "$(grep -vc ':hugetlb:' "/proc/$(pid_of limits)/cgroup")" ||
		like "$(cat "/proc/$(pid_of limits)/cgroup")" "/$TAG/limits"
	is "$(rt exec "$TAG-limits" cat /proc/self/cgroup </dev/null 3>&- | cut -d: -f3 | sort -u | head -n 1)" /
	remove limits
	is "$(cgroups | grep -c "/$TAG/limits" || :)" 0
}

@test "what only cgroup v1 has: on v2 ignored as runc does, with a warning each" {
	unified || skip "this host has cgroup v1"
	local only_v1='{"memory": {"swappiness": 60, "disableOOMKiller": true}, "cpu": {"realtimeRuntime": 950000, "realtimePeriod": 1000000},
		"network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]}}' key
	bundle only ".linux.resources *= $only_v1" "${STAY[@]}"
	up only
	for key in memory.swappiness memory.disableOOMKiller cpu.realtimeRuntime cpu.realtimePeriod network.classID network.priorities; do
		[ "${RUNTIME##*/}" = runc ] || like "$(out only)" "linux.resources.$key: ignored, cgroup v2 has no such setting"
	done
	echo "$only_v1" | rt update --resources - "$TAG-only"
	is "$(value only '' memory.max)" 268435456
	remove only
}

@test "a cgroup that another container has is refused, and the other goes on" {
	staying first
	bundle second ".linux.cgroupsPath = \"/$TAG/first\"" true
	run rt create --bundle "$DIR/b/second" "$TAG-second"
	is "$status" 1
	like "$output" 'config.json: linux.cgroupsPath: .* in use'
	run rt state "$TAG-second"
	is "$status" 1
	has_status first running
	remove first
}

# Each has a state directory of its own: they do not even know of each other.
@test "two creates at the very same moment with one cgroupsPath: one has it, the other does nothing to it" {
	local i root one two won lost
	other() { "$RUNTIME" --root "$DIR/state2" "$@"; }
	for i in $(seq "${ROUNDS:-8}"); do
		bundle one ".linux.cgroupsPath = \"/$TAG/same\"" "${STAY[@]}"
		exec 7>"$DIR/gate"
		flock 7 # nobody goes before both can
		for root in state state2; do
			(flock -s "$DIR/gate" true
				"$RUNTIME" --root "$DIR/$root" create --bundle "$DIR/b/one" "$TAG-one" </dev/null >"$DIR/$root.out" 2>&1 &&
					echo 0 >"$DIR/$root.status" || echo 1 >"$DIR/$root.status") 3>&- 7>&- &
		done
		flock -u 7
		exec 7>&-
		wait
		one=$(cat "$DIR/state.status") two=$(cat "$DIR/state2.status")
		is "$((one + two))" 1 || { cat "$DIR/state.out" "$DIR/state2.out" >&2; return 1; }
		won=rt lost=other
		[ "$one" = 0 ] || { won=other lost=rt; }
		like "$(cat "$DIR/state.out" "$DIR/state2.out")" 'in use'
		is "$("$lost" list -q)" ''
		is "$("$won" state "$TAG-one" | jq -r .status)" created
		"$lost" delete --force "$TAG-one"
		"$won" start "$TAG-one"
		is "$("$won" exec "$TAG-one" echo alive </dev/null 3>&-)" alive
		"$won" delete --force "$TAG-one"
		is "$(cgroups | grep -c "/$TAG/same\$" || :)" 0
	done
	rm -r "$DIR/state2"
}

@test "a container that was never finished, or has stopped, does not end who has its cgroup by now" {
	beyond runc 'kills or leaves it'
	local n
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$OCI/killat.c"
	bundle gone . true && up gone && ended gone
	staying after ".linux.cgroupsPath = \"/$TAG/gone\""
	rt delete "$TAG-gone"
	has_status after running
	remove after
	# killed at some call between the record and the process
	for n in $(seq 20 40 900); do
		bundle half . true
		"$DIR/killat" "$n" "$RUNTIME" --root "$DIR/state" create --bundle "$DIR/b/half" "$TAG-half" </dev/null >/dev/null 2>&1 3>&- || :
		[ "$(jq '.pid // 0' "$DIR/state/$TAG-half/state.json" 2>/dev/null)" = 0 ] || { remove half; continue; }
		staying heir ".linux.cgroupsPath = \"/$TAG/half\""
		remove half
		has_status heir running
		remove heir
		return 0
	done
	echo "no create was killed between its record and its process" >&2
	return 1
}

@test "without cgroupsPath it has one of its own" {
	local cgroup
	bundle nopath 'del(.linux.cgroupsPath)' "${STAY[@]}"
	up nopath
	cgroup=$(cut -d: -f3 "/proc/$(pid_of nopath)/cgroup" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
	like "$cgroup" "$TAG-nopath"
	remove nopath
	is "$(find /sys/fs/cgroup -path "*$TAG-nopath*" | head -n 1)" ''
}

@test "the memory limit is kept, the pids limit is kept" {
	bundle memory '.linux.resources.memory = {limit: 16777216, swap: 16777216}' sh -c 'head -c 100000000 /dev/zero | tail; echo "status $?"'
	like "$(output_of memory)" '(Killed|status 1[0-9]{2}|^$)'
	like "$(printed pids '.linux.resources.pids.limit = 3' sh -c 'for i in 1 2 3 4 5; do sleep 1 & done; wait' || :)" "(can't fork|retry|unavailable)"
}

@test "devices: what the list does not allow cannot be opened; the default ones can" {
	local out
	out=$(printed devices '.linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "rwm"}]
		| .process.capabilities.bounding += ["CAP_MKNOD"]' sh -c '
		for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo missing $d; done
		head -c 1 /dev/zero >/dev/null && echo zero
		mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg || echo refused; rm -f /tmp/kmsg
		mknod /tmp/fuse c 10 229 && echo made; rm -f /tmp/fuse' 2>&1)
	like "$out" 'zero' && like "$out" 'refused' && like "$out" 'made' && unlike "$out" 'missing'
}

@test "pause and resume: state, and the processes do stand still" {
	bundle pause . sh -c 'trap "exit 0" TERM; i=0; while :; do i=$((i+1)); echo $i >/tmp/count; done'
	up pause
	await 10 test -s "$DIR/rootfs/tmp/count"
	rt pause "$TAG-pause"
	is "$(status_of pause)" paused
	is "$(value pause freezer/freezer.state cgroup.freeze)" "$(unified && echo 1 || echo FROZEN)"
	local count
	count=$(cat "$DIR/rootfs/tmp/count")
	says 1 '' rt pause "$TAG-pause"
	is "$(cat "$DIR/rootfs/tmp/count")" "$count"
	rt resume "$TAG-pause"
	is "$(status_of pause)" running
	changed() { [ "$(cat "$DIR/rootfs/tmp/count")" != "$count" ]; }
	await 10 changed
	says 1 '' rt resume "$TAG-pause"
	remove pause
	rm -f "$DIR/rootfs/tmp/count"
}

@test "kill of a paused container with KILL ends it" {
	staying frozen
	rt pause "$TAG-frozen"
	rt kill "$TAG-frozen" KILL
	await 10 has_status frozen stopped
	rt delete "$TAG-frozen"
}

@test "update: by flags, by a file, by JSON on stdin" {
	staying update
	rt update --memory 134217728 --pids-limit 50 --cpu-quota 30000 --cpu-period 60000 "$TAG-update"
	is "$(value update memory/memory.limit_in_bytes memory.max)" 134217728
	is "$(value update pids/pids.max pids.max)" 50
	if unified; then is "$(value update '' cpu.max)" '30000 60000'
	else is "$(value update cpu/cpu.cfs_quota_us) $(value update cpu/cpu.cfs_period_us)" '30000 60000'; fi
	echo '{"memory": {"limit": 100663296}}' >"$DIR/resources.json"
	rt update --resources "$DIR/resources.json" "$TAG-update"
	is "$(value update memory/memory.limit_in_bytes memory.max)" 100663296
	is "$(value update pids/pids.max pids.max)" 50
	echo '{"pids": {"limit": 60}, "cpu": {"shares": 256}}' | rt update --resources - "$TAG-update"
	is "$(value update pids/pids.max pids.max)" 60
	unified || is "$(value update cpu/cpu.shares)" 256
	echo '{"pids": {"limit": 61}}' | rt update --resources=- "$TAG-update"
	is "$(value update pids/pids.max pids.max)" 61
	is "$(value update memory/memory.limit_in_bytes memory.max)" 100663296
	echo 'not json' >"$DIR/resources.json"
	says 1 '' rt update -r "$DIR/resources.json" "$TAG-update"
	if ! [[ ${RUNTIME##*/} =~ ^(runc|crun)$ ]]; then
		says 1 '--l3-cache-schema: Intel RDT is not supported' rt update --l3-cache-schema L3:0=f "$TAG-update"
		says 1 '--mem-bw-schema: Intel RDT' rt update --mem-bw-schema MB:0=20 "$TAG-update"
	fi
	is "$(status_of update)" running
	remove update
}

@test "events --stats: one object of type stats with what callers read" {
	local stats
	staying events
	stats=$(rt events --stats "$TAG-events")
	is "$(jq -r .type <<<"$stats")" stats
	is "$(jq -r .id <<<"$stats")" "$TAG-events"
	[ "$(jq .data.cpu.usage.total <<<"$stats")" -gt 0 ]
	[ "$(jq .data.memory.usage.usage <<<"$stats")" -gt 0 ]
	is "$(jq .data.memory.usage.limit <<<"$stats")" 268435456
	[ "$(jq .data.pids.current <<<"$stats")" -ge 2 ]
	is "$(jq .data.pids.limit <<<"$stats")" 200
	remove events
}

@test "events --interval: goes on until the container ends" {
	staying interval
	"$RUNTIME" --root "$DIR/state" events --interval 1s "$TAG-interval" >"$DIR/events" 2>/dev/null 3>&- &
	local pid=$!
	await 10 test -s "$DIR/events"
	is "$(head -n 1 "$DIR/events" | jq -r .type)" stats
	remove interval
	kill "$pid" 2>/dev/null || :
	wait "$pid" || :
}

@test "ps: JSON is the pids of the host, the table is that of ps" {
	local pid
	staying ps
	pid=$(pid_of ps)
	is "$(rt ps --format json "$TAG-ps" | jq length)" 2
	is "$(rt ps -f json "$TAG-ps" | jq "index($pid) != null")" true
	like "$(rt ps "$TAG-ps" | head -n 1)" '^UID +PID +PPID'
	like "$(rt ps "$TAG-ps")" " $pid .*sh -c"
	like "$(rt ps "$TAG-ps" -o pid,args | head -n 1)" '^ *PID +COMMAND'
	is "$(rt ps "$TAG-ps" | wc -l)" 3
	remove ps
}
