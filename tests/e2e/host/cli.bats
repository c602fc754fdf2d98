# cli.bats - help, version, info, doctor, completion, man pages, dry-run: the table of commands seen from outside
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

COMMANDS="run ps logs exec cp stop kill wait rm inspect images import load tag rmi compare doctor version info completion"

@test "--help names every command; each has a help of its own; no output is wider than 100 columns" {
	local c help
	help=$(ketch --help)
	for c in $COMMANDS; do
		like "$help" "(^|[[:space:]])${c}[[:space:]]"
		ketch "$c" --help >"$DIR/help"
		grep -qi "usage" "$DIR/help"
		is "$(awk 'length > 100' "$DIR/help")" ''
	done
	is "$(awk 'length > 100' <<<"$help")" ''
}

@test "the summaries of one list of commands stand below each other" {
	local of
	for of in '' volume network; do
		is "$(ketch $of --help | awk '/:$/ || /^$/ { at = 0; next }
			/^  [a-z]/ && match($0, /^  [a-z-]+( [a-z-]+)?  +/) { if (at && at != RLENGTH) print; at = RLENGTH; next }
			/^  [a-z]/ { print }')" ''
	done
}

@test "run --help names every flag" {
	local f help
	help=$(ketch run --help)
	for f in -d -i -t --rm --name -e --env-file -w -u -h -v --tmpfs -m --cpus --pids-limit --ulimit --read-only --init \
		--entrypoint --cap-add --cap-drop --privileged --security-opt --label --stop-signal --network --dry-run \
		--vm --isolation --userns; do
		like "$help" "(^|[[:space:],])$f([[:space:],=]|\$)"
	done
}

@test "version and info" {
	like "$(ketch version)" '[0-9]+\.[0-9]+\.[0-9]+'
	like "$(ketch info)" "$KETCH_ROOT"
	is "$(ketch info -f '{{.OperatingSystem}} {{.Architecture}} {{.Swarm.LocalNodeState}} {{.ContainersPaused}}')" \
		"$(. /etc/os-release && echo "$PRETTY_NAME") $(uname -m) inactive 0"
	is "$(ketch info -f '{{.LoggingDriver}} {{.SecurityOptions}}')" 'json-file [name=seccomp,profile=default]'
	is "$(ketch version -f '{{.Server.Arch}}')" "$(dpkg --print-architecture)"
	is "$(ketch --version)" "$(ketch version | head -n 1)" || like "$(ketch --version)" '[0-9]+\.[0-9]+'
}

@test "doctor tells what this host can do, and exits 0 where containers run" {
	run ketch doctor
	is "$status" 0
	for word in cgroup namespace overlay seccomp KVM QEMU kernel EROFS; do like "${output,,}" "${word,,}"; done
}

@test "doctor finds out about /dev/kvm in a second" {
	local start=$EPOCHREALTIME
	ketch doctor >/dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a < 2) }'
}

@test "an unknown command or flag is refused in one line that names a near one" {
	refused 1 'rnu.*run' ketch rnu
	refused 125 'memroy.*memory' ketch run --memroy 1g ketch/base true
	refused 125 'such|unknown' ketch run --no-such-flag ketch/base true
}

complete_in_bash() { # WORD...: what bash offers for the last of them
	PATH=$(dirname "$KETCH"):$PATH bash -c '. <(ketch completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		f=$(complete -p ketch | sed "s/.*-F \([^ ]*\).*/\1/")
		"$f" ketch "${*: -1}" "${*: -2:1}"
		printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}

@test "small things: why KVM is not used, a prompt without an answer, the history of an import" {
	ketch info | grep -qE '^(KVM: yes|Why not KVM: .+)$'
	is "$(ketch volume prune </dev/null | tail -n 1)" 'Are you sure you want to continue? [y/N] '
	is "$(ketch volume prune </dev/null | tail -c 1 | od -An -c | tr -d ' ')" '\n'
	like "$(ketch template ls)" '^NAME +IMAGE'
	mkdir "$DIR/tree"
	ketch import -m 'by hand' "$DIR/tree" noted:1
	like "$(ketch history noted:1)" 'by hand'
	ketch rmi noted:1
}

@test "the completion script offers commands, flags, values and names in bash" {
	like "$(complete_in_bash ketch ru)" 'run'
	like "$(complete_in_bash ketch image '')" 'inspect'
	like "$(complete_in_bash ketch run --pids)" '--pids-limit'
	like "$(complete_in_bash ketch run --isolation '')" 'container.*vm'
	like "$(complete_in_bash ketch run ketch/)" 'ketch/base'
	is "$(complete_in_bash ketch run --no-such)" ''
}

@test "there is a manual page for every command, and it renders without a warning" {
	local page
	for page in '' $COMMANDS; do
		ketch man $page >"$DIR/page"
		is "$(groff -man -Tutf8 -ww "$DIR/page" 2>&1 >"$DIR/rendered")" ''
		grep -q "ketch" "$DIR/rendered"
	done
}

@test "--dry-run prints the plan of either wall and leaves nothing" {
	local i
	for i in container vm; do
		run ketch run --dry-run --isolation "$i" -m 64m --tmpfs /scratch ketch/base true
		is "$status" 0
		like "$output" 'scratch'
		like "$output" '67108864|64 MiB|memory'
	done
	is "$(ketch ps -aq)" ''
	audit
}

@test "--root and --run-root move all state; several live beside each other" {
	local other=(--root "$DIR/other/store" --run-root "$DIR/other/run")
	ketch "${other[@]}" import "$("$FIXTURES/get" base)/rootfs" mine:1
	stay --isolation container --name same >/dev/null
	ketch "${other[@]}" run -d --name same mine:1 "${STAY[@]}" # on a network of its own
	is "$(ketch "${other[@]}" ps -q | wc -l)" 1
	is "$(ketch ps -q | wc -l)" 1
	refused 125 'no such image' ketch "${other[@]}" run ketch/base true
	ketch "${other[@]}" rm -f same
	is "$(ketch ps -q | wc -l)" 1
	ketch rm -f same
}
