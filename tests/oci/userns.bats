# userns.bats - containers in user namespaces of their own and of others, made by root: podman --userns, Docker's userns-remap
load lib

MAPS='[{containerID: 0, hostID: 100000, size: 65536}]'
USERNS=".linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = $MAPS | .linux.gidMappings = $MAPS"
ALL_CAPS='.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])'
# A config that joins the namespaces TYPE:FILE of the process in $POD.
joining() { # TYPE...
	local type file
	for type in "$@"; do
		file=${type/network/net}
		printf '.linux.namespaces |= map(select(.type != "%s")) + [{type: "%s", path: "/proc/%s/ns/%s"}] | ' \
			"$type" "$type" "$POD" "$file"
	done
	echo .
}

@test "a user namespace: root inside is nobody's root, and what it makes belongs to the mapped user" {
	mkdir -p "$DIR/out" && chmod 777 "$DIR/out"
	bundle user "$USERNS | .mounts += [{type: \"bind\", source: \"$DIR/out\", destination: \"/tmp\", options: [\"bind\"]}]" \
		sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; echo >/tmp/file; cat /proc/self/oom_score_adj; hostname; ulimit -n'
	is "$(output_of user)" $'0\n0\n 0 100000 65536\n 0 100000 65536\n100\nbox\n512'
	is "$(stat -c %u:%g "$DIR/out/file")" 100000:100000
}

@test "its process on the host: mapped IDs, groups, a user of its own" {
	staying ids "$USERNS | .process.user = {uid: 1000, gid: 2000, additionalGids: [5, 6]}"
	is "$(awk '/^(Uid|Gid|Groups):/ { $1 = ""; print }' "/proc/$(pid_of ids)/status" | xargs)" \
		'101000 101000 101000 101000 102000 102000 102000 102000 100005 100006'
	remove ids
}

@test "devices are the host's nodes, with which nothing can be done but use them" {
	bundle dev "$USERNS" sh -c 'echo x >/dev/null && head -c1 /dev/zero | wc -c; chmod 600 /dev/null; mknod /dev/x c 1 3; ls /dev | xargs'
	run output_of dev
	like "$output" '^1[^0-9]'
	like "$output" 'chmod: .*(Read-only|not permitted)'
	like "$output" 'mknod: .*not permitted'
	like "$output" 'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
}

@test "linux.devices: another node of the host's, at its place" {
	bundle nodes "$USERNS | .linux.devices = [{path: \"/dev/full\", type: \"c\", major: 1, minor: 7, fileMode: 438}]" \
		sh -c 'stat -c %t:%T /dev/full; echo x >/dev/full'
	run output_of nodes
	like "$output" 1:7
	like "$output" 'No space left'
	bundle nodes "$USERNS | .linux.devices = [{path: \"/dev/nodevice\", type: \"c\", major: 77, minor: 7}]" true
	says 1 'linux.devices\[0\].*/dev/nodevice' create nodes
}

@test "file systems of its own: proc, sysfs, mqueue, devpts with a gid, tmpfs, cgroup" {
	bundle fs "$USERNS" sh -c \
		'grep -o "^[a-z]* /[^ ]* [a-z]* r[wo]" /proc/mounts | grep -E " (/proc|/dev|/dev/pts|/dev/mqueue|/dev/shm|/sys) "; ls /sys/fs/cgroup | grep -q . && echo cgroups'
	is "$(output_of fs | sort)" "$(printf '%s\n' 'cgroups' 'devpts /dev/pts devpts rw' 'mqueue /dev/mqueue mqueue rw' \
		'proc /proc proc rw' 'shm /dev/shm tmpfs rw' 'sysfs /sys sysfs ro' 'tmpfs /dev tmpfs rw' | sort)"
}

@test "exec: into the user namespace, with its root, another user, and rlimits" {
	staying exec "$USERNS"
	is "$(rt exec "$TAG-exec" sh -c 'id -u; tr -s " " </proc/self/uid_map; readlink /proc/self/ns/user' </dev/null)" \
		$'0\n 0 100000 65536\n'"$(readlink "/proc/$(pid_of exec)/ns/user")"
	is "$(rt exec --user 5:6 "$TAG-exec" sh -c 'id -u; id -g' </dev/null)" $'5\n6'
	remove exec
}

@test "a terminal in a user namespace, of create and of exec" {
	bundle term "$USERNS | .process.terminal = true" sh -c 'stat -c "owner %u" $(tty); (echo mine >/dev/tty); read x; exit 6'
	run "$E2E/terminal.py" 30x100 'expect=owner 0\s+mine' 'send=\r' -- \
		"$RUNTIME" --root "$DIR/state" run --bundle "$DIR/b/term" "$TAG-term"
	is "$status" 6 || { echo "$output" >&2; return 1; }
	staying texec "$USERNS"
	run "$E2E/terminal.py" 30x100 'expect=/dev/pts/0\s+30 100' 'send=\r' -- \
		"$RUNTIME" --root "$DIR/state" exec -t "$TAG-texec" sh -c 'tty; until [ "$(stty size)" = "30 100" ]; do :; done; stty size; read x; exit 5'
	is "$status" 5 || { echo "$output" >&2; return 1; }
	remove texec
}

@test "hooks: on the host as root, inside as the namespace's root" {
	local hook='{path: "/bin/sh", args: ["sh", "-c", "echo WHAT $(id -u) $(jq -r .status 2>/dev/null || echo state) >>'"$DIR"'/hooks"]}'
	: >"$DIR/hooks" && chmod 666 "$DIR/hooks"
	bundle hooks "$USERNS | .hooks = {createRuntime: [${hook/WHAT/createRuntime}], createContainer: [${hook/WHAT/createContainer}]}" true
	output_of hooks
	is "$(cut -d' ' -f1,2 "$DIR/hooks")" $'createRuntime 0\ncreateContainer 0'
}

@test "setgroups, capabilities and sysctls count in the namespace" {
	bundle caps "$USERNS | $ALL_CAPS | .linux.sysctl = {\"net.ipv4.ip_forward\": \"1\", \"kernel.msgmax\": \"9000\"}" \
		sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; hostname other && hostname'
	is "$(output_of caps)" $'1\n9000\nother'
}

@test "the user, network, IPC and UTS namespaces of another container (a pod)" {
	staying pod "$USERNS"
	POD=$(pid_of pod)
	bundle member "$(joining user network ipc uts) | .hostname = null | del(.hostname)" \
		sh -c 'id -u; for ns in user net ipc uts pid mnt; do readlink /proc/self/ns/$ns; done; tr -s " " </proc/self/uid_map; ls /sys/class/net; cat /proc/self/oom_score_adj'
	run output_of member
	is "$status" 0 || { echo "$output" >&2; return 1; }
	for ns in user net ipc uts; do like "$output" "$(readlink "/proc/$POD/ns/$ns" | sed 's/[][]/\\&/g')"; done
	like "$output" ' 0 100000 65536'
	run ! grep -qF "$(readlink "/proc/$POD/ns/mnt")" <<<"$output"
	staying member "$(joining user network ipc uts) | del(.hostname)"
	is "$(rt exec "$TAG-member" id -u </dev/null)" 0
	remove member
	bundle member "$(joining user pid) | del(.hostname)" sh -c 'ls /proc | grep -c "^1$"'
	is "$(output_of member)" 1
	remove pod
}

@test "a joined user namespace that is none is refused" {
	POD=$$
	bundle none "$(joining user | sed 's#/ns/user#/ns/net#')" true
	says 1 'is not a namespace of this type' create none
}

@test "an ID-mapped mount: files keep the IDs that they have on the host" {
	mkdir -p /run/src
	if ! printf '%s\n' 6.3 "$(uname -r)" | sort -CV; then # before, tmpfs could not
		truncate -s 8M "$DIR/ext4" && mkfs.ext4 -q "$DIR/ext4" && mount -o loop "$DIR/ext4" /run/src
	fi
	echo kept >/run/src/file && chown 0:0 /run/src/file && chmod 600 /run/src/file
	bundle map "$USERNS | .mounts += [{type: \"bind\", source: \"/run/src\", destination: \"/tmp\", options: [\"rbind\", \"idmap\"]}]" \
		sh -c 'stat -c %u:%g /tmp/file; cat /tmp/file; echo new >/tmp/new'
	is "$(output_of map)" $'0:0\nkept'
	is "$(stat -c %u:%g /run/src/new)" 0:0
	bundle map "$USERNS | .mounts += [{type: \"bind\", source: \"/run/src\", destination: \"/tmp\", options: [\"bind\"],
		uidMappings: [{containerID: 0, hostID: 107, size: 1}], gidMappings: [{containerID: 0, hostID: 108, size: 1}]}]" \
		sh -c 'stat -c %u:%g /tmp/file'
	is "$(output_of map)" 65534:65534 # 107 has no place in this namespace
	! mountpoint -q /run/src || umount /run/src
	rm -r /run/src
}

@test "a map that is impossible is refused, and leaves nothing" {
	bundle bad "$USERNS | .linux.uidMappings += [{containerID: 5, hostID: 200000, size: 10}]" true
	says 1 'linux.uidMappings' create bad
	audit
	bundle bad '.linux.namespaces += [{type: "user"}]' true
	says 1 'linux.uidMappings' create bad
	audit
}
