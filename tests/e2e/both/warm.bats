# warm.bats - run --warm: a machine that has booted is kept for each image, kernel, driver and size, and instances begin in it
#
# Where nothing boots, it is refused by name, unless the wall is chosen by rules.
load ../lib

setup_file() {
	store_open
	ketch tag ketch/base app
}
teardown_file() { store_close; }

machine() { [ "$ISOLATION" = vm ] || skip "a container boots nothing"; }
kept() { ketch template ls -q; }
warm() { ketch run --vm --warm -m 64m "$@"; } # FLAGS... IMAGE [COMMAND...]
sql() { sqlite3 "$KETCH_ROOT/ketch.db" "$1"; }

# It goes on from the kept machine's files; of a boot instead of that a line on stderr would tell.
begins_in() { # INSTANCE TEMPLATE
	is "$(sql "SELECT l.below FROM writable w JOIN writable_layer l ON w.top = l.id WHERE w.instance = '$(inspect_of "$1" .Id)'")" \
		"$(sql "SELECT json_extract(s.doc, '$.layer') FROM snapshot s JOIN instance i ON s.instance = i.id WHERE i.name = '$2'")"
}

@test "what cannot be is refused by name, before anything is made" {
	refused 125 '^ketch: --warm is for virtual machines' ketch run --isolation container --warm ketch/base true
	refused 125 'unknown flag: --warm' ketch create --warm ketch/base true
	refused 125 '^ketch: --template: .*--warm is of the template' ketch run --template x --warm
	refused 125 '^ketch: --template: .*--memory is of the template' ketch run --rm -d --template x -m 64m
	refused 125 'there is no template "x"' ketch run --rm -d --name y --vm --template x
	if [ "$ISOLATION" = vm ]; then
		refused 125 '^ketch: --warm: the memory of a machine with mounts of the host \(/v\)' warm -v vol:/v ketch/base true
		refused 125 'no such image|not.*found' warm --pull never nosuch true
	fi
	is "$(kept)$(ketch ps -aq)$(ketch volume ls -q)" ""
}

@test "chosen by rules or by a profile, it is for those that are machines" {
	[ "$ISOLATION" = container ] || skip "that is about containers"
	is "$(ketch run --rm --isolation auto --warm ketch/base echo here)" here
	ketch profile create fast --warm
	is "$(ketch run --rm --profile fast ketch/base echo here)" here
	refused 125 'contradict' ketch run --profile fast --isolation container --vm ketch/base true
	is "$(kept)" ""
}

@test "of one that was killed while it kept a machine nothing runs on" {
	machine
	"$KETCH" run --vm --warm -m 64m --rm app true >/dev/null 2>&1 & # no function: it is the one to be killed
	await 20 eval '[ -n "$(kept)" ] && status_is "$(kept)" starting'
	kill -9 $!
	wait $! || :
	await 20 eval '[ -z "$(ketch ps -q)" ]'
	is "$(kept | wc -l)" 1
}

@test "two who come at the same time have one machine kept, and both begin in it" {
	machine
	local one two
	# what it says, and what it is told, is of each; stderr is for what goes wrong, and for who had to wait for the boot
	warm -d --quiet --name one --hostname here -e A=b --tmpfs /t -p 127.0.0.1::80 app "${STAY[@]}" >"$DIR/one" 2>"$DIR/one.err" &
	one=$!
	warm --rm -i --quiet -u 1000 -w /tmp --read-only app sh -c 'id -u; pwd; cat; touch /x 2>/dev/null || echo read-only; cat \
		/etc/hostname; head -c 16 /dev/urandom | od -An -tx1' <<<given >"$DIR/two" 2>"$DIR/two.err" &
	two=$!
	wait $one && wait $two
	is "$(cat "$DIR/one.err" "$DIR/two.err")" ""
	is "$(<"$DIR/one")" "$(inspect_of one .Id)"
	is "$(sed -n 1,4p "$DIR/two")" $'1000\n/tmp\ngiven\nread-only'
	like "$(sed -n 5p "$DIR/two")" '^[0-9a-f]{12}$'
	is "$(kept | wc -l)" 1
	begins_in one "$(kept)"
	# shellcheck disable=SC2016
	is "$(ketch exec one sh -c 'hostname; echo $A; stat -f -c %T /t; cat /sys/fs/cgroup/memory.max; grep Seccomp: /proc/1/status
		cat /sys/class/net/eth0/address; echo kept >/root/file')" "here
b
tmpfs
67108864
Seccomp:	2
$(inspect_of one .NetworkSettings.Networks.bridge.MacAddress)"
	[ "$(ketch exec one sh -c 'head -c 16 /dev/urandom | od -An -tx1')" != "$(sed -n 6p "$DIR/two")" ]
}

@test "it is listed as what it is, and is none that could be begun with by name" {
	machine
	like "$(ketch template ls | tail -1)" '^warm-[0-9a-f]{12} +app +by run --warm +[0-9.]+[kMG]?B$'
	is "$(ketch template ls --format '{{.Image}} {{.Made}}')" "app by run --warm"
	like "$(ketch system df -v)" "$(kept)"
	refused 125 'nothing has begun in warm-.*: it is for run --warm app$' ketch run --template "$(kept)"
}

@test "an instance that began in one boots from its own files when it is started again" {
	machine
	ketch restart -t 5 one >/dev/null
	is "$(ketch exec one cat /root/file)" kept
}

@test "another image of the same name, and another boots; what fits nothing any more goes" {
	machine
	local before
	before=$(ketch template inspect -f '{{.id}}' "$(kept)")
	ketch commit one app >/dev/null
	is "$(warm --rm --quiet app cat /root/file 2>&1)" kept
	is "$(kept | wc -l)" 1
	[ "$(ketch template inspect -f '{{.id}}' "$(kept)")" != "$before" ]
	refused 125 'no such image' warm --pull never app2 true
	is "$(ketch exec one cat /root/file)" kept # whose machine has gone
}

@test "a saved state that does not fit is no reason not to run" {
	machine
	local id
	id=$(ketch template inspect -f '{{.id}}' "$(kept)")
	printf x | dd of="$(echo "$KETCH_ROOT/instances/$id"/snapshots/*/state)" bs=1 seek=3000 conv=notrunc status=none
	run --separate-stderr warm --rm app echo here
	is "$status $output" "0 here"
	like "$stderr" '^ketch: warning: .*it boots: .*was not written by this store, or is damaged$'
	is "$(kept)" "" # the next is made anew
}

@test "none is in the way of the removal of its image" {
	machine
	ketch create --vm --name kept --label ketch.template=kept --label ketch.warm=0 app >/dev/null # as one is recorded
	ketch tag ketch/base app # the old image has no name any more
	ketch create --name user "$(inspect_of kept .Image)" true >/dev/null
	ketch image prune -f >/dev/null
	is "$(kept)" kept # it would stay anyhow
	ketch rm -f one user >/dev/null
	ketch image prune -f >/dev/null
	is "$(kept)$(ketch images -q --filter dangling=true)" ""
	ketch create --vm --name kept --label ketch.template=kept --label ketch.warm=0 app >/dev/null
	ketch rmi app ketch/base >/dev/null
	is "$(ketch ps -aq)$(ketch images -q)" ""
}
