# setup_suite.bash - once per run of bats: the store that every file gets a copy of, with ketch/base and a kernel
#
# Each file runs in a network namespace of its own, so that bridges and rules never are the machine's: bats calls
# bats-exec-file for each, and finds this function of that name.  store_open checks that it is so.
alone() { unshare -n -- sh -c 'ip link set lo up && exec "$@"' alone "$@"; } # COMMAND...
bats-exec-file() { alone "$(type -P bats-exec-file)" "$@"; }

setup_suite() {
	local top
	top=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
	top=${top%/tests*}
	export KETCH=${KETCH:-$top/build/ketch} ISOLATION=${ISOLATION:-container} FIXTURES=$top/tests/fixtures
	E2E_HOST_NET=$(readlink /proc/self/ns/net)
	export E2E_HOST_NET
	E2E_SUITE=$(mktemp -d "${TMPDIR:-/tmp}/ketch-suite.XXXXXX")
	export E2E_SUITE E2E_TEMPLATE=$E2E_SUITE/store
	export KETCH_ROOT=$E2E_TEMPLATE KETCH_RUN_ROOT=$E2E_SUITE/run
	"$KETCH" import -c 'CMD ["sh"]' "$("$FIXTURES/get" base)/rootfs" ketch/base
	local kernel # so that the machine needs none in /boot
	kernel=$("$FIXTURES/get" kernel)
	"$KETCH" kernel import "$kernel"/boot/vmlinuz-* "$kernel"/lib/modules/*
	[ -z "${KVM_WORKS:-}" ] || find_kvm
	# Makes what is kept for later runs (seccomp filter; initramfs and EROFS file for a VM).
	alone "$KETCH" run --rm --isolation "$ISOLATION" ketch/base true
	at_rest "$top"
	unset KETCH_ROOT KETCH_RUN_ROOT
}

at_rest() { # TOP: what an instance had on networks is taken back behind its end; then the store can be copied
	local end=$((SECONDS + 30))
	touch "$E2E_SUITE/things"
	while [ "$SECONDS" -lt "$end" ]; do
		compgen -G "$KETCH_RUN_ROOT/networks/*/" >/dev/null ||
			"$1/tests/e2e/audit.py" "$E2E_SUITE" | grep -q '^process' || break
		sleep 0.05
	done
	rm "$E2E_SUITE/things"
}

find_kvm() { # where it is known to work: a busy emulator can be too slow for the probe, once or twice
	local try
	for try in {1..10}; do
		"$KETCH" doctor | grep -q '^ok  *KVM' && return
		rm -f "$KETCH_RUN_ROOT/kvm.json"
	done
	echo "KVM was not found to work $try times"
	return 1
}

teardown_suite() {
	rm -rf "$E2E_SUITE"
}
