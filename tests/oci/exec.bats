# exec.bats - further processes in a container
load lib

setup_file() {
	oci_open
	staying box '.process.env += ["FROM=config"]'
}
teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || { clean_up; staying box '.process.env += ["FROM=config"]'; }
}
teardown_file() {
	remove box
	audit
	oci_close
}

box() { rt exec "$@" </dev/null 3>&-; } # [FLAG...] ID COMMAND...
B() { echo "$TAG-box"; }

# process JQ ARG...: $DIR/process.json, from the container's own process
process() {
	local args
	args=$(printf '%s\x1e' "${@:2}" | jq -Rsc 'split("\u001e")[:-1]')
	jq --argjson args "$args" ".process | .args = \$args | $1" <"$DIR/b/box/config.json" >"$DIR/process.json"
}

@test "output, exit status, status of a killed process, stdin" {
	run --separate-stderr box "$(B)" sh -c 'echo out; echo err >&2; exit 42'
	is "$status" 42 && is "$output" out && is "$stderr" err
	run box "$(B)" sh -c 'kill -KILL $$'
	is "$status" 137
	run box "$(B)" sh -c 'kill -TERM $$'
	is "$status" 143
	is "$(echo through | rt exec "$(B)" cat 3>&-)" through
	is "$(head -c 3000000 /dev/zero | rt exec "$(B)" cat 3>&- | wc -c)" 3000000
}

@test "it is inside: namespaces, cgroup, root, no new privileges" {
	local pid ns
	pid=$(pid_of box)
	for ns in pid mnt ipc uts net cgroup; do
		is "$(box "$(B)" readlink /proc/self/ns/$ns)" "$(readlink "/proc/$pid/ns/$ns")"
	done
	is "$(box "$(B)" cat /proc/self/cgroup)" "$(box "$(B)" cat /proc/1/cgroup)"
	like "$(box "$(B)" grep NoNewPrivs /proc/self/status)" '1$'
	is "$(box "$(B)" hostname)" box
}

@test "--env, --cwd, --user, --additional-gids; what is not given comes from the container" {
	is "$(box "$(B)" sh -c 'echo $MARK $FROM')" 'of-the-bundle config'
	is "$(box --env A=1 --env B=2 --env FROM=exec "$(B)" sh -c 'echo $A $B $FROM')" '1 2 exec'
	is "$(box "$(B)" pwd)" /
	is "$(box --cwd /tmp "$(B)" pwd)" /tmp
	is "$(box --user 1000:1001 "$(B)" sh -c 'echo $(id -u) $(id -g) $(id -G)')" '1000 1001 1001'
	is "$(box -u 1000 "$(B)" sh -c 'echo $(id -u) $(id -g)')" '1000 0'
	is "$(box -u 1000:1001 --additional-gids 7 --additional-gids 8 "$(B)" id -G)" '1001 7 8'
	is "$(box "$(B)" sh -c 'echo $HOME')" "$(awk -F: '$3 == 0 { print $6 }' "$DIR/rootfs/etc/passwd")"
}

@test "--cap adds to the container's; without it they are the container's, exactly" {
	like "$(box "$(B)" grep CapEff /proc/self/status)" '00000000a80425fb'
	is "$(box "$(B)" sh -c 'grep -E "Cap(Inh|Amb)" /proc/self/status | cut -f2 | sort -u')" 0000000000000000
	like "$(box --cap CAP_SYS_ADMIN "$(B)" grep CapEff /proc/self/status)" '00000000a82425fb'
	[ "${RUNTIME##*/}" = runc ] || # it ignores it with a warning
		says 255 'CAP_NOSUCH|nosuch' rt exec --cap CAP_NOSUCH "$(B)" true
}

@test "rlimits, umask and oom_score_adj are the container's" {
	is "$(box "$(B)" awk '/open files/ { print $4, $5 }' /proc/self/limits)" '512 1024'
	is "$(box "$(B)" cat /proc/self/oom_score_adj)" 100
	is "$(box "$(B)" sh -c umask)" 0022
}

@test "--cgroup: below the container's, in all hierarchies or in some" {
	local dir all=() found
	staying sub
	for dir in $(cgroups | grep "/$TAG/sub\$"); do
		mkdir "$dir/below" "$dir/below/deep"
		[ ! -e "$dir/below/cpuset.cpus" ] || [ -e "$dir/cgroup.controllers" ] || # v1: nobody can enter an empty one
			for f in cpus mems; do for to in below below/deep; do cat "$dir/cpuset.$f" >"$dir/$to/cpuset.$f"; done; done
		all+=("$dir")
	done
	[ ${#all[@]} -gt 0 ]
	inside() { rt exec "$@" "$TAG-sub" cat /proc/self/cgroup </dev/null 3>&- | grep -vE ':(/\.\.|.*hugetlb.*:)' | cut -d: -f2-; } # CONTROLLERS:PATH
	is "$(inside --cgroup below | cut -d: -f2 | sort -u)" /below
	is "$(inside --cgroup /below/deep | cut -d: -f2 | sort -u)" /below/deep
	is "$(inside --cgroup / | cut -d: -f2 | sort -u)" /
	if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
		found=$(inside --cgroup memory,pids:below --cgroup cpu:/below/deep)
		like "$found" 'memory:/below' && like "$found" 'pids:/below' && like "$found" 'cpu[^:]*:/below/deep' && like "$found" 'freezer:/($|[^b])'
	fi
	says 255 'is not a sub cgroup path' rt exec --cgroup ../other "$TAG-sub" true
	says 255 'no such file or directory' rt exec --cgroup nosuch "$TAG-sub" true
	says 255 'unknown controller nosuch' rt exec --cgroup nosuch:below "$TAG-sub" true
	says 255 'missing' rt exec --cgroup below --cgroup below "$TAG-sub" true
	remove sub
}

@test "--process FILE says it all" {
	process '.env = ["PATH=/bin", "ONLY=this"] | .cwd = "/tmp" | .user = {uid: 1, gid: 2, additionalGids: [3, 4]}
		| .rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}] | .noNewPrivileges = false
		| .capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"]}' sh -c \
		'env | grep -E "ONLY|FROM|MARK"; pwd; id -u; id -G; ulimit -n; ulimit -Hn
		awk "/^(Cap|NoNew)/ { print \$1 \$2 }" /proc/self/status'
	run --separate-stderr box --process "$DIR/process.json" "$(B)"
	is "$status" 0
	is "$output" 'ONLY=this
/tmp
1
2 3 4
77
88
CapInh:0000000000000000
CapPrm:0000000000000000
CapEff:0000000000000000
CapBnd:0000000000000020
CapAmb:0000000000000000
NoNewPrivs:0'
	process . sh -c 'exit 33'
	run box -p "$DIR/process.json" "$(B)"
	is "$status" 33
	says 255 'no such file' rt exec --process "$DIR/nosuch.json" "$(B)"
	process '.user.umask = 63' sh -c umask
	[[ ${RUNTIME##*/} =~ ^(runc|crun)$ ]] || # they take the container's
		is "$(box --process "$DIR/process.json" "$(B)")" 0077
}

@test "--detach: the pid file is whole, the process a child of the subreaper, its exit status known" {
	process . sh -c 'echo detached; exit 5'
	run python3 - "$RUNTIME" --root "$DIR/state" exec --process "$DIR/process.json" --detach --pid-file "$DIR/exec.pid" "$(B)" <<-'END'
		import ctypes, os, subprocess, sys
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
		r, w = os.pipe()
		subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=w)
		os.close(w)
		text = open(sys.argv[sys.argv.index("--pid-file") + 1]).read()
		assert text.isdecimal(), repr(text)
		print(os.waitstatus_to_exitcode(os.waitpid(int(text), 0)[1]))
		print(os.read(r, 100), os.read(r, 100))  # the end: nobody else holds the pipe
	END
	is "$output" $'5\nb\'detached\\n\' b\'\'' && rm "$DIR/exec.pid"
}

@test "a signal to exec in the foreground reaches its process" {
	local pid status=0
	"$RUNTIME" --root "$DIR/state" exec "$(B)" sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' \
		</dev/null >"$DIR/relay" 3>&- &
	pid=$!
	await 10 grep -q ready "$DIR/relay"
	kill -TERM "$pid"
	wait "$pid" || status=$?
	is "$status" 8
}

@test "a signal to exec in the foreground reaches its process, however early, and leaves none behind" {
	local pid status=0
	command -v strace >/dev/null || skip "no strace"
	strace -qq -o /dev/null -e trace=write -e inject=write:delay_exit=500000 "$RUNTIME" --root "$DIR/state" \
		exec "$(B)" sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' </dev/null >"$DIR/early" 3>&- &
	pid=$!
	await 10 grep -q ready "$DIR/early"
	kill -TERM "$(pgrep -P "$pid")" # ketch-oci, which is still in the write that lets its child go on
	wait "$pid" || status=$?
	is "$status" 8
}

@test "--tty at a terminal: size, resize, interrupt, exit status" {
	run "$E2E/terminal.py" 30x100 'expect=sized as 30 100' resize=40x120 'expect=sized as 40 120' 'send=\x03' -- \
		"$RUNTIME" --root "$DIR/state" exec --tty "$(B)" sh -c 'trap "exit 9" INT
			for size in "30 100" "40 120"; do until [ "$(stty size)" = "$size" ]; do :; done; echo sized as $size; done
			while :; do sleep 0.1; done'
	is "$status" 9 || { echo "$output" >&2; return 1; }
}

@test "--tty --console-socket: the master is handed over" {
	process '.terminal = true' sh -c 'tty; stty size; read x; stty size; exit 4'
	run "$OCI/console.py" "$DIR/console" expect=/dev/pts/ resize=11x22 'send=\r' 'expect=11 22' -- "$RUNTIME" --root "$DIR/state" \
		exec --process "$DIR/process.json" --detach --tty --console-socket "$DIR/console" --pid-file "$DIR/tty.pid" "$(B)"
	is "$status" 0 || { echo "$output" >&2; return 1; }
	like "$output" 'ptmx'
}

@test "thirty at once, and none is left" {
	local i
	for ((i = 0; i < 30; i++)); do box "$(B)" sh -c "exit $i" & pids[i]=$!; done
	for ((i = 0; i < 30; i++)); do
		status=0
		wait "${pids[i]}" || status=$?
		is "$status" "$i"
	done
	is "$(rt ps -f json "$(B)" | jq length)" "$(box "$(B)" sh -c 'set -- /proc/[0-9]*; echo $(($# - 1))')"
}

@test "an exec while the container ends: its status or 255, never a wait without end" {
	local i
	for i in 1 2 3 4 5; do
		staying short
		timeout 20 "$RUNTIME" --root "$DIR/state" exec "$TAG-short" sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
		rt kill "$TAG-short" KILL
		status=0
		wait $! || status=$?
		like "$status" '^(137|255)$'
		remove short
	done
}
