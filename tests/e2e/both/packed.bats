#!/usr/bin/env bats
# a snapshot with the memory of a machine goes to a registry as an image; another store goes on from there, or runs its files
load ../lib
load ../registry

setup_file() {
	store_open
	export THERE=$DIR/there HOST
	cp -a "$E2E_TEMPLATE" "$THERE" # another store, with the same guest kernel
	cp -a "$E2E_SUITE/run" "$THERE.run"
	HOST=$(registry_open registry)
	cc -O1 -D_GNU_SOURCE -o "$DIR/killat" "$E2E/../oci/killat.c"
}
teardown_file() {
	local ids
	mapfile -t ids < <(there ps -aq)
	[ ${#ids[@]} -eq 0 ] || there rm -f "${ids[@]}"
	registries_close
	store_close
}

machine() { [ "$ISOLATION" = vm ] || skip "a container has no memory that could go with an image, which is refused"; }
there() { KETCH_ROOT=$THERE KETCH_RUN_ROOT=$THERE.run "$KETCH" "$@"; }
there_run() { there run --isolation "$ISOLATION" "$@"; }
refused_there() { KETCH_ROOT=$THERE KETCH_RUN_ROOT=$THERE.run refused "$@"; }

# Counts in its memory how often it was asked, and says so.
COUNT='trap "exit 0" TERM; mkfifo /tmp/ask /tmp/count; i=0; echo ready
while :; do read -r _ </tmp/ask || continue; i=$((i + 1)); until echo $i >/tmp/count; do :; done; done'
count_of() { timeout 60 "$KETCH" exec "$1" sh -c 'echo >/tmp/ask; cat /tmp/count'; } # INSTANCE: asks it
count_there() { KETCH_ROOT=$THERE KETCH_RUN_ROOT=$THERE.run count_of "$1"; }
logged_there() { there logs "$1" 2>/dev/null | grep -q "$2"; } # INSTANCE WORD

sent() { grep -c 'http.request.method=PUT.*http.request.uri="/v2/[^"]*/blobs/uploads/' "$DIR/registry/log" || :; }
fetched() { grep -c 'http.request.method=GET.*http.request.uri="/v2/[^"]*/blobs/' "$DIR/registry/log" || :; }
memory_of() { skopeo inspect --raw --config --tls-verify=false "docker://$HOST/test/mem:$1" | jq -r ".\"io.ketch.memory\"$2"; } # TAG WHAT
chunks_of() { memory_of "$1" '.files.chunks[]'; }

@test "what has no memory is not pushed with it" {
	refused 1 'memory is of a snapshot' ketch push --memory ketch/base
	krun -d --name up -m 64m --network none ketch/base sh -c "$COUNT" >/dev/null
	await 60 logged up ready
	ketch exec up sh -c 'echo kept >/kept'
	ketch snapshot create --disk-only up@disk >/dev/null
	refused 1 'snapshot disk holds no memory' ketch push --memory up@disk "$HOST/test/none:1"
	refused 1 'names no snapshot' ketch push --memory up "$HOST/test/none:1"
	refused 1 'no such image' ketch image inspect "$HOST/test/none:1"
	is "$(ketch snapshot ls -q up)" disk
}


@test "a machine goes to a registry as an image that others read, and its memory beside it" {
	machine
	is "$(count_of up)" 1
	ketch snapshot create --memory up@one >/dev/null
	is "$(ketch push -q --memory up@one "$HOST/test/mem:1")" "$HOST/test/mem:1"
	is "$(count_of up)" 2
	is "$(skopeo inspect --raw --tls-verify=false "docker://$HOST/test/mem:1" | jq -r '.manifests[].platform.os' | xargs)" "linux unknown"
	skopeo copy -q --src-tls-verify=false "docker://$HOST/test/mem:1" "dir:$DIR/read" # the files, for this platform
	is "$(find "$DIR/read" -name version | wc -l)" 1
	skopeo copy -q --all --src-tls-verify=false "docker://$HOST/test/mem:1" "dir:$DIR/mirror" # and all of it
	[ "$(find "$DIR/mirror" -type f | wc -l)" -gt "$(chunks_of 1 | cut -d ' ' -f 3 | sort -u | wc -l)" ]
	rm -rf "$DIR/mirror"
	# as a container it is any image
	there pull -q "$HOST/test/mem:1" >/dev/null
	is "$(there run --rm --isolation container "$HOST/test/mem:1" cat /kept)" kept
}

@test "of a similar snapshot only the chunks are sent that are not there yet" {
	machine
	local before after all
	before=$(sent)
	ketch exec up sh -c 'echo more >/more'
	ketch snapshot create --memory up@two >/dev/null
	ketch push -q --memory up@two "$HOST/test/mem:2" >/dev/null
	after=$(($(sent) - before))
	all=$(chunks_of 2 | wc -l)
	echo "$after blobs of $all chunks"
	[ "$after" -gt 1 ] && [ "$after" -lt "$all" ]
	before=$(sent)
	ketch push -q --memory up@two "$HOST/test/mem:3" >/dev/null
	[ $(($(sent) - before)) -lt 4 ] # the config is of another moment
}

@test "a push of it that is killed leaves what the next one clears, and its machine as it is" {
	machine
	local calls i n=${KILL_POINTS:-2}
	local command=("$KETCH" push -q --memory up@two "$HOST/test/mem:killed")
	calls=$("$DIR/killat" 0 "${command[@]}" 2>&1 | grep -o '[0-9]\+' | tail -1)
	[ "$calls" -gt 100 ]
	for ((i = 1; i <= n; i++)); do
		"$DIR/killat" $((calls * i / (n + 1) + RANDOM % 9)) "${command[@]}" >/dev/null 2>&1 || :
	done
	is "$("${command[@]}")" "$HOST/test/mem:killed"
	ketch rmi "$HOST/test/mem:killed" >/dev/null
	is "$(find "$KETCH_ROOT/tmp" -mindepth 1; find "$KETCH_ROOT/writable" -mindepth 1 -name '.*')" ""
	is "$(ketch ps -aq | wc -l) $(ketch exec up cat /kept)" "1 kept"
}

@test "which of both is meant has to be said, and what the line says has to fit" {
	machine
	refused_there 125 'holds the memory of a machine.*--trusted to go on with it, --disk-only to boot' there run --vm "$HOST/test/mem:1"
	refused_there 125 'a container has no memory to go on with' there run --isolation container --trusted "$HOST/test/mem:1"
	refused_there 125 'exclude each other' there run --vm --trusted --disk-only "$HOST/test/mem:1"
	refused_there 125 'the command is the one that runs' there run --vm --trusted "$HOST/test/mem:1" true
	refused_there 125 'holds no memory' there run --vm --trusted ketch/base
	refused_there 125 '--trusted: the machine runs already: --memory is' there run --vm --trusted -m 1g "$HOST/test/mem:1"
	is "$(there run --rm --vm --disk-only --network none "$HOST/test/mem:1" cat /kept)" kept
	is "$(there template ls -q)" ""
}

# What was forged or damaged is refused by a line that matches, and leaves nothing.
no_good() { # TAG REGEX
	echo "$1"
	there pull -q "$HOST/test/mem:$1" >/dev/null
	refused_there 125 "$2" there run -d --vm --trusted -q "$HOST/test/mem:$1"
	is "$(there template ls -q)" ""
	is "$(there ps -aq)" ""
	is "$(find "$THERE/writable" "$THERE/tmp" "$THERE/instances" -mindepth 1 2>/dev/null)" ""
	there rmi "$HOST/test/mem:$1" >/dev/null
}

@test "what does not fit, or is not what it says, is refused before a machine is made" {
	machine
	local before
	"$E2E/forge_packed.py" "$HOST" test/mem 1
	no_good version 'it is of version 2'
	no_good driver 'its memory is not of its driver|(ran with KVM|--driver kvm)'
	no_good kernel 'its machine has the guest kernel 9.9-nosuch'
	no_good kernel-bytes 'is another here'
	no_good layer 'disk 0 of its image is another there'
	no_good layers 'its disks are not the layers'
	no_good ram 'its machine has 1073741824 MiB of RAM|its RAM is not as large'
	no_good container 'is not of a virtual machine'
	no_good outside 'outside of the disk'
	no_good length 'the disk is larger than 64 GiB'
	no_good twice 'there twice'
	no_good bad-chunk 'is none'
	no_good many 'more than 8192 chunks'
	no_good format 'not of its driver|of the format other/1'
	if [ "$(memory_of 1 .format)" != ketch-vmm/1 ]; then
		no_good program 'written by /usr/bin/other; QEMU is now '
		no_good clock 'counts time at 1000 kHz, this host at '
	else
		no_good processor 'ran on another processor \(another 1\) than this \(.'
	fi
	before=$(fetched)
	no_good missing 'layer 000000000000'
	no_good size 'has [0-9]+ bytes, not [0-9]+'
	no_good bytes 'holds other bytes than the image says'
	[ "$(fetched)" -gt "$before" ]
}

@test "a chunk with one bit flipped is refused, and a full disk is told" {
	machine
	local digest file
	digest=$(chunks_of 1 | cut -d ' ' -f 3 | sed -n '3s/sha256://p')
	file=$DIR/registry/data/docker/registry/v2/blobs/sha256/${digest:0:2}/$digest/data
	cp "$file" "$DIR/kept-chunk"
	printf '\x5a' | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
	there pull -q "$HOST/test/mem:1" >/dev/null
	refused_there 125 "wrong digest: chunk ${digest:0:12}" there run -d --vm --trusted -q "$HOST/test/mem:1"
	cp "$DIR/kept-chunk" "$file"
	refused_there 125 'no room left on the disk of the store' unshare -m sh -c \
		'mount -t tmpfs -o size=1m none "$1/writable" && exec "$2" run -d --vm --trusted -q "$3"' sh "$THERE" "$KETCH" "$HOST/test/mem:1"
	is "$(there ps -aq)$(there template ls -q)" ""
}

@test "one that is killed leaves no machine, or all of it, and the next one brings it" {
	machine
	local calls i n=${KILL_POINTS:-2}
	local again=(env KETCH_ROOT="$THERE" KETCH_RUN_ROOT="$THERE.run" "$DIR/killat")
	local command=("$KETCH" run -d --vm --trusted -q --name on "$HOST/test/mem:1")
	calls=$("${again[@]}" 0 "${command[@]}" 2>&1 | grep -o '[0-9]\+' | tail -1)
	[ "$calls" -gt 100 ]
	for ((i = 1; i <= n; i++)); do
		there rm -f on >/dev/null 2>&1 || :
		there template rm "$(there template ls -q)" 2>/dev/null || :
		"${again[@]}" $((calls * i / (n + 1) + RANDOM % 9)) "${command[@]}" >/dev/null 2>&1 || :
		echo "at $i of $n: $(there ps -aq | wc -l) $(there template ls -q)"
	done
	there rm -f on >/dev/null 2>&1 || :
	there_run -d --trusted --name on "$HOST/test/mem:1" >/dev/null
	await 60 there exec on true
	is "$(count_there on)" 2
	there rm -f on >/dev/null
	there template rm "$(there template ls -q)"
	is "$(find "$THERE/writable" "$THERE/tmp" -mindepth 1)" ""
}

@test "another store goes on with it, as somebody else, fetches only what it has not, and again needs no registry" {
	machine
	local before
	there_run -d --trusted --name on "$HOST/test/mem:1" >/dev/null
	await 60 there exec on true
	is "$(count_there on) $(there exec on cat /kept)" "2 kept"
	unlike "$(there exec on hostname)" "^$(ketch exec up hostname)$"
	like "$(there template ls)" "memory-[0-9a-f]* .*by run --trusted"
	there exec on sh -c 'echo mine >/mine'
	there pull -q "$HOST/test/mem:2" >/dev/null
	before=$(fetched)
	there_run -d --trusted --name two "$HOST/test/mem:2" >/dev/null
	echo "$(($(fetched) - before)) of $(chunks_of 2 | wc -l) chunks"
	[ $(($(fetched) - before)) -lt "$(chunks_of 2 | wc -l)" ]
	await 60 there exec two true
	is "$(count_there two) $(there exec two cat /more)" "3 more"
	# and back, from where it stands now
	there snapshot create --memory on@again >/dev/null
	there push -q --memory on@again "$HOST/test/mem:4" >/dev/null
	ketch run -d --vm --trusted -q --name home "$HOST/test/mem:4" >/dev/null 2>&1
	await 60 ketch exec home true
	is "$(count_of home) $(ketch exec home cat /kept /mine | xargs)" "3 kept mine"
	registry_close registry
	like "$(there_run -d --rm --trusted "$HOST/test/mem:1")" '^[0-9a-f]{64}$'
	await 60 there exec up-1 true
	is "$(count_there up-1) $(there exec up-1 sh -c 'cat /mine 2>/dev/null || echo none')" "2 none"
	there rm -f up-1 >/dev/null
}

@test "the machine goes with its image, and those that went on from it stay" {
	machine
	is "$(there template ls -q | wc -l)" 2
	there stop -t 1 on >/dev/null
	there rmi "$HOST/test/mem:1" "$HOST/test/mem:2" "$HOST/test/mem:4" >/dev/null
	is "$(there template ls -q)" ""
	there start on >/dev/null # boots, from its own files
	await 60 there exec on true
	is "$(there exec on cat /kept /mine | xargs)" "kept mine"
	there rm -f on two >/dev/null
	there image prune -f >/dev/null
	is "$(find "$THERE/writable" "$THERE/tmp" "$THERE/instances" -mindepth 1)" ""
	is "$(there images -q | wc -l)" 1
}
