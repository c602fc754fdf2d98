# memory.bats - the memory of what runs: a machine, under either driver, goes back to it, is forked, and is a template; where it
# cannot be kept, that is said, and all goes on
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

machine() { [ "$ISOLATION" = vm ] || skip "the memory of a container cannot be kept, which is refused"; }

# Counts in its memory how often it was asked, and says so.  It is process 1: the end of an orphan may interrupt its opens.
COUNT='trap "exit 0" TERM; mkfifo /tmp/ask /tmp/count; i=0; echo ready
while :; do read -r _ </tmp/ask || continue; i=$((i + 1)); until echo $i >/tmp/count; do :; done; done'

count_of() { timeout 60 "$KETCH" exec "$1" sh -c 'echo >/tmp/ask; cat /tmp/count'; } # INSTANCE: asks it

who_is() { # INSTANCE: hostname, the same of its file, address of its card, its own address and name, a random number
	ketch exec "$1" sh -c 'hostname; cat /etc/hostname /sys/class/net/eth0/address; tail -n 1 /etc/hosts
		head -c 16 /dev/urandom | od -An -tx1'
}

wanted() { # INSTANCE: the same without the number, as we know it
	printf '%.12s\n' "$(inspect_of "$1" .Id)" "$(inspect_of "$1" .Id)"
	inspect_of "$1" .NetworkSettings.Networks.back.MacAddress
	printf '%s\t%.12s\n' "$(inspect_of "$1" .NetworkSettings.Networks.back.IPAddress)" "$(inspect_of "$1" .Id)"
}

@test "what has no memory that can be kept is not forked, and runs on" {
	# a machine with a directory of the host; it need not run to be refused
	[ "$ISOLATION" = container ] || ketch create --vm --name it -v "$DIR:/host:ro" ketch/base >/dev/null
	[ "$ISOLATION" = vm ] || stay --name it --network none >/dev/null
	refused 1 'memory' ketch fork it one two
	refused 1 'memory' ketch snapshot create --memory it
	refused 1 'no such instance' ketch inspect one
	is "$(ketch snapshot ls -q it)" ""
	[ "$ISOLATION" = vm ] || is "$(ketch exec it echo on)" on
	ketch stop -t 1 it
	refused 1 'is not running|memory' ketch fork it one
}

@test "a container whose processes cannot be kept is told by which flag, or what this host lacks" {
	[ "$ISOLATION" = container ] || skip "of a machine the memory is kept, with all its processes"
	local flags said
	for flags in -t --init --system '--userns private' --privileged '--network host' '--pid host' '--ipc host' '--uts host'; do
		# shellcheck disable=SC2086 # words
		ketch create --isolation container --name no $flags ketch/base true >/dev/null
		refused 1 "the processes of a container with ${flags%% *}.* cannot be kept: ." ketch snapshot create --live no
		ketch rm no >/dev/null
	done
	stay --name live --network none >/dev/null
	if criu check >/dev/null 2>&1; then # it works: tests/bed/live.bats
		ketch snapshot create --live live@ss >/dev/null
	else
		said=$(ketch doctor | grep -m 1 CRIU)
		refused 1 'the processes of a container cannot be kept here: (criu check failed|cannot run CRIU): .' ketch snapshot create --live live
		like "$said" 'no snapshot create --live of containers'
	fi
	is "$(ketch exec live echo on)" on
	ketch rm -f live >/dev/null
}

@test "words that do not fit together are refused" {
	refused 1 'live and --disk-only exclude each other' ketch snapshot create --live --disk-only it
	refused 1 'live is for one instance' ketch snapshot create --live --group it,other
	refused 1 'give names for the new instances, or --count' ketch fork it
	refused 1 'give names for the new instances, or --count' ketch fork it one --count 2
	refused 1 '1 to 1000' ketch fork it --count 100000
	refused 1 'the name "one" is given twice' ketch fork it one one
	refused 1 'fork is of an instance that runs' ketch fork it@snap one
	refused 1 'exclude each other' ketch snapshot create --memory --disk-only it
	refused 125 'there is no template "it"' ketch run --template it
	refused 125 'those of the template' ketch run --template it ketch/base true
	refused 1 'there is no template "none"' ketch template rm none
	run ketch template inspect it # an instance is none
	is "$status" 1 && like "$output" 'there is no template "it"'
	is "$(ketch template ls -q)" ""
}

@test "what a command that was killed has left goes with the next one" {
	local left
	left=$KETCH_ROOT/instances/$(ketch inspect -f '{{.Id}}' it)/snapshots/0123456789abcdef0123456789abcdef
	mkdir -p "$left" && : >"$left/ram"
	ketch snapshot create it@s >/dev/null
	[ ! -e "$left" ]
	is "$(ketch snapshot ls -q it)" s
	ketch rm it >/dev/null
}

@test "an instance goes on from a template that has warmed up" {
	machine
	local id
	ketch network create back >/dev/null
	ketch template create --network back -m 64m warm ketch/base sh -c "$COUNT" -- sh -c 'echo warm >/root/file' >/dev/null
	is "$(ketch template ls -q)" warm
	is "$(ketch completion templates)" warm
	is "$(ketch template inspect -f '{{.name}} {{.image}} {{.snapshot.live}}' warm)" "warm ketch/base true"
	is "$(ketch template inspect warm | jq '.[0].snapshot as $s | .[0].id == $s.instance, $s.memory.ramBytes > $s.memory.fileBytes')" $'true\ntrue'
	id=$(ketch run -d --template warm --name one)
	is "$(inspect_of one .Id) $(ketch exec one cat /root/file)" "$id warm"
	is "$(who_is one | head -4)" "$(wanted one)"
	on_time one
	is "$(count_of one)" 1
	# whose names are chosen at the same moment
	ketch run -d --template warm >"$DIR/two" 3>&- & other=$!
	ketch run -d --template warm >"$DIR/three"
	wait "$other"
	is "$(cat "$DIR/two" "$DIR/three" | xargs "$KETCH" inspect -f '{{.Name}}' | sort)" $'warm-1\nwarm-2'
	cat "$DIR/two" "$DIR/three" | xargs "$KETCH" rm -f >/dev/null
	refused 125 'there is no template' ketch run --template none
	refused 1 'there is no template' ketch template rm one
	ketch template rm warm
}

@test "a command that ends makes no template, and is what is blamed" {
	machine
	local why='^ketch: the command of brief has ended.*: a template needs one that stays'
	refused 125 "$why" ketch template create -m 64m brief ketch/base true -- sleep 10
	refused 125 "$why" ketch template create -m 64m brief ketch/base sleep 0.2 -- sleep 10
	refused 125 'the warm-up ended with status 4' ketch template create -m 64m brief ketch/base "${STAY[@]}" -- sh -c 'exit 4'
	is "$(ketch template ls -q)" ""
}

@test "a machine goes back to its memory, and goes on from there" {
	machine
	local before
	ketch exec one sh -c 'echo kept >/root/file; sync'
	before=$(count_of one)
	ketch snapshot create one@s >/dev/null
	like "$(inspect_of one '.VM.Driver, .VM.Kvm' | xargs) $(ketch snapshot inspect one@s | jq -r '.[0].memory.format')" \
		'^(kvm true ketch-vmm/1|qemu false qemu/2|qemu true qemu-kvm/1)$'
	on_time one
	ketch exec one sh -c 'echo lost >/root/file; sync'
	is "$(count_of one)" $((before + 1))
	ketch rollback --stop one@s
	is "$(ketch exec one cat /root/file)" kept
	is "$(count_of one)" $((before + 1)) # again: it knows nothing of the question after the snapshot
	status_is one running
	on_time one
	ketch exec one sh -c 'echo still alive >/proc/1/fd/1'
	await 20 logged one 'still alive'
}

noted() { # NAME VALUE: what is known of the memory in the snapshot
	sqlite3 "$KETCH_ROOT/ketch.db" "UPDATE snapshot SET doc = json_set(doc, '$.memory.$1', json('$2')) WHERE name = 's'"
}

@test "a state that this store did not write, or that does not fit, is refused" {
	machine
	local state host
	state=$(echo "$KETCH_ROOT"/instances/*/snapshots/*/state)
	printf x | dd of="$state" bs=1 seek=3000 conv=notrunc status=none
	refused 1 'was not written by this store, or is damaged' ketch rollback --stop one@s
	if [ "$(inspect_of one '.VM.Driver, .VM.Kvm')" = $'qemu\ntrue' ]; then
		host=$(ketch snapshot inspect one@s | jq '.[0].memory.host')
		noted host '"another processor with Linux 1"'
		refused 1 'with KVM, its memory fits only where it was written .another processor with Linux 1., not here .*Linux' \
			ketch rollback --stop one@s
		noted host "$host"
	fi
	if [ "$(inspect_of one .VM.Driver)" = qemu ]; then # of our own, the state itself says what it fits (vmm/snapshot.py)
		noted tscKhz 1
		refused 1 "counts time at 1[0-9]* kHz, this host at [0-9]*: its clock would go wrong" ketch rollback --stop one@s
		noted program '"an old QEMU"'
		refused 1 "was written by an old QEMU; QEMU is now /" ketch rollback --stop one@s
	fi
	status_is one running # it was refused before anything was done
	ketch snapshot rm one@s >/dev/null
}

nothing_told_of() { ! ketch doctor --audit | grep "$1"; } # ID

@test "children of a fork have identities and random numbers of their own, and the parent goes on" {
	machine
	local ids i
	ids=$(ketch fork one --count 2)
	is "$ids" "$(inspect_of one-1 .Id; inspect_of one-2 .Id)"
	for i in one one-1 one-2; do
		who_is "$i" >"$DIR/$i"
		is "$(head -4 "$DIR/$i")" "$(wanted "$i")"
	done
	is "$(cd "$DIR" && cat one one-1 one-2 | sort | uniq -d | wc -l)" 3 # each hostname is twice what it is
	i=$(count_of one)
	is "$(count_of one-2)" "$i" # both go on from the same number
	is "$(ketch snapshot ls -q one)" ""
	ketch exec one sh -c 'echo of the parent >/root/file'
	is "$(ketch exec one-1 cat /root/file)" kept
	ketch network create aside >/dev/null
	ketch network connect aside one-1 # by the card to spare, whose address is another one, too
	is "$(ketch exec one-1 cat /sys/class/net/eth1/address)" "$(inspect_of one-1 .NetworkSettings.Networks.aside.MacAddress)"
	i=$(inspect_of one .Id)
	ketch rm -f one >/dev/null # they hold nothing of it, not even a file that is deleted
	await 10 nothing_told_of "$i"
	unlike "$(ls -l "/proc/$(monitor_of one-1)/fd")" "/snapshots/"
	is "$(ketch exec one-1 cat /root/file)" kept
	ketch rm -f one-1 one-2 >/dev/null
	ketch network rm back aside >/dev/null
}
