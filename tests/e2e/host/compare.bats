# compare.bats - ketch compare: both walls are measured, nothing is left, errors are one line
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

row() { # METRIC COLUMN: of the report
	jq -r --arg m "$1" ".rows[] | select(.metric == \$m) | .$2" "$DIR/report"
}

@test "both walls are measured, and nothing is left" {
	ketch compare --json ketch/base -- echo hello >"$DIR/report"
	is "$(jq -c '[.workload, .containerError, .vmError]' "$DIR/report")" '["echo hello","",""]'
	is "$(row "shares the host's kernel" container)" yes
	is "$(row "shares the host's kernel" vm)" no
	is "$(row 'kernel it runs on' container)" "$(uname -r)"
	is "$(row 'processes it sees' container)" 1
	is "$(row "its uid on the host" container)" 0
	unlike "$(row "its uid on the host" vm)" '^0$'
	is "$(row "its capabilities on the host" vm)" 0
	is "$(row 'the workload: exit status' container) $(row 'the workload: exit status' vm)" '0 0'
	# every row has its two values: all can be measured here
	is "$(jq -r '.rows[] | select(.container == "-" or .vm == "-") | .metric' "$DIR/report")" ''
	is "$(ketch ps -aq)" ''
}

@test "what cannot be compared is one line" {
	refused 1 'no such image' ketch compare no-such-image
	refused 1 'argument' ketch compare
}
