# cli.bats - help, version, info, doctor, completion, man pages, dry-run: the table of commands seen from outside
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

COMMANDS="run ps logs exec stop kill wait rm inspect images import load tag rmi compare doctor version info kernel"

@test "--help names every command; each has a help of its own; no output is wider than 100 columns" {
	local c help
	help=$(ketch --help)
	for c in $COMMANDS; do
		like "$help" "(^|[[:space:]])$c[[:space:]]"
		ketch "$c" --help >"$DIR/help"
		grep -qi "usage" "$DIR/help"
		is "$(awk 'length > 100' "$DIR/help")" ''
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
	refused 125 'rnu.*run' ketch rnu
	refused 125 'memroy.*memory' ketch run --memroy 1g ketch/base true
	refused 125 'such|unknown' ketch run --no-such-flag ketch/base true
}

@test "the completion script works in bash" {
	ketch completion bash >"$DIR/completion"
	run bash -c '. "$1"; COMP_WORDS=(ketch ru); COMP_CWORD=1; COMP_LINE="ketch ru"; COMP_POINT=8
		f=$(complete -p ketch | sed "s/.*-F \([^ ]*\).*/\1/"); $f ketch ru ketch; echo "${COMPREPLY[@]}"' - "$DIR/completion"
	is "$status" 0
	like "$output" '(^| )run( |$)'
	run bash -c '. "$1"; COMP_WORDS=(ketch run --pids); COMP_CWORD=2; COMP_LINE="ketch run --pids"; COMP_POINT=16
		f=$(complete -p ketch | sed "s/.*-F \([^ ]*\).*/\1/"); $f ketch --pids run; echo "${COMPREPLY[@]}"' - "$DIR/completion"
	like "$output" '--pids-limit'
}

@test "man pages are made of the same table and render without a warning" {
	local page
	ketch man "$DIR/man" >/dev/null 2>&1 || skip "the pages are made by the build"
	for page in "$DIR"/man/*.[1-8]; do
		is "$(groff -man -Tutf8 -ww "$page" 2>&1 >"$DIR/rendered")" ''
		[ -s "$DIR/rendered" ]
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
	ketch "${other[@]}" run -d --name same mine:1 "${STAY[@]}"
	stay --isolation container --name same >/dev/null
	is "$(ketch "${other[@]}" ps -q | wc -l)" 1
	is "$(ketch ps -q | wc -l)" 1
	refused 125 'no such image' ketch "${other[@]}" run ketch/base true
	ketch "${other[@]}" rm -f same
	is "$(ketch ps -q | wc -l)" 1
	ketch rm -f same
}
