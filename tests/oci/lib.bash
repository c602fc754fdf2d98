# lib.bash - what every file of tests/oci loads: bundles, the runtime under test, and the audit of what it left
#
# RUNTIME is the program (build/ketch-oci by default).  The same tests pass with Debian's runc, apart from what is
# marked `beyond runc`, and so show what callers are used to.  Run them by `private` (see there).
#
# Each file works in $DIR; its containers are called $TAG-NAME and have the cgroups /$TAG/NAME, so that the audit
# finds what is left of them from the kernel alone.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.bash"
OCI=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
RUNTIME=$(command -v "${RUNTIME:-$OCI/../../build/ketch-oci}") || { echo "no runtime to test" >&2; exit 1; }
RUNTIME=$(readlink -f "$RUNTIME")

oci_open() { # for setup_file
	export DIR TAG
	DIR=$(mktemp -d /tmp/ketch-oci.XXXXXX)
	TAG=${DIR##*/}
	TAG=${TAG/./-}
	chmod 755 "$DIR"
	mkdir "$DIR/state" "$DIR/b"
	cp -a "$("$OCI/../fixtures/get" base)/rootfs" "$DIR/rootfs"
	mountinfo >"$DIR/mounts"
}

oci_close() { # for teardown_file
	cgroups | sort -r | xargs -r rmdir
	rm -rf "$DIR"
}

# oci_end: for teardown.  A test removes its containers, then nothing may be left of any; what a failed test
# left goes, so that its failure stays its own.
oci_end() {
	if [ -n "${BATS_TEST_COMPLETED-}" ]; then audit; else clean_up; fi
}

setup_file() { oci_open; }
teardown_file() { oci_close; }
teardown() { oci_end; }

beyond() { # runc|crun WHY: skips where that runtime is known to do otherwise
	[ "${RUNTIME##*/}" != "$1" ] || skip "$1: $2"
}

rt() { "$RUNTIME" --root "$DIR/state" "$@"; }
pid_of() { rt state "$TAG-$1" | jq .pid; } # NAME
status_of() { rt state "$TAG-$1" | jq -r .status; } # NAME
has_status() { [ "$(status_of "$1" 2>/dev/null)" = "$2" ]; } # NAME STATUS

# bundle NAME JQ [ARG...]: a bundle with the suite's config.json as the filter changes it, and these arguments
bundle() {
	mkdir -p "$DIR/b/$1"
	[ -e "$DIR/b/$1/rootfs" ] || ln -s "$DIR/rootfs" "$DIR/b/$1/rootfs"
	local args
	args=$(printf '%s\x1e' "${@:3}" | jq -Rsc 'split("\u001e")[:-1]')
	jq --arg cgroup "/$TAG/$1" --arg root "$DIR/rootfs" --argjson args "$args" \
		".linux.cgroupsPath = \$cgroup | .root.path = \$root | if \$args != [\"\"] then .process.args = \$args else . end | $2" \
		<"$OCI/base.json" >"$DIR/b/$1/config.json"
}

# create NAME [FLAG...]: what the container prints goes to $DIR/NAME.out, what the command prints too
create() {
	rt create --bundle "$DIR/b/$1" --pid-file "$DIR/$1.pid" "${@:2}" "$TAG-$1" </dev/null >"$DIR/$1.out" 2>&1 3>&- ||
		{ local status=$?; cat "$DIR/$1.out" >&2; return $status; }
}
start() { rt start "$TAG-$1"; }
up() { create "$@" && start "$1"; } # NAME [FLAG...]
out() { cat "$DIR/$1.out"; }
ended() { await 10 has_status "$1" stopped; }
remove() { rt delete --force "$TAG-$1"; }
# output_of NAME: starts it, waits for its end, prints what it said, removes it
output_of() { up "$1" && ended "$1" && rt delete "$TAG-$1" && out "$1"; }
# printed NAME JQ ARG...: what a container with this bundle prints
printed() { bundle "$@" && output_of "$1"; }
# A container that stays until it is told to end.
staying() { bundle "$1" "${2:-.}" "${STAY[@]}" && up "$1" && await 10 grep -q ready "$DIR/$1.out"; } # NAME [JQ]

# says STATUS REGEX COMMAND...: it ends so, and says so on stderr (in logrus's text quotes are escaped)
says() {
	status=0
	"${@:3}" </dev/null >"$DIR/says.out" 2>"$DIR/says.err" 3>&- || status=$?
	output=$(cat "$DIR/says.out") stderr=$(cat "$DIR/says.err")
	is "$status" "$1" || { echo "$stderr" >&2; return 1; }
	like "${stderr//\\\"/\"}" "$2"
}

# --- the audit

clean_up() {
	local id cgroup
	for id in $(rt list -q); do timeout 10 "$RUNTIME" --root "$DIR/state" delete --force "$id"; done
	for cgroup in $(cgroups | sort -r); do
		[ ! -e "$cgroup/freezer.state" ] || echo THAWED >"$cgroup/freezer.state"
		xargs -r kill -9 <"$cgroup/cgroup.procs"
		await 2 rmdir "$cgroup"
	done 2>/dev/null
	pids_of_runtime | xargs -r kill -9
	rm -rf "$DIR/state" && mkdir "$DIR/state"
}
pids_of_runtime() { find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname "$RUNTIME" 2>/dev/null | cut -d/ -f3; }
cgroups() { find /sys/fs/cgroup -type d -path "*/$TAG*" 2>/dev/null | sort; }
mountinfo() { cut -d' ' -f5,9- /proc/self/mountinfo | sort; }


left() {
	local pid
	for pid in $(pids_of_runtime; grep -ls "/$TAG" /proc/[0-9]*/cgroup | cut -d/ -f3); do
		echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done 2>/dev/null
	cgroups | grep -v "/$TAG\$" | head -n 20
	mountinfo | diff "$DIR/mounts" - | grep '^[<>]'
	find "$DIR/state" -mindepth 1 -maxdepth 1 ! -name .seccomp # what is kept for later runs
}
