# volumes.bats - named and anonymous volumes, and everything else that can be mounted
load ../lib

# An image of two layers that has something at /data, and a VOLUME at /vol.
setup_file() {
	store_open
	mkdir -p "$DIR/rootfs"
	cp -a "$("$FIXTURES/get" base)/rootfs/." "$DIR/rootfs"
	mkdir -p "$DIR/rootfs/data/sub" "$DIR/rootfs/vol"
	echo from-image >"$DIR/rootfs/data/file"
	echo deep >"$DIR/rootfs/data/sub/deep"
	echo volume >"$DIR/rootfs/vol/v"
	chown 123:45 "$DIR/rootfs/data/file" "$DIR/rootfs/data"
	chmod 2750 "$DIR/rootfs/data"
	ln -s sub/deep "$DIR/rootfs/data/link"
	ketch import -c 'CMD ["sh"]' -c 'VOLUME /vol' "$DIR/rootfs" v/img >/dev/null
	rm -rf "$DIR/rootfs"
}

teardown_file() {
	ketch ps -aq | xargs -r "$KETCH" rm -fv
	ketch volume ls -q | xargs -r "$KETCH" volume rm
	is "$(ls -A "$KETCH_ROOT/volumes")" ""
	store_close
}

vstay() { # FLAGS...: as stay, of our image
	local id
	id=$(krun -d "$@" v/img "${STAY[@]}") && echo "$id" && await 30 logged "$id" ready
}
vrun() { krun --rm "$@"; }
nameless() { ketch volume ls -qf dangling=true | grep -c '^[0-9a-f]\{64\}$'; }

@test "a new volume takes what the image has there, once; it outlives the instance and is shared by both kinds" {
	is "$(ketch volume create --label a=b --label c first)" first
	run -0 vrun -v first:/data v/img sh -c \
		'stat -c "%a %u %g" /data /data/file; cat /data/file /data/link; echo mine >/data/new; rm /data/file
		dd if=/dev/zero of=/data/big bs=1 count=1 seek=3221225472 2>/dev/null; stat -c %s /data/big; rm /data/big
		cd /data; touch o; chown 1000:2000 o; chmod 4711 o; ln o h; stat -c "%a %u %g %h" h; rm h'
	is "$output" $'2750 123 45\n644 123 45\nfrom-image\ndeep\n3221225473\n4711 1000 2000 2'
	is "$(stat -c '%a %u %g' "$KETCH_ROOT/volumes/first/_data/o")" "4711 1000 2000"
	is "$(cat "$KETCH_ROOT/volumes/first/_data/new")" mine
	[ ! -e "$KETCH_ROOT/volumes/first/.fill" ]
}

@test "the second finds what the first left, though the image has the file; -v options: ro, nocopy, nosuid; words that cannot be are refused by name" {
	# one instance for this and the next two, each of which looks at what it said
	mkdir -p "$DIR/host/dir"
	echo host >"$DIR/host/dir/f"
	nameless >"$DIR/nameless" || :
	run -0 --separate-stderr vrun -v first:/data:ro -v second:/data/sub:nocopy -v third:/t:noexec,nosuid -v /anon \
		--mount "type=volume,src=first,dst=/one,volume-subpath=sub,readonly" \
		--mount "type=bind,source=$DIR/host,target=/host,ro=true" \
		--mount "type=bind,source=$DIR/host/dir/f,target=/the/file" \
		--mount "type=tmpfs,destination=/mem,tmpfs-size=1m,tmpfs-mode=0700" \
		--mount "target=/new,volume-nocopy,volume-label=x=y,source=labelled" v/img sh -c \
		'ls /data; cat /data/new; touch /data/x 2>/dev/null || echo read-only; ls /data/sub | wc -l
		touch /data/sub/y && echo writable; cp /bin/busybox /t/b; /t/b true 2>/dev/null || echo no-exec
		{ cat /one/deep /host/dir/f /the/file; stat -c %a /mem; df -k /mem | tail -1 | tr -s " " | cut -d" " -f2
		touch /one/x /host/x 2>/dev/null || echo read-only; touch /new/n; } | sed "s/^/mount: /"
		cat /vol/v; touch /anon/x && echo anonymous'
	echo "$output" >"$DIR/said"
	is "$(grep -v '^mount: ' "$DIR/said")" $'link\nnew\no\nsub\nmine\nread-only\n0\nwritable\nno-exec\nvolume\nanonymous'
	is "$(ketch events --stream=false --filter volume=first --format '{{.Action}}' | tr '\n' ' ')" \
		"create mount unmount mount mount unmount unmount "
	like "$(ketch events --stream=false --filter volume=first --filter event=mount | head -n1)" \
		' volume mount first \(container=[0-9a-f]{64}, destination=/data, driver=local, read/write=true\)$'
	refused 125 "-v: 'U' is not supported" "$KETCH" run -v first:/data:U v/img true
	refused 125 "-v: 'O' is not supported" "$KETCH" run -v /etc:/data:O v/img true
	refused 125 "-v: unknown option 'rx'" "$KETCH" run -v first:/data:rx v/img true
	refused 125 "-v: 'rslave' is for binds" "$KETCH" run -v first:/data:rslave v/img true
	refused 125 'invalid characters for a volume name' "$KETCH" run -v 'a b:/data' v/img true
	refused 125 'too short' "$KETCH" run -v a:/data v/img true
}

@test "--mount: volume, bind and tmpfs with their options" {
	is "$(sed -n 's/^mount: //p' "$DIR/said")" $'deep\nhost\nhost\n700\n1024\nread-only'
	is "$(ketch volume inspect labelled | jq -c '.[0].Labels')" '{"x":"y"}'
	[ -e "$KETCH_ROOT/volumes/labelled/_data/n" ]
	refused 125 "--mount: unexpected key 'foo'" "$KETCH" run --mount type=bind,foo=1 v/img true
	refused 125 "--mount: invalid field 'src' must be a key=value pair" "$KETCH" run --mount type=bind,src v/img true
	refused 125 "--mount: target is required" "$KETCH" run --mount type=tmpfs v/img true
	refused 125 "mount type unknown: 'devpts'" "$KETCH" run --mount type=devpts,dst=/x v/img true
	refused 125 'type=image is not supported' "$KETCH" run --mount type=image,src=v/img,dst=/x v/img true
	refused 125 "cannot mix 'tmpfs-size' with mount type 'bind'" "$KETCH" run --mount type=bind,src=/etc,dst=/x,tmpfs-size=1 v/img true
	refused 125 "no such file" "$KETCH" run --mount type=bind,src=/nonexistent,dst=/x v/img true
	refused 125 "volume-subpath" "$KETCH" run --rm --isolation "$ISOLATION" \
		--mount type=volume,src=first,dst=/x,volume-subpath=../../.. v/img true
}

@test "binds: what is mounted below the source, with and without; propagation" {
	run -0 unshare -m --propagation private sh -c '
		mkdir -p "$DIR/up/below" && mount -t tmpfs none "$DIR/up/below" && touch "$DIR/up/below/seen" || exit 99
		"$KETCH" run --rm --isolation "$ISOLATION" --mount "type=bind,src=$DIR/up,dst=/a" \
			--mount "type=bind,src=$DIR/up,dst=/b,bind-recursive=disabled" v/img sh -c "ls /a/below; ls /b/below | wc -l"'
	is "$output" $'seen\n0'
	if [ "$ISOLATION" = vm ]; then
		refused 125 'rslave works for containers only' "$KETCH" run --vm --mount type=bind,src=/etc,dst=/x,bind-propagation=rslave v/img true
		return
	fi
	run -0 unshare -m --propagation private sh -c '
		mkdir -p "$DIR/prop/sub" && mount --bind "$DIR/prop" "$DIR/prop" && mount --make-shared "$DIR/prop" || exit 99
		id=$("$KETCH" run -d -v "$DIR/prop:/p:rslave" -v "$DIR/prop:/q" v/img sh -c "tail -f /dev/null") || exit 98
		mount -t tmpfs none "$DIR/prop/sub" && touch "$DIR/prop/sub/late"
		"$KETCH" exec "$id" sh -c "ls /p/sub; ls /q/sub | wc -l"; "$KETCH" rm -fv "$id" >/dev/null'
	is "$output" $'late\n0'
}

@test "anonymous volumes: made for -v PATH and the image's VOLUME, gone with --rm and rm -v, kept by rm" {
	local id name
	is "$(tail -2 "$DIR/said")" $'volume\nanonymous'
	is "$(nameless || :)" "$(cat "$DIR/nameless")" # --rm has removed both
	id=$(ketch create --isolation "$ISOLATION" -v /anon v/img true)
	is "$(ketch inspect -f '{{.Config.Volumes}}' "$id")" 'map[/anon:{} /vol:{}]'
	name=$(ketch inspect "$id" | jq -r '.[0].Mounts[] | select(.Destination == "/anon").Name')
	like "$name" '^[0-9a-f]{64}$'
	is "$(ketch volume inspect "$name" | jq -r '.[0].Labels|keys[0]')" com.docker.volume.anonymous
	refused 1 "remove $name: volume is in use - \[$id\]" "$KETCH" volume rm "$name"
	ketch rm "$id" >/dev/null
	ketch volume inspect "$name" >/dev/null # it is still there
	run -0 ketch volume prune -f
	like "$output" "Deleted Volumes:.*$name.*Total reclaimed space: "
	is "$(nameless || :)" 0
	is "$(ketch volume ls -qf name=first)" first # those with a name stay
}

@test "--volumes-from: the same places, the user's own mounts win; a volume of two instances at the same time" {
	local a
	a=$(vstay --name src -v shared:/data -v "$DIR/host:/host")
	ketch exec src sh -c 'echo one >/data/w; echo keep >/vol/w'
	ketch create --isolation "$ISOLATION" --name taker --volumes-from src:ro -v first:/vol v/img true >/dev/null
	is "$(inspect_of taker '.Mounts | sort_by(.Destination)[] | "\(.Destination) \(.Name)\(if .Type == "bind" then .Source else "" end) \(.RW)"')" \
		"/data shared false"$'\n'"/host $DIR/host false"$'\n''/vol first true'
	ketch rm taker >/dev/null
	run -0 ketch run --rm --isolation container --volumes-from src:ro -v first:/vol v/img sh -c \
		'cat /data/w /host/dir/f; ls /vol; touch /data/x 2>/dev/null || echo read-only'
	is "$output" $'one\nhost\nlink\nnew\no\nsub\nread-only'
	# the other kind sees it, too, and is seen
	run -0 ketch run --rm --isolation container --volumes-from src v/img sh -c 'cat /vol/w; echo two >/data/w2'
	is "$output" keep
	await 10 ketch exec src test -s /data/w2
	is "$(ketch exec src cat /data/w2)" two
	refused 1 'volume is in use' "$KETCH" volume rm shared
	refused 125 '--volumes-from nope: no such instance' "$KETCH" run --volumes-from nope v/img true
	ketch rm -fv src >/dev/null
}

@test "volumes that are a tmpfs or a directory of the host; --tmpfs and --read-only-tmpfs" {
	ketch volume create -o type=tmpfs -o device=tmpfs -o o=size=2m,uid=7 mem >/dev/null
	ketch volume create -o type=none -o o=bind,ro -o "device=$DIR/host" there >/dev/null
	run -0 vrun --read-only --read-only-tmpfs -v mem:/mem -v there:/there --tmpfs /data:tmpcopyup,size=1m \
		--tmpfs /t:ro v/img sh -c 'stat -c %u /mem; df -k /mem | tail -1 | tr -s " " | cut -d" " -f2
		cat /there/dir/f; touch /there/x 2>/dev/null || echo read-only
		cat /data/file; stat -c "%a %u" /data; touch /data/x /run/x /tmp/x /var/tmp/x && echo writable
		touch /t/x 2>/dev/null || echo read-only; touch /x 2>/dev/null || echo root-read-only'
	is "$output" $'7\n2048\nhost\nread-only\nfrom-image\n2750 123\nwritable\nread-only\nroot-read-only'
	refused 125 'unknown option "bogus"' "$KETCH" run --isolation "$ISOLATION" --tmpfs /t:bogus v/img true
}
