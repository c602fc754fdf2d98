# podman.bats - Podman (conmon) with our runtime: run, exec, pods, kill, logs, stats, pause, update, healthcheck
load lib

setup_file() {
	caller_open
	# Podman raises RLIMIT_NOFILE and RLIMIT_NPROC for every container; only our runtime bears a machine that refuses.
	export ULIMITS=
	[[ ! ${RUNTIME##*/} =~ ^(runc|crun)$ ]] || ULIMITS='--ulimit nofile=1024:1024 --ulimit nproc=1024:1024'
	pod load -q -i "$DIR/image.tar" >/dev/null
}
teardown_file() {
	pod rm -fa -t 0 >/dev/null
	pod pod rm -fa >/dev/null
	caller_close
}
teardown() { [ -n "${BATS_TEST_COMPLETED-}" ] || pod rm -fa -t 0 >&2; }

pod() {
	timeout 60 podman --root "$DIR/root" --runroot "$DIR/run" --tmpdir "$DIR/podman" --storage-driver vfs --cgroup-manager cgroupfs \
		--events-backend file --runtime "$RUNTIME" "$@" 3>&-
}
# shellcheck disable=SC2086
prun() { pod run $ULIMITS --network none "$@"; } # FLAGS... IMAGE COMMAND...
IMAGE=docker.io/test/base:1
state_is() { [ "$(pod inspect -f '{{.State.Status}}' "$1" 2>/dev/null)" = "$2" ]; } # NAME STATUS

@test "run: output, exit statuses 3, 126, 127, stdin" {
	run --separate-stderr prun --rm $IMAGE sh -c 'echo out; exit 3' </dev/null
	is "$status" 3 && is "$output" out
	run -127 prun --rm $IMAGE /nope </dev/null
	is "$status" 127 && like "$output" 'no such file or directory'
	run -127 prun --rm $IMAGE nope </dev/null
	is "$status" 127 && like "$output" 'executable file.* not found in'
	run prun --rm $IMAGE /etc/passwd </dev/null
	is "$status" 126 && like "$output" 'permission denied'
	is "$(echo through | prun --rm -i $IMAGE cat)" through
}

@test "detached: exec, its statuses, logs, top, stats, kill, wait, rm" {
	prun -d --name box $IMAGE "${STAY[@]}" >/dev/null
	state_is box running
	is "$(pod exec box echo inside </dev/null)" inside
	run pod exec box sh -c 'exit 9' </dev/null
	is "$status" 9
	run -127 pod exec box /nope </dev/null
	is "$status" 127
	run pod exec box /etc/passwd </dev/null
	is "$status" 126
	is "$(pod exec -u 1000:1000 -w /tmp -e A=b box sh -c 'id -u; pwd; echo $A' </dev/null | paste -sd' ')" '1000 /tmp b'
	ready() { pod logs box | grep -q ready; }
	await 10 ready
	like "$(pod top box)" 'sh -c'
	like "$(pod stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' box)" '^box .*B.* [0-9]+$'
	pod kill -s TERM box >/dev/null
	is "$(pod wait box)" 0
	pod rm box >/dev/null
}

@test "exec --detach, exec of a stopped container" {
	prun -d --name detached $IMAGE "${STAY[@]}" >/dev/null
	pod exec -d detached sh -c 'echo written >/tmp/done; exit 4' </dev/null >/dev/null
	written() { pod exec detached cat /tmp/done </dev/null | grep -q written; }
	await 10 written
	pod stop -t 1 detached >/dev/null
	run pod exec detached true </dev/null
	[ "$status" -ne 0 ]
	pod rm detached >/dev/null
}

@test "pause, unpause, update, restart" {
	prun -d --name paused --memory 64m $IMAGE "${STAY[@]}" >/dev/null
	pod pause paused >/dev/null
	state_is paused paused
	pod unpause paused >/dev/null
	state_is paused running
	if pod update --help >/dev/null 2>&1; then pod update --memory 96m paused >/dev/null; fi
	pod restart -t 1 paused >/dev/null
	state_is paused running
	pod rm -f -t 0 paused >/dev/null
}

@test "a pty: run -it, exec -it" {
	# shellcheck disable=SC2086
	run "$E2E/terminal.py" 30x100 'expect=sized as 30 100' 'send=\r' -- podman --root "$DIR/root" --runroot "$DIR/run" --tmpdir "$DIR/podman" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend file --runtime "$RUNTIME" run $ULIMITS --network none --rm -it $IMAGE \
		sh -c 'until [ "$(stty size)" = "30 100" ]; do :; done; echo sized as 30 100; read x; exit 6'
	is "$status" 6 || { echo "$output" >&2; return 1; }
}

@test "a pod: its containers share what a pod shares" {
	like "$(pod pod --help)" create
	pod pod create --infra=false --name p >/dev/null
	prun -d --pod p --name p1 $IMAGE "${STAY[@]}" >/dev/null || { pod pod rm -f p; return 1; }
	is "$(pod exec p1 echo in the pod </dev/null)" 'in the pod'
	pod pod kill p >/dev/null
	await 10 state_is p1 exited
	pod pod rm -f p >/dev/null
}

@test "containers that share namespaces by path" {
	prun -d --name first $IMAGE "${STAY[@]}" >/dev/null
	is "$(prun --rm --ipc container:first --pid container:first $IMAGE readlink /proc/self/ns/ipc)" "$(pod exec first readlink /proc/self/ns/ipc </dev/null)"
	pod rm -f -t 0 first >/dev/null
}

@test "health check" {
	prun -d --name health --health-cmd 'test -e /healthy' --health-interval disable $IMAGE "${STAY[@]}" >/dev/null
	run pod healthcheck run health
	is "$status" 1
	pod exec health touch /healthy </dev/null
	pod healthcheck run health
	pod rm -f -t 0 health >/dev/null
}

@test "user namespace, read-only root, tmpfs, init, capabilities, seccomp" {
	is "$(prun --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $IMAGE cat /proc/self/uid_map | awk '{ print $1, $2, $3 }')" '0 100000 65536'
	run prun --rm --read-only --tmpfs /scratch $IMAGE sh -c 'touch /scratch/x && echo ok; touch /x'
	like "$output" ok && like "$output" 'Read-only'
	is "$(prun --rm --cap-drop all $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status)" 0000000000000000
	is "$(prun --rm $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status)" 2
	is "$(prun --rm --privileged $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status)" 0
}

@test "checkpoint and restore where CRIU can, else an error that names it, and the container goes on" {
	prun -d --name cp $IMAGE "${STAY[@]}" >/dev/null
	run pod container checkpoint cp
	if [ "$status" = 0 ]; then
		state_is cp exited
		pod container restore cp >/dev/null
	else
		like "$output" '[Cc][Rr][Ii][Uu]'
	fi
	state_is cp running
	is "$(pod exec cp echo alive </dev/null)" alive
	pod rm -f -t 0 cp >/dev/null
}
