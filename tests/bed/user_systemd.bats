# user_systemd.bats - ketch-oci by a user without rights, whose limits are kept by a `systemd --user` that is really there
#
# By hand: tests/bed/bed -t 400 -- env RUNTIME=$PWD/build/ketch-oci tests/oci/private bats --tap tests/bed/user_systemd.bats
load ../oci/lib

ME=4242

setup_file() {
	oci_open
	export SERVICE=/sys/fs/cgroup HOMEDIR=$DIR/home
	mkdir -p "$HOMEDIR/run" "$HOMEDIR/b" /run/systemd/system # else systemd does not believe that the host has one
	cp -a "$DIR/rootfs" "$HOMEDIR/rootfs"
	cp "$RUNTIME" "$DIR/ketch-oci" && chmod 755 "$DIR/ketch-oci"
	chown -hR $ME:$ME "$HOMEDIR"
	chmod 700 "$HOMEDIR/run"
	hands_down() { echo '+memory +pids +cpu' >"$1/cgroup.subtree_control"; }
	hands_down "$SERVICE"
	for dir in user.slice user-$ME.slice user@$ME.service; do # what logind and the first systemd make
		SERVICE=$SERVICE/$dir
		mkdir "$SERVICE" && hands_down "$SERVICE"
	done
	mkdir "$SERVICE/init.scope" "$SERVICE/caller"
	chown -R $ME "$SERVICE"
	in_cgroup init.scope /lib/systemd/systemd --user </dev/null >"$DIR/systemd.log" 2>&1 3>&- &
	echo $! >"$DIR/systemd.pid"
	await 60 test -S "$HOMEDIR/run/systemd/private"
}

teardown_file() {
	kill "$(cat "$DIR/systemd.pid")"
	await 20 gone "$(cat "$DIR/systemd.pid")"
	find /sys/fs/cgroup/user.slice -depth -type d -exec rmdir {} +
	oci_close
}

in_cgroup() { # NAME COMMAND...: as the user, in this part of what is the user's
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$SERVICE/$1" setpriv --reuid $ME --regid $ME --clear-groups \
		env -i PATH="$PATH" HOME="$HOMEDIR" XDG_RUNTIME_DIR="$HOMEDIR/run" "${@:2}"
}
oci() { in_cgroup caller "$DIR/ketch-oci" --systemd-cgroup "$@" 3>&-; }
scopes() { in_cgroup caller systemctl --user list-units --no-legend --plain 'ketch*' | awk '{ print $1, $4 }'; }

@test "limits in a scope of the user's own systemd: create, update, exec, pause, kill, delete" {
	unified=$SERVICE/user.slice/ketch-one.scope
	cd "$HOMEDIR/b"
	oci spec --rootless
	jq '.process.terminal = false | .root.path = "../rootfs" | .root.readonly = false | .linux.cgroupsPath = "user.slice:ketch:one"
		| .linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}} | .process.args = ["sleep", "1000"]' config.json >c && cat c >config.json
	oci create --pid-file "$HOMEDIR/pid" one </dev/null >"$DIR/one.out" 2>&1
	oci start one
	is "$(cut -d: -f3 "/proc/$(cat "$HOMEDIR/pid")/cgroup")" "${unified#/sys/fs/cgroup}"
	is "$(cat "$unified/memory.max" "$unified/pids.max" | paste -sd' ')" '67108864 77'
	is "$(scopes)" 'ketch-one.scope running'
	oci update --memory 33554432 one
	is "$(cat "$unified/memory.max")" 33554432
	is "$(oci exec one cat /proc/self/cgroup </dev/null)" 0::/
	oci pause one
	is "$(oci state one | jq -r .status)" paused
	oci resume one
	oci kill one KILL
	oci delete --force one
	[ ! -e "$unified" ]
	is "$(scopes)" ''
}
