# checkpoint.bats - checkpoint and restore where CRIU cannot work, and what callers probe for; see tests/bed for the rest
load lib

dump() { rt checkpoint --image-path "$DIR/img" "${@:2}" "$TAG-$1"; } # NAME [FLAG...]
restore() { rt restore --detach --bundle "$DIR/b/$1" --image-path "$DIR/img" "${@:2}" "$TAG-$1"; }

# A criu that fails as the true one does: by its log.
fake_criu() {
	mkdir -p "$DIR/bin"
	cat >"$DIR/bin/criu" <<-'END'
		#!/bin/sh
		for word; do case $word in --work-dir=*) work=${word#*=} ;; --log-file=*) log=${word#*=} ;; esac; done
		echo "$@" >"$work/command"
		printf '%s\n' '(00.1) fine' '(00.2) Error (criu/x.c:1): x: it cannot be' '(00.3) Error (criu/cr-dump.c:2): Dumping FAILED.' >"$work/$log"
		exit 1
	END
	chmod +x "$DIR/bin/criu"
}

@test "what Podman probes for" {
	says 0 '' rt checkpoint --help
	says 1 'requires an argument|flag needs an argument' rt restore --lsm-mount-context
}

@test "without CRIU: one line, and the container goes on" {
	staying none
	for path in /nonexistent "$DIR/bin:$PATH"; do
		[ "$path" = /nonexistent ] || fake_criu
		PATH=$path status=0
		PATH=$path "$RUNTIME" --root "$DIR/state" checkpoint --image-path "$DIR/img" "$TAG-none" 2>"$DIR/err" 3>&- || status=$?
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		is "$status" 1
		is "$(wc -l <"$DIR/err")" 1
		has_status none running
	done
	like "$(cat "$DIR/err")" 'criu dump failed: x: it cannot be \(.*/img/dump.log\)'
	rt exec "$TAG-none" true
	remove none
}

@test "the flags of checkpoint reach CRIU" {
	local command
	fake_criu
	staying flags '.mounts += [{destination: "/var/run/host", type: "bind", source: "/etc", options: ["rbind"]}]'
	PATH=$DIR/bin:$PATH run dump flags --work-path "$DIR/work" --leave-running --tcp-established --ext-unix-sk --shell-job \
		--file-locks --empty-ns network --manage-cgroups-mode ignore --parent-path ../before \
		--auto-dedup --page-server '[::1]:27'
	is "$status" 1
	command=" $(cat "$DIR/work/command") "
	like "$command" ' --page-server --address=::1 --port=27 '
	for word in dump "--tree=$(pid_of flags)" "--images-dir=$DIR/img" --leave-running --tcp-established --ext-unix-sk \
		--shell-job --file-locks --auto-dedup --empty-ns=net --prev-images-dir=../before --track-mem \
		'--external=mnt\[/run/host\]:/run/host'; do
		like "$command" " $word "
	done
	remove flags
}

@test "--criu: that program instead of the one in PATH; others than CRIU's verbs do not look at it" {
	fake_criu
	bundle other . true
	mkdir -p "$DIR/img"
	cd "$DIR"
	for path in "$DIR/bin/criu" bin/criu; do
		says 1 'criu restore failed: x: it cannot be' rt --criu "$path" restore --bundle b/other --image-path img "$TAG-other"
	done
	says 1 'cannot run CRIU: /none/criu: No such file' rt --criu /none/criu restore --bundle b/other --image-path img "$TAG-other"
	says 0 '' rt --criu /none/criu run --bundle b/other "$TAG-other"
	audit
}

@test "a restore that fails leaves nothing" {
	fake_criu
	mkdir -p "$DIR/img"
	bundle gone . true
	PATH=$DIR/bin:$PATH says 1 'criu restore failed: x: it cannot be \(.*restore.log\)' restore gone
	says 1 '--image-path' rt restore --bundle "$DIR/b/gone" --image-path "$DIR/nothing" "$TAG-gone"
	audit
}

# The RPC's transport alone: its messages are in tests/unit/criu, a true criu is in the bed.
@test "a criu that does not speak its RPC as it should: one line, and nothing is left" {
	mkdir -p "$DIR/bin" "$DIR/img"
	bundle rpc '.process.terminal = true' true
	for answer in 'exit 1' 'exit 0' 'printf "\x08" >&$2' 'printf "\x08\x02\x10\x00" >&$2' 'printf "\x08\x02\x10\x01" >&$2' \
		'printf "\x08\x02\x10\x01\x22\x02\x08\x01" >&$2' 'head -c 20000 /dev/zero >&$2'; do
		printf '#!/bin/bash\n[ "$1" = swrk ] || exit 9\n%s\n' "$answer" >"$DIR/bin/criu"
		PATH=$DIR/bin:$PATH says 1 'criu restore failed|no sense|the images hold no terminal|cannot hear from CRIU' \
			rt restore --bundle "$DIR/b/rpc" --image-path "$DIR/img" "$TAG-rpc"
		is "$(wc -l <"$DIR/says.err")" 1
		audit
	done
}

@test "what is refused" {
	bundle no . "${STAY[@]}"
	create no
	says 1 'container not running: created' dump no
	remove no
	staying no
	says 1 'lazy-pages needs --page-server' dump no --lazy-pages
	says 1 'does not go with --pre-dump' dump no --lazy-pages --page-server h:1 --pre-dump
	says 1 'status-fd goes with --lazy-pages' dump no --status-fd 1
	for fd in 77 -2 4294967297; do
		says 1 "status-fd: descriptor $fd is not open" dump no --lazy-pages --page-server h:1 --status-fd "$fd"
	done
	says 1 'descriptor 0 is not open for writing' dump no --lazy-pages --page-server h:1 --status-fd 0
	for server in '' : host host: :1 host:0 host:65536 host:+1 host:1x ::1:1 '[::1]' '[::1]1' '[127.0.0.1]:1' '[]:1' 'a b:1' -h:1; do
		says 1 'is not ADDRESS:PORT' dump no "--page-server=$server"
	done
	says 1 'empty-ns: .*uts' dump no --empty-ns uts
	says 1 'manage-cgroups-mode' dump no --manage-cgroups-mode full
	says 1 'already exists' restore no
	has_status no running
	remove no
	says 1 'does not exist' dump no
	says 1 'asks for no terminal' restore gone --console-socket "$DIR/none"
	bundle no '.process.terminal = true' true
	says 1 'a terminal needs --console-socket' restore no
	says 1 'console-socket .*/none' restore no --console-socket "$DIR/none"
	bundle no '.linux.namespaces |= map(select(.type != "mount"))' true
	says 1 'mount namespace' restore no
	audit
}
