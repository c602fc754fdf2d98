# attacks.bats - the attack classes A1 to A15 of starting, entering and ending containers, as seen from outside
load lib

hash() { sha256sum "$RUNTIME" | cut -d' ' -f1; }

@test "A1: the runtime's binary cannot be overwritten from inside, not even when it is the container's program" {
	local before
	before=$(hash)
	printf '#!/proc/self/exe\n' >"$DIR/rootfs/self" && chmod 755 "$DIR/rootfs/self"
	staying a1
	rt exec --detach "$TAG-a1" sh -c 'while :; do for p in /proc/[0-9]*/exe; do echo overwritten >$p; done; done' </dev/null >/dev/null 2>&1 3>&-
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		run timeout 10 "$RUNTIME" --root "$DIR/state" exec "$TAG-a1" /self </dev/null 3>&-
		run timeout 10 "$RUNTIME" --root "$DIR/state" exec "$TAG-a1" /proc/self/exe --version </dev/null 3>&-
	done
	remove a1
	rm "$DIR/rootfs/self"
	is "$(hash)" "$before"
}

@test "A2: no working directory and no program behind a descriptor of ours" {
	local fd
	for fd in $(seq 3 24); do
		bundle a2 ".process.cwd = \"/proc/self/fd/$fd\"" sh -c 'ls ../../../../../../etc/shadow && echo reached'
		run timeout 10 "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/a2" "$TAG-a2" </dev/null 3>&-
		unlike "$output" reached
		[ "$status" -ne 0 ]
	done
	clean_up 2>/dev/null
}

@test "A3: mount targets that are links, or swapped while it starts, lead nowhere outside" {
	local i swapper
	mkdir "$DIR/canary" && echo untouched >"$DIR/canary/file"
	ln -s "$DIR/canary" "$DIR/rootfs/link"
	bundle a3 '.mounts += [{destination: "/link/x/y", type: "tmpfs", source: "tmpfs"}]' true
	run rt run --bundle "$DIR/b/a3" "$TAG-a3" </dev/null 3>&-
	is "$(ls "$DIR/canary")" file
	mkdir -p "$DIR/rootfs/swap/x" && ln -s "$DIR/canary" "$DIR/rootfs/swapped"
	python3 - "$DIR/rootfs/swap" "$DIR/rootfs/swapped" <<-'END' 3>&- &
		import ctypes, os, sys
		libc, a, b = ctypes.CDLL(None), sys.argv[1].encode(), sys.argv[2].encode()
		parent = os.getppid()
		while os.getppid() == parent:
			libc.renameat2(-100, a, -100, b, 2)  # RENAME_EXCHANGE
	END
	swapper=$!
	bundle a3 '.mounts += [{destination: "/swap/x", type: "tmpfs", source: "tmpfs"}, {destination: "/swap/new/dir", type: "tmpfs", source: "tmpfs"}]' true
	for i in $(seq 25); do
		run timeout 10 "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/a3" "$TAG-a3" </dev/null 3>&-
	done
	kill -9 "$swapper" && wait "$swapper" || :
	is "$(ls "$DIR/canary")" file
	is "$(cat "$DIR/canary/file")" untouched
	rm -rf "$DIR/rootfs/link" "$DIR/rootfs/swap" "$DIR/rootfs/swapped"
}

@test "A4: a hostile /dev, /dev/null, /dev/pts or /proc in the root: never the host's, never a masked path open" {
	local target path root=$DIR/hostile
	for target in /proc ../../../../tmp "$DIR/canary"; do
		for path in dev proc sys dev/null dev/pts dev/console dev/ptmx; do
			rm -rf "$root" && cp -a "$DIR/rootfs" "$root"
			rm -rf "${root:?}/$path" && ln -s "$target" "$root/$path"
			bundle a4 ".root.path = \"$root\"" sh -c 'stat -c "null %t:%T" /dev/null; [ -s /proc/kcore ] && echo open; head -c 1 /proc/timer_list | wc -c'
			run timeout 10 "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/a4" "$TAG-a4" </dev/null 3>&-
			[ "$status" -ne 0 ] || { like "$output" 'null 1:3' && unlike "$output" '(open|^1$)'; }
		done
	done
	is "$(stat -c '%u:%g %a' /dev/null)" '0:0 666'
	clean_up 2>/dev/null
}

@test "A5: a false /proc is not written to: mounts over it and in it are refused" {
	beyond runc 'mounts there'
	local destination
	for destination in /proc/self/attr /proc/sys/kernel /proc/self; do
		bundle a5 ".mounts += [{destination: \"$destination\", type: \"tmpfs\", source: \"tmpfs\"}]" true
		says 1 '' rt create --bundle "$DIR/b/a5" "$TAG-a5"
		audit
	done
}

@test "A6: inheritable and ambient capabilities are empty unless asked for; the five sets are exact" {
	is "$(printed a6 . sh -c 'grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2 | sort -u')" 0000000000000000
	is "$(printed a6 '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"], permitted: ["CAP_KILL", "CAP_CHOWN"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]} | .process.user = {uid: 7, gid: 7}' \
		sed -n 's/^Cap.*:\t0*//p' /proc/self/status | paste -sd' ')" '20 20 20 21 20'
}

@test "A7: the user is exactly the one asked for" {
	beyond runc 'takes several, one as 0'
	local user
	staying a7
	for user in 4294967296 4294967295 -1 1: :1 1:2:3 0x0 1.0 ' 1' '1 '; do
		run rt exec --user "$user" "$TAG-a7" id -u </dev/null 3>&-
		[ "$status" -ne 0 ] || { echo "taken: '$user' as $output" >&2; return 1; }
	done 2>&1
	remove a7
}

@test "A8: no way out by cgroups" {
	beyond runc 'leaves cgroups writable for CAP_SYS_ADMIN'
	is "$(printed a8 '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])' sh -c '
		for d in /sys/fs/cgroup /sys/fs/cgroup/*; do echo x >$d/release_agent && echo agent; mkdir $d/x && echo made; done 2>/dev/null; echo end')" end
}

@test "A9: what the filter lets through, call by call, in every ABI, is the golden table" {
	local docker=$OCI/../unit/seccomp/profiles/docker.json
	cc -D_GNU_SOURCE -O1 -static -o "$DIR/rootfs/bin/surface" "$OCI/surface.c"
	surface() { # PROFILE
		bundle a9 ".linux.seccomp = ($1)" surface
		timeout 60 "$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/a9" "$TAG-a9" </dev/null 2>&1 3>&- >"$DIR/surface"
	}
	surface "$(jq -c . "$docker")"
	[ "$(wc -l <"$DIR/surface")" -ge 4 ]
	is "$(grep -vxFf "$OCI/surface.docker" "$DIR/surface" | grep -vx 'i386: none')" '' # the kernel may lack the entry for i386
	# without the other ABIs among its architectures, all of theirs is refused
	surface "$(jq -c '.architectures = ["SCMP_ARCH_X86_64"]' "$docker")"
	is "$(grep -v ^x86_64 "$DIR/surface" | grep -vE '^(x32|i386) ?(calls|families)?:( none)?$')" ''
	rm "$DIR/rootfs/bin/surface"
}

@test "A10: nothing of the image runs with the host's rights" {
	local root=$DIR/trojan
	cp -a "$DIR/rootfs" "$root"
	mkdir -p "$root/lib/x86_64-linux-gnu" "$root/etc"
	printf '#!/bin/sh\necho trojan >/marker\n' >"$root/trojan" && chmod 755 "$root/trojan"
	echo /trojan >"$root/etc/ld.so.preload"
	for f in libc.so.6 libnss_files.so.2 libseccomp.so.2 libgcc_s.so.1; do cp "$root/trojan" "$root/lib/x86_64-linux-gnu/$f"; done
	bundle a10 ".root.path = \"$root\"" "${STAY[@]}"
	up a10
	rt exec --user 1000 "$TAG-a10" true </dev/null 3>&- || :
	rt ps "$TAG-a10" >/dev/null
	remove a10
	[ ! -e "$root/marker" ] && [ ! -e /marker ]
}

# Keys that runtimes and their callers give a meaning to.
reserved() {
	jq -n --arg dir "$DIR" '{"run.oci.handler": "krun", "run.oci.hooks.stdout": "\($dir)/marker", "run.oci.hooks.stderr": "\($dir)/marker",
		"run.oci.keep_original_groups": "1", "run.oci.seccomp.receiver": "\($dir)/marker", "run.oci.seccomp_bpf_data": "AAAAAAAAAAA=",
		"run.oci.systemd.subgroup": "sub", "run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup", "run.oci.delegate": "x", "run.oci.mount_context_type": "x",
		"run.oci.pidfd_receiver": "\($dir)/marker", "org.criu.config": "\($dir)/marker", "org.systemd.property.CPUWeight": "uint64 1",
		"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri-o.TTY": "true", "io.katacontainers.config.hypervisor.path": "/bin/sh",
		"io.podman.annotations.privileged": "TRUE", "cdi.k8s.io/x": "vendor.com/device=all", "krun.cpus": "1", "ketch.isolation": "vm",
		"io.ketch.privileged": "true", "bundle": "/", "rootfs": "/", "cgroups": "/", "pid": "1", "seccomp": "unconfined", "process.user": "0"}'
}

@test "A11: annotations, labels and files of the image are data: with every reserved key, the container is the same" {
	local probe='cat /proc/self/mountinfo | cut -d" " -f4-6,8-; grep -vE "^(Pid|NSpid|NStgid|NSpgid|NSsid|Tgid|PPid|Ngid|.*ctxt|Vm|Rss|Cpus|Mems)" /proc/self/status
		cat /proc/self/limits /proc/self/cgroup; env; id; stat -c "%n %A %u:%g %t:%T" /dev/*; ulimit -a' root=$DIR/hostile kind
	seen() { # KIND JQ: by itself, by exec, from the host
		local host
		bundle "$1" "$2" "${STAY[@]}"
		up "$1" && await 10 grep -q ready "$DIR/$1.out"
		rt exec "$TAG-$1" sh -c "$probe" </dev/null 3>&-
		rt state "$TAG-$1" | jq -S 'del(.annotations, .pid, .created, .id, .bundle, .rootfs)'
		for host in status limits cgroup; do grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Max |[0-9]+:)' "/proc/$(pid_of "$1")/$host"; done
		ls "$DIR/state/$TAG-$1"
		remove "$1"
	}
	cp -a "$DIR/rootfs" "$root"
	jq . <<<'{"process": {"user": {"uid": 0}}, "hooks": {"prestart": [{"path": "/bin/touch", "args": ["touch", "/marker"]}]}}' >"$root/config.json"
	cp "$root/config.json" "$root/state.json"
	mkdir -p "$root/etc/ketch" "$root/etc/cdi" "$root/run/ketch-oci" && cp "$root/config.json" "$root/etc/ketch/"
	mkfifo "$root/start"
	bundle as-data . && cp "$root/state.json" "$DIR/b/as-data/" # beside config.json
	seen plain '.process.user = {uid: 7, gid: 7}' | sed "s/$TAG-plain/ID/g; s/plain/ID/g" >"$DIR/plain.seen"
	seen as-data ".process.user = {uid: 7, gid: 7} | .root.path = \"$root\" | .annotations = $(reserved)" |
		sed "s/$TAG-as-data/ID/g; s/as-data/ID/g; s/hostile/rootfs/g" >"$DIR/data.seen"
	diff "$DIR/plain.seen" "$DIR/data.seen"
	[ "$(wc -l <"$DIR/plain.seen")" -gt 60 ]
	for kind in "$DIR/marker" "$root/marker" /marker; do [ ! -e "$kind" ]; done
}

@test "A12: under umask 0 the state is nobody else's" {
	beyond runc 'leaves a FIFO open to all'
	(umask 0 && bundle a12 . sleep 1000 && create a12)
	is "$(find "$DIR/state" -mindepth 1 ! -type l -perm /022)" ''
	is "$(find "$DIR/state" -mindepth 1 -maxdepth 1 -perm /077 ! -perm 711)" ''
	remove a12
}

@test "A13: a pid that belongs to somebody else by now is not killed" {
	local pid stranger
	bundle a13 . sleep 1000
	up a13
	pid=$(pid_of a13)
	kill -9 "$pid"
	ended a13
	stranger=
	for _ in 1 2 3 4 5; do
		echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid 2>/dev/null || skip "pids cannot be chosen here"
		sleep 1001 >/dev/null 2>&1 3>&- &
		stranger=$!
		[ "$stranger" != "$pid" ] || break
		kill "$stranger"
	done
	[ "$stranger" = "$pid" ] || skip "the pid was not to be had"
	is "$(status_of a13)" stopped
	rt kill "$TAG-a13" KILL 2>/dev/null || :
	remove a13
	kill -0 "$stranger" # it lives
	kill "$stranger"
}

@test "A14: nothing of the caller's environment is to be seen in any process of the container" {
	staying a14
	unlike "$(MARK1=host rt exec "$TAG-a14" sh -c 'cat /proc/1/environ /proc/self/environ | tr "\0" "\n"' </dev/null 3>&-)" 'BATS|MARK1|RUNTIME'
	remove a14
}

@test "A15: the caller's terminal is out of reach" {
	run "$E2E/terminal.py" 30x100 'expect=not mine' -- "$RUNTIME" --root "$DIR/state" run --bundle "$(bundle a15 . \
		sh -c '(: </dev/tty) 2>/dev/null && echo it is mine || echo not mine'; echo "$DIR/b/a15")" "$TAG-a15"
	is "$status" 0
}
