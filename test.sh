#!/bin/bash
# test.sh - passes every test; ends with "N passed, N failed[, N skipped]" and fails unless all is well
#
#   sudo ./test.sh [STAGE...]    default: every stage but analyze, as .ci/run does
#
# A stage is a function of tests/stages.bash that speaks TAP ("ok NAME", "not ok NAME", "ok NAME # skip WHY");
# lines behind "not ok"
# that begin with "#" tell why.  All that it prints is kept in build-test/logs/STAGE.log.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")" || exit 2
export LC_ALL=C.UTF-8 TOP=$PWD BUILD=$PWD/build-test
# Debian's programs, whatever else is installed: a python3 of pyenv takes ten times as long to start, and starts often.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export KETCH=$BUILD/ketch
# Where ccache is, one clone has what another compiled (meson takes it for gcc by itself).
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
logs=$BUILD/logs
. tests/stages.bash

[ "$(id -u)" = 0 ] || { echo "test.sh: run as root: sudo ./test.sh" >&2; exit 2; }
want=" $* "
for s; do
	declare -F "stage_$s" >/dev/null || { echo "test.sh: no such stage: $s" >&2; exit 2; }
done

stage() { # NAME: runs it unless it was not asked for; its results appear with its name in front
	local start=$SECONDS log=$logs/$1.log status count
	[[ $want = *" $1 "* || $want = "  " ]] || return 0
	echo "$1: started"
	"stage_$1" </dev/null 2>&1 | tee "$log" | sed -un "/^ok \|^not ok \|^#/s/^/$1: /p"
	status=${PIPESTATUS[0]}
	if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$log"; then
		tail -n 60 "$log"
		echo "not ok the stage ended with status $status" | tee -a "$log"
	fi
	count=$(grep -c '^not ok ' "$log")
	printf '%-10s %5d passed %4d failed %4d skipped %6d s\n' "$1" "$(grep '^ok ' "$log" | grep -vci '# skip')" \
		"$count" "$(grep '^ok ' "$log" | grep -ci '# skip')" $((SECONDS - start)) | tee "$logs/$1.sum"
	return "$count"
}

worker() { # does the first line of what is left to be done, until nothing is
	local s line
	while line=$(flock "$logs" sed -i -e '1w /dev/stdout' -e 1d "$logs/todo") && [ -n "$line" ]; do
		for s in $line; do stage "$s"; done
	done
}

busy() { awk 'NR == 1 { for (i = 2; i <= NF; i++) all += $i; print all - $5 - $6, all }' /proc/stat; } # hundredths, of all

read -r busy_before all_before < <(busy)
tools/install-packages build run test || exit 1
mkdir -p "$logs"
rm -f "$logs"/*
stage build || { echo "0 passed, 1 failed"; exit 1; }
stage fixtures
# Two at a time, those that take longest first; what needs another's work stands behind it in its line.
printf '%s\n' >"$logs/todo" e2e_vm bed 'sanitize static fuzz' e2e_container 'unit vmm network threads' e2e_host 'oci peers'
worker &
worker &
wait
[[ $want != *" analyze "* ]] || stage analyze

echo
cat "$logs"/*.sum
cat "$logs"/*.log | grep -i '^ok .*# skip'
for log in "$logs"/*.log; do # last, so that the end of what CI keeps says what failed and why
	awk -v stage="$(basename "$log" .log)" '/^not ok /{ print stage ": " $0; why = 1; next }
		/^#/ && why { print; next } { why = 0 }' "$log"
done
read -r busy_after all_after < <(busy)
echo "$SECONDS s in all, processors $(((busy_after - busy_before) * 100 / (all_after - all_before))) % busy"
awk '{ ok += $2; bad += $4; skip += $6 }
	END { printf "%d passed, %d failed%s\n", ok, bad, skip ? ", " skip " skipped" : ""; exit bad || !ok }' \
	"$logs"/*.sum
