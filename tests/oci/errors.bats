# errors.bats - exit statuses, and the words in errors that containerd, Podman, CRI-O and dockerd look for
load lib

@test "what does not exist: state, kill, delete, start, exec, ps, pause, resume, update, events" {
	local command
	for command in state kill delete start ps pause resume 'events --stats' 'update --pids-limit 9'; do
		# shellcheck disable=SC2086
		says 1 'container does not exist' rt $command "$TAG-none"
		is "$output" ''
	done
	says 255 'container does not exist' rt exec "$TAG-none" true
	run --separate-stderr rt delete --force "$TAG-none"
	is "$status" 0 && is "$output$stderr" ''
}

@test "create: a name that is taken; the first container is as it was" {
	staying taken
	says 1 'container with given ID already exists' rt create --bundle "$DIR/b/taken" "$TAG-taken"
	is "$(status_of taken)" running
	says 1 'container with given ID already exists' rt run --bundle "$DIR/b/taken" "$TAG-taken"
	is "$(status_of taken)" running
	remove taken
}

@test "a stopped container: start, kill, kill --all, exec, pause" {
	bundle stopped . true
	up stopped
	ended stopped
	says 1 'cannot start a container that has stopped' rt start "$TAG-stopped"
	says 1 'container not running' rt kill "$TAG-stopped"
	says 1 'container not running' rt kill "$TAG-stopped" 9
	says 0 '^$' rt kill --all "$TAG-stopped" 9
	says 255 'cannot exec in a stopped container' rt exec "$TAG-stopped" true
	says 1 '' rt pause "$TAG-stopped"
	rt delete "$TAG-stopped"
}

@test "a running container: start, delete; a paused one: exec" {
	staying running
	says 1 'cannot start an already running container' rt start "$TAG-running"
	says 1 "cannot delete container $TAG-running that is not stopped: running" rt delete "$TAG-running"
	is "$(status_of running)" running
	rt pause "$TAG-running"
	says 255 'cannot exec in a paused container' rt exec "$TAG-running" true
	rt resume "$TAG-running"
	remove running
}

@test "a command that cannot be executed fails at create, in words that dockerd turns into 126 and 127" {
	install -m 644 /dev/null "$DIR/rootfs/plain"
	refuses() { # REGEX PROGRAM
		bundle bad . "$2"
		says 1 "$1" rt create --bundle "$DIR/b/bad" --pid-file "$DIR/bad.pid" "$TAG-bad"
		[ ! -e "$DIR/bad.pid" ]
		audit
	}
	refuses 'exec: "/nope": stat /nope: no such file or directory' /nope
	refuses 'exec: "nope": executable file not found in \$PATH' nope
	refuses 'exec: "/plain": permission denied' /plain
	refuses 'exec: "/plain/x": stat /plain/x: not a directory' /plain/x
	rm "$DIR/rootfs/plain"
}

@test "a command that is a directory, or no name at all, fails at create too" {
	beyond runc 'fails at start'
	bundle folder . /tmp
	says 1 'exec: "/tmp": .*(permission denied|is a directory)' rt create --bundle "$DIR/b/folder" "$TAG-folder"
	bundle folder '.process.args = [""]'
	says 1 'exec: "": executable file not found in \$PATH|no such file' rt create --bundle "$DIR/b/folder" "$TAG-folder"
}

@test "exec: the same words, and status 255" {
	staying words
	says 255 'exec: "/nope": stat /nope: no such file or directory' rt exec "$TAG-words" /nope
	says 255 'exec: "nope": executable file not found in \$PATH' rt exec "$TAG-words" nope
	says 255 'exec: "/etc/passwd": permission denied' rt exec "$TAG-words" /etc/passwd
	says 255 '/not/there.*no such file or directory' rt exec --cwd /not/there "$TAG-words" true
	says 255 'exec: "/nope": stat /nope: no such file or directory' \
		rt exec --detach --pid-file "$DIR/words.pid" "$TAG-words" /nope
	remove words
}

@test "--log FILE --log-format json: the last error line says what stderr says" {
	local line
	run --separate-stderr rt --log "$DIR/log" --log-format json state "$TAG-none"
	is "$status" 1
	like "$stderr" 'container does not exist'
	line=$(grep '"level":"error"' "$DIR/log" | tail -n 1)
	like "$(jq -r .msg <<<"$line")" 'container does not exist'
	like "$(jq -r .time <<<"$line")" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$'
	is "$(jq -r .level "$DIR/log" | sort -u)" error
	rm "$DIR/log"
	bundle log . /nope
	says 1 no.such rt --log="$DIR/log" --log-format=json create --bundle "$DIR/b/log" "$TAG-log"
	like "$(jq -rs 'map(select(.level == "error")) | last | .msg' "$DIR/log")" 'exec: "/nope": stat /nope: no such file'
	is "$(jq -s 'map(has("level") and has("msg") and has("time")) | all' "$DIR/log")" true
	rm "$DIR/log"
	says 1 'does not exist' rt --log "$DIR/log" --log-format text state "$TAG-none"
	like "$(cat "$DIR/log")" 'level=error msg=.*does not exist'
}

@test "--log appends; a log that cannot be opened is an error" {
	rt --log "$DIR/many" --log-format json state "$TAG-none" 2>/dev/null || true
	rt --log "$DIR/many" --log-format json state "$TAG-none" 2>/dev/null || true
	is "$(grep -c 'does not exist' "$DIR/many")" 2
	says 1 '' rt --log "$DIR/no/such/dir/log" state "$TAG-none"
	says 1 'log-format' rt --log-format xml state "$TAG-none"
}

@test "--log in crun's words: file:, journald:, syslog:" {
	beyond runc 'knows files only'
	beyond crun 'tells syslog in its own way'
	listen() { # SOCKET FILE: prints what came into FILE
		mkdir -p "${1%/*}"
		python3 - "$1" >"$2" 3>&- <<-'END' &
			import os, socket, sys
			s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
			s.bind(sys.argv[1])
			s.settimeout(10)
			print(s.recv(4096).decode())
		END
		await 10 test -S "$1"
	}
	says 1 'does not exist' rt --log "file:$DIR/log" state "$TAG-none"
	like "$(cat "$DIR/log")" 'level=error msg=.*does not exist'
	listen /run/systemd/journal/socket "$DIR/journal" # /run is ours (private)
	says 1 'does not exist' rt --log journald:sailor state "$TAG-none"
	wait
	like "$(cat "$DIR/journal")" $'MESSAGE=.*does not exist\nPRIORITY=3\nSYSLOG_IDENTIFIER=sailor'
	says 1 'journald:sailor: cannot be written' sh -c "rm /run/systemd/journal/socket; '$RUNTIME' --root '$DIR/state' --log journald:sailor state $TAG-none"
	mkdir "$DIR/dev"
	listen "$DIR/dev/log" "$DIR/syslog"
	unshare -m sh -c "mknod -m 666 '$DIR/dev/null' c 1 3 && mount --bind '$DIR/dev' /dev && '$RUNTIME' --root '$DIR/state' --log syslog:sailor state $TAG-none" \
		</dev/null >"$DIR/said" 2>&1 3>&- || :
	wait
	like "$(cat "$DIR/syslog")" '^<11>sailor\[[0-9]+\]: .*does not exist$'
	rm -r "${DIR:?}/dev" "$DIR/log"
}

@test "--debug brings no error into the log, but what was done" {
	bundle debug . true
	rt --debug --log "$DIR/debug.log" --log-format json run --bundle "$DIR/b/debug" "$TAG-debug" </dev/null 3>&-
	unlike "$(cat "$DIR/debug.log" 2>/dev/null)" '"level":"error"'
	[[ ${RUNTIME##*/} =~ ^(runc|crun)$ ]] ||
		is "$(jq -r '.level + " " + .msg' "$DIR/debug.log" | sed 's/[0-9]* us$/T us/')" "debug run $TAG-debug: begins
debug run $TAG-debug: done after T us"
	says 1 'debug: state .*: begins.*debug: state .*: failed after [0-9]+ us' rt --debug state "$TAG-none"
}

@test "names that are not names: status 1, nothing made" {
	local name
	bundle name . true
	for name in ../escape a/b . .. '' 'a b' $'a\nb' "$(printf 'x%.0s' {1..1100})" 'ü'; do
		says 1 '' rt create --bundle "$DIR/b/name" "$name"
		says 1 '' rt state "$name"
		[ ! -e "$DIR/escape" ]
	done
	audit
}

@test "wrong use: missing and unknown arguments, flags and commands fail" {
	local command
	bundle use . true
	for command in create start state kill delete pause resume exec update ps; do
		run rt $command
		[ "$status" -ne 0 ]
	done
	for command in 'nosuch' '--nosuch list' 'list --nosuch' 'state a b' 'start a b' 'list -f xml'; do
		# shellcheck disable=SC2086
		run rt $command
		[ "$status" -ne 0 ]
	done
	says 1 'no such file or directory' rt create --bundle /no/such/bundle "$TAG-use"
	rm "$DIR/b/use/config.json"
	says 1 'config.json' rt create --bundle "$DIR/b/use" "$TAG-use"
	audit
}

@test "a root that others may write, or that is a file, is not used" {
	beyond runc 'uses it'
	beyond crun 'uses it'
	mkdir -m 777 "$DIR/open" && touch "$DIR/file"
	bundle root . true
	says 1 '' "$RUNTIME" --root "$DIR/file" create --bundle "$DIR/b/root" "$TAG-root"
	chown 1000 "$DIR/open"
	says 1 '' "$RUNTIME" --root "$DIR/open" create --bundle "$DIR/b/root" "$TAG-root"
	audit
}

@test "the directory of compiled filters is no container" {
	bundle filters '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}' true
	create filters
	is "$(rt list -q | grep -e "$TAG-filters" -e seccomp)" "$TAG-filters"
	remove filters
}
