# packages.bats - which packages an image has: noted while it comes, whichever way, and layers put on top of each other
load ../lib

# p/low has all that is read here; the upper layer of p/top removes, replaces and changes some of it.
setup_file() {
	store_open
	export LOW=$DIR/rootfs
	mkdir -p "$LOW"
	cp -a "$("$FIXTURES/get" base)/rootfs/." "$LOW"
	mkdir -p "$LOW"/{var/lib/dpkg,lib/apk/db,usr/lib/sysimage/rpm,srv/{a,b,c,d},venv/six-1.16.0.dist-info}
	tar -C "$LOW" -xf "$("$FIXTURES/get" debian)/rootfs.tar" ./var/lib/dpkg/status
	printf 'P:musl\nV:1.2.4-r2\nA:x86_64\n\nP:zlib\nV:1.3-r0\nA:x86_64\n\n' >"$LOW/lib/apk/db/installed"
	python3 "$E2E/rpmdb.py" "$LOW/usr/lib/sysimage/rpm/rpmdb.sqlite" bash:5.2.26:3.fc40:x86_64
	printf 'Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n' >"$LOW/venv/six-1.16.0.dist-info/METADATA"
	printf 'm.example/%s v1.0.0 h1:x=\n' a >"$LOW/srv/a/go.sum"
	printf 'm.example/%s v1.0.0 h1:x=\n' b >"$LOW/srv/b/go.sum"
	printf 'm.example/%s v1.0.0 h1:x=\n' c >"$LOW/srv/c/go.sum"
	printf '{"lockfileVersion": 3, "packages": {"node_modules/@s/x": {"version": "0.1.0"}}}' >"$LOW/srv/d/package-lock.json"
	ketch import -c 'CMD ["sh"]' "$LOW" p/low >/dev/null
	krun --isolation container --name change p/low sh -c 'rm /lib/apk/db/installed; rm -r /srv/a; mkdir /srv/a
		rm -r /srv/b; echo file >/srv/b; rm /srv/c/go.sum; ln -s ../d/package-lock.json /srv/c/go.sum
		sed -i s/0.1.0/0.2.0/ /srv/d/package-lock.json; mkdir /srv/e; echo "{" >/srv/e/Pipfile.lock'
	ketch commit change p/top >/dev/null
	ketch rm change >/dev/null
}
teardown_file() { store_close; }

packages() { ketch image packages --format '{{.Type}} {{.Name}} {{.Version}} {{.Arch}}' "$@"; } # IMAGE
not_deb() { packages "$1" 2>/dev/null | grep -v '^deb '; } # IMAGE
LOW_HAS=$'apk musl 1.2.4-r2 x86_64\napk zlib 1.3-r0 x86_64\ngolang m.example/a v1.0.0 \ngolang m.example/b v1.0.0 \n'
LOW_HAS+=$'golang m.example/c v1.0.0 \nnpm @s/x 0.1.0 \npypi six 1.16.0 \nrpm bash 5.2.26-3.fc40 x86_64'
TOP_HAS=$'npm @s/x 0.2.0 \npypi six 1.16.0 \nrpm bash 5.2.26-3.fc40 x86_64'

@test "a directory: what dpkg says of Debian is what we say, and every other kind is there" {
	is "$(packages p/low | grep '^deb ' | sort)" \
		"$(dpkg-query --admindir "$LOW/var/lib/dpkg" -f 'deb ${Package} ${Version} ${Architecture}\n' -W | sort)"
	is "$(not_deb p/low)" "$LOW_HAS"
	is "$(ketch image packages p/low | head -n 2 | tr -s ' ')" $'TYPE NAME VERSION ARCH\napk musl 1.2.4-r2 x86_64'
	is "$(ketch image packages --format '{{json .}}' p/low | jq -c 'select(.Name == "six")')" \
		'{"Arch":"","Name":"six","Path":"venv/six-1.16.0.dist-info/METADATA","Type":"pypi","Version":"1.16.0"}'
}

@test "a commit: what the upper layer removes, hides or changes is so; what cannot be read is said" {
	is "$(not_deb p/top)" "$TOP_HAS"
	is "$(packages p/top 2>/dev/null | grep -c '^deb ')" "$(packages p/low | grep -c '^deb ')"
	run --separate-stderr ketch image packages p/top
	is "$status" 0
	is "$(grep -c '' <<<"$stderr")" 1 && like "$stderr" '^ketch: p/top: /srv/e/Pipfile.lock: not JSON at line '
}

@test "a load and an import of a tar say the same" {
	ketch save -o "$DIR/top.tar" p/top
	tar -C "$LOW" -cf "$DIR/low.tar" .
	KETCH_ROOT=$DIR/other ketch load -qi "$DIR/top.tar"
	is "$(KETCH_ROOT=$DIR/other not_deb p/top)" "$TOP_HAS"
	KETCH_ROOT=$DIR/other ketch import "$DIR/low.tar" p/tar >/dev/null
	is "$(KETCH_ROOT=$DIR/other not_deb p/tar)" "$LOW_HAS"
	rm -rf "$DIR/other"
}

inventory_of() { # IMAGE LAYER
	local layer
	layer=$(ketch image inspect "$1" | jq -r ".[0].RootFS.Layers[$2]")
	echo "$KETCH_ROOT/packages/${layer#sha256:}"
}
flip() { printf '\%o' $(($(od -An -tu1 -j60 -N1 "$1") ^ 1)) | dd of="$1" bs=1 seek=60 conv=notrunc status=none; } # FILE

@test "image verify: an inventory that was changed, cut or lost is named, and made again from its layer" {
	local i file is was how
	is "$(ketch image verify p/low p/top)" $'p/low: ok\np/top: ok'
	for i in 0 1; do # one with every kind; one with whiteouts, an opaque directory and a file that could not be read
		file=$(inventory_of p/top $i)
		cp "$file" "$DIR/inventory"
		for how in flip 'truncate -s -1' 'truncate -s 0' rm; do
			$how "$file"
			was='had changed' is='has changed'
			[ "$how" != rm ] || was='was missing' is='is missing'
			run --separate-stderr ketch image verify p/top
			is "$status" 1 && is "$output" ""
			is "$stderr" "ketch: p/top: inventory of layer sha256:${file##*/} $is: ketch image verify --repair makes it again"
			refused 1 "the inventory of layer .* $is: ketch image verify --repair" ketch image packages p/top
			run --separate-stderr ketch image verify --repair p/top
			is "$status" 1 && is "$stderr" "ketch: p/top: inventory of layer sha256:${file##*/} $was and was made again"
			is "$(ketch image verify p/top)" 'p/top: ok'
			cmp "$file" "$DIR/inventory"
		done
	done
	is "$(not_deb p/top)" "$TOP_HAS"
}

@test "image verify: an inventory of a store that kept no checksums has to be one" {
	local file
	file=$(inventory_of p/low 0)
	mv "$file" "$DIR/inventory"
	sqlite3 "$KETCH_ROOT/ketch.db" 'UPDATE layer SET packages = NULL'
	is "$(ketch image verify p/low)" 'p/low: ok' # none was ever taken
	cp "$DIR/inventory" "$file"
	is "$(ketch image verify p/low)" 'p/low: ok'
	truncate -s -1 "$file"
	refused 1 'inventory of layer .* has changed' ketch image verify p/low
	refused 1 'made again' ketch image verify --repair p/low
	cmp "$file" "$DIR/inventory"
	rm "$file" # its checksum is kept now
	refused 1 'inventory of layer .* is missing' ketch image verify p/low
	mv "$DIR/inventory" "$file"
}

@test "an image of before is told from one without packages; inventories go with their layers" {
	local layer
	is "$(ketch image packages --format '{{.Name}}' ketch/base)" ""
	layer=$(ketch image inspect p/low | jq -r '.[0].RootFS.Layers[0]')
	mv "$KETCH_ROOT/packages/${layer#sha256:}" "$DIR/inventory"
	sqlite3 "$KETCH_ROOT/ketch.db" 'UPDATE layer SET packages = NULL'
	run --separate-stderr packages p/top
	like "$stderr" 'ketch: p/top: 1 of its 2 layers came before packages were noted'
	is "$output" 'npm @s/x 0.2.0 '
	mv "$DIR/inventory" "$KETCH_ROOT/packages/${layer#sha256:}"
	ketch rmi p/top p/low >/dev/null
	[ ! -e "$KETCH_ROOT/packages/${layer#sha256:}" ]
	is "$(ls "$KETCH_ROOT/packages")" "$(ls "$KETCH_ROOT/layers" | sed 's/\.erofs$//')"
	refused 1 'no such image: p/low' ketch image packages p/low
	refused 1 'requires exactly 1 argument' ketch image packages
}
