# profile.bats - stored sets of flags, and what holds for a new instance before its command line
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "a profile is made, listed, shown and removed" {
	ketch profile create small --memory 64m -e A=1 -e B='two words' --label from=small
	ketch profile create quiet --rm
	is "$(ketch profile ls)" $'NAME      FLAGS\nquiet     --rm\nsmall     --memory 64m -e A=1 -e \'B=two words\' --label from=small'
	is "$(ketch profile ls -q)" $'quiet\nsmall'
	is "$(ketch profile ls --format '{{.Name}}:{{.Flags}}' | head -1)" 'quiet:--rm'
	is "$(ketch profile show small)" "--memory 64m -e A=1 -e 'B=two words' --label from=small"
	is "$(ketch profile rm quiet)" quiet
	is "$(ketch profile ls -q)" small
}

@test "run takes a profile's flags; those beside it go before them, and lists grow" {
	ketch profile create where --isolation "$ISOLATION" -w /tmp
	is "$(ketch run --rm --profile small,where -e C=3 -e A=9 -w /usr ketch/base sh -c 'echo $A $B $C; pwd')" \
		$'9 two words 3\n/usr'
	ketch create --name made --profile where --profile small -m 96m ketch/base true >/dev/null
	is "$(ketch inspect -f '{{.Isolation}} {{.HostConfig.Memory}} {{.Config.WorkingDir}} {{.Config.Labels.from}}' made)" \
		"$ISOLATION $((96 << 20)) /tmp small"
	wall() { ketch run "$@" --dry-run ketch/base true | grep -q vmm- && echo vm || echo container; }
	is "$(wall --profile where)" "$ISOLATION"
	is "$(wall --profile where --isolation vm)" vm
	is "$(wall --profile where --isolation container)" container
}

@test "a profile that cannot be is refused" {
	refused 1 'profile small exists already' ketch profile create small --rm
	refused 1 'unknown flag: --memroy \(did you mean --memory\?\)' ketch profile create bad --memroy 1g
	refused 1 'invalid value for --memory' ketch profile create bad --memory much
	refused 1 '"ketch/base" is none' ketch profile create bad --rm ketch/base
	refused 1 'cannot take --profile' ketch profile create bad --profile small
	refused 1 'invalid profile name' ketch profile create ../bad --rm
	refused 1 'no such profile: nosuch' ketch profile show nosuch
	refused 1 'no such profile: nosuch' ketch profile rm nosuch
	refused 1 'invalid profile name' ketch profile rm ../../x
	refused 125 'no such profile: nosuch' krun --profile nosuch ketch/base true
	is "$(ketch profile ls -q)" $'small\nwhere'
}

@test "a configuration file and the environment come before the command line" {
	conf() { printf '%s\n' "$@" >"$DIR/ketch.conf"; }
	export KETCH_CONFIG=$DIR/ketch.conf
	conf '# ours' "isolation = $ISOLATION" 'memory = 80m' 'pids_limit = 99' 'profile = small' "driver = qemu" "log_driver = none"
	ketch create --name by-file ketch/base true >/dev/null
	is "$(ketch inspect -f '{{.Isolation}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.Config.Labels.from}} {{.HostConfig.LogConfig.Type}}{{.LogPath}}' by-file)" \
		"$ISOLATION $((64 << 20)) 99 small none"
	KETCH_MEMORY=88m ketch create --name by-env --profile '' --pids-limit 77 ketch/base true >/dev/null
	is "$(ketch inspect -f '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{len .Config.Labels}}' by-env)" "$((88 << 20)) 77 0"
	conf "root = $KETCH_ROOT" "run_root = $KETCH_RUN_ROOT"
	is "$(env -u KETCH_ROOT -u KETCH_RUN_ROOT "$KETCH" ps -aq --format x)" "$(ketch ps -aq)"
	conf 'memory = 1g' '' 'colr = red'
	refused 125 "^ketch: $DIR/ketch.conf:3: unknown key: colr" ketch ps
	conf 'isolation = jail'
	refused 125 "^ketch: $DIR/ketch.conf:1: invalid value for isolation: \"jail\" must be one of container.vm" ketch run ketch/base true
	like "$(ketch run --help)" Usage
}
