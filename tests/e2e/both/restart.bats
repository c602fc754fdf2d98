# restart.bats - restart policies, and what runs again after the host went down
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

# A process that ends as soon as a file says so: 'exec NAME end STATUS'.
ENDS=(sh -c 'echo began; mkfifo /end 2>/dev/null; read -r status </end; exit "$status"')
# INSTANCE STATUS; who says so may be killed by the end of the first process
end() { ketch exec "$1" sh -c "echo $2 >/end" || [ $? = 137 ]; }
restarts() { [ "$(inspect_of "$1" '"\(.RestartCount) \(.State.Status)"')" = "$2" ]; } # INSTANCE "COUNT STATUS"

@test "wrong policies are refused, and nothing is left" {
	refused 125 'invalid restart policy' krun --restart sometimes ketch/base true
	refused 125 'maximum retry count cannot be used' krun --restart always:2 ketch/base true
	refused 125 'conflicting options: --restart and --rm' krun --rm --restart always ketch/base true
	is "$(ketch ps -aq)" ''
}

@test "on-failure:1: the attached command ends with the first end; wait waits for the last; it is not started a third time" {
	run -7 krun --name brief --restart on-failure:1 ketch/base sh -c 'echo once; exit 7'
	is "$output" once
	is "$(ketch wait brief)" 7
	is "$(inspect_of brief '.RestartCount, .State.Status, .HostConfig.RestartPolicy.Name')" $'1\nexited\non-failure'
	is "$(ketch logs brief)" $'once\nonce'
}

@test "always: it is started again with what it wrote, under the same id; an end by stop is the last" {
	krun -d --name steady --restart always --stop-timeout 1 --pidfile "$DIR/pid" ketch/base "${ENDS[@]}" >/dev/null
	await 30 logged steady began
	is "$(cat "$DIR/pid")" "$(inspect_of steady .State.Pid)"
	local first
	first=$(monitor_of steady)
	ketch exec steady touch /kept
	end steady 0
	await 60 restarts steady '1 running'
	is "$(ketch exec steady ls /kept)" /kept
	is "$(cat "$DIR/pid")" "$(inspect_of steady .State.Pid)"
	[ "$(monitor_of steady)" = "$first" ] || await 10 gone "$first"
	ketch stop -t 1 steady
	is "$(inspect_of steady '.State.Status, .RestartCount')" $'exited\n1'
}

@test "while it waits: restarting" {
	krun -d --name loop --restart always ketch/base false >/dev/null
	await 90 shows_restarting
}

@test "while it waits exec and pause are refused" {
	[ "$ISOLATION" = container ] || skip "to come in time for both takes some boots; who refuses knows no wall"
	await 90 refused_while_restarting
}

@test "stop ends it while it waits" {
	is "$(ketch stop loop)" loop
	is "$(inspect_of loop .State.Status)" exited
	await 10 unused
}

@test "rm -f of what is started again and again leaves nothing" {
	[ "$ISOLATION" = container ] ||
		{ ketch rm loop && skip "one more boot: rm -f of a machine is at the end of every file"; }
	ketch start loop
	is "$(ketch rm -f loop)" loop
	unknown loop
}
shows_restarting() { [[ $(ketch ps) =~ Restarting\ \(1\).*loop ]]; }
# Each of these may come in the moment of a start, so all are tried until none does.
refused_while_restarting() {
	refused 1 'restarting' ketch exec loop true && refused 1 'restarting' ketch pause loop
}
unused() { [ -z "$("$E2E/audit.py" "$DIR")" ]; }

@test "stop-all and start-all: a reboot in order; who is started by hand counts anew" {
	ketch start steady
	is "$(inspect_of steady .RestartCount)" 0
	ketch run -d --isolation container --name plain ketch/base "${STAY[@]}" >/dev/null # whatever their walls
	is "$(ketch system stop-all | sort | xargs)" 'plain steady'
	is "$(ketch ps -q)" ''
	await 10 unused
	rm -rf "${KETCH_RUN_ROOT:?}"/* # as a reboot leaves it
	is "$(ketch system start-all)" steady
	is "$(ketch ps --format '{{.Names}}')" steady
	is "$(ketch system start-all)" ''
}

lose() { # INSTANCE: its monitor is killed
	local monitor pid
	monitor=$(monitor_of "$1") pid=$(inspect_of "$1" .State.Pid)
	kill -9 "$monitor"
	await 10 gone "$monitor"
	await 10 gone "$pid"
}

@test "kill -9 of the monitor, and a power cut: told as they were, and started again" {
	lose steady
	is "$(inspect_of steady '.State.Status, .State.Error')" $'exited\nits monitor was killed'
	is "$(ketch system start-all)" steady
	lose steady
	rm -rf "${KETCH_RUN_ROOT:?}"/*
	is "$(inspect_of steady '.State.Status, .State.ExitCode, .State.Error')" $'exited\n137\nthe host went down'
	ketch rm steady plain brief
	audit
}
