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
		--file-locks --empty-ns network --manage-cgroups-mode ignore --parent-path ../before
	is "$status" 1
	command=" $(cat "$DIR/work/command") "
	for word in dump "--tree=$(pid_of flags)" "--images-dir=$DIR/img" --leave-running --tcp-established --ext-unix-sk \
		--shell-job --file-locks --empty-ns=net --prev-images-dir=../before --track-mem \
		'--external=mnt\[/run/host\]:/run/host'; do
		like "$command" " $word "
	done
	remove flags
}

@test "a restore that fails leaves nothing" {
	fake_criu
	mkdir -p "$DIR/img"
	bundle gone . true
	PATH=$DIR/bin:$PATH says 1 'criu restore failed: x: it cannot be \(.*restore.log\)' restore gone
	says 1 '--image-path' rt restore --bundle "$DIR/b/gone" --image-path "$DIR/nothing" "$TAG-gone"
	audit
}

@test "what is refused" {
	bundle no . "${STAY[@]}"
	create no
	says 1 'container not running: created' dump no
	remove no
	staying no
	says 1 'lazy-pages: not supported' dump no --lazy-pages
	says 1 'page-server: not supported' dump no --page-server 127.0.0.1:1
	says 1 'empty-ns: .*uts' dump no --empty-ns uts
	says 1 'manage-cgroups-mode' dump no --manage-cgroups-mode full
	says 1 'already exists' restore no
	has_status no running
	remove no
	says 1 'does not exist' dump no
	bundle no '.process.terminal = true' true
	says 1 'a container with a terminal' restore no
	bundle no '.linux.namespaces |= map(select(.type != "mount"))' true
	says 1 'mount namespace' restore no
	audit
}
