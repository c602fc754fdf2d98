# again.bats - create, start, start again, restart, pause, attach, rename, prune: one instance that lives several times
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "create prints the id and starts nothing" {
	ID=$(ketch create --isolation "$ISOLATION" --name one --stop-timeout 7 --cidfile "$DIR/cid" -it ketch/base sh -c '
		trap "exit 3" TERM; trap "exit 7" USR1
		echo run >>/count; echo "run number $(grep -c . /count)"
		while read -r line; do echo "heard $line"; done')
	like "$ID" '^[0-9a-f]{64}$'
	is "$(cat "$DIR/cid")" "$ID"
	is "$(inspect_of one .State.Status)" created
	is "$(inspect_of one .Config.StopTimeout)" 7
	is "$(ketch ps -q)" ''
	like "$(ketch ps -a)" 'Created'
	refused 125 'container ID file found' ketch create --cidfile "$DIR/cid" ketch/base
	refused 1 'cannot attach to a stopped container' ketch attach one
	refused 1 'not running' ketch pause one
}

@test "start: a name for each; one that runs is left alone" {
	is "$(ketch start one)" one
	await 10 logged one 'run number 1'
	local monitor
	monitor=$(monitor_of one)
	is "$(ketch container start one one)" $'one\none'
	is "$(monitor_of one)" "$monitor"
	refused 1 'no such instance.*two' ketch start two
}

ticks() { ketch logs one | grep -c tick; }
more_ticks() { [ "$(ticks)" -gt "$1" ]; } # THAN

@test "pause: nothing of it runs, exec and attach are refused; unpause: it goes on" {
	ketch exec -d one sh -c 'while :; do echo tick >/proc/1/fd/1; sleep 0.01; done'
	await 10 logged one tick
	is "$(ketch pause one)" one
	local n
	n=$(ticks)
	is "$(inspect_of one '.State.Status, .State.Paused, .State.Running')" $'paused\ntrue\ntrue'
	like "$(ketch ps)" 'Up .*\(Paused\)'
	refused 1 'already paused' ketch pause one
	refused 1 'is paused, unpause the container before exec' ketch exec one true
	refused 1 'paused container, unpause it first' ketch attach one
	refused 1 'paused.*unpause' ketch start one
	if [ "$ISOLATION" = vm ]; then
		refused 1 'a machine that is paused cannot reach its files: unpause it first' ketch cp one:/etc/passwd .
	else
		echo new >"$DIR/new" && ketch cp "$DIR/new" one:/root/new
		ketch cp one:/root/new "$DIR/back" && is "$(cat "$DIR/back")" new
		ketch export one | tar t root/new
		ketch commit one ketch/still >/dev/null && is "$(ketch run --rm ketch/still cat /root/new)" new
		status_is one paused # commit did not wake it
	fi
	is "$(ticks)" "$n"
	is "$(ketch unpause one)" one
	await 10 more_ticks "$n"
	refused 1 'is not paused' ketch unpause one
	is "$(ketch exec one echo on)" on
}

@test "a clock that stood still is put right" {
	local off
	off=$(($(ketch exec one date +%s) - $(date +%s)))
	[ "${off#-}" -le 2 ]
}

@test "attach: what is typed is heard; the detach keys leave it running; another terminal finds it so" {
	local keys
	for keys in '\x10\x11' 'x'; do
		run "$E2E/terminal.py" 24x80 send='hello\r' expect='heard hello' send="$keys" -- \
			"$KETCH" attach ${keys:+$([ "$keys" = x ] && echo --detach-keys x)} one
		is "$status" 0
		is "$(inspect_of one .State.Status)" running
	done
	refused 1 'not a TTY' ketch attach one
	refused 1 'invalid detach keys' ketch attach --detach-keys ctrl-ä one
}

@test "exec: the keys leave the process, too" {
	run "$E2E/terminal.py" 24x80 expect='# ' send='\x10\x11' -- "$KETCH" exec -it -e LEFT=behind one sh
	is "$status" 0
	like "$(ketch exec one sh -c 'grep -l LEFT=behind /proc/[0-9]*/environ')" '^/proc/[0-9]*/environ$'
}

@test "stop of a paused one: it wakes, hears the signal and ends; started again it finds what it wrote" {
	ketch pause one
	is "$(ketch stop one)" one
	is "$(inspect_of one .State.ExitCode)" 3
	is "$(ketch start one)" one
	await 10 logged one 'run number 2'
	is "$(inspect_of one .State.ExitCode)" 0
}

@test "kill -9 of the command that pauses: it pauses, or not; kill of a paused one ends it" {
	"$KETCH" pause one &
	kill -9 $!
	await 10 settled one
	ketch pause one 2>/dev/null || :
	is "$(ketch kill one)" one
	is "$(ketch wait one)" 137
}
settled() { [[ $(inspect_of "$1" .State.Status) =~ ^(paused|running)$ ]]; }

@test "restart: stops and starts, also what has ended; rename: the new name is the only one, in life and death" {
	is "$(ketch restart one)" one
	await 10 logged one 'run number 3'
	local monitor
	monitor=$(monitor_of one)
	ketch rename one other
	is "$(inspect_of other .Id)" "$(cat "$DIR/cid")"
	refused 1 'no such instance' ketch rename one more
	refused 1 'same name' ketch rename other other
	refused 1 'invalid name' ketch rename other /x
	refused 1 "invalid name 'x': 2 to 128 letters" ketch rename other x
	is "$(ketch restart -t 5 other)" other
	await 10 logged other 'run number 4'
	[ "$(monitor_of other)" != "$monitor" ]
	ketch create --isolation "$ISOLATION" --name one ketch/base >/dev/null
	refused 1 '"one" is in use' ketch rename other one
}

@test "stop sends the signal that is asked for" {
	refused 125 'invalid value for --signal' ketch stop -s NOSUCH other
	is "$(ketch stop -s USR1 other)" other
	is "$(ketch inspect -f '{{.State.ExitCode}}' other)" 7
}

@test "start -ai: the exit status is ours" {
	run "$E2E/terminal.py" 24x80 expect='run number 5' send='bye\r' expect='heard bye' send='\x04' -- "$KETCH" start -ai other
	is "$status" 0
	is "$(inspect_of other .State.Status)" exited
	refused 1 'multiple' ketch start -a one other
}

@test "prune asks, and removes what does not run" {
	like "$(echo n | ketch container prune)" 'WARNING!.*Are you sure.*\[y/N\]'
	is "$(ketch ps -aq | wc -l)" 2
	local said
	ketch create --vm --name made --label ketch.template=made ketch/base >/dev/null # as a template is recorded
	ketch create --vm --name warm --label ketch.template=warm --label ketch.warm=0 ketch/base >/dev/null
	said=$(ketch prune -f)
	is "$(ketch ps -a --format '{{.Names}}')" made
	ketch rm made >/dev/null
	like "$said" "^Deleted Containers:"
	like "$said" "$(cat "$DIR/cid")"
	like "$said" 'Total reclaimed space: [1-9]'
	is "$(ketch ps -aq)" ''
	is "$(ketch container prune -f)" 'Total reclaimed space: 0B'
	audit
}
