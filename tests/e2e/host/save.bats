# save.bats - images leave the store and come back: to Ketch, Podman and skopeo
load ../lib

# v/top: two layers, the upper of which deletes, replaces a directory, and has links and attributes.
setup_file() {
	store_open
	mkdir -p "$DIR/rootfs"
	cp -a "$("$FIXTURES/get" base)/rootfs/." "$DIR/rootfs"
	mkdir -p "$DIR/rootfs/data/sub" "$DIR/rootfs/gone/below"
	echo low >"$DIR/rootfs/data/file"
	touch "$DIR/rootfs/data/sub/old" "$DIR/rootfs/gone/below/x"
	ln "$DIR/rootfs/data/file" "$DIR/rootfs/data/hard"
	chown 70000:3000000 "$DIR/rootfs/data/sub/old"
	touch -d '2001-02-03 04:05:06.789' "$DIR/rootfs/data/sub/old"
	touch "$DIR/rootfs/$(printf '%0120d' 7)"
	echo capable >"$DIR/rootfs/data/cap" && setcap cap_net_raw+ep "$DIR/rootfs/data/cap"
	ketch import -c 'CMD ["sh"]' "$DIR/rootfs" v/low >/dev/null
	rm -rf "$DIR/rootfs"
	krun --isolation container --name change v/low sh -c 'rm -r /gone /data/sub; rm /data/hard; mkdir /data/sub
		echo new >/data/sub/new; ln -s new /data/sub/link; mkfifo /data/pipe; chmod 4711 /data/sub/new'
	ketch commit change v/top >/dev/null
	ketch rm change >/dev/null
}

teardown_file() {
	store_close
}

other() { KETCH_ROOT=$DIR/other ketch "$@"; } # a second store
id_of() { ketch image inspect "$1" | jq -r '.[0].Id'; } # IMAGE
tree_of() { # IMAGE: every entry of its root, with all that is known about it
	local id
	id=$(krun --isolation container -d "$1" true) && ketch wait "$id" >/dev/null
	ketch export "$id" | tar --full-time --numeric-owner --xattrs -tvvf - data gone 2>/dev/null | grep -v 'data/$' | sort -k 6
	ketch rm "$id" >/dev/null
}

@test "an image of a directory keeps its id; Ketch, skopeo and Podman load it" {
	local id name
	id=$(id_of v/low)
	ketch save -o "$DIR/low.tar" v/low
	ketch save --format oci-archive v/low >"$DIR/low.oci.tar"
	ketch save --format oci-dir -o "$DIR/low.oci" v/low
	for name in low.tar low.oci.tar low.oci; do
		rm -rf "$DIR/other"
		is "$(other load -i "$DIR/$name")" "Loaded image: v/low:latest"
		is "$(other images -q --no-trunc)" "$id"
	done
	for name in docker-archive:low.tar oci-archive:low.oci.tar oci:low.oci; do
		skopeo copy -q "${name%%:*}:$DIR/${name#*:}" "dir:$DIR/skopeo"
		is "sha256:$(jq -r '.config.digest' "$DIR/skopeo/manifest.json" | cut -d: -f2)" "$id"
		rm -rf "$DIR/skopeo"
	done
	podman --root "$DIR/podman" --runroot "$DIR/podman.run" --storage-driver vfs load -qi "$DIR/low.tar" >/dev/null
	is "$(podman --root "$DIR/podman" --runroot "$DIR/podman.run" --storage-driver vfs images -q --no-trunc)" "$id"
	rm -rf "$DIR/podman" "$DIR/podman.run"
}

@test "several images and names; what was loaded is saved as the same bytes, with the same files" {
	local before
	ketch tag v/low host:5000/a/b:1
	ketch save -o "$DIR/two.tar" v/top v/low host:5000/a/b:1 "$(id_of v/low)"
	is "$(tar -xOf "$DIR/two.tar" manifest.json | jq -c '[.[].RepoTags]')" '[["v/top:latest"],["v/low:latest","host:5000/a/b:1"]]'
	is "$(tar -tf "$DIR/two.tar" | sort | uniq -d)" "" # what they share is there once
	before=$(tree_of v/top)
	like "$before" 'data/sub/link -> new'
	unlike "$before" 'gone'
	rm -rf "$DIR/other"
	other load -i "$DIR/two.tar" >/dev/null
	is "$(KETCH_ROOT=$DIR/other tree_of v/top)" "$before"
	other save -o "$DIR/again.tar" v/top v/low host:5000/a/b:1
	cmp "$DIR/two.tar" "$DIR/again.tar"
	# Docker's tools see deletions as deletions
	skopeo copy -q "docker-archive:$DIR/two.tar:docker.io/v/top:latest" "dir:$DIR/skopeo"
	for layer in $(jq -r '.layers[1].digest' "$DIR/skopeo/manifest.json"); do
		is "$(tar -tf "$DIR/skopeo/${layer#sha256:}" | grep -c '\.wh\.')" 3
	done
	rm -rf "$DIR/skopeo"
}

@test "what came as an archive, whatever wrote it, keeps its id and is saved as the same layers" {
	local id layer
	id=$("$BATS_TEST_DIRNAME/../odd_layers.py" "$DIR/odd.tar")
	rm -rf "$DIR/other"
	ketch load -i "$DIR/odd.tar" >/dev/null
	is "$(id_of odd:1)" "$id"
	ketch save -o "$DIR/odd.saved.tar" odd:1
	ketch save --format oci-dir -o "$DIR/odd.oci" odd:1
	for layer in $(ketch image inspect odd:1 | jq -r '.[0].RootFS.Layers[]'); do
		is "sha256:$(sha256sum <"$DIR/odd.oci/blobs/sha256/${layer#sha256:}" | cut -d' ' -f1)" "$layer"
	done
	other load -i "$DIR/odd.saved.tar" >/dev/null
	is "$(other images -q --no-trunc)" "$id"
	other save odd:1 | cmp - "$DIR/odd.saved.tar"
	skopeo copy -q "oci:$DIR/odd.oci" "dir:$DIR/skopeo"
	is "$(jq -r '.config.digest' "$DIR/skopeo/manifest.json")" "$id"
	rm -rf "$DIR/skopeo" "$DIR/odd.oci" "$DIR/odd.saved.tar"
	# Podman 4.3 reads no sparse files
	id=$("$BATS_TEST_DIRNAME/../odd_layers.py" "$DIR/plain.tar" plain)
	ketch load -i "$DIR/plain.tar" >/dev/null
	ketch save odd:1 >"$DIR/plain.saved.tar"
	podman --root "$DIR/podman" --runroot "$DIR/podman.run" --storage-driver vfs load -qi "$DIR/plain.saved.tar" >/dev/null
	is "$(podman --root "$DIR/podman" --runroot "$DIR/podman.run" --storage-driver vfs images -q --no-trunc)" "$id"
	rm -rf "$DIR/podman" "$DIR/podman.run"
}

@test "a layer that has changed in the store is not saved: one line, and nothing is left" {
	local file skeletons=$DIR/other/skeletons
	# a layer with a file of 3 MiB, and not those with holes; its middle is content of that file
	file=$(find "$DIR/other/layers" -name '*.erofs' -size +3000k -size -4000k | head -n 1)
	[ -n "$file" ] || skip "this host keeps layers as directories"
	cp "$file" "$DIR/kept"
	printf '\377' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
	refused 1 'its archive cannot be made again: the layer has changed in the store' other save -o "$DIR/x.tar" odd:1
	mv "$DIR/kept" "$file"
	file=$(find "$skeletons" -type f | sort | head -n 1)
	cp "$file" "$DIR/kept"
	truncate -s 100 "$file"
	refused 1 'the zstd data is truncated' other save -o "$DIR/x.tar" odd:1
	mv "$DIR/kept" "$file"
	other save odd:1 >/dev/null
	is "$(find "$DIR" -maxdepth 1 -name '*.part*' -o -maxdepth 1 -name 'x.tar')" ""
	other rmi odd:1 >/dev/null
	is "$(ls "$skeletons")" ""
}

@test "history: steps and sizes; without one a row for each layer" {
	is "$(ketch history --format '{{.ID}}' v/top | wc -l)" 2
	is "$(ketch history -q v/top | tail -1)" '<missing>'
	is "$(ketch history -q --no-trunc v/top | head -1)" "$(id_of v/top)"
	like "$(ketch image history v/low)" '^IMAGE +CREATED +CREATED BY +SIZE +COMMENT'
	mkdir "$DIR/told" && tar -C "$DIR/told" -xf "$DIR/low.tar" && cd "$DIR/told"
	jq -c '.history = [{created: "2020-01-02T03:04:05Z", created_by: "COPY x"},
		{created_by: "ENV A=B", comment: "a comment", empty_layer: true}]' \
		"$(jq -r '.[0].Config' manifest.json)" >told.json
	jq -c '.[0].Config = "told.json" | .[0].RepoTags = ["v/told:1"]' manifest.json >m && mv m manifest.json
	tar -cf "$DIR/told.tar" manifest.json told.json blobs
	ketch load -i "$DIR/told.tar" >/dev/null
	is "$(ketch history --no-trunc --format '{{.CreatedBy}}|{{.CreatedAt}}|{{.Comment}}' v/told:1)" \
		$'ENV A=B|0001-01-01T00:00:00Z|a comment\nCOPY x|2020-01-02T03:04:05.000000000Z|'
	is "$(ketch history --format '{{.Size}}' v/told:1 | head -1)" 0B
	unlike "$(ketch history --format '{{.Size}}' v/told:1 | tail -1)" '^0B'
}

@test "what cannot be saved: one line, and nothing is left" {
	refused 1 'no such image: nosuch' "$KETCH" save -o "$DIR/x.tar" v/low nosuch
	refused 1 'oci-dir needs -o' "$KETCH" save --format oci-dir v/low
	mkdir "$DIR/full" && touch "$DIR/full/f"
	refused 1 'directory not empty' "$KETCH" save --format oci-dir -o "$DIR/full" v/low
	refused 1 'no such file or directory' "$KETCH" save -o "$DIR/none/x.tar" v/low
	refused 1 'no space left on device' "$KETCH" save -o /dev/full v/low
	run ! script -qec "$KETCH save v/low" /dev/null
	like "$output" 'terminal'
	ketch save v/low | head -c 1000 >/dev/null # a reader that goes
	is "$(find "$DIR" -maxdepth 1 -name '*.part*' -o -maxdepth 1 -name 'x.tar')" ""
}
