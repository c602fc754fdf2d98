# rootless.bats - ketch-oci started by a user who has no right at all: one ID, ranges of subordinate IDs, no cgroups
load lib

ME=4242
setup_file() {
	oci_open
	export HOMEDIR=$DIR/home
	mkdir -p "$HOMEDIR/run"
	cp -a "$DIR/rootfs" "$HOMEDIR/rootfs"
	cp "$RUNTIME" "$DIR/ketch-oci" && chmod 755 "$DIR/ketch-oci"
	chown -hR $ME:$ME "$HOMEDIR"
	chmod 700 "$HOMEDIR/run"
}
setup() { beyond runc 'another story'; cd "$HOMEDIR" || return; }
teardown() {
	local id
	for id in $(left); do oci delete --force "${id##*/}"; done
}

# With HELPERS set, set-user-ID programs keep their rights, which newuidmap needs.
as_me() { # COMMAND...
	local nothing=(--inh-caps=-all --bounding-set=-all --no-new-privs)
	[ -z "${HELPERS-}" ] || nothing=()
	setpriv --reuid $ME --regid $ME --clear-groups "${nothing[@]}" env -i PATH="$PATH" XDG_RUNTIME_DIR="$HOMEDIR/run" "$@"
}
oci() { as_me "$DIR/ketch-oci" "$@"; }
left() { find "$HOMEDIR/run/ketch-oci" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null; }

# What `spec --rootless` writes, changed by a filter.
my_bundle() { # JQ [ARG...]
	rm -rf b && mkdir b && chown $ME:$ME b && (cd b && oci spec --rootless)
	local args
	args=$(printf '%s\x1e' "${@:2}" | jq -Rsc 'split("\u001e")[:-1]')
	jq --argjson args "$args" ".process.terminal = false | .root.path = \"../rootfs\" | .root.readonly = false |
		if \$args != [\"\"] then .process.args = \$args else . end | $1" <b/config.json >b/new
	cat b/new >b/config.json
}

@test "spec --rootless, then run: one ID, the user's own; nothing is left" {
	my_bundle . sh -c 'id -u; id -g; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; echo >/tmp/made; ls /sys /dev | grep -cx "kernel\|null"'
	is "$(oci run --bundle b one </dev/null 3>&-)" $'0\n0\n 0 4242 1\ndeny\n2'
	is "$(stat -c %u rootfs/tmp/made)" $ME
	is "$(left)" ''
}

@test "create, state, start, exec, kill, delete; the root is \$XDG_RUNTIME_DIR/ketch-oci" {
	my_bundle '.process.oomScoreAdj = 200' sh -c 'cat /proc/self/oom_score_adj; exec sleep 1000'
	oci create --bundle b --pid-file "$HOMEDIR/run/pid" life </dev/null >"$DIR/life.out" 2>&1 3>&-
	is "$(stat -c '%u %a' run/ketch-oci)" "$ME 700"
	is "$(oci state life | jq -r '.status, .pid' | xargs)" "created $(cat run/pid)"
	oci start life
	is "$(oci exec life sh -c 'id -u; readlink /proc/self/ns/pid; readlink /proc/self/ns/user' </dev/null 3>&-)" \
		$'0\n'"$(readlink "/proc/$(cat run/pid)/ns/pid" "/proc/$(cat run/pid)/ns/user")"
	run oci exec life sh -c 'exit 7' </dev/null
	is "$status" 7
	oci kill life KILL
	gone() { [ "$(oci state life | jq -r .status)" = stopped ]; }
	await 10 gone
	oci delete life
	is "$(cat "$DIR/life.out")" 200
	is "$(left)" ''
}

@test "a terminal, of run and of exec" {
	my_bundle '.process.terminal = true' sh -c 'stat -c "owner %u" "$(tty)"; read x; exit 6'
	run "$E2E/terminal.py" 30x100 'expect=owner 0' 'send=\r' -- \
		setpriv --reuid $ME --regid $ME --clear-groups env XDG_RUNTIME_DIR="$HOMEDIR/run" "$DIR/ketch-oci" run --bundle b term
	is "$status" 6 || { echo "$output" >&2; return 1; }
}

@test "limits that need cgroups are refused with their name; none, and cgroups are done without" {
	my_bundle '.linux.resources.memory.limit = 100000000' true
	says 1 'memory' oci run --bundle b limit
	is "$(left)" ''
}

@test "further groups cannot be had where setgroups is denied" {
	my_bundle '.process.user.additionalGids = [5]' true
	says 1 '' oci run --bundle b groups
	is "$(left)" ''
}

@test "IDs of somebody else's are refused" {
	my_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]' true
	says 1 'linux.uidMappings: cannot be set' oci run --bundle b foreign
	is "$(left)" ''
}

@test "ranges of /etc/subuid by newuidmap: users, groups, setgroups" {
	[ -u "$(command -v newuidmap)" ] || skip 'no newuidmap here'
	cp -a /etc/passwd /etc/group /run/
	for file in passwd group subuid subgid; do
		[ -e /etc/$file ] || touch /etc/$file
		cp /etc/$file /run/$file && mount --bind /run/$file /etc/$file
	done
	echo "me:x:$ME:$ME::/:/bin/sh" >>/etc/passwd
	echo "me:x:$ME:" >>/etc/group
	echo "me:300000:65536" | tee /run/subuid >/run/subgid
	local maps="[{containerID: 0, hostID: $ME, size: 1}, {containerID: 1, hostID: 300000, size: 65536}]"
	my_bundle ".linux.uidMappings = $maps | .linux.gidMappings = $maps | .process.user = {uid: 7, gid: 8, additionalGids: [9]}
		| .process.capabilities |= map_values(. + [\"CAP_SETUID\"])" \
		sh -c 'id -u; id -g; id -G; echo >/tmp/seven; tr -s " " </proc/self/uid_map'
	chmod 777 rootfs/tmp
	is "$(HELPERS=1 oci run --bundle b range </dev/null 3>&-)" $'7\n8\n8 9\n 0 4242 1\n 1 300000 65536'
	is "$(stat -c %u:%g rootfs/tmp/seven)" 300006:300007
	my_bundle ".linux.uidMappings = [{containerID: 0, hostID: $ME, size: 1}, {containerID: 1, hostID: 600000, size: 10}] |
		.linux.gidMappings = $maps" true
	HELPERS=1 says 1 'linux.uidMappings: newuidmap' oci run --bundle b range
	umount /etc/passwd /etc/group /etc/subuid /etc/subgid
	rm -f rootfs/tmp/seven
	is "$(left)" ''
}

@test "root of a user namespace, as under rootless Podman: no cgroups, no limits above the user's, devices bound" {
	my_bundle 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user")) |
		.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 4000000, hard: 4000000}]' sh -c 'id -u; tr -s " " </proc/self/uid_map; echo >/dev/null && echo fine'
	is "$(as_me unshare -Urm "$DIR/ketch-oci" run --bundle b inner </dev/null 2>/dev/null 3>&-)" $'0\n 0 4242 1\nfine'
	is "$(left)" ''
}

@test "the program runs from a copy that nobody can change" {
	my_bundle . sleep 1000
	oci create --bundle b sealed </dev/null >/dev/null 2>&1 3>&-
	like "$(readlink "/proc/$(oci state sealed | jq .pid)/exe")" '^/memfd:ketch-oci'
	oci delete --force sealed
	is "$(left)" ''
}
