# memory.bats - the memory of what runs: where it cannot be kept, that is said, and all goes on (where it can: bed/memory.bats)
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

@test "what has no memory that can be kept is not forked, and runs on" {
	local id
	id=$(stay --name it --network none)
	[ "$(inspect_of "$id" .VM.Driver)" != kvm ] || skip "its memory can be kept"
	refused 1 'memory' ketch fork it one two
	refused 1 'memory' ketch snapshot create --memory it
	refused 1 'no such instance' ketch inspect one
	is "$(ketch snapshot ls -q it)" ""
	is "$(ketch exec it echo on)" on
	ketch stop -t 1 it
	refused 1 'is not running|memory' ketch fork it one
}

@test "words that do not fit together are refused" {
	refused 1 'give names for the new instances, or --count' ketch fork it
	refused 1 'give names for the new instances, or --count' ketch fork it one --count 2
	refused 1 '1 to 1000' ketch fork it --count 100000
	refused 1 'fork is of an instance that runs' ketch fork it@snap one
	refused 1 'exclude each other' ketch snapshot create --memory --disk-only it
	refused 125 'there is no template "it"' ketch run --template it
	refused 125 'those of the template' ketch run --template it ketch/base true
	refused 1 'there is no template "none"' ketch template rm none
	is "$(ketch template ls)" ""
}

@test "what a command that was killed has left goes with the next one" {
	local left
	left=$KETCH_ROOT/instances/$(ketch inspect -f '{{.Id}}' it)/snapshots/0123456789abcdef0123456789abcdef
	mkdir -p "$left" && : >"$left/ram"
	ketch snapshot create it@s >/dev/null
	[ ! -e "$left" ]
	is "$(ketch snapshot ls -q it)" s
}
