# images.bats - what an image's config says is honoured: images of Podman and umoci, and our own
load ../lib

setup_file() {
	store_open
	PODMAN=$("$FIXTURES/get" podman) UMOCI=$("$FIXTURES/get" umoci)
	export PODMAN UMOCI
}
teardown_file() { store_close; }

@test "podman save, docker-archive: ENTRYPOINT, CMD, USER, WORKDIR, ENV" {
	like "$(ketch load -i "$PODMAN/docker.tar")" 'localhost/test/podman:1'
	is "$(krun --rm localhost/test/podman:1)" 'from podman: hello'
	# the words are put together before there is a wall
	is "$(ketch run --rm --isolation container localhost/test/podman:1 other words)" 'from podman: other words'
	is "$(krun --rm --entrypoint sh localhost/test/podman:1 -c 'echo $(id -un) $(pwd) $MADE_BY')" 'ketch /home podman'
}

@test "podman save, oci-archive: the same image, STOPSIGNAL and VOLUME" {
	ketch load -i "$PODMAN/oci.tar"
	krun -d --name sig --entrypoint sh localhost/test/podman:1 -c 'trap "echo got USR1; exit 6" USR1
		echo "$(stat -c %u:%a /data) $(cat /data/file) $(grep -c " /data " /proc/self/mountinfo)"
		touch /data/mine && echo written; tail -f /dev/null & wait'
	await 30 logged sig written
	like "$(ketch logs sig)" '1000:755 in the image 1'
	ketch stop sig
	is "$(inspect_of sig .State.ExitCode)" 6
	ketch rm sig
}

@test "an OCI layout of umoci: layers one over the other, a removed directory is gone, hard links are links" {
	is "$(ketch load -i "$UMOCI/layout")" "Loaded image: layout:latest"
	is "$(ketch run --rm --isolation container layout:latest)" two
	is "$(krun --rm layout:latest sh -c 'ls /data; stat -c %h /data/new/file; cat /data/kept/file; id -u; echo $MADE_BY; pwd')" \
		$'kept\nnew\n2\nkept\n1000\numoci\n/data'
}
