#!/usr/bin/env bats
# instances that go behind the other wall and back, with all that they have written

load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

stop() { ketch stop "$@" >/dev/null; }
other() { [ "$ISOLATION" = vm ] && echo container || echo vm; }
start() { ketch start "$1" >/dev/null && await 60 status_is "$1" running; } # INSTANCE

# All that can be told of what an instance sees and may write: types, modes, owners, times, links, contents.
tree() { # INSTANCE
	ketch export "$1" | python3 -c '
import hashlib, sys, tarfile
t = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
rows = []
links = {}
for m in t:
    name = m.name.lstrip("./")
    if name.split("/")[0] in ("dev", "proc", "sys") or name in ("etc/hosts", "etc/hostname", "etc/resolv.conf", "etc", ""):
        continue
    data = hashlib.sha256(t.extractfile(m).read()).hexdigest() if m.isreg() else ""
    xattrs = sorted((k, v) for k, v in m.pax_headers.items() if k.startswith("SCHILY.xattr."))
    if m.islnk():  # which of its names comes first is the order of the directory
        links.setdefault(m.linkname.lstrip("./"), []).append(name)
        continue
    rows.append([name, m.type, oct(m.mode), m.uid, m.gid, float(m.mtime), m.linkname, m.devmajor, m.devminor, m.size, data, xattrs])
names = {r[0]: r for r in rows}
for first, more in links.items():
    group = sorted([first] + more)
    r = names[first]
    r[0] = " = ".join(group)
for r in sorted(rows):
    print(*r)
'
}

WRITE='
echo hello >/file; chown 12:34 /file; chmod 4751 /file; touch -d "2001-02-03 04:05:06" /file
ln /file /hard; ln -s /nowhere /soft; mkfifo -m 640 /fifo; mkdir -m 1777 /dir; echo x >/dir/x
if mknod /dir/null c 1 3 2>/dev/null; then chmod 600 /dir/null; mknod /dir/loop b 7 99; else echo "no device nodes here"; fi
mkdir -p /a/b/c; echo deep >/a/b/c/d; touch -d "2002-02-03 04:05:06" /a/b
rm /etc/group; rm -r /var; mkdir /var; echo new >/var/only
rm /etc/os-release; mkdir /etc/os-release; echo y >/etc/os-release/y; rm -r /root; echo z >/root
dd if=/dev/zero of=/sparse bs=1 count=1 seek=1M 2>/dev/null
printf "\303\244 \n" >"/na me"
'

@test "an instance goes behind the other wall and back: the same trees, the same volume, the same configuration" {
	stay --name mv -v data:/data --restart on-failure:2 -e A=b --memory 256m >/dev/null
	ketch exec mv sh -c "$WRITE"
	ketch exec mv sh -c 'echo kept >/data/kept'
	refused 1 'is running: stop it first' ketch set mv "isolation=$(other)"
	tree mv >"$DIR/1" # while it runs: of one at rest a machine has to boot
	[ "$(wc -l <"$DIR/1")" -gt 20 ]
	stop mv
	ketch snapshot create mv@before >/dev/null
	local id
	id=$(inspect_of mv .Id)

	run --separate-stderr ketch set mv "isolation=$(other)"
	is "$status $output" "0 mv"
	like "$stderr" 'mv: 1 snapshot stays'
	is "$(inspect_of mv .Id)" "$id"
	start mv
	tree mv >"$DIR/2"
	diff "$DIR/1" "$DIR/2"
	is "$(ketch exec mv sh -c 'cat /file /data/kept; echo $A; ls /var; ls /etc/group 2>/dev/null || :; echo more >/more')" \
		$'hello\nkept\nb\nonly'
	is "$(inspect_of mv .HostConfig.RestartPolicy.Name)" on-failure
	tree mv >"$DIR/3"
	stop mv

	ketch set mv "isolation=$ISOLATION" >/dev/null
	tree mv >"$DIR/4"
	diff "$DIR/3" "$DIR/4"
	ketch rollback mv@before
	tree mv >"$DIR/5"
	diff "$DIR/1" "$DIR/5"
}

@test "what cannot be behind the other wall is refused by name, and nothing has changed" {
	refused 1 'cannot be set' ketch set mv memory=1g
	refused 1 "isolation is container or vm, not 'jail'" ketch set mv isolation=jail
	refused 1 'already' ketch set mv "isolation=$ISOLATION"
	refused 1 'no such instance' ketch set nobody isolation=vm
	if [ "$ISOLATION" = container ]; then
		ketch create --isolation container --name host --network host ketch/base true >/dev/null
		refused 1 '\-\-network host' ketch set host isolation=vm
		ketch rm host >/dev/null
	fi
	ketch set --drop-snapshots mv "isolation=$(other)" >/dev/null
	is "$(ketch snapshot ls -q mv)" ""
	ketch rm mv >/dev/null
	ketch volume rm data >/dev/null
	is "$(find "$KETCH_ROOT/writable" -mindepth 1)" ""
}
