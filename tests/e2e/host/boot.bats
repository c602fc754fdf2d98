# boot.bats - a host with systemd comes up: instances with a restart policy come back; ketch is installed in a container
load ../lib

setup_file() {
	store_open
	ketch import "$("$FIXTURES/get" systemd)/rootfs.tar" sysd:12 >/dev/null
	cp -a "$("$FIXTURES/get" base)/rootfs" "$DIR/base"
	installed
	ketch run -d --system --privileged --name host -m 512m -v "$DIR/inst/usr/local:/usr/local:ro" -v "$DIR/base:/base:ro" \
		sysd:12 >/dev/null
	await 60 is_up
	# its own file system: an overlay cannot have its upper layer on an overlay
	on_host sh -c 'ldconfig && truncate -s 200M /store.img && mke2fs -q /store.img && mkdir -p /var/lib/ketch &&
		echo "/store.img /var/lib/ketch ext4 loop 0 0" >>/etc/fstab && systemctl daemon-reload && mount /var/lib/ketch'
}
teardown_file() { store_close; }

installed() { # in $DIR/inst, with the libraries that the image has not
	local lib=$DIR/inst/usr/local/lib/x86_64-linux-gnu build
	build=$(dirname "$KETCH")
	DESTDIR=$DIR/inst meson install -C "$build" --no-rebuild --quiet >/dev/null
	mkdir -p "$lib"
	ldd "$KETCH" "$build/ketch-image" | awk '/=> \// { print $3 }' | sort -u | xargs -I{} cp {} "$lib"
}
on_host() { ketch exec host "$@"; }
is_up() { [ "$(on_host systemctl is-system-running 2>/dev/null)" = running ]; }
service() { on_host ketch inspect svc | jq -r '.[0].State.Status'; }
booted() { ketch restart host >/dev/null && await 60 is_up; }

@test "ketch runs in a privileged container of ketch" {
	on_host ketch import /base b
	on_host ketch run -d --network none --restart always --stop-timeout 1 --name svc b sleep 100000
	is "$(service)" running
	is "$(on_host systemctl is-active ketch || :)" inactive
}

@test "after the host's reboot it is back, though nobody has enabled the unit" {
	booted
	is "$(on_host systemctl is-active ketch)" active
	is "$(service)" running
}

@test "systemctl stop and start" {
	on_host systemctl stop ketch
	is "$(service)" exited
	on_host systemctl start ketch
	is "$(service)" running
}

@test "masked, it stays away" {
	on_host systemctl mask ketch
	booted
	is "$(service)" exited
}
