# trees.bats - the files of an instance, running or not: cp, export, diff, commit
#
# For a virtual machine that does not run each of them is a boot: what needs none of that is asked of one that runs.
load ../lib

setup_file() {
	store_open
	mkdir "$DIR/w" "$DIR/bind"
	krun --name over -v "$DIR/bind:/bind" -v /vol -e TOLD=yes -w /work --label l=1 ketch/base sh -c '
		echo new >/etc/new; rm /etc/passwd; chmod 700 /tmp; rm -rf /root; mkdir /root; echo y >/root/y
		ln /etc/new /etc/hard; ln -s new /etc/link; echo bind >/bind/f; echo vol >/vol/f; echo out; exit 3' >/dev/null || :
	local ceiling=()
	[ "$ISOLATION" = container ] || ceiling=(--storage-opt size=64m)
	stay --name up "${ceiling[@]}" >/dev/null
}
teardown_file() { store_close; }
setup() { cd "$DIR/w" || return; }

state_of() { ketch inspect over | jq -c '.[0].State'; }

@test "cp reaches an instance that does not run, which stays as it was" {
	local before
	before=$(state_of)
	mkdir -p in/etc in/bind
	echo in | tee in/etc/in in/bind/in >/dev/null
	tar c -C in . | ketch cp - over:/
	is "$(cat "$DIR/bind/in")" in
	is "$(state_of)" "$before"
	is "$(ketch ps -a --format json | jq -r 'select(.Names == "over").Status' | cut -c1-10)" 'Exited (3)'
	is "$(ketch logs over)" out
	like "$(ketch ps -as)" ' SIZE.* over +[0-9.]+[kM]B \(virtual [0-9.]+MB\)'
	is "$(ketch ps -a --format '{{.Size}}' | grep -c virtual)" 2
	refused 1 'over is not running' ketch exec over true
}

@test "diff lists what is added, changed and deleted, and no mounts" {
	is "$(ketch diff over)" "A /bind
C /etc
A /etc/hard
A /etc/in
A /etc/link
A /etc/new
D /etc/passwd
C /root
A /root/y
C /tmp
A /vol
A /work"
}

@test "export is the whole root without mounts, and can be imported" {
	[ "$ISOLATION" = container ] || skip "a machine boots for it: of one that runs below, of one at rest in move.bats"
	ketch export -o out.tar over
	is "$(stat -c %a out.tar)" 600
	tar tf out.tar >list
	grep -qx etc/in list
	grep -qx root/y list
	grep -qx vol/ list
	is "$(grep -E '^(etc/passwd|vol/.+|bind/.+|proc/.+|\./)' list)" ''
	is "$(tar tvf out.tar | grep -cE 'link to etc/(new|hard)$')" 1
	ketch import out.tar ketch/again >/dev/null
	is "$(ketch run --rm ketch/again cat /etc/new /etc/hard)" $'new\nnew'
}

@test "commit makes an image of it that runs behind both walls" {
	local id wall
	id=$(ketch commit -a 'Ann Lee' -m why -c 'CMD ["cat", "/etc/new"]' -c 'ENV MORE=1' over ketch/new:1)
	like "$id" '^sha256:[0-9a-f]{64}$'
	for wall in container vm; do
		is "$(ketch run --rm --isolation $wall ketch/new:1)" new
	done
	is "$(ketch run --rm ketch/new:1 sh -c 'ls /root; ls /etc/passwd /vol 2>&1; stat -c %a /tmp; stat -c %h /etc/hard; echo $TOLD $MORE; pwd')" \
		$'y\nls: /etc/passwd: No such file or directory\n/vol:\n700\n2\nyes 1\n/work'
	is "$(ketch image inspect ketch/new:1 | jq -c '.[0] | [.Author, .Config.Env, .Config.Labels.l, (.RootFS.Layers | length)]')" \
		'["Ann Lee",["TOLD=yes","MORE=1"],"1",2]'
	like "$(ketch history --format '{{.Comment}} {{.CreatedBy}}' ketch/new:1 | head -n 1)" '^why sh -c'
	# once more on top of it
	ketch run --name second ketch/new:1 sh -c 'rm -r /root /etc/new; echo 2 >/two'
	ketch commit second ketch/new:2 >/dev/null
	is "$(ketch run --rm ketch/new:2 sh -c 'cat /two; ls -d /root /etc/new 2>/dev/null')" 2
	ketch rm second
}

@test "a running instance can be asked the same" {
	ketch exec up sh -c 'echo 1 >/one; mkdir /dir; rm -rf /home; touch "/$(printf "a\033[31mb\nc")"'
	# a name that would write to the terminal is shown as harmless
	is "$(ketch diff up)" $'A /a?[31mb?c\nA /dir\nD /home\nA /one'
	ketch export -o up.tar up
	is "$(stat -c %a up.tar)" 600
	is "$(tar xOf up.tar one)" 1
	is "$(tar tf up.tar | grep -E '^(proc/.+|sys/.+|dev/.+|\./)')" ''
	ketch commit up ketch/up >/dev/null
	is "$(ketch run --rm ketch/up sh -c 'cat /one; ls -d /dir; ls /home 2>&1')" \
		$'1\n/dir\nls: /home: No such file or directory'
}

@test "while a layer is made the processes stand still, and then go on" {
	local bytes=16000000
	[ "$ISOLATION" = container ] || bytes=4000000
	ketch exec -d up sh -c 'i=0; head -c '$bytes' /dev/urandom >/middle
		while :; do i=$((i+1)); echo $i >/next; mv /next /before; echo $i >/next; mv /next /then; done'
	await 30 ketch exec up test -e /then
	ketch commit up ketch/still >/dev/null
	ketch run --rm ketch/still cat /before /then >numbers
	{ read -r before; read -r after; } <numbers
	[ $((before - after)) -le 1 ] && [ "$before" -ge "$after" ] || { cat numbers; return 1; }
	moved() { [ "$(ketch exec up cat /then)" -gt "$after" ]; }
	await 20 moved
	ketch commit --pause=false up >/dev/null
}

@test "--storage-opt is a ceiling for what is written, where the wall can have one" {
	if [ "$ISOLATION" = container ] && ! ketch doctor | grep -q '^ok *project quotas'; then
		refused 125 '--storage-opt size: a container needs project quotas: .*prjquota' \
			krun --rm --storage-opt size=64m ketch/base true
		return
	fi
	ketch exec up rm /middle
	run ketch exec up sh -c 'dd if=/dev/zero of=/a bs=1M count=20 && echo fits; dd if=/dev/zero of=/b bs=1M count=60; s=$?; rm /a /b; exit $s'
	like "$output" 'fits.*(o space left|quota exceeded)'
	is "$(inspect_of up .HostConfig.StorageOpt.size)" 67108864
	is "$status" 1
}

@test "what cannot be done is said in one line, and leaves nothing" {
	local verb
	for verb in diff export commit; do
		refused 1 'no such instance: none' ketch $verb none
	done
	refused 1 '/none: no such file or directory' ketch cp up:/none .
	refused 1 'none/file: no such file or directory' ketch export -o none/file up
	refused 1 'must be in lower case' ketch commit up X
	refused 1 'unknown change' ketch commit -c 'RUN x' up
	ketch exec up touch /.wh.x
	refused 1 'a layer cannot hold a name that begins with ".wh."' ketch commit up ketch/wh
	is "$(ls ./*.part 2>/dev/null)$(ketch images -q ketch/wh)" ''
}

@test "commands about the files of one instance take turns, and rm -f does not wait for them" {
	local first second third before
	before=$(state_of)
	without_end &
	first=$!
	await 20 at_work
	ketch cp over:/vol . & # it waits for the first
	second=$!
	[ "$ISOLATION" = vm ] || ketch cp over:/etc/new got & # and so does a third: one machine less
	third=$!
	# whoever is killed over it leaves it as it was, and the next has its turn
	kill -KILL "$(at_work)"
	run ! wait "$first"
	wait "$second"
	wait "$third"
	is "$(cat vol/f)" vol
	[ "$ISOLATION" = vm ] || is "$(cat got)" new
	is "$(state_of)" "$before"
	without_end &
	first=$!
	await 20 at_work
	ketch rm -f over
	run ! wait "$first"
	refused 1 'no such instance' ketch diff over
}
without_end() { exec "$KETCH" cp - over:/tmp < <(tar c -C "$DIR" things; exec tail -f /dev/null) 2>err; } # is such an archive
at_work() { # the monitor of a command about the files of the instance
	local run
	run=$KETCH_RUN_ROOT/$(inspect_of over .Id)
	[ -S "$run/files.sock" ] && jq .monitorPid "$run/state.json"
}
