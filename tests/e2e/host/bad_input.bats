# bad_input.bats - one clear line on stderr, the right exit status, the store unchanged, nothing left behind
load ../lib

setup_file() {
	store_open
	ketch import "$("$FIXTURES/get" base)/rootfs" no-command
	ketch run --rm no-command true # makes what is made on first use
	ketch kernel ls -q
	snapshot >"$DIR/before"
}
teardown_file() { store_close; }

snapshot() { # what a store holds, but not what it may note or keep for later
	ketch images -q
	ketch ps -aq
	find "$KETCH_ROOT" -mindepth 1 ! -path '*/ketch.db*' ! -path '*/seccomp*' ! -path '*/locks/*' ! -path '*/kernels' \
		! -path '*/events/*' -printf '%p %s\n' | sort
}
unchanged() { snapshot | diff "$DIR/before" -; is "$(things_run)" ''; }

# Lines of: STATUS;what the error must name;arguments of ketch
table() {
	local status pattern command bad=0
	while IFS=';' read -r status pattern command; do
		eval "set -- $command"
		refused "$status" "$pattern" ketch "$@" || { echo "^^^ ketch $command" >&2; bad=1; }
	done
	unchanged && [ $bad = 0 ]
}

@test "images that are not there, and malformed references" {
	table <<-'EOF'
		125;no such image.*nothing;run nothing true
		125;no such image;run sha256:0123456789abcdef true
		125;image name;run 'Upper/Case' true
		125;image name;run 'a::b' true
		125;image name;run '../up' true
		125;image name;run '' true
		125;image name;run $'new\nline' true
		125;image name;run $'esc\e[31m' true
		125;image name;run "$(head -c 5000 /dev/zero | tr '\0' a)" true
		1;no such image.*nothing;rmi nothing
		1;no such image.*nothing;image inspect nothing
		1;no such image.*nothing;tag nothing a:b
		1;name;tag ketch/base 'a b'
		1;name;tag ketch/base 'a@sha256:00'
		1;name;import "$DIR" 'UP:x'
	EOF
}

@test "values of flags that cannot be" {
	table <<-'EOF'
		125;memory.*12q;run -m 12q ketch/base true
		125;memory;run -m -1 ketch/base true
		125;memory;run -m 1 ketch/base true
		125;memory;run -m 99999999999999999999g ketch/base true
		125;cpus;run --cpus -1 ketch/base true
		125;cpus;run --cpus nan ketch/base true
		125;cpus;run --cpus 1e99 ketch/base true
		125;pids;run --pids-limit x ketch/base true
		125;ulimit.*nofile;run --ulimit nofile ketch/base true
		125;ulimit;run --ulimit nofile=5:1 ketch/base true
		125;ulimit.*nosuch;run --ulimit nosuch=1 ketch/base true
		125;NOSUCH;run --cap-add NOSUCH ketch/base true
		125;isolation.*jail;run --isolation jail ketch/base true
		125;network.*bridge9;run --network bridge9 ketch/base true
		125;network host.*virtual machine;run --vm --network host ketch/base true
		125;NOSIG;run --stop-signal NOSIG ketch/base true
		125;security-opt.*x=y;run --security-opt x=y ketch/base true
		125;tmpfs;run --tmpfs relative ketch/base true
		125;tmpfs.*nosuch;run --tmpfs /t:nosuch ketch/base true
		125;name.*-x;run --name -x ketch/base true
		125;name;run --name $'a\nb' ketch/base true
		125;name;run --name $'a\x1b[1m' ketch/base true
		125;name;run --name a/b ketch/base true
		125;host ?name;run -h "$(printf 'a\tb')" ketch/base true
		125;host ?name;run -h "$(head -c 300 /dev/zero | tr '\0' a)" ketch/base true
		125;workdir|working dir;run -w relative ketch/base true
		125;env;run -e '' ketch/base true
		125;env;run -e '=x' ketch/base true
		125;label;run --label '=x' ketch/base true
		125;no-such-user;run --rm -u no-such-user ketch/base true
		125;no-such-group;run --rm -u root:no-such-group ketch/base true
		125;argument|needs|value;run -m
		125;IMAGE|image;run
		125;command;run no-command
	EOF
}

@test "binds and files that cannot be read" {
	echo '{' >"$DIR/bad.json"
	echo '{ "defaultAction": "SCMP_ACT_NOSUCH" }' >"$DIR/action.json"
	table <<-'EOF'
		125;/no/such/source;run -v /no/such/source:/x ketch/base true
		125;relative;run -v /tmp:relative ketch/base true
		125;ro|option|mode;run -v /tmp:/x:rx ketch/base true
		125;duplicate|twice|/x;run -v /tmp:/x -v /var:/x ketch/base true
		125;/no/such/env;run --env-file /no/such/env ketch/base true
		125;/no/such/profile;run --security-opt seccomp=/no/such/profile ketch/base true
		125;bad.json;run --security-opt "seccomp=$DIR/bad.json" ketch/base true
		125;NOSUCH;run --security-opt "seccomp=$DIR/action.json" ketch/base true
		1;/no/such/file;load -i /no/such/file
		1;/no/such/dir;import /no/such/dir x:1
		1;passwd;import /etc/passwd x:1
		1;passwd;load -i /etc/passwd
		1;null;import /dev/null x:1
	EOF
}

@test "instances that are not there" {
	table <<-'EOF'
		1;no such instance.*nobody;logs nobody
		1;no such instance.*nobody;stop nobody
		1;no such instance.*nobody;kill nobody
		1;no such instance.*nobody;wait nobody
		1;no such instance.*nobody;rm nobody
		1;no such instance.*nobody;inspect nobody
		1;no such instance.*nobody;exec nobody true
	EOF
}

@test "a kernel that is not there" {
	table <<-'EOF'
		1;no such kernel.*9.9.9;kernel rm 9.9.9
		1;/no/such/vmlinuz;kernel import /no/such/vmlinuz
	EOF
}

@test "archives cut off anywhere, or with a flipped bit, are refused" {
	local podman n size
	podman=$("$FIXTURES/get" podman)
	size=$(stat -c %s "$podman/docker.tar")
	for n in 0 1 511 512 100000 $((size / 2)) $((size - 20000)); do
		head -c "$n" "$podman/docker.tar" >"$DIR/cut.tar"
		refused 1 'cut.tar' ketch load -i "$DIR/cut.tar"
	done
	cp "$podman/oci.tar" "$DIR/cut.tar"
	printf '\x55' | dd of="$DIR/cut.tar" bs=1 seek=$(($(stat -c %s "$DIR/cut.tar") / 2)) conv=notrunc status=none
	refused 1 'cut.tar.*(digest|corrupt)' ketch load -i "$DIR/cut.tar"
	unchanged
}

@test "an archive without a byte is said to be empty, whichever way it comes" {
	: >"$DIR/empty"
	gzip -c "$DIR/empty" >"$DIR/empty.gz"
	table <<-'EOF' # whose stdin is /dev/null
		1;^ketch: -: the archive is empty$;load
		1;^ketch: -: the archive is empty$;import - x
		1;/empty: the archive is empty$;load -i "$DIR/empty"
		1;/empty.gz: the archive is empty$;load -i "$DIR/empty.gz"
		1;/empty: the archive is empty$;import "$DIR/empty" x
		1;/empty.gz: the archive is empty$;import "$DIR/empty.gz" x
	EOF
	refused 1 '^ketch: -: the archive is empty$' bash -c ': | "$KETCH" load'
	refused 1 '^ketch: -: the archive is empty$' bash -c ': | "$KETCH" import - x'
	refused 1 'bad tar archive' bash -c 'echo none | "$KETCH" load'
	refused 1 'bad tar archive' bash -c 'echo none | "$KETCH" import - x'
	unchanged
}

@test "no room on the disk: refused, and nothing is left of it" {
	# a mount namespace of its own: the machine's mounts stay as they are
	run unshare -m --propagation private bash -c '
		mkdir "$DIR/small" && mount -t tmpfs -o size=1m none "$DIR/small"
		export KETCH_ROOT=$DIR/small/store KETCH_RUN_ROOT=$DIR/small/run
		"$KETCH" import "$("$FIXTURES/get" base)/rootfs" x:1
		echo "status $?, images: $("$KETCH" images -q), left: $(find "$KETCH_ROOT"/layers "$KETCH_ROOT"/tmp -mindepth 1)"'
	like "$output" 'ketch: no room left on the disk'
	like "$output" 'status 1, images: , left: $'
}

@test "a store that cannot be used" {
	refused 125 'no/such|/proc' ketch --root /proc/no/such run ketch/base true
	echo not a database >"$DIR/file"
	mkdir "$DIR/broken" && cp "$DIR/file" "$DIR/broken/ketch.db"
	refused 1 'ketch.db|database' ketch --root "$DIR/broken" images
	refused 125 'ketch.db|database' ketch --root "$DIR/broken" run ketch/base true
}

@test "in a chroot a container is refused: the root of the host would stay in reach" {
	mkdir "$DIR/chroot"
	refused 125 chroot unshare -m sh -c 'mount --rbind / "$1" && exec chroot "$1" "$KETCH" run --rm --network none ketch/base true' sh "$DIR/chroot"
	rmdir "$DIR/chroot"
}

@test "who comes to an instance when it has no descriptor left is turned away, not left waiting; then others are heard" {
	local id
	id=$(ulimit -Sn 64 && ketch run -d --isolation container ketch/base "${STAY[@]}")
	await 30 logged "$id" ready
	run "$E2E/crowd_at_monitor.py" "$KETCH_RUN_ROOT/$id/monitor.sock" 80
	is "$status" 0
	like "$output" '^[1-9][0-9]* [1-9][0-9]*$'
	is "$(ketch exec "$id" echo heard)" heard
	ketch rm -f "$id"
}
