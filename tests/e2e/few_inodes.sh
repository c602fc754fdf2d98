#!/bin/bash
# few_inodes.sh MORE... - in a mount namespace of its own: a store whose file system has so many inodes to spare
#
# run, start and rm work or say in one line that there is no room; ps and rm -f always work; nothing is left.
set -u
mkdir -p "$DIR/few"
used=$(find "$KETCH_ROOT" | wc -l)
full=$KETCH_ROOT
bad=0

wrong() { echo "$more to spare: $*"; bad=1; }
tried() { # COMMAND...: it works, or fails with one line
	"$KETCH" "$@" >"$DIR/out" 2>"$DIR/err" && return
	grep -v '^ketch: failed to start' "$DIR/err" >"$DIR/line"
	[ "$(grep -c '' "$DIR/line")" = 1 ] && grep -qi 'no space left\|no room\|disk is full\|no such instance\|read-only file system' "$DIR/line" ||
		wrong "$* says: $(cat "$DIR/err")"
}

for more; do
	mount -t tmpfs -o nr_inodes=$((used + more)) none "$DIR/few" && cp -a "$full/." "$DIR/few" || exit 99
	export KETCH_ROOT=$DIR/few
	tried run --isolation "$ISOLATION" --name full ketch/base sh -c 'echo here; touch /a /b'
	tried start full
	tried volume create few
	"$KETCH" ps -a >/dev/null 2>"$DIR/err" || wrong "ps: $(cat "$DIR/err")"
	if "$KETCH" inspect full >/dev/null 2>&1; then
		"$KETCH" rm -f full >/dev/null 2>"$DIR/err" || wrong "rm -f: $(cat "$DIR/err")"
	fi
	"$KETCH" volume prune -af >/dev/null 2>"$DIR/err" || wrong "volume prune: $(cat "$DIR/err")"
	left=$(find "$KETCH_ROOT/instances" "$KETCH_ROOT/tmp" "$KETCH_ROOT/volumes" -mindepth 1 | head -n 3)
	[ -z "$left" ] || wrong "left: $left"
	for _ in {1..200}; do # what an instance had on networks is taken back behind its end
		umount "$DIR/few" 2>/dev/null && continue 2
		sleep 0.05
	done
	umount "$DIR/few" || bad=1
done
exit $bad
