# selinux.bats - process.selinuxLabel and linux.mountLabel where there is SELinux, permissive; run by `selinux`
load ../oci/lib

setup_file() {
	mount -t selinuxfs selinuxfs /sys/fs/selinux
	dd if="$POLICY" of=/sys/fs/selinux/load bs=64M iflag=fullblock status=none # one write, as the kernel wants it
	oci_open
}
teardown_file() { oci_close; }

ONE=system_u:system_r:initrc_t:s0:c1,c2 TWO=system_u:system_r:init_t:s0:c3 FILES=system_u:object_r:tmp_t:s0:c1,c2

@test "the process has the label that it was given, and nobody else" {
	is "$(printed one ".process.selinuxLabel = \"$ONE\"" cat /proc/self/attr/current | tr -d '\0')" "$ONE"
	unlike "$(printed none . cat /proc/self/attr/current)" initrc_t
}

@test "exec has the container's, or that of process.json" {
	staying two ".process.selinuxLabel = \"$ONE\""
	is "$(rt exec "$TAG-two" cat /proc/self/attr/current </dev/null | tr -d '\0')" "$ONE"
	jq --arg two "$TWO" '.process | .args = ["cat", "/proc/self/attr/current"] | .selinuxLabel = $two' \
		"$DIR/b/two/config.json" >"$DIR/process.json"
	is "$(rt exec --process "$DIR/process.json" "$TAG-two" </dev/null | tr -d '\0')" "$TWO"
	remove two
}

@test "with no_new_privs, with a filter, in a user namespace: the same" {
	local filter='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	is "$(printed three ".process.selinuxLabel = \"$ONE\" | .process.noNewPrivileges = true | $filter" cat /proc/self/attr/current | tr -d '\0')" "$ONE"
	is "$(printed four ".process.selinuxLabel = \"$ONE\" | .linux.namespaces += [{type: \"user\"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings" \
		cat /proc/self/attr/current | tr -d '\0')" "$ONE"
}

@test "what is mounted for it has the label of its mounts" {
	local out
	out=$(printed five ".linux.mountLabel = \"$FILES\" | .mounts += [{destination: \"/own\", type: \"tmpfs\", source: \"tmpfs\"}]" cat /proc/mounts)
	like "$out" "tmpfs /own tmpfs [^ ]*context=\"?$FILES"
	like "$out" "tmpfs /dev tmpfs [^ ]*context=\"?$FILES"
}

@test "a label that the policy does not know: create says so, and nothing is left" {
	bundle bad '.process.selinuxLabel = "system_u:system_r:nobody_t:s0"' true
	says 1 'selinux failed to set the label "system_u:system_r:nobody_t:s0": invalid argument' rt create --bundle "$DIR/b/bad" "$TAG-bad"
	audit
}
