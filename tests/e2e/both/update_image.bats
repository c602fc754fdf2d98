#!/usr/bin/env bats
# an instance goes on with another image, and back with its files where that does not work; snapshots as images

load ../lib
load ../registry

setup_file() {
	store_open
	image 1 'CMD ["sh", "-c", "trap \"exit 0\" TERM; tail -f /dev/null & echo ready; wait"]' 'ENV COLOUR=red'
	image 2 'CMD ["sh", "-c", "trap \"exit 0\" TERM; tail -f /dev/null & echo ready; wait"]' 'ENV COLOUR=blue'
	image bad 'CMD ["false"]'
}
teardown_file() {
	registries_close
	store_close
}

# An image app:TAG with /version, made behind the quick wall.
image() { # TAG INSTRUCTION...
	local changes=() i
	for i in "${@:2}"; do changes+=(-c "$i"); done
	ketch create --isolation container --name builder ketch/base true >/dev/null
	echo "$1" >"$DIR/version"
	ketch cp -q "$DIR/version" builder:/version
	ketch commit "${changes[@]}" builder "app:$1" >/dev/null
	ketch rm builder >/dev/null
}

within() { ketch exec up sh -c "$1"; }
up() { await 60 status_is up running; }

@test "another image: what was given stays, what the image said is new, and so is the root" {
	krun -d --name up -v updata:/data -e MINE=yes --restart on-failure:1 app:1 >/dev/null
	up
	within 'echo kept >/data/kept; echo lost >/lost'
	local id
	id=$(inspect_of up .Id)
	is "$(ketch update-image -t 1 up app:2)" up
	up
	is "$(inspect_of up .Id) $(inspect_of up .Config.Image)" "$id app:2"
	is "$(within 'cat /version /data/kept; echo $COLOUR $MINE; ls /lost 2>/dev/null || :')" $'2\nkept\nblue yes'
	is "$(ketch snapshot ls -q up)" ""
	is "$(ketch update-image up)" up # it is that already
}

@test "where the new image does not work it is again what it was, with its files, and runs" {
	within 'echo mine >/mine'
	# a machine takes longer to start than these seconds, which are those that it has to run
	refused 1 'up with app:bad: .*it is again what it was, with app:2' ketch update-image -t 3 up app:bad
	up
	is "$(within 'cat /version /mine /data/kept; echo $COLOUR')" $'2\nmine\nkept\nblue'
	is "$(ketch snapshot ls -q up)" ""
	refused 1 'no such image: nosuch' ketch update-image --pull never up nosuch
	refused 1 'invalid snapshot name' ketch update-image --keep a/b up app:1
	up
}

@test "a snapshot is committed and pushed without touching its instance, and runs from there" {
	local host
	host=$(registry_open registry)
	ketch snapshot create --disk-only up@s >/dev/null
	within 'echo later >/mine'
	refused 1 'names no snapshot' ketch push up "$host/test/snap:1"
	refused 1 'has no snapshot "nosuch"' ketch commit up@nosuch
	is "$(ketch push -q up@s "$host/test/snap:1")" "$host/test/snap:1"
	is "$(within 'cat /mine')" later
	ketch rmi "$host/test/snap:1" >/dev/null
	# behind the quick wall: another reads it as any image
	is "$(ketch run --rm --isolation container "$host/test/snap:1" sh -c 'cat /version /mine; echo $COLOUR $MINE' 2>/dev/null)" $'2\nmine\nblue yes'
	ketch rm -f up >/dev/null
	ketch volume rm updata >/dev/null
}
