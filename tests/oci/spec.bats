# spec.bats - what the runtime-spec's words do to a real container, as far as no other file asks: read back from inside
load lib

@test "process: scheduler, ioPriority, execCPUAffinity, umask, rlimits, groups, personality" {
	beyond runc 'older than some of them'
	beyond crun 'older than some of them'
	is "$(printed process '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
		| .process.execCPUAffinity = {initial: "0", final: "0"} | .linux.personality = {domain: "LINUX32"}
		| .process.user = {uid: 7, gid: 8, umask: 63, additionalGids: [9, 10]}
		| .process.rlimits = [{type: "RLIMIT_CORE", soft: 1024, hard: 2048}, {type: "RLIMIT_NOFILE", soft: 77, hard: 88}]' sh -c '
		cut -d" " -f19,41 /proc/self/stat; ionice; uname -m; umask; id -u; id -G; ulimit -n; ulimit -Hn
		awk "/core file/ { print \$5, \$6 }" /proc/self/limits; sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status')" '5 3
best-effort: prio 6
i686
0077
7
8 9 10
77
88
1024 2048
0'
}

@test "a limit above the host's: raised where the host lets it be, else as far as it goes and one warning; never a failure" {
	beyond runc 'fails where it may not raise'
	beyond crun 'fails where it may not raise'
	local hard want warned=1
	hard=$(ulimit -Hn) want=$(($(ulimit -Hn) + 1))
	[ "$want" -le "$(cat /proc/sys/fs/nr_open)" ] || skip "the highest limit that there is is the host's"
	bundle raise ".process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: $want, hard: $want}]" sh -c 'ulimit -n; ulimit -Hn'
	# CAP_SYS_RESOURCE is number 24
	if ((0x$(sed -n 's/^CapEff:.//p' /proc/self/status) >> 24 & 1)); then hard=$want warned=0; fi
	output_of raise >"$DIR/said"
	is "$(grep -vc '^[0-9]' "$DIR/said")" "$warned" || { cat "$DIR/said" >&2; return 1; }
	is "$(grep '^[0-9]' "$DIR/said" | paste -sd' ')" "$hard $hard"
}

@test "names and times: hostname, domainname, sysctl, timeOffsets; a namespace by its path" {
	beyond runc 'has no time namespace'
	beyond crun 'older than domainname'
	local host there
	printed names '.hostname = "sloop" | .domainname = "example.org" | .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
		| .linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 7200}, boottime: {secs: 86400, nanosecs: 5}}' sh -c '
		hostname; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced
		awk "{ print \$1, \$2, \$3 }" /proc/self/timens_offsets; cut -d. -f1 /proc/uptime' >"$DIR/said"
	is "$(head -n 6 "$DIR/said")" 'sloop
example.org
1
1
monotonic 7200 0
boottime 86400 5'
	host=$(cut -d. -f1 /proc/uptime) there=$(tail -n 1 "$DIR/said")
	[ $((there - host)) -gt 86300 ]
	# all that one can be given, of a container that is there
	staying harbour '.hostname = "harbour" | .linux.namespaces += [{type: "time"}]'
	bundle guest ".linux.namespaces |= map(if .type == \"pid\" or .type == \"mount\" or .type == \"cgroup\" then . else .path = \"/proc/$(pid_of harbour)/ns/\" + {network: \"net\", ipc: \"ipc\", uts: \"uts\"}[.type] end)
		| .linux.namespaces += [{type: \"time\", path: \"/proc/$(pid_of harbour)/ns/time\"}] | del(.hostname)" \
		sh -c 'hostname; for n in net ipc uts time; do readlink /proc/self/ns/$n; done'
	output_of guest >"$DIR/said"
	is "$(cat "$DIR/said")" "harbour
$(for n in net ipc uts time; do readlink "/proc/$(pid_of harbour)/ns/$n"; done)"
	remove harbour
}

@test "mounts: recursive options, tmpcopyup, a bind that is read-only below, masked and read-only paths, the root read-only" {
	beyond runc 'older than recursive options'
	beyond crun 'copies up in another way'
	mkdir -p "$DIR/below/deep" "$DIR/rootfs/full" "$DIR/rootfs/hidden"
	echo kept >"$DIR/rootfs/full/file" && echo secret >"$DIR/rootfs/hidden/file"
	mount -t tmpfs deep "$DIR/below/deep"
	is "$(printed mounts ".root.readonly = true | .linux.maskedPaths += [\"/hidden\"] | .linux.readonlyPaths += [\"/tmp\"] | .mounts += [
		{destination: \"/a\", type: \"bind\", source: \"$DIR/below\", options: [\"rbind\", \"rro\", \"rnoexec\", \"rnosuid\"]},
		{destination: \"/b\", type: \"bind\", source: \"$DIR/below\", options: [\"rbind\", \"ro\"]},
		{destination: \"/full\", type: \"tmpfs\", source: \"tmpfs\", options: [\"tmpcopyup\", \"size=1m\"]}]" sh -c '
		try() { if echo x >$1/new; then echo $1 written; rm $1/new; else echo $1 refused; fi 2>/dev/null; }
		for d in /a /a/deep /b /b/deep /full / /tmp; do try $d; done
		cat /full/file; ls /hidden; awk "\$5 == \"/a/deep\" { print \$6 }" /proc/self/mountinfo')" '/a refused
/a/deep refused
/b refused
/b/deep written
/full written
/ refused
/tmp refused
kept
ro,nosuid,noexec,relatime'
	umount "$DIR/below/deep"
	rm -r "$DIR/below" "$DIR/rootfs/full" "$DIR/rootfs/hidden"
}

# The agent answers a mkdir with EXDEV; the state that comes with the listener names the container and the metadata.
@test "seccomp: listenerPath; the agent gets the listener with the state, and its answer counts, for exec too" {
	beyond crun 'this version has no listenerPath'
	local agent
	python3 - "$DIR/agent" >"$DIR/agent.out" 3>&- <<-'END' &
		import array, errno, fcntl, json, os, socket, struct, sys
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(4)
		server.settimeout(20)
		for who in ("container", "exec"):
		    conn = server.accept()[0]
		    data, ancillary, _, _ = conn.recvmsg(65536, socket.CMSG_SPACE(16))
		    fds = array.array("i", ancillary[0][2])
		    state = json.loads(data)
		    print(who, state["state"]["id"].split("-")[-1], state["metadata"], state["fds"], len(fds), flush=True)
		    call = bytearray(80)
		    fcntl.ioctl(fds[0], 0xC0502100, call)  # SECCOMP_IOCTL_NOTIF_RECV
		    answer = struct.pack("=Qqii", struct.unpack_from("=Q", call)[0], 0, -errno.EXDEV, 0)
		    fcntl.ioctl(fds[0], 0xC0182101, answer)  # SECCOMP_IOCTL_NOTIF_SEND
	END
	agent=$!
	await 10 test -S "$DIR/agent"
	bundle notify ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", listenerPath: \"$DIR/agent\", listenerMetadata: \"of mine\",
		syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_NOTIFY\"}]}" \
		sh -c 'mkdir /tmp/x; trap "exit 0" TERM; tail -f /dev/null & echo ready; wait'
	up notify && await 10 grep -q ready "$DIR/notify.out"
	like "$(out notify)" 'mkdir.*(ross-device|Invalid cross)'
	run rt exec "$TAG-notify" mkdir /tmp/y </dev/null 3>&-
	like "$output" '(ross-device|Invalid cross)'
	wait "$agent"
	like "$(cat "$DIR/agent.out")" "container notify of mine \['seccompFd'\] 1
exec notify of mine \['seccompFd'\] 1"
	remove notify
	rm "$DIR/agent"
}

@test "what is refused by decision says where: intelRdt, personality flags, mounts over / and in /proc" {
	beyond runc 'refuses other things'
	beyond crun 'refuses other things'
	refuse() { # PLACE JQ
		bundle refused "$2" true
		says 1 "(config.json: )?$1" rt create --bundle "$DIR/b/refused" "$TAG-refused"
	}
	refuse linux.intelRdt '.linux.intelRdt = {closID: "x"}'
	refuse 'linux.personality.flags\[0\]' '.linux.personality = {domain: "LINUX", flags: ["x"]}'
	refuse 'mounts\[7\].destination' '.mounts += [{destination: "/", type: "tmpfs", source: "tmpfs"}]'
	refuse 'mounts\[7\].destination' '.mounts += [{destination: "/proc/sys", type: "tmpfs", source: "tmpfs"}]'
	refuse 'linux.devices\[0\].major' '.linux.devices = [{type: "c", path: "/dev/x"}]'
	refuse 'linux.devices\[0\].fileMode' '.linux.devices = [{type: "c", path: "/dev/x", major: 1, minor: 3, fileMode: 4096}]'
	refuse 'mounts\[7\].options\[0\]' '.mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs", options: [""]}]'
	refuse 'process.capabilities.bounding\[0\]' '.process.capabilities.bounding = ["CAP_NOSUCH"]'
}
