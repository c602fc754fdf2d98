# pull.bats - an image comes from a registry and runs: pulled by name, by digest, or by run itself
load ../lib
load ../registry

setup_file() {
	store_open
	export HOST UMOCI
	HOST=$(registry_open registry)
	UMOCI=$("$FIXTURES/get" umoci)/layout
	put_layout "$UMOCI" "$HOST/test/one:latest"
	put_layout "$UMOCI" "$HOST/test/two:v2"
}
teardown_file() {
	registries_close
	store_close
}

@test "run pulls what is missing, says so, and starts it; never is never" {
	refused 125 "no such image: $HOST/test/one" krun --pull never --rm "$HOST/test/one"
	run --separate-stderr krun --rm "$HOST/test/one"
	is "$status" 0
	is "$output" two
	like "$stderr" "Unable to find image '$HOST/test/one' locally"
	like "$stderr" "Status: Downloaded newer image for $HOST/test/one:latest"
}

@test "always asks the registry again; what it does not have is one line" {
	run --separate-stderr ketch run --isolation container --rm --pull always "$HOST/test/one" id -u
	is "$output" 1000
	like "$stderr" "Status: Image is up to date for $HOST/test/one:latest"
	refused 125 "no such image: $HOST/test/nosuch, and it cannot be pulled: .*manifest unknown" krun --rm "$HOST/test/nosuch"
}

@test "an image by its digest runs; its layers, which are here, are not fetched" {
	local digest
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$HOST/test/two:v2")
	run ketch pull "$HOST/test/two@$digest"
	like "$output" 'Already exists'
	unlike "$output" 'Pulling fs layer'
	is "$(ketch run --isolation container --rm "$HOST/test/two@$digest")" two
	is "$(ketch image inspect "$HOST/test/two@$digest" | jq -r '.[0].RepoDigests[]' | grep two)" "$HOST/test/two@$digest"
}
