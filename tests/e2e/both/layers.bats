# layers.bats - images of one, a few, many and as many layers as there may be: the same tree behind both walls
load ../lib

setup_file() {
	store_open
	BASE=$("$FIXTURES/get" base)/rootfs
	export BASE
}
teardown_file() { store_close; }

made() { "$E2E/layers.py" "$BASE" "$1" "l/$1" | ketch load >/dev/null; } # N
# What the layers must be together; link counts and numbers of files are those of one file system.
SEEN='cat /last; ls /l; ls /gone 2>/dev/null; stat -c %d / /bin/sh /last /l | sort -u | wc -l; echo new >/l/new && cat /l/new
	rm /last && ls /last 2>/dev/null || echo deleted'

@test "one layer, a few, many and 127: deletions, new versions, directories made anew; what is written stays out" {
	local n
	for n in 1 3 30 127; do
		made "$n"
		is "$(ketch image inspect l/$n | jq '.[0].RootFS.Layers | length')" "$n"
	done
	# few machines are started: 3 layers are disks of one, 127 are merged
	krun -d --name top l/3 "${STAY[@]}" >/dev/null
	await 30 logged top ready
	is "$(ketch exec top sh -c "$SEEN" | xargs)" '2 1 2 1 new deleted'
	is "$(krun --rm l/127 sh -c "$SEEN" | xargs)" '126 125 126 120 1 new deleted'
}

@test "a commit puts one more layer on top; save and load keep what is seen" {
	ketch exec top sh -c 'rm /l/1; echo mine >/mine'
	ketch commit top l/4 >/dev/null
	ketch rm -f top
	is "$(ketch image inspect l/4 | jq '.[0].RootFS.Layers | length')" 4
	ketch save -o "$DIR/saved.tar" l/4
	ketch rmi l/4
	ketch load -i "$DIR/saved.tar"
	is "$(krun --rm l/4 sh -c 'cat /mine; ls /l; [ -e /last ] || echo deleted')" $'mine\n2\nnew\ndeleted'
}

@test "image verify reads all back: what has changed or is missing is named, and a new load mends it" {
	local layer file
	like "$(ketch image verify)" 'l/127:latest: ok'
	layer=$(ketch image inspect l/3 | jq -r '.[0].RootFS.Layers[2]')
	file=$(find "$KETCH_ROOT/layers" -name "${layer#sha256:}*")
	[ -f "$file" ] || skip "this host keeps layers as directories: there is nothing to compare"
	printf X | dd of="$file" bs=1 seek=4200 conv=notrunc status=none
	run --separate-stderr ketch image verify l/1 l/3
	is "$status" 1 && is "$output" 'l/1: ok' && is "$stderr" "ketch: l/3: layer $layer has changed"
	run --separate-stderr ketch image verify --repair l/3
	is "$status" 1 && is "$stderr" "ketch: l/3: layer $layer had changed and was removed: load or pull the image again"
	run --separate-stderr ketch image verify -q --repair l/3
	is "$status" 1 && like "$stderr" "layer $layer is missing"
	made 3 # though others have it, too
	is "$(ketch image verify l/3)" 'l/3: ok'
	is "$(krun --rm l/3 cat /last)" 2
}

@test "what is no longer needed goes, and no mount or device stays" {
	ketch rmi -f l/1 l/3 l/4 l/30 l/127 >/dev/null
	run ketch image inspect l/3
	is "$status" 1
	is "$(find "$KETCH_ROOT/roots" -type f | wc -l)" "$(find "$E2E_TEMPLATE/roots" -type f | wc -l)"
	is "$(find "$KETCH_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" "$(find "$E2E_TEMPLATE/layers" -mindepth 1 -maxdepth 1 | wc -l)"
	is "$(ls "$KETCH_ROOT/skeletons" "$KETCH_ROOT/configs")" "$(ls "$E2E_TEMPLATE/skeletons" "$E2E_TEMPLATE/configs" | sed "s|$E2E_TEMPLATE|$KETCH_ROOT|")"
	is "$(find "$KETCH_ROOT/tmp" -mindepth 1)" ""
}
