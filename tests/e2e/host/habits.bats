# habits.bats - each command line of habits.txt works, or is refused in one line that says why
load ../lib

setup_file() {
	store_open
	ketch run -d --name web --label tier=front ketch/base "${STAY[@]}"
}
teardown_file() { store_close; }

# STATUS WORDS REGEX: a difference is told.
habit() {
	local words got=0
	eval "words=($2)"
	timeout 60 "$KETCH" "${words[@]}" >"$DIR/out" 2>"$DIR/err" </dev/null || got=$?
	if [ "$got" != "$1" ]; then
		echo "ketch $2: status $got, not $1: $(head -n 3 "$DIR/err")"
	elif [ "$1" != 0 ] && { [ "$(grep -c '' "$DIR/err")" != 1 ] || ! grep -qE "^ketch: .*($3)" "$DIR/err"; }; then
		echo "ketch $2: no line with \"$3\" alone: $(cat "$DIR/err")"
	elif [ "$1" != 0 ] && [ -s "$DIR/out" ]; then
		echo "ketch $2: failed, and printed: $(cat "$DIR/out")"
	fi
	return 0
}

@test "what Docker's users type works, or one line says why not" {
	local status words pattern n=0
	while IFS=$'\t' read -r status words pattern; do
		[[ -z $status || $status == \#* ]] && continue
		habit "$status" "$words" "$pattern"
		n=$((n + 1))
	done <"$E2E/host/habits.txt" >"$DIR/differences"
	is "$(cat "$DIR/differences")" ""
	[ "$n" -ge 250 ]
}
