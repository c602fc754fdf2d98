# life.bats - an instance from run -d to rm: every verb that works on one
load ../lib

setup_file() {
	store_open
	ID=$(krun -d --name web --label tier=front ketch/base sh -c '
		trap "echo got TERM; exit 21" TERM
		echo one; echo two >&2; echo three
		tail -f /dev/null & wait')
	export ID
	ketch wait web >"$DIR/waited" & # the status below comes to it, too
	echo $! >"$DIR/waiter"
}
teardown_file() { store_close; }

@test "run -d prints the id, and nothing more" { like "$ID" '^[0-9a-f]{64}$'; }

@test "the command that started it has ended; one monitor is there" {
	is "$(inspect_of web .State.Status)" running
	[ -d "/proc/$(monitor_of web)" ]
	[ -d "/proc/$(inspect_of web .State.Pid)" ]
}

@test "ps lists it: table, -q, json" {
	like "$(ketch ps)" "${ID:0:12}.*ketch/base.*$ISOLATION.*web"
	is "$(ketch ps -q)" "${ID:0:12}"
	is "$(ketch ps --format json | jq -r .Names)" web
}

@test "name, id and a unique prefix of the id name it" {
	is "$(inspect_of "$ID" .Name)" web
	is "$(inspect_of "${ID:0:12}" .Name)" web
	is "$(inspect_of "${ID:0:5}" .Name)" web
}

@test "a name is given once" {
	refused 125 'web.*in use|in use.*web|already' krun -d --name web ketch/base true
	is "$(ketch ps -aq | wc -l)" 1
}

@test "inspect is JSON that tells image, command and labels" {
	is "$(inspect_of web .Config.Image)" ketch/base
	is "$(inspect_of web .Path)" sh
	is "$(inspect_of web .Config.Labels.tier)" front
	is "$(inspect_of web .Isolation)" "$ISOLATION"
}

@test "logs: both streams apart, in full or the tail" {
	await 10 logged web three
	run --separate-stderr ketch logs web
	is "$output" $'one\nthree'
	is "$stderr" two
	is "$(ketch logs --tail 1 web 2>&1 | wc -l)" 1
	is "$(ketch logs --tail 0 web 2>&1)" ''
}

@test "a running instance is not removed without -f" {
	refused 1 'running' ketch rm web
	is "$(inspect_of web .State.Status)" running
}

@test "logs -f follows to the end; stop sends the stop signal and waits; wait tells the status" {
	ketch logs -f web >"$DIR/followed" 2>&1 &
	local follower=$!
	await 10 grep -q three "$DIR/followed"
	is "$(ketch stop web)" web
	is "$(inspect_of web .State.Status)" exited
	is "$(inspect_of web .State.ExitCode)" 21
	wait "$follower"
	like "$(cat "$DIR/followed")" 'got TERM'
	await 10 gone "$(cat "$DIR/waiter")"
	is "$(cat "$DIR/waited")" 21
	is "$(ketch wait web)" 21
}

@test "ended: ps -a still lists it, ps does not, its log is there" {
	is "$(ketch ps -q)" ''
	is "$(ketch ps -aq)" "${ID:0:12}"
	like "$(ketch ps -a)" 'Exited \(21\)'
	like "$(ketch logs web)" 'got TERM'
}

unused() { [ -z "$("$E2E/audit.py" "$DIR")" ]; }

@test "nothing of an ended instance runs; rm takes its record away" {
	await 10 unused
	is "$(ketch rm web)" web
	is "$(ketch ps -aq)" ''
	audit
}

@test "stop -t: a process that ignores the signal is killed in time; kill sends any signal" {
	krun -d --name deaf ketch/base sh -c 'trap "" TERM; trap "echo got USR1" USR1; echo ready; while :; do tail -f /dev/null & wait; done' >/dev/null
	await 10 logged deaf ready
	is "$(ketch kill -s USR1 deaf)" deaf
	await 10 logged deaf 'got USR1'
	ketch exec deaf sh -c 'echo kept >/kept'
	ketch stop -t 1 deaf
	is "$(inspect_of deaf .State.ExitCode)" 137
	ketch cp deaf:/kept "$DIR/kept" # killed from inside, so that a guest wrote what it had
	is "$(<"$DIR/kept")" kept
	ketch rm deaf
}

@test "--stop-signal is what stop sends; --rm -d: gone with its end" {
	krun -d --rm --name hup --stop-signal HUP ketch/base sh -c 'trap "echo got HUP; exit 5" HUP; echo ready; tail -f /dev/null & wait' >/dev/null
	await 10 logged hup ready
	ketch stop hup
	await 10 unknown hup
	refused 1 'no such instance.*hup' ketch inspect hup
	is "$(ketch events --stream=false --filter container=hup --filter event=die --format '{{.Actor.Attributes.exitCode}}')" 5
}

@test "kill without a signal is SIGKILL; rm -f takes several, also one that runs, and leaves nothing" {
	stay --name victim >/dev/null
	ISOLATION=container stay --name forced >/dev/null # rm -f of a machine is at the end of each file
	ketch kill victim
	ketch rm victim # at once: kill has waited for its end
	ketch rm -f forced
	is "$(ketch ps -aq)" ''
	audit
}

@test "stop of several asks all at the same time: each ends only when the other was asked, too" {
	local meet='trap "touch /v/$0; until [ -e /v/$1 ]; do sleep 0.05; done; exit 0" TERM; echo ready; while :; do sleep 0.1; done'
	krun -d --name one -v meet:/v ketch/base sh -c "$meet" one two >/dev/null
	ketch run -d --isolation container --name two -v meet:/v ketch/base sh -c "$meet" two one >/dev/null
	await 30 logged one ready
	await 30 logged two ready
	is "$(ketch stop -t 60 one two one)" $'one\ntwo\none'
	is "$(inspect_of one .State.ExitCode) $(inspect_of two .State.ExitCode)" '0 0'
	ketch rm one two
	ketch volume rm meet
}
