# auto.bats - --isolation=auto chooses by rules, tells which, and never falls back; ketch explain makes nothing
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

explain() { ketch explain --format '{{.Isolation}} {{.Rule}}' "$@" ketch/base; }

@test "explain names the rule for flags of run, and --rules lists them all" {
	is "$(explain)" 'container default'
	is "$(explain --privileged)" 'vm privileged'
	is "$(explain --cap-add SYS_ADMIN)" 'vm capabilities'
	is "$(explain --device /dev/null)" 'vm devices'
	is "$(explain --sysctl vm.swappiness=1)" 'vm sysctl'
	is "$(explain -v /lib/modules:/lib/modules:ro)" 'vm modules'
	is "$(explain --security-opt seccomp=unconfined)" 'vm unconfined'
	is "$(explain -l ketch.trust=untrusted)" 'vm untrusted'
	is "$(explain -l ketch.isolation=vm)" 'vm label'
	is "$(explain --driver qemu)" 'vm machine'
	is "$(ketch explain --rules --format '{{.Rule}}' | tail -1)" default
	refused 125 'an image is wanted' ketch explain
	refused 125 'no such image' ketch explain nosuch
	is "$(ketch ps -aq | wc -l)" 0
}

@test "what is chosen runs there, and inspect says which rule it was" {
	local flags=()
	[ "$ISOLATION" = container ] || flags=(-l ketch.trust=untrusted)
	ketch run --isolation auto "${flags[@]}" --name chosen ketch/base true
	is "$(inspect_of chosen .Isolation)" "$ISOLATION"
	like "$(inspect_of chosen .IsolationRule)" 'default|untrusted'
}

@test "what a machine cannot do is refused with the rule that wanted one" {
	refused 125 'auto chose a virtual machine .rule privileged.: --pid' \
		ketch run --isolation auto --privileged --pid host ketch/base true
	refused 125 'auto chose a virtual machine .rule devices.: --device' \
		ketch run --isolation auto --device /dev/null ketch/base true
	refused 125 'contradict' ketch run --vm --isolation auto ketch/base true
	refused 125 'contradict' ketch run --runtime ketch --isolation auto ketch/base true
}
