#!/bin/bash
# full_disk.sh - in a mount namespace of its own: an instance whose store's disk is full
#
# It answers; what needs room says so in one line and changes nothing; rollback and rm -f give back room, and work.
set -u
mkdir "$DIR/small"
mount -t tmpfs -o size=$(($(du -sm "$KETCH_ROOT" | cut -f1) + 32))m none "$DIR/small" &&
	cp -a "$KETCH_ROOT/." "$DIR/small" || exit 99
export KETCH_ROOT=$DIR/small
rm -f "$KETCH_ROOT/ketch.reserve" # its copy has no blocks; the next command makes it
bad=0

wrong() { echo "$*"; bad=1; }
works() { "$KETCH" "$@" >"$DIR/out" 2>&1 || wrong "$*: $(cat "$DIR/out")"; }
no_room() { # COMMAND...
	! "$KETCH" "$@" >"$DIR/out" 2>&1 && [ "$(grep -c '' "$DIR/out")" = 1 ] && grep -q 'no space left' "$DIR/out" ||
		wrong "$* says: $(cat "$DIR/out")"
}
fill() {
	dd if=/dev/zero of="$KETCH_ROOT/fill" bs=64k 2>/dev/null
	dd if=/dev/zero of="$KETCH_ROOT/fill.rest" bs=512 2>/dev/null
}

works run -d --isolation "$ISOLATION" -m 96m --name full ketch/base sh -c 'trap "exit 0" TERM; tail -f /dev/null & wait'
works exec full sh -c 'echo kept >/file; sync'
works snapshot create --disk-only full@kept
works exec full sh -c 'echo more >/file; sync'
fill
no_room snapshot create --disk-only full@more
works exec full sh -c 'dd if=/dev/zero of=/large bs=64k count=64; sync; true' # whatever comes of it
works exec full true
[ "$("$KETCH" snapshot ls -q full)" = kept ] || wrong "snapshots: $("$KETCH" snapshot ls -q full)"
works rollback --stop full@kept
rm "$KETCH_ROOT"/fill*
[ "$("$KETCH" cp full:/file - | tar -xOf -)" = kept ] || wrong "it is not what was kept"
fill
works rm -f full
left=$(find "$KETCH_ROOT/instances" "$KETCH_ROOT/writable" -mindepth 1 | head -n 3)
[ -z "$left" ] || wrong "left: $left"
exit $bad
