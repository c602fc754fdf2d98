# docker.bats - dockerd with our runtime added: run, exec, logs, stop, update, stats, --init, a pty, user namespaces
load lib

setup_file() {
	caller_open
	start_dockerd
	dock load -i "$DIR/image.tar" >/dev/null
}
teardown_file() {
	dock ps -aq | xargs -r "$DOCKER" -H "unix://$DIR/docker.sock" rm -f >/dev/null
	ended_daemon dockerd
	caller_close
}
teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || { dock ps -aq | xargs -r "$DOCKER" -H "unix://$DIR/docker.sock" rm -f; tail -n 5 "$DIR/dockerd.log"; } >&2
}

start_dockerd() { # [FLAG...]
	# not the machine's configuration
	echo '{}' >"$DIR/dockerd.json"
	daemon dockerd "dock version" dockerd --config-file "$DIR/dockerd.json" --host "unix://$DIR/docker.sock" --pidfile "$DIR/docker.pid" \
		--data-root "$DIR/docker" --exec-root "$DIR/exec" --bridge none --iptables=false --ip6tables=false --ip-forward=false \
		--storage-driver overlay2 --add-runtime "tested=$RUNTIME" --default-runtime tested --exec-opt native.cgroupdriver=cgroupfs "$@"
}
DOCKER=/usr/bin/docker # Debian's
dock() { timeout 60 "$DOCKER" -H "unix://$DIR/docker.sock" "$@" 3>&-; }
drun() { dock run --network none "$@"; } # FLAGS... IMAGE COMMAND...
IMAGE=test/base:1
state_is() { [ "$(dock inspect -f '{{.State.Status}}' "$1")" = "$2" ]; } # NAME STATUS

@test "run: output, exit statuses 3, 126, 127, stdin" {
	run --separate-stderr drun --rm $IMAGE sh -c 'echo out; exit 3' </dev/null
	is "$status" 3 && is "$output" out
	run -127 drun --rm $IMAGE /nope </dev/null
	is "$status" 127 && like "$output" 'no such file or directory'
	run -127 drun --rm $IMAGE nope </dev/null
	is "$status" 127 && like "$output" 'executable file not found in'
	run drun --rm $IMAGE /etc/passwd </dev/null
	is "$status" 126 && like "$output" 'permission denied'
	is "$(echo through | drun --rm -i $IMAGE cat)" through
}

@test "detached: exec, its statuses, logs, top, stats, stop" {
	drun -d --name box $IMAGE "${STAY[@]}" >/dev/null
	is "$(dock inspect -f '{{.HostConfig.Runtime}} {{.State.Status}}' box)" 'tested running'
	is "$(dock exec box echo inside </dev/null)" inside
	run dock exec box sh -c 'exit 9' </dev/null
	is "$status" 9
	run -126 dock exec box /nope </dev/null # 126 is what dockerd 20.10 says
	is "$(dock exec -u 1000:1000 -w /tmp -e A=b box sh -c 'id -u; pwd; echo $A' </dev/null | paste -sd' ')" '1000 /tmp b'
	ready() { dock logs box | grep -q ready; }
	await 10 ready
	like "$(dock top box)" 'sh -c'
	like "$(dock stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' box)" '^box .*iB.* [0-9]+$'
	dock stop -t 5 box >/dev/null
	is "$(dock inspect -f '{{.State.ExitCode}}' box)" 0
	dock rm box >/dev/null
}

@test "update, pause, restart, kill" {
	drun -d --name upd --memory 64m --pids-limit 100 $IMAGE "${STAY[@]}" >/dev/null
	dock update --memory 96m --memory-swap 96m --pids-limit 77 upd >/dev/null
	is "$(dock inspect -f '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' upd)" '100663296 77'
	like "$(dock stats --no-stream --format '{{.MemUsage}}' upd)" '96MiB'
	dock pause upd >/dev/null
	state_is upd paused
	dock unpause upd >/dev/null
	dock restart -t 2 upd >/dev/null
	state_is upd running
	dock kill upd >/dev/null
	await 10 state_is upd exited
	is "$(dock inspect -f '{{.State.ExitCode}}' upd)" 137
	dock rm upd >/dev/null
}

@test "-it through a pty: run and exec" {
	run "$E2E/terminal.py" 30x100 'expect=sized as 30 100' 'send=\r' -- "$DOCKER" -H "unix://$DIR/docker.sock" run --network none --rm -it $IMAGE \
		sh -c 'until [ "$(stty size)" = "30 100" ]; do :; done; echo sized as 30 100; read x; exit 6'
	is "$status" 6 || { echo "$output" >&2; return 1; }
	drun -d --name tty $IMAGE "${STAY[@]}" >/dev/null
	run "$E2E/terminal.py" 30x100 'expect=sized as 30 100' 'send=\r' -- "$DOCKER" -H "unix://$DIR/docker.sock" exec -it tty \
		sh -c 'until [ "$(stty size)" = "30 100" ]; do :; done; echo sized as 30 100; read x; exit 7'
	is "$status" 7 || { echo "$output" >&2; return 1; }
	dock rm -f tty >/dev/null
}

@test "--init, tmpfs, read-only root, capabilities, seccomp, privileged, memory over its limit" {
	command -v docker-init >/dev/null || [ -x /usr/libexec/docker/docker-init ] || echo "# no docker-init: --init not tried" >&3
	! command -v docker-init >/dev/null || like "$(drun --rm --init $IMAGE ps)" '1 .*docker-init'
	run drun --rm --read-only --tmpfs /scratch $IMAGE sh -c 'touch /scratch/x && echo ok; touch /x'
	like "$output" ok && like "$output" 'Read-only'
	is "$(drun --rm --cap-drop all $IMAGE awk '/^CapEff/ { print $2 }' /proc/self/status)" 0000000000000000
	is "$(drun --rm $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status)" 2
	# the machine may lack capabilities that dockerd wants given: only our runtime bears it
	[ "${RUNTIME##*/}" = runc ] || is "$(drun --rm --privileged $IMAGE awk '/^Seccomp:/ { print $2 }' /proc/self/status)" 0
	drun --name oom --memory 16m --memory-swap 16m $IMAGE sh -c 'head -c 200000000 /dev/zero | tail; exit 0' >/dev/null 2>&1 || :
	dock rm -f oom >/dev/null
}

@test "removed without a wait of ten seconds: nobody kept the pipes" {
	local before i best=99
	for i in 1 2 3; do # a busy machine may take long, too, but hardly each time
		before=$SECONDS
		drun --rm $IMAGE true
		[ $((SECONDS - before)) -ge "$best" ] || best=$((SECONDS - before))
		[ "$best" -ge 9 ] || return 0
	done
	is "$best" 'less than 9 seconds'
}

# The last: the daemon is another one then.
@test "user namespaces: dockerd --userns-remap" {
	ended_daemon dockerd
	printf 'daemon:200000:65536\n' >"$DIR/ids"
	mount --bind "$DIR/ids" /etc/subuid || skip "this machine has no /etc/subuid"
	mount --bind "$DIR/ids" /etc/subgid
	start_dockerd --userns-remap daemon
	dock load -i "$DIR/image.tar" >/dev/null
	is "$(drun --rm $IMAGE cat /proc/self/uid_map | awk '{ print $1, $2, $3 }')" '0 200000 65536'
	is "$(drun --rm $IMAGE id -u)" 0
	drun -d --name remap $IMAGE "${STAY[@]}" >/dev/null
	is "$(dock exec remap awk '/^Uid/ { print $2 }' /proc/self/status </dev/null)" 0
	dock rm -f remap >/dev/null
}
