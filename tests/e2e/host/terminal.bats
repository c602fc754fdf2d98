# terminal.bats - what a user at a terminal sees: how far a long job is, colours; and what a file gets instead
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

child_named() { CHILD=$(pgrep -P "$2" -x "$1"); } # NAME PARENT

@test "a job that takes long shows how far it is, and nothing of it stays" {
	local POLL=0.01 # it has to be caught under way: 384 MiB take a second at least
	mkdir "$DIR/tree"
	head -c 384M /dev/zero >"$DIR/tree/zeros"
	tar -cf "$DIR/big.tar" -C "$DIR/tree" zeros
	"$E2E/terminal.py" 24x80 'expect=\[[# ]{40}\] +[0-9]+%' eof -- "$KETCH" import "$DIR/big.tar" big:1 >"$DIR/shown" &
	await 10 child_named ketch $!
	await 10 child_named ketch-image "$CHILD"
	kill -STOP "$CHILD" # it is slow
	stopped() { [ "$(sed 's/.*) //; s/ .*//' "/proc/$CHILD/stat")" = T ]; }
	await 10 stopped
	await 20 grep -q '%' "$DIR/shown"
	kill -CONT "$CHILD"
	wait $!
	like "$(tr '\r' '\n' <"$DIR/shown" | tail -n 2)" 'sha256:[0-9a-f]{64}'
	ketch rmi big:1
	is "$(ketch import "$DIR/big.tar" big:2 2>&1 | grep -c '')" 1
	ketch rmi big:2
}

@test "colours are for terminals alone, and never with NO_COLOR" {
	seen() { env -u NO_COLOR TERM=xterm "${@:2}" "$E2E/terminal.py" 24x80 -- "$KETCH" $1 || true; }
	red=$'\e[1;31mketch:\e[0m no such instance: nosuch'
	like "$(seen 'logs nosuch' env)" "${red//[/\\[}"
	for quiet in NO_COLOR=1 TERM=dumb KETCH_COLOUR=never; do
		unlike "$(seen 'logs nosuch' env $quiet)" $'\e'
		unlike "$(seen doctor env $quiet)" $'\e'
	done
	like "$(seen doctor env)" $'\e\\[32mok'
	unlike "$(ketch doctor)" $'\e'
	unlike "$(ketch logs nosuch 2>&1)" $'\e'
	like "$(KETCH_COLOUR=always ketch doctor)" $'\e\\[32mok'
}
