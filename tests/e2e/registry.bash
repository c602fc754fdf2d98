# registry.bash - Debian's docker-registry on loopback, for files that pull and push
#
# Each file has a network of its own (setup_suite.bash), so nothing here is reached from elsewhere.

# NAME [YAML]: starts one with its data in $DIR/NAME; prints host:port.  YAML: what its configuration has besides.
registry_open() {
	local dir=$DIR/$1
	mkdir -p "$dir"
	{
		printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: true}}\n' "$dir"
		printf 'http:\n  addr: 127.0.0.1:0\n%s' "${2:-}"
	} >"$dir/config.yml"
	# it would take the variables of others for its own configuration
	env -u REGISTRY_AUTH_FILE docker-registry serve "$dir/config.yml" </dev/null >"$dir/log" 2>&1 3>&- &
	echo $! >"$dir/pid"
	await 20 grep -q 'listening on' "$dir/log" || { cat "$dir/log" >&2; return 1; }
	sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' "$dir/log" | head -n 1
}

registry_close() { # NAME
	local pid
	pid=$(cat "$DIR/$1/pid") && rm "$DIR/$1/pid" && kill "$pid" && await 10 gone "$pid"
}

registries_close() { # for teardown_file: also those of a test that has failed
	local pid
	for pid in "$DIR"/*/pid; do
		[ ! -e "$pid" ] || registry_close "$(basename "${pid%/pid}")"
	done
}

# Copies an OCI layout's image (PATH:TAG) there, with skopeo.
put_layout() { skopeo copy -q --dest-tls-verify=false "oci:$1" "docker://$2"; } # PATH[:TAG] HOST/NAME:TAG
