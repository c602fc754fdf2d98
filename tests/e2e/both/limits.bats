# limits.bats - -m, --cpus and --pids-limit hold, and mean the same behind both walls
load ../lib

setup_file() {
	store_open
	stay --name small -m 48m --pids-limit 40 >/dev/null
}
teardown_file() { store_close; }

@test "--pids-limit: no process more than allowed, and the instance lives on" {
	run ketch exec small sh -c 'trap "kill \$p; echo ended" EXIT
		for i in $(seq 100); do tail -f /dev/null & p="$p $!"; done; echo all started'
	unlike "$output" 'all started'
	like "$output" 'ended'
	await 10 ketch exec small true
}

@test "-m: what does not fit is killed, the rest is not" {
	run ketch exec small sh -c 'head -c 200000000 /dev/zero | tail | wc -c'
	[ "$status" -ne 0 ] || [ "$output" != 200000000 ]
	is "$(ketch exec small echo alive)" alive
}

@test "-m: half of it can be used" {
	is "$(ketch exec small sh -c 'head -c 20000000 /dev/zero | tail | wc -c')" 20000000
}

@test "out of memory in the main process: 137, and inspect says why" {
	run krun --name oom -m 32m ketch/base awk 'BEGIN { for (;;) s[i++] = sprintf("%1000000s", "") }'
	is "$status" 137
	is "$(inspect_of oom .State.OOMKilled)" true
}

@test "the VMM, or the container's processes, are in the instance's cgroup" {
	local pid
	pid=$(inspect_of small .State.Pid)
	like "$(cat "/proc/$pid/cgroup")" "ketch.*$(inspect_of small .Id | cut -c1-12)"
}

cpu_files() { # INSTANCE: the files that count the CPU time which the host gave it, and how often it was held back
	local cgroups f
	mapfile -t cgroups < <(jq -r '.cgroups[]' "$KETCH_RUN_ROOT/$(inspect_of "$1" .Id)/state.json")
	for f in "${cgroups[@]/%//cpuacct.usage}" "${cgroups[@]/%//cpu.stat}"; do
		[ ! -e "$f" ] || echo "$f"
	done
}
cpu_us() { # FILE
	case $1 in *usage) echo $(($(<"$1") / 1000)) ;; *) sed -n 's/^usage_usec //p' "$1" ;; esac
}

held_back() { # FILE: in most of its periods
	awk '{ n[$1] = $2 } END { exit 2 * n["nr_throttled"] < n["nr_periods"] }' "$1"
}

@test "--cpus: a busy loop gets half a CPU of the host, or what others leave of it" {
	ketch rm -f small
	stay --name half --cpus 0.5 >/dev/null
	ketch exec -d half sh -c 'while :; do :; done'
	local files file used begin end
	mapfile -t files < <(cpu_files half)
	file=${files[0]}
	begin=$EPOCHREALTIME used=$(cpu_us "$file")
	timeout 5 tail -f /dev/null || : # what is measured is time
	used=$(($(cpu_us "$file") - used)) end=$EPOCHREALTIME
	used=$((100 * used / (${end/./} - ${begin/./})))
	echo "it got $used %; $(tr '\n' ' ' <"${files[-1]}")"
	[ "$used" -le 60 ]
	[ "$used" -ge 15 ] || ! held_back "${files[-1]}"
}
