# memory.bats - the memory of Linux guests under our hypervisor: saved while it runs, gone back to, forked, a template
load ../e2e/lib

setup_file() { store_open; }
teardown_file() { store_close; }

# Counts in its memory, and says how far it is when asked; not as fast as it can, for the bed has one CPU.
COUNT='i=0; echo ready; while :; do i=$((i + 1)); [ ! -e /tmp/ask ] || { echo $i >/tmp/count; rm /tmp/ask; }; sleep 0.05; done'

counter() { # NAME
	krun -d --name "$1" --network none -m 64m ketch/base sh -c "$COUNT" >/dev/null
	await 60 logged "$1" ready
}

count_of() { # INSTANCE: how far it is
	ketch exec "$1" sh -c \
		'rm -f /tmp/count; : >/tmp/ask; until [ -s /tmp/count ]; do sleep 0.02; done; cat /tmp/count'
}

random_of() { ketch exec "$1" sh -c 'head -c 16 /dev/urandom | od -An -tx1'; } # INSTANCE

@test "a machine goes back to its memory, and goes on from there" {
	local before after
	counter one
	ketch exec one sh -c 'echo kept >/root/file; sync'
	before=$(count_of one)
	ketch snapshot create --memory one@s >/dev/null
	is "$(ketch snapshot inspect one@s | jq -r '.[0].memory.format')" ketch-vmm/1
	ketch exec one sh -c 'echo lost >/root/file; sync'
	[ "$(count_of one)" -gt "$before" ]
	ketch rollback --stop one@s
	is "$(ketch exec one cat /root/file)" kept
	after=$(count_of one)
	[ "$after" -ge "$before" ]
	status_is one running
	ketch exec one sh -c 'echo still alive >/proc/1/fd/1'
	await 20 logged one 'still alive'
}

@test "a state that this store did not write is refused" {
	local state
	state=$(echo "$KETCH_ROOT"/instances/*/snapshots/*/state)
	printf x | dd of="$state" bs=1 seek=3000 conv=notrunc status=none
	refused 1 'was not written by this store, or is damaged' ketch rollback --stop one@s
	status_is one running # it was refused before anything was done
	ketch snapshot rm one@s
}

@test "children of a fork have identities and random numbers of their own, and the parent goes on" {
	local ids i
	ketch fork one --count 2 >"$DIR/ids"
	mapfile -t ids <"$DIR/ids"
	is "${#ids[@]}" 2
	for i in one one-1 one-2; do
		[ "$(count_of "$i")" -gt 0 ]
	done
	is "$(ketch exec one-1 hostname)" "${ids[0]:0:12}"
	is "$(ketch exec one-2 cat /etc/hostname)" "${ids[1]:0:12}"
	is "$(for i in one one-1 one-2; do random_of "$i"; done | sort | uniq -d)" ""
	is "$(ketch snapshot ls -q one)" ""
	ketch exec one sh -c 'echo of the parent >/root/file'
	is "$(ketch exec one-1 cat /root/file)" kept
	ketch rm -f one one-1 one-2
}

@test "an instance goes on from a template that has warmed up" {
	local id
	ketch template create --network none -m 64m warm ketch/base sh -c "$COUNT" -- sh -c 'echo warm >/root/file'
	is "$(ketch template ls)" warm
	id=$(ketch run -d --template warm --name quick)
	is "$(ketch exec quick cat /root/file)" warm
	is "$(ketch exec quick hostname)" "${id:0:12}"
	refused 125 'there is no template' ketch run --template none
	ketch template rm warm
	[ "$(count_of quick)" -gt 0 ]
	refused 1 'there is no template' ketch template rm quick
}
