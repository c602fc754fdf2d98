# health.bats - health checks: run by the monitor inside the instance, whatever its wall
load ../lib

setup_file() {
	store_open
	stay --name box --health-cmd 'cat /well || exit 7' --health-interval 300ms --health-retries 2 >/dev/null
	ketch create --isolation "$ISOLATION" --name plain ketch/base true >/dev/null
}
teardown_file() { store_close; }

health_is() { is "$(inspect_of box .State.Health.Status)" "$1" 2>/dev/null; } # STATUS

@test "failures in a row make it unhealthy, and ps says so" {
	await 30 health_is unhealthy
	like "$(ketch ps)" 'Up .* \(unhealthy\) .*box'
	[ "$(inspect_of box .State.Health.FailingStreak)" -ge 2 ]
	is "$(inspect_of box '.State.Health.Log[-1].ExitCode')" 7
	like "$(inspect_of box '.State.Health.Log[-1].Output')" '/well'
	like "$(inspect_of box '.State.Health.Log[-1].Start')" '^20.*Z$'
}

@test "one success makes it healthy" {
	ketch exec box sh -c 'echo all is well >/well'
	await 30 health_is healthy
	like "$(ketch ps)" 'Up .* \(healthy\) .*box'
	is "$(inspect_of box '.State.Health.Log[-1].Output')" "all is well"
	five() { is "$(inspect_of box '.State.Health.Log | length')" 5 2>/dev/null; }
	await 30 five
}

@test "while it starts it is looked at more often" {
	krun -d --name soon --health-cmd true --health-interval 1h --health-start-period 1h --health-start-interval 200ms \
		ketch/base "${STAY[@]}"
	soon_is() { is "$(inspect_of soon .State.Health.Status)" "$1" 2>/dev/null; }
	await 30 soon_is healthy
	is "$(inspect_of soon '.Config.Healthcheck | "\(.StartInterval) \(.StartPeriod)"')" "200000000 3600000000000"
	ketch rm -f soon
}

@test "changes are told, and only they" {
	local told='.Action | select(startswith("health"))'
	is "$(ketch events --stream=false --format json --filter container=box | jq -r "$told")" \
		$'health_status: unhealthy\nhealth_status: healthy'
	like "$(ketch events --stream=false --filter event=health_status)" 'container health_status: healthy [0-9a-f]{64} \('
}

@test "healthcheck run: the status is that of the check" {
	ketch healthcheck run box
	ketch exec box rm /well
	run ketch healthcheck run box
	is "$status" 1
	is "$output" ""
	refused 125 'plain has no defined healthcheck' ketch healthcheck run plain
	refused 125 'no such instance' ketch healthcheck run nobody
}

@test "a check that takes too long is ended, and has failed" {
	ketch rm -f box
	stay --name box --health-cmd 'sleep 1000' --health-interval 100ms --health-timeout 300ms --health-retries 1 >/dev/null
	await 30 health_is unhealthy
	like "$(inspect_of box '.State.Health.Log[0].Output')" 'exceeded timeout \(0.3s\)'
	is "$(inspect_of box '.State.Health.Log[0].ExitCode')" -1
	alone() { [ "$(ketch top box | grep -c 'sleep 1000')" -le 1 ]; }
	await 10 alone
}

@test "without a check there is no word of health" {
	unlike "$(ketch ps -a | grep plain)" health # format.bats has one that runs
	is "$(inspect_of plain .State.Health)" null
}

@test "bad values are one line" {
	refused 125 'health-interval' krun --health-cmd true --health-interval soon ketch/base true
	refused 125 'health-retries' krun --health-cmd true --health-retries 0 ketch/base true
	refused 125 'conflicts with --health' krun --no-healthcheck --health-cmd true ketch/base true
}
