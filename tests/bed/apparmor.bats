# apparmor.bats - process.apparmorProfile where there is AppArmor: a process confined by a profile that was loaded here
load ../oci/lib

setup_file() {
	oci_open
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null || : # `private` keeps what the bed has mounted
	for name in ketch-one ketch-two; do
		echo "profile $name flags=(attach_disconnected,mediate_deleted) {
			file, capability, network, unix, signal, ptrace, mount, umount, pivot_root, dbus,
			deny /etc/$name rwklx,
		}"
	done >"$DIR/profiles"
	apparmor_parser --replace --skip-cache "$DIR/profiles"
	touch "$DIR/rootfs/etc/ketch-one" "$DIR/rootfs/etc/ketch-two"
}
teardown_file() {
	apparmor_parser --remove "$DIR/profiles"
	oci_close
}

CONFINED='cat /proc/self/attr/current; for n in one two; do cat /etc/ketch-$n && echo read $n; done 2>&1; true'

@test "the process is confined by the profile: its label, and what it denies" {
	local out
	out=$(printed one '.process.apparmorProfile = "ketch-one"' sh -c "$CONFINED")
	like "$out" 'ketch-one \(enforce\)'
	like "$out" '/etc/ketch-one.*[Pp]ermission denied'
	like "$out" 'read two'
	unlike "$out" 'read one'
}

@test "exec is confined as the container is; --apparmor and process.json say another profile" {
	staying two '.process.apparmorProfile = "ketch-one"'
	like "$(rt exec "$TAG-two" cat /proc/self/attr/current </dev/null)" '^ketch-one \(enforce\)'
	like "$(rt exec --apparmor ketch-two "$TAG-two" sh -c "$CONFINED" </dev/null)" 'ketch-two \(enforce\).*read one'
	unlike "$(rt exec --apparmor ketch-two "$TAG-two" sh -c "$CONFINED" </dev/null)" 'read two'
	jq '.process | .args = ["cat", "/proc/self/attr/current"] | .apparmorProfile = "ketch-two"' "$DIR/b/two/config.json" >"$DIR/process.json"
	like "$(rt exec --process "$DIR/process.json" "$TAG-two" </dev/null)" '^ketch-two \(enforce\)'
	remove two
}

@test "with no_new_privs, with a filter, in a user namespace: confined all the same" {
	local filter='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	like "$(printed three ".process.apparmorProfile = \"ketch-one\" | .process.noNewPrivileges = true | $filter" sh -c "$CONFINED")" 'ketch-one \(enforce\)'
	like "$(printed four '.process.apparmorProfile = "ketch-one" | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings' sh -c "$CONFINED")" 'ketch-one \(enforce\)'
}

@test "a profile that nobody has loaded: create says so, and nothing is left" {
	bundle none '.process.apparmorProfile = "ketch-nobody"' true
	says 1 'apparmor failed to apply profile: "ketch-nobody" is not loaded' rt create --bundle "$DIR/b/none" "$TAG-none"
	audit
}

@test "no profile, an empty one, unconfined" {
	like "$(printed five . cat /proc/self/attr/current)" '^unconfined'
	like "$(printed six '.process.apparmorProfile = ""' cat /proc/self/attr/current)" '^unconfined'
	like "$(printed seven '.process.apparmorProfile = "unconfined"' cat /proc/self/attr/current)" '^unconfined'
}
