# bad_config.bats - hundreds of wrong inputs: each is named by its place, and nothing is made (see bad_config.py)
load lib

setup() {
	[ -d "$DIR/b/box" ] || staying box
	has_status box running || { clean_up; staying box; }
}
teardown() { :; }
teardown_file() {
	remove box
	audit
	oci_close
}

wrong() { # KIND AT-LEAST
	[[ ! ${RUNTIME##*/} =~ ^(runc|crun)$ ]] || skip "${RUNTIME##*/} accepts much of it, or names no place"
	run "$OCI/bad_config.py" "$RUNTIME" "$DIR" "$TAG" "$1"
	is "$status" 0 || { echo "$output" | tail -n 60 >&2; return 1; }
	[ "${lines[-1]%% *}" -ge "$2" ]
}

@test "config.json: at least 300, status 1" { wrong config.json 300; }
@test "process.json of exec: at least 80, status 255" { wrong process.json 80; }
@test "resources of update: at least 50, status 1" { wrong resources 50; }
