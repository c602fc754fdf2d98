#!/usr/bin/env bats
# an instance is exported with its snapshots and volumes, and imported into another store
#
# What an archive is refused for has nothing to do with walls: that is looked at with the quick one.  What a kill leaves:
# killed.bats.
load ../lib

setup_file() {
	store_open
	export OTHER=$DIR/other OTHER_RUN=$DIR/other-run
	cp -a "$KETCH_ROOT" "$OTHER" && cp -a "$KETCH_RUN_ROOT" "$OTHER_RUN"
	there rmi -f ketch/base >/dev/null # all that is needed is in the archive
}
teardown_file() {
	there ps -aq | xargs -r "$KETCH" --root "$OTHER" --run-root "$OTHER_RUN" rm -f -v >/dev/null
	store_close
}

there() { "$KETCH" --root "$OTHER" --run-root "$OTHER_RUN" "$@"; }
there_is() { [ "$(there inspect -f '{{.State.Status}}' "$1")" = "$2" ]; } # INSTANCE STATUS
there_start() { there start "$1" >/dev/null && await 60 there_is "$1" running; } # INSTANCE
there_left() { # all that an import may leave
	there ps -aq
	there volume ls -q
	there images -aq
	find "$OTHER"/{instances,writable,volumes,tmp} -mindepth 1 -maxdepth 1 2>/dev/null || :
}

# What it sees of what was written, and who it is.
look() { # KETCH INSTANCE
	"$1" exec "$2" sh -c 'find /t /data /anon | sort | while read -r f; do stat -c "%n %F %a %u:%g %h %Y" "$f"; done
		find /t /data /anon -type f | sort | xargs sha256sum; readlink /t/link; ls /etc/group 2>&1; hostname; echo "$A"'
}

FIRST='mkdir -p /t/dir; echo one >/t/file; echo one >/data/file; echo one >/anon/file; echo x >/t/dir/x; chmod 4711 /t/dir/x
	ln /t/file /t/other; ln -s /nowhere /t/link; mkfifo /t/fifo; chown 7:8 /t/dir /data; chmod 1770 /data; rm /etc/group
	ln /data/file /data/.other; touch -d "2001-02-03 04:05:06" /t/file /data'
SECOND='echo two >/t/file; rm -r /t/dir; mkdir /t/dir; echo y >/t/dir/y; echo two >/data/file; rm /data/.other; mkdir /data/in
	echo new >/etc/group; rm /t/link; ln -s /elsewhere /t/link'

@test "an instance with its snapshots and volumes goes into another store, and behind the other wall there" {
	local id first second
	stay --name web --hostname ship -e A=b --memory 256m -l k=v -v data:/data -v /anon >/dev/null
	ketch exec web sh -c "$FIRST"
	first=$(look ketch web)
	ketch snapshot create --disk-only -m "the first" web@first >/dev/null
	ketch exec web sh -c "$SECOND"
	second=$(look ketch web)
	[ "$first" != "$second" ]
	ketch export --instance -o "$DIR/web.tar" web # it runs on
	is "$(look ketch web) $(ketch snapshot ls -q web)" "$second first"
	ketch rm -f -v web >/dev/null

	id=$(there import --instance "$DIR/web.tar" ship)
	is "$(there inspect -f '{{.Id}} {{.Name}} {{.State.Status}}' ship)" "$id ship created"
	is "$(there snapshot ls --format '{{.Name}} {{.Parent}} {{.Holds}} {{.Description}}' ship)" "first  disk, 2 volumes the first"
	is "$(there inspect ship | jq -r '.[0] | "\(.HostConfig.Memory) \(.Config.Labels.k)"')" "$((256 << 20)) v"
	there_start ship
	is "$(look there ship)" "$second"
	there rollback --stop ship@first
	[ "$ISOLATION" = container ] || there set ship isolation=container # a machine would boot for it
	there_start ship
	is "$(look there ship)" "$first"
	there stop ship >/dev/null
}

@test "one that was a container becomes a virtual machine there" {
	[ "$ISOLATION" = vm ] || skip "a machine boots for it"
	ketch run --network none --name small ketch/base sh -c 'echo hello >/file'
	ketch export --instance small | there import --instance - >/dev/null
	there set small isolation=vm
	there cp small:/file - | tar -xO | grep -qx hello
}

quick() { [ "$ISOLATION" = container ] || skip "it is the same behind both walls"; }

@test "it needs a name and volumes that nobody has, or goes without its volumes" {
	quick
	refused 1 'there is an instance ship already' there import --instance "$DIR/web.tar" ship
	refused 1 'there is a volume data already: remove it' there import --instance "$DIR/web.tar"
	refused 1 "invalid name 'a/b'" there import --instance "$DIR/web.tar" a/b
	there import --instance --no-volumes "$DIR/web.tar" shares >/dev/null
	is "$(there volume ls -q | grep -cx data)" 1
	is "$(there snapshot ls --format '{{.Name}} {{.Holds}}' shares)" "first disk"
	there rm -v shares >/dev/null
	there rm -v ship >/dev/null
	there volume rm data >/dev/null
	there image prune -f >/dev/null
	is "$(there_left)" ""
}

@test "a tree of snapshots, and what an instance is that never was started" {
	quick
	ketch create --isolation container --name tree ketch/base true >/dev/null
	ketch export --instance tree | there import --instance - bare >/dev/null
	is "$(there snapshot ls -q bare)" ""
	local s
	for s in a b; do ketch snapshot create "tree@$s" >/dev/null; done
	ketch rollback tree@a
	ketch snapshot create tree@c >/dev/null
	ketch export --instance --no-volumes -o "$DIR/tree.tar" tree
	there import --instance "$DIR/tree.tar" >/dev/null
	is "$(there snapshot ls --format '{{.Name}} {{.Parent}}' tree)" $'a \nb a\nc a'
	there snapshot create tree@d >/dev/null
	is "$(there snapshot inspect -f '{{.parent}}' tree@d)" "$(there snapshot inspect -f '{{.id}}' tree@c)"
	there rm bare tree >/dev/null
	ketch rm tree >/dev/null
	there image prune -f >/dev/null
	is "$(there_left)" ""
	is "$(ketch load -i "$DIR/tree.tar" | sort | xargs)" "Loaded image: instance/tree:a Loaded image: instance/tree:b Loaded image: instance/tree:c Loaded image: instance/tree:latest"
	ketch images -q instance/tree | sort -u | xargs "$KETCH" rmi -f >/dev/null
}

@test "what is not such an archive is refused in one line, and leaves nothing" {
	quick
	local forged=$BATS_TEST_TMPDIR what pattern
	"$E2E/forge.py" "$DIR/web.tar" "$forged"
	while IFS=: read -r what pattern; do
		refused 1 "$pattern" there import --instance "$forged/$what.tar" || { echo "$what" >&2; return 1; }
		rm "$forged/$what.tar"
	done <<-'END'
		version:it is of version 2
		no document:no instance in it
		image:it has no image
		volume nowhere:mounted nowhere
		mounted name:"../../x" includes invalid characters
		volume of the root:has [0-9]* layers, not one
		privileged:reaches into this host by --privileged: say --trusted
		bind:-v of a directory of the host
		snapshot privileged:snapshot first: it reaches into this host by --privileged
	END
	for what in "$forged"/*.tar; do refused 1 "$forged/[a-z]*-[0-9]*.tar: ." there import --instance "$what"; done
	is "$(there_left)" ""
	refused 1 'lib.bash: ' there import --instance "$E2E/lib.bash"
	refused 1 '--change: an instance' there import --instance -c 'CMD x' "$DIR/web.tar"
	refused 1 '--trusted goes with --instance' there import --trusted "$DIR/web.tar"
	refused 1 '--no-volumes: without --instance' ketch export --no-volumes web
	refused 1 'no such instance: nosuch' ketch export --instance -o "$DIR/no.tar" nosuch
	[ ! -e "$DIR/no.tar" ]
}

@test "with --trusted it reaches into the host as it did" {
	quick
	krun --name trusted --network none -v "$DIR:/host:ro" --cap-add SYS_ADMIN ketch/base test -e /host/store
	ketch export --instance -o "$DIR/trusted.tar" trusted
	ketch rm trusted >/dev/null
	refused 1 'by --cap-add, -v of a directory of the host: say --trusted' there import --instance "$DIR/trusted.tar"
	there import --instance --trusted "$DIR/trusted.tar" >/dev/null
	there start -a trusted
	there rm trusted >/dev/null
	there image prune -f >/dev/null
}
