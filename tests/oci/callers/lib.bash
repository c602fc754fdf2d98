# lib.bash - what the files of callers/ load: an image, and a place where one daemon can run beside the machine's own
#
# Each file is run by ../private -v LAYOUT (a mount and pid namespace, /run of its own) with RUNTIME as the daemon's
# runtime.  $DIR has all that a daemon writes.  The image is the suite's base root: test/base:1.
. "$(dirname "${BASH_SOURCE[0]}")/../../e2e/lib.bash"
CALLERS=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
RUNTIME=$(readlink -f "$(command -v "${RUNTIME:-$CALLERS/../../../build/ketch-oci}")")

caller_open() { # for setup_file
	export DIR
	DIR=$(mktemp -d /tmp/ketch-oci.XXXXXX)
	chmod 755 "$DIR"
	mount -t tmpfs -o size=1g tmpfs "$DIR" # overlay on whatever the machine's /tmp is
	mkdir "$DIR/tmp"
	export TMPDIR=$DIR/tmp
	cgroups_now >"$DIR/cgroups"
	make_image test/base:1 '["sh"]' "$DIR/image.tar"
}

caller_close() { # for teardown_file: the daemon has ended; its containers may have left nothing
	local status=0
	await 10 no_cgroup_left || { new_cgroups >&2; status=1; }
	pids_of "$RUNTIME" | xargs -r ps -fp >&2 && [ -z "$(pids_of "$RUNTIME")" ] || status=1
	umount -R "$DIR" || umount -l "$DIR"
	rmdir "$DIR"
	return $status
}

# An image archive as `docker load`, `podman load` and `ctr image import` read it.
make_image() { # NAME CMD FILE
	local work=$DIR/image base config
	base=$("$CALLERS/../../fixtures/get" base)/rootfs
	mkdir -p "$work"
	tar -C "$base" --sort=name -cf "$work/layer.tar" .
	jq -cn --argjson cmd "$2" --arg diff "sha256:$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)" '{architecture: "amd64", os: "linux",
		config: {Cmd: $cmd, Env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"]},
		rootfs: {type: "layers", diff_ids: [$diff]}}' >"$work/config"
	config=$(sha256sum <"$work/config" | cut -d' ' -f1)
	mv "$work/config" "$work/$config.json"
	echo "[{\"Config\": \"$config.json\", \"RepoTags\": [\"docker.io/$1\"], \"Layers\": [\"layer.tar\"]}]" >"$work/manifest.json"
	tar -C "$work" -cf "$3" manifest.json "$config.json" layer.tar
}

# daemon NAME READY COMMAND...: in the background; READY is a command that succeeds once it serves
daemon() {
	"${@:3}" </dev/null >"$DIR/$1.log" 2>&1 3>&- &
	echo $! >"$DIR/$1.daemon"
	# shellcheck disable=SC2086
	await 30 $2 >/dev/null 2>&1 || { tail -n 30 "$DIR/$1.log" >&2; return 1; }
}

ended_daemon() { # NAME
	local pid
	pid=$(cat "$DIR/$1.daemon")
	kill -TERM "$pid"
	await 15 gone "$pid" || kill -9 "$pid"
}

cgroups_now() { find /sys/fs/cgroup -type d 2>/dev/null | sort; }
new_cgroups() { cgroups_now | comm -13 "$DIR/cgroups" - | grep -E 'docker|libpod|machine|moby|ctr-|default/|test' | grep -vE '/(docker|machine.slice|libpod_parent|libpod_parent/conmon|default|moby)$'; }
no_cgroup_left() { [ -z "$(new_cgroups)" ]; }
pids_of() { find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname "$1" 2>/dev/null | cut -d/ -f3; } # PROGRAM
