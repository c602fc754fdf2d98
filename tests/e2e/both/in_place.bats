# in_place.bats - a running machine goes back to the snapshot that it runs from, and is not ended for it; all others are told why not
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

in_place() { # or skips: where it is refused, the first case says so
	[ "$ISOLATION" = vm ] || skip "a container does not go back in place, which is refused"
	[ "$(inspect_of it .VM.Driver)" = kvm ] || skip "a machine of QEMU does not go back in place, which is refused"
}

# Counts the lines that it reads, in its memory, and says how many there were.
COUNT='trap "exit 0" TERM; i=0; echo ready; while read -r word; do i=$((i + 1)); echo "$word $i"; done; echo end; while :; do sleep 1; done'

@test "what cannot go back in place is refused, and runs on" {
	ketch network create back >/dev/null
	krun -di --name it --network back ketch/base sh -c "$COUNT" >/dev/null
	await 120 logged it ready
	if [ "$ISOLATION" = container ]; then
		ketch snapshot create it@s >/dev/null
		refused 1 'it is a container: virtual machines alone go back in place' ketch rollback --in-place it@s
	else
		ketch snapshot create --disk-only it@disk >/dev/null
		refused 1 'snapshot disk holds no memory' ketch rollback --in-place it@disk
		ketch snapshot rm it@disk
		ketch snapshot create --memory it@s >/dev/null
		refused 1 'only ketch-vmm|it does not run from this snapshot' ketch rollback --in-place it@s
	fi
	refused 1 'no snapshot|no such snapshot' ketch rollback --in-place it@none
	refused 1 'goes without --stop' ketch rollback --in-place --stop it@s
	refused 1 'goes without' ketch rollback --in-place --group it@s
	is "$(ketch exec it echo on)" on
	status_is it running
}

@test "a machine goes back in place, again and again, with its memory and its disk" {
	in_place
	local id pid
	ketch exec it sh -c 'echo kept >/root/file; sync'
	ketch snapshot create --memory it@t >/dev/null
	ketch rollback --stop it@t
	pid=$(inspect_of it .State.Pid)
	for _ in 1 2 3; do
		ketch exec it sh -c 'cat /root/file; echo lost >/root/file; dd if=/dev/urandom of=/root/more bs=1M count=4 2>/dev/null; sync'
		ketch rollback --in-place it@t
		is "$(ketch exec it sh -c 'cat /root/file; ls /root')" $'kept\nfile'
		is "$(inspect_of it .State.Pid)" "$pid"
		on_time it
		is "$(ketch exec it cat /sys/class/net/eth0/address)" "$(inspect_of it .NetworkSettings.Networks.back.MacAddress)"
		like "$(ketch exec it nslookup it)" "$(inspect_of it .NetworkSettings.Networks.back.IPAddress)" # asks outside
	done
	status_is it running
	id=$(inspect_of it .Id)
	is "$(ketch events --since 1h --until 0s --filter "container=$id" --filter event=rollback | wc -l)" 4
}

@test "an exec ends with it, who is attached stays so, and what is typed arrives once" {
	in_place
	local pid status=0
	mkfifo "$DIR/in"
	ketch attach it <"$DIR/in" >"$DIR/out" 2>&1 3>&- &
	pid=$!
	exec 7>"$DIR/in"
	echo a >&7
	await 60 grep -q '^a 1$' "$DIR/out"
	ketch exec it sh -c 'echo begun; sleep 1000' >"$DIR/exec" 2>&1 3>&- 7>&- &
	local exec=$!
	await 60 grep -q begun "$DIR/exec"
	ketch rollback --in-place it@t
	wait "$exec" || status=$?
	is "$status" 137
	echo b >&7
	await 60 grep -q '^b 1$' "$DIR/out"
	kill "$pid" # it is still attached
	exec 7>&-
	is "$(grep -c '^[ab] ' "$DIR/out")" 2
}

@test "it is another machine afterwards, with addresses and names of its own, and can be killed at any time" {
	in_place
	local one two
	one=$(ketch exec it head -c 16 /dev/urandom | od -An -tx1)
	ketch rollback --in-place it@t
	two=$(ketch exec it head -c 16 /dev/urandom | od -An -tx1)
	ketch rollback --in-place it@t
	[ "$one" != "$two" ]
	[ "$two" != "$(ketch exec it head -c 16 /dev/urandom | od -An -tx1)" ]
	for ms in 1 3 10 30 100 300; do # the command; what it asked for is done whole
		timeout -s KILL "$(printf '0.%03d' "$ms")" "$KETCH" rollback --in-place it@t || :
		is "$(timeout 120 "$KETCH" exec it cat /root/file)" kept
	done
	status_is it running
}

@test "what has changed since is refused" {
	in_place
	ketch update --cpus 1 it >/dev/null
	refused 1 'the configuration of it has changed since' ketch rollback --in-place it@t
	ketch rollback --stop it@t
	ketch snapshot create --disk-only it@later >/dev/null
	refused 1 'others were made since' ketch rollback --in-place it@t
	ketch pause it
	refused 1 'paused|others were made since' ketch rollback --in-place it@t
	ketch unpause it
	ketch rollback --stop it@t
	ketch rollback --in-place it@t
	ketch stop -t 10 it
	refused 1 'not running' ketch rollback --in-place it@t
	ketch start it >/dev/null # it boots, from the files
	is "$(ketch exec it cat /root/file)" kept
	refused 1 'does not run from this snapshot' ketch rollback --in-place it@t
	ketch rm -f it >/dev/null
	ketch network rm back >/dev/null
	audit
}
