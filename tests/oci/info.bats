# info.bats - features, spec, --version, help: what callers ask before they use a runtime
load lib

@test "--version: name and version, commit, spec" {
	local lines
	mapfile -t lines < <("$RUNTIME" --version)
	like "${lines[0]}" '^(ketch|runc|crun) version [0-9]'
	like "${lines[1]}" '^commit: ?.+'
	[[ ${RUNTIME##*/} =~ ^(runc|crun)$ ]] || like "${lines[2]}" '^spec: 1\.2\.[0-9]$'
	is "$("$RUNTIME" -v)" "$("$RUNTIME" --version)"
}

@test "features: complete, without any global flag" {
	local f
	f=$("$RUNTIME" features)
	like "$(jq -r .ociVersionMin <<<"$f")" '^1\.0\.[0-9]'
	like "$(jq -r .ociVersionMax <<<"$f")" '^1\.'
	is "$(jq -c '.hooks | sort' <<<"$f")" '["createContainer","createRuntime","poststart","poststop","prestart","startContainer"]'
	is "$(jq -c '["bind","rbind","ro","nosuid","rprivate","relatime"] - .mountOptions' <<<"$f")" '[]'
	is "$(jq -c '["cgroup","ipc","mount","network","pid","user","uts"] - .linux.namespaces' <<<"$f")" '[]'
	is "$(jq -c '["CAP_SYS_ADMIN","CAP_KILL"] - .linux.capabilities' <<<"$f")" '[]'
	is "$(jq -c '[.linux.cgroup | .v1, .v2]' <<<"$f")" '[true,true]'
	is "$(jq .linux.seccomp.enabled <<<"$f")" true
	is "$(jq -c '["SCMP_ACT_ALLOW","SCMP_ACT_ERRNO","SCMP_ACT_NOTIFY"] - .linux.seccomp.actions' <<<"$f")" '[]'
	is "$(jq -c '["SCMP_CMP_EQ","SCMP_CMP_MASKED_EQ"] - .linux.seccomp.operators' <<<"$f")" '[]'
	is "$(jq -c '["SCMP_ARCH_X86_64","SCMP_ARCH_X86"] - .linux.seccomp.archs' <<<"$f")" '[]'
	is "$(jq '.linux.apparmor.enabled, .linux.selinux.enabled' <<<"$f")" $'true\ntrue'
	beyond runc 'older than these members'
	beyond crun 'older than these members'
	is "$(jq -c '["rro","rnoexec","rnosuid","idmap","ridmap","tmpcopyup"] - .mountOptions' <<<"$f")" '[]'
	is "$(jq -c '["time"] - .linux.namespaces' <<<"$f")" '[]'
	like "$(jq -c .linux.mountExtensions.idmap.enabled <<<"$f")" '^(true|false)$'
	like "$(jq -c .linux.intelRdt.enabled <<<"$f")" '^(true|false)$'
	is "$(jq -c '.linux.seccomp | has("knownFlags") and has("supportedFlags")' <<<"$f")" true
	is "$(jq -c 'has("potentiallyUnsafeConfigAnnotations")' <<<"$f")" true
}

@test "spec: writes a config.json that runs once it has a root; refuses to overwrite one" {
	mkdir "$DIR/b/spec"
	(cd "$DIR/b/spec" && rt spec)
	is "$(jq -r .root.path "$DIR/b/spec/config.json")" rootfs
	is "$(jq -c .process.args "$DIR/b/spec/config.json")" '["sh"]'
	says 1 'exists' rt spec --bundle "$DIR/b/spec"
	ln -s "$DIR/rootfs" "$DIR/b/spec/rootfs"
	jq --arg root "$DIR/rootfs" '.process.terminal = false | .process.args = ["echo", "runs"] | .root.path = $root' \
		"$DIR/b/spec/config.json" >"$DIR/c" && mv "$DIR/c" "$DIR/b/spec/config.json"
	is "$(rt run --bundle "$DIR/b/spec" "$TAG-spec" </dev/null 3>&-)" runs
	mkdir "$DIR/b/rootless"
	rt spec --rootless -b "$DIR/b/rootless"
	is "$(jq -c '.linux.namespaces | map(.type) | index("user") != null' "$DIR/b/rootless/config.json")" true
	is "$(jq -c '.linux.uidMappings[0].size' "$DIR/b/rootless/config.json")" 1
}

@test "help: of the program and of each command, status 0, on stdout" {
	local command help
	help=$("$RUNTIME" --help)
	for command in create start run exec kill delete state list ps events pause resume update checkpoint restore features spec; do
		like "$help" "[[:space:]]${command}[[:space:]]"
		run --separate-stderr "$RUNTIME" $command --help
		is "$status" 0
		like "$output" "$command"
		is "$stderr" ''
	done
	for flag in --root --log --log-format --debug --systemd-cgroup --rootless; do like "$help" "$flag"; done
}

@test "the flags of containerd, conmon, Podman and CRI-O are known" {
	has() { # COMMAND FLAG...
		local help flag
		help=$("$RUNTIME" "$1" --help)
		for flag in "${@:2}"; do like "$help" "[[:space:]]${flag}[[:space:],]" || { echo "$1 $flag" >&2; return 1; }; done
	}
	has create --bundle --pid-file --console-socket --no-pivot --no-new-keyring --preserve-fds
	has exec --process --console-socket --detach --pid-file --tty --preserve-fds --cwd --env --user --cap
	has kill --all
	has delete --force
	has update --resources --memory --cpu-quota --pids-limit --cpuset-cpus
	has checkpoint --image-path --work-path --leave-running --tcp-established --ext-unix-sk --shell-job --file-locks --empty-ns
	has restore --detach --pid-file --console-socket --image-path --work-path --bundle --no-subreaper
	[[ ${RUNTIME##*/} =~ ^(runc|crun)$ ]] || { has create --pidfd-socket; has exec --pidfd-socket; }
}

@test "restore: Podman's probe for --lsm-mount-context" {
	run "$RUNTIME" restore --lsm-mount-context
	[ "$status" -ne 0 ]
	like "$output" 'requires an argument|flag needs an argument'
	says 1 '' rt restore -no-subreaper --detach --image-path /none --bundle "$DIR" "$TAG-none"
	audit
}

@test "checkpoint of no container is one clear error" {
	says 1 'container does not exist' rt checkpoint --image-path "$DIR/cp" "$TAG-none"
}
