#!/bin/bash
# quickstart.sh - from a fresh Debian 12 and this checkout to one image run as a container and as a virtual machine
#
#   sudo [PREFIX=/usr/local] ./quickstart.sh
#
# Installs packages, builds, installs, makes the image ketch/base without a registry, runs it behind both walls
# and prints what each wall costs.  What is up to date is not done again.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
export LC_ALL=C.UTF-8
prefix=$(realpath -m "${PREFIX:-/usr/local}")
build=$PWD/build-release
log=$(mktemp)
trap 'rm -rf "$log" "$log.d"' EXIT

step() { # WHAT COMMAND...: says what is done and how long it took; a failure shows its log and ends all
	local start=$EPOCHREALTIME
	printf '==> %-52s' "$1"
	if ! "${@:2}" >"$log" 2>&1 </dev/null; then
		echo ' failed'
		tail -n 25 "$log" >&2
		echo "quickstart: this failed: $1" >&2
		exit 1
	fi
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf " %6.1f s\n", b - a }'
}

build() {
	[ -f "$build/build.ninja" ] && meson configure "$build" --prefix "$prefix" ||
		meson setup --wipe "$build" --buildtype release --prefix "$prefix" ||
		meson setup "$build" --buildtype release --prefix "$prefix"
	ninja -C "$build"
}

make_kernel() { # a machine without a kernel of its own in /boot (a container, say) takes Debian's package
	"$ketch" kernel ls -q | grep -q . && return
	(cd "$log.d" && apt-get -q download "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^  Depends: //p' | head -n 1)")
	"$ketch" kernel import "$log.d"/*.deb
}

make_image() {
	"$ketch" image inspect ketch/base && return
	tools/make-base "$log.d/base"
	"$ketch" import -c 'CMD ["sh"]' "$log.d/base" ketch/base
}

[ "$(id -u)" = 0 ] || { echo "quickstart: run as root: sudo ./quickstart.sh" >&2; exit 1; }
. /etc/os-release
[ "$ID:${VERSION_ID:-}" = debian:12 ] || echo "quickstart: this is made for Debian 12; ${PRETTY_NAME:-this system} may differ" >&2

ketch=$prefix/bin/ketch
mkdir -p "$log.d" && chmod 755 "$log.d"
step "install Debian packages" tools/install-packages build run
step "build" build
step "install into $prefix" meson install -C "$build" --no-rebuild --only-changed
step "find or unpack a kernel for virtual machines" make_kernel
step "make the image ketch/base" make_image

for isolation in container vm; do
	echo "==> ketch run --rm --isolation $isolation ketch/base uname -a"
	"$ketch" run --rm --isolation $isolation ketch/base uname -a </dev/null
done
echo "==> ketch compare ketch/base"
"$ketch" compare ketch/base </dev/null
