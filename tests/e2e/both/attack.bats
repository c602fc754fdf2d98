# attack.bats - what a hostile image, workload or caller tries (docs/THREAT_MODEL.md has the promises)
load ../lib

setup_file() {
	store_open
	cc -D_GNU_SOURCE -O1 -static -o "$DIR/attack" "$E2E/attack.c"
	stay --name box >/dev/null
	ketch exec -i box sh -c 'cat >/attack; chmod 755 /attack; printf "#!/proc/self/exe\n" >/self; chmod 755 /self' <"$DIR/attack"
}
teardown_file() { store_close; }

containers_only() { [ "$ISOLATION" = container ] || skip "makes an instance for each try: too slow as virtual machines"; }

@test "rare families, foreign ABIs, namespaces, cgroups, devices, kernel files: all are refused" {
	run ketch exec box /attack
	is "$status" 0
	like "$output" 'i386-socketcall signal (31|11)' # 11: the kernel has no entry for i386
	like "$output" 'x32 signal 31'
	is "$(grep -vcE ' (EPERM|EROFS|signal 31)$|^i386.* signal 11$' <<<"$output")" 0
}

@test "root inside cannot do it with a set-uid program either" {
	ketch exec box sh -c 'cp /attack /setuid; chmod 4755 /setuid'
	run ketch exec -u 1000 box /setuid
	is "$(grep -vcE ' (EPERM|EROFS|signal 31)$|^i386.* signal 11$' <<<"$output")" 0
	is "$(ketch exec -u 1000 box awk '/^Cap(Inh|Prm|Eff|Amb)/ { print $2 }' /proc/self/status | sort -u)" 0000000000000000
}

@test "whatever the caller has open or in its environment, a process sees 0, 1, 2 and what it was given" {
	run python3 -c '
import os, sys
for n in range(3, 230):
    os.dup2(os.open("/etc" if n % 2 else "/", os.O_RDONLY), n, inheritable=True)
os.environ.update({"MARK%d" % n: "of-the-caller" for n in range(100)})
os.execv(sys.argv[1], sys.argv[1:])' "$KETCH" exec box sh -c 'for n in $(seq 0 250); do [ -e /proc/$$/fd/$n ] && echo $n; done; tr "\0" "\n" </proc/self/environ'
	is "$status" 0
	unlike "$output" 'MARK|of-the-caller'
	is "$(grep -E '^[0-9]+$' <<<"$output" | paste -sd' ')" '0 1 2'
	unlike "$(ketch exec box cat /proc/1/environ)" 'MARK|KETCH|LD_'
}

@test "no program and no directory is found behind a descriptor of ours" {
	local n
	for n in $(seq 3 40); do
		unlike "$n: $(ketch exec box "/proc/self/fd/$n/bin/busybox" echo reached 2>&1)" ': reached'
	done
	refused 126 'working directory' ketch exec -w /proc/self/fd/5 box pwd
	refused 126 'working directory' ketch exec -w /proc/1/root box pwd
}

@test "the program that starts processes cannot be overwritten from inside" {
	local before
	hashes() { find "$(dirname "$KETCH")" -maxdepth 1 -type f -name 'ketch*' -exec sha256sum {} + | sort; }
	before=$(hashes)
	ketch exec -d box sh -c 'while ! [ -e /enough ]; do for p in /proc/[0-9]*/exe; do echo overwritten >$p; done; done 2>/dev/null'
	for _ in 1 2 3 4 5 6 7 8; do
		run ketch exec box /self
		is "$status" 125
		run ketch exec box /proc/self/exe
		is "$status" 125
	done
	ketch exec box touch /enough
	is "$(hashes)" "$before"
}

@test "users that are not exactly one user" {
	local user
	for user in 4294967296 4294967295 2147483648 -1 +1 1: : :1: :-1 1:2:3 0x0 1.0 ' 1' '1 ' root:nosuch 1:99999999999; do
		refused 126 'user|uid|group|gid' ketch exec -u "$user" box true
	done
	is "$(ketch exec -u 1000:1001 box id -G)" 1001
}

@test "what is printed about an instance cannot drive a terminal" {
	ketch create --isolation "$ISOLATION" --name loud --label $'l=\e[31m\x9b' ketch/base true $'\e]0;title\a' >/dev/null
	unlike "$(ketch ps -a --no-trunc)" $'[\e\a]'
	ketch rm loud
}

# Keys that engines give a meaning to, and some that look like ours.
reserved() {
	jq -n '{"io.ketch.isolation": "vm", "ketch.privileged": "true", "io.containers.capabilities": "SYS_ADMIN", "run.oci.handler": "krun",
		"io.containers.autoupdate": "registry", "org.systemd.property.ExecStart": "/bin/sh", "cdi.k8s.io/x": "vendor.com/device=all",
		"io.kubernetes.cri.container-type": "sandbox", "com.docker.security": "privileged", "RUN": "/bin/sh -c id", "INSTALL": "/bin/sh -c id",
		"containerd.io/restart.loguri": "binary:///bin/sh?-c=id", "org.opencontainers.image.stopSignal": "9", "io.podman.annotations.privileged": "TRUE"}'
}

@test "labels of an image are data: with every reserved key, the instance is the same" {
	local base name
	base=$("$FIXTURES/get" base)/rootfs
	mkdir -p "$DIR/labels" && tar -C "$base" --sort=name -cf "$DIR/labels/layer.tar" ./bin ./etc
	image() { # NAME LABELS
		jq -cn --argjson labels "$2" --arg diff "sha256:$(sha256sum <"$DIR/labels/layer.tar" | cut -d' ' -f1)" '{architecture: "amd64", os: "linux",
			config: {Cmd: ["sh"], Labels: $labels}, rootfs: {type: "layers", diff_ids: [$diff]}}' >"$DIR/labels/config.json"
		echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$1:1\"], \"Layers\": [\"layer.tar\"]}]" >"$DIR/labels/manifest.json"
		tar -C "$DIR/labels" -cf "$DIR/labels.tar" manifest.json config.json layer.tar
		ketch load -i "$DIR/labels.tar"
	}
	image labels/none '{}'
	image labels/many "$(reserved)"
	for name in none many; do
		krun --dry-run --name same --hostname same "labels/$name:1" true |
			sed -E 's/[0-9a-f]{64}/ID/g; s/(--uid =) [0-9]+/\1 OF-ID/' >"$DIR/labels/$name.plan"
	done
	diff "$DIR/labels/none.plan" "$DIR/labels/many.plan"
	[ "$(wc -l <"$DIR/labels/none.plan")" -gt 20 ]
	[ "$ISOLATION" = container ] || return 0
	for name in none many; do
		krun -d --name "labels-$name" --hostname same "labels/$name:1" "${STAY[@]}" >/dev/null
		ketch inspect "labels-$name" | jq -S '.[0] | del(.. | .Labels?, .Pid?, .Created?, .StartedAt?, .EndpointID?, .IPAddress?, .MacAddress?)' |
			sed -E 's/[0-9a-f]{32,}/ID/g; s/labels.(none|many)/NAME/g' >"$DIR/labels/$name.json"
		ketch rm -f "labels-$name"
	done
	diff "$DIR/labels/none.json" "$DIR/labels/many.json"
}

@test "files of a hostile image: links and traps lead nowhere" {
	containers_only
	local tree=$DIR/tree base pair dir link trap file
	base=$("$FIXTURES/get" base)/rootfs
	mkdir "$DIR/canary" && echo untouched >"$DIR/canary/file"
	try() { # WHAT-TO-DO-IN-THE-TREE COMMAND...: status and output of the run
		rm -rf "$tree" && cp -a "$base" "$tree" && (cd "$tree" && eval "$1")
		ketch import "$tree" hostile >/dev/null
		run timeout 60 "$KETCH" run --rm hostile "${@:2}"
	}
	# each directory and each kind of link, not each with each: an image is made for every try
	for pair in "dev /proc" "dev $DIR/canary" "proc /tmp" "proc $DIR/canary" "sys ../../../.." "sys $DIR/canary"; do
		dir=${pair%% *} link=${pair#* }
		try "rm -rf $dir; ln -s $link $dir" true
		is "$status" 125 && like "$output" "/$dir.*symbolic link"
	done
	try "rm -rf dev; mkdir dev; ln -s /proc dev/null; ln -s /tmp dev/pts; ln -s ../../../.. dev/zero; ln -s $DIR/canary dev/full" \
		stat -c %t:%T /dev/null /dev/zero /dev/full
	is "$output" $'1:3\n1:5\n1:7'
	try "rm -rf dev; mkdir dev; ln -s $DIR/canary dev/null; ln -s $DIR/canary dev/pts; ln -s $DIR/canary dev/shm" stat -c %t:%T /dev/null
	is "$output" 1:3
	for trap in 'mkfifo etc/passwd' 'mknod etc/passwd c 1 5' 'mkdir etc/passwd' 'truncate -s 2M etc/passwd' 'ln -s passwd etc/passwd'; do
		try "rm -f etc/passwd; $trap" true
		is "$status" 125 && like "$output" passwd
	done
	try "for f in hosts resolv.conf hostname; do rm -f etc/\$f; ln -s $DIR/canary/file etc/\$f; done" \
		sh -c 'for f in hosts resolv.conf hostname; do echo changed >/etc/$f; done'
	for file in hosts resolv.conf hostname; do
		try "rm -f etc/$file; ln -s /proc/self/comm etc/$file" true
		is "$status" 125 && like "$output" 'inside /proc'
	done
	is "$(cat "$DIR/canary/file")" untouched
	is "$(ls "$DIR/canary")" file
	ketch rmi hostile
}

@test "a tree deeper than there are descriptors can be made and removed" {
	containers_only
	(ulimit -n 256 && ketch run --name deep ketch/base sh -c 'mkdir -p /root/$(printf d/%.0s $(seq 900))' && ketch rm deep)
	audit_of deep
}
audit_of() { unknown "$1" && [ -z "$(find "$KETCH_ROOT/instances" -name '*.gone')" ]; }

@test "commands that race on one name: each succeeds or says why, and nothing is left" {
	containers_only
	local round i
	for round in 1 2; do
		for i in 1 2 3 4 5; do
			for command in 'run -d --name race ketch/base sleep 9' 'exec race true' 'stop -t 1 race' 'kill race' 'rm -f race' 'ps -a'; do
				# shellcheck disable=SC2086
				{ timeout 60 "$KETCH" $command >/dev/null; } 2>&1 &
			done
		done
		wait
	done >"$DIR/said"
	ketch rm -f race || true
	is "$(grep -vE 'no such instance|in use|is not running|not running|lost|stopped before|has been removed|[Nn]o such (file|process)' "$DIR/said")" ''
	is "$(ketch ps -a | grep -c race)" 0
	is "$(things "$KETCH_ROOT" | wc -l)" "$(($(wc -l <"$DIR/things") + 1))"
}

@test "what ends is never seen as anything else, however many look" {
	containers_only
	local i
	touch "$DIR/look"
	for i in 1 2; do
		(while [ -e "$DIR/look" ]; do ketch ps -a >/dev/null; done) &
	done
	for i in 1 2 3 4 5; do
		ketch run -d --name seven ketch/base sh -c 'exit 7' >/dev/null
		is "$(ketch wait seven)" 7
		is "$(inspect_of seven .State.Status)" exited
		ketch rm seven >/dev/null
	done
	rm "$DIR/look"
	wait
}

@test "kill -9 of run at any moment: the next command knows, rm -f leaves nothing" {
	containers_only
	local i ids
	for i in $(seq 1 2 25); do
		ketch run ketch/base true >/dev/null 2>&1 &
		sleep "$(printf '0.%03d' $((6 * i)))" # into its life, which takes about 150 ms
		kill -9 $! 2>/dev/null || true
		wait $! 2>/dev/null || true
	done
	mapfile -t ids < <(ketch ps -aq | grep -v "$(inspect_of box .Id | cut -c1-12)")
	[ ${#ids[@]} -eq 0 ] || ketch rm -f "${ids[@]}" >/dev/null
	is "$(things "$KETCH_ROOT" | wc -l)" "$(($(wc -l <"$DIR/things") + 1))"
	is "$(find "$KETCH_RUN_ROOT" -mindepth 1 -maxdepth 1 -type d ! -name networks | wc -l)" 1
}

@test "under umask 0 nothing in the store or the run directory is open to others" {
	(umask 0 && ketch --root "$DIR/open" --run-root "$DIR/open-run" import "$("$FIXTURES/get" base)/rootfs" x >/dev/null &&
		ketch --root "$DIR/open" --run-root "$DIR/open-run" ps -a >/dev/null)
	is "$(find "$DIR/open" "$DIR/open-run" -path '*/layers/*' -prune -o -perm /077 -print)" ''
	is "$(find "$KETCH_RUN_ROOT" -perm /077)" ''
	chmod 777 "$DIR/open-run"
	refused 1 'run-root' ketch --run-root "$DIR/open-run" ps
	chmod 777 "$DIR/open"
	refused 1 'written by others' ketch --root "$DIR/open" ps
	unlike "$(cat /proc/net/unix)" '@[^ ]*(ketch|monitor)'
}

@test "a guest whose kernel is hostile: shares keep it in, read-only is the host's word" {
	[ "$ISOLATION" = vm ] || skip "a container has no kernel of its own"
	mkdir "$DIR/ro" "$DIR/rw" "$DIR/out" && echo original | tee "$DIR/ro/file" "$DIR/out/file" >/dev/null
	ln -s ../out/file "$DIR/rw/link" && ln -s "$DIR/out/file" "$DIR/rw/absolute"
	run krun --rm --privileged -v "$DIR/ro:/ro:ro" -v "$DIR/rw:/rw" ketch/base sh -c '
		mount -o remount,rw /ro; mkdir /again; mount -t virtiofs mount0 /again
		for d in /ro /again; do echo changed >$d/file; rm -f $d/file; touch $d/new; chmod 4755 $d/file; done
		cat /rw/link /rw/absolute /rw/../out/file; echo changed >/rw/../out/file
		mknod /rw/disk b 8 0; mknod /rw/mem c 1 1
		for disk in /sys/block/vd*; do
			grep -qE "^(layer|root)" $disk/serial || continue # one for each layer, or one of all
			name=/dev/${disk##*/}; echo of the image
			blockdev --setrw $name; dd if=/dev/zero of=$name bs=4096 count=1 conv=fsync && echo written
		done; echo end'
	like "$output" 'of the image.*end$'
	unlike "$output" 'original|written'
	is "$(find "$DIR/ro" "$DIR/out" -type f -perm 644 -exec cat {} +)" $'original\noriginal'
	is "$(ls "$DIR/rw")" $'absolute\nlink'
}

# The last for the box: nothing can be started in it any more.
@test "files of the box exchanged for traps: exec refuses, and returns" {
	ketch exec box sh -c 'rm /etc/passwd; mkfifo /etc/passwd; rm /dev/null; mkfifo /dev/null'
	refused 126 '/dev/null' timeout 60 "$KETCH" exec box true
	run timeout 60 "$KETCH" exec -i box true </dev/null
	is "$status" 126 && like "$output" 'passwd.*regular'
}
