#!/usr/bin/env python3
"""life.py STORE_TOOL KETCH_IMAGE [sanitized] - good images: kept exactly, shared, removed, whatever is killed (root only)"""
import ast
import fcntl
import gzip
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import archives  # noqa: E402
import bench  # noqa: E402
import trees  # noqa: E402

FIXTURES = os.path.dirname(os.path.abspath(__file__)) + "/../../fixtures"
HOST = ("system.posix_acl", "security.selinux")


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def write_layout(path, files):
    for name, data in files.items():
        os.makedirs(os.path.dirname(path + "/" + name), exist_ok=True)
        write(path + "/" + name, data)
    return path


def same(found, want):
    for path in sorted(set(found) | set(want)):
        assert found.get(path) == want.get(path), "%r: %r, not %r" % (path, found.get(path), want.get(path))


def in_mounts(script, *args):
    """Runs a shell script in a mount namespace of its own; its output."""
    p = subprocess.run(["unshare", "-m", "sh", "-ec", script, "sh", *args], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    return p.stdout


def facts_of_image(s, ref):
    """The tree of an image of several layers, as overlay shows it."""
    script = """mkdir -p "$1/m" && mount -t tmpfs none "$1/m" && mkdir "$1/m/e" "$1/m/r"
                mount -t overlay -o "ro,lowerdir=$2:$1/m/e" none "$1/m/r" && exec python3 "$3" "$1/m/r" """
    out = in_mounts(script, s.top, ":".join(reversed(s.layers(ref))), os.path.abspath(__file__))
    return ast.literal_eval(out)


# --- what comes in

def gnu_tar_formats(s):
    for form in ("pax", "gnu", "ustar"):
        tree = s.top + "/tree-" + form
        trees.good_tree(tree, plain=form != "pax")
        args = ["--xattrs", "--xattrs-include=*"] if form == "pax" else []
        for compress in ("", "--gzip", "--zstd", "--xz", "--bzip2") if form == "pax" else ("",):
            subprocess.run(["tar", "-cSf" if form != "ustar" else "-cf", s.top + "/good.tar", "--format=" + form, *args,
                            *filter(None, [compress]), "-C", tree, "."], check=True)
            ref = s.ok("import", s.top + "/good.tar").strip()
            same(bench.tree_facts(s.layers(ref)[0]), bench.tree_facts(tree))
            s.ok("rmi", ref)


def holes_stay(s):
    tree = s.top + "/tree-pax"
    subprocess.run(["tar", "-cSf", s.top + "/good.tar", "-C", tree, "sparse"], check=True)
    for source in (s.top + "/good.tar", tree):
        ref = s.ok("import", source).strip()
        assert bench.file_hash(s.layers(ref)[0] + "/sparse") == bench.file_hash(tree + "/sparse")
        files = [os.stat(s.store + "/layers/" + f) for f in os.listdir(s.store + "/layers")]
        assert any(f.st_blocks * 512 < f.st_size / 2 for f in files), "no hole after import of " + source
        s.ok("rmi", ref)


def directory_is_copied(s):
    tree = s.top + "/tree-acl"
    trees.good_tree(tree)
    try:
        trees.with_acls(tree)
    except OSError:
        pass  # this file system has no ACLs
    ref = s.ok("import", tree, "dir:1").strip()
    same(bench.tree_facts(s.layers(ref)[0]), bench.tree_facts(tree))
    again = s.ok("import", tree, "dir:2").strip()
    assert s.layers(again) == s.layers(ref), "the same directory gave another layer"


def canonical_stream(s):
    tree = s.top + "/tree-pax"
    write(s.top + "/canon.tar", trees.canonical(tree))
    a, b = s.ok("import", tree).strip(), s.ok("import", s.top + "/canon.tar").strip()
    assert s.layers(a) == s.layers(b), "the stream is not the one that canon.h describes"
    same(bench.tree_facts(s.layers(b)[0]), bench.tree_facts(tree))


LOWER = archives.tar(archives.directory(b"d"), archives.file(b"d/gone", b"1"), archives.file(b"d/kept", b"2"),
                     archives.directory(b"o"), archives.file(b"o/hidden", b"3"), archives.file(b"f", b"4"),
                     archives.directory(b"was"), archives.file(b"was/dir", b"5"))
UPPER = archives.tar(archives.directory(b"d"), archives.file(b"d/.wh.gone", b""), archives.directory(b"o"),
                     archives.file(b"o/.wh..wh..opq", b""), archives.file(b"o/new", b"6"), archives.file(b".wh.f", b""),
                     archives.file(b"was", b"7"))


def umoci_agrees(s):
    if not shutil.which("umoci"):
        return "umoci is missing"
    tree = s.top + "/tree-umoci"
    trees.good_tree(tree)
    os.unlink(os.fsencode(tree) + b"/\xff\xfe not utf-8\n")
    os.unlink(tree + "/old")  # umoci 0.4 has no times before 1970
    os.unlink(tree + "/sparse")
    subprocess.run(["tar", "-cf", s.top + "/u.tar", "--format=pax", "--xattrs", "--xattrs-include=*", "-C", tree, "."],
                   check=True)
    with open(s.top + "/u.tar", "rb") as f:
        layers = [f.read(), LOWER, UPPER]

    def name(stage, doc):
        if stage == "index":
            doc["index"]["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "t"}
    layout = write_layout(s.top + "/three", archives.layout(layers, name))
    assert s.ok("load", layout) == "three:t\n"
    subprocess.run(["umoci", "unpack", "--image", layout + ":t", s.top + "/bundle"], check=True, capture_output=True)
    found, want = facts_of_image(s, "three:t"), bench.tree_facts(s.top + "/bundle/rootfs")
    # umoci and we differ in what we give directories that changed after their entry
    same({p: f[:3] + f[4:] if f[0][0] == "d" else f for p, f in found.items()},
         {p: f[:3] + f[4:] if f[0][0] == "d" else f for p, f in want.items()})
    assert b"d/kept" in found and b"o/new" in found and b"d/gone" not in found and b"o/hidden" not in found
    assert b"f" not in found and found[b"was"][0][0] == "-"
    return None


def fixture(name):
    p = subprocess.run([FIXTURES + "/get", name], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    return p.stdout.strip()


def podman_archives(s):
    if not shutil.which("podman") or not os.path.exists(FIXTURES + "/get"):
        return "podman is missing"
    made = fixture("podman")
    for name in ("docker", "oci"):
        assert s.ok("load", "%s/%s.tar" % (made, name)) == "localhost/test/podman:1\n"
        config = s.ok("find", "localhost/test/podman:1")
        for part in ('"StopSignal": "10"', '"made.by": "podman"', '"WorkingDir": "/home"', '"User": "ketch"'):
            assert part in config, config
        with open("%s/%s.tar" % (made, name), "rb") as f:
            assert s.ok("load", "-", stdin=f) == "localhost/test/podman:1\n"
    with open(made + "/docker.tar", "rb") as f:
        zipped = write(s.top + "/docker.tar.gz", gzip.compress(f.read(), 1))
    assert s.ok("load", zipped) == "localhost/test/podman:1\n"
    assert len(s.ok("rmi", "localhost/test/podman:1").splitlines()) == 2
    return None


def umoci_and_skopeo_layouts(s):
    if not shutil.which("umoci") or not shutil.which("skopeo"):
        return "umoci or skopeo is missing"
    made = fixture("umoci") + "/layout"
    assert s.ok("load", made) == "layout:latest\n"
    want = facts_of_image(s, "layout")
    assert b"data/new/link" in want and b"data/old" not in want
    for target, args in (("oci-archive:%s/o.tar:sk:1" % s.top, ()), ("docker-archive:%s/d.tar:sk:1" % s.top, ()),
                         ("oci:%s/z:sk:1" % s.top, ("--dest-compress-format", "zstd", "--dest-compress"))):
        subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *args, "oci:%s:latest" % made, target], check=True)
        assert s.ok("load", target.split(":")[1]) == "sk:1\n"
        assert facts_of_image(s, "sk:1") == want
    return None


def docker_forms(s):
    text = archives.dump(archives.config([LOWER, UPPER]))
    a, b = "a" * 64, "b" * 64
    old = archives.archive({  # Docker before 1.10 and up to 24: a directory for each layer, equal ones linked
        a + "/": [archives.directory(a.encode())], a + "/VERSION": b"1.0", a + "/json": b'{"id":"%s"}' % a.encode(),
        a + "/layer.tar": LOWER, b + "/VERSION": b"1.0", b + "/json": b"{}", b + "/layer.tar": UPPER,
        "c/layer.tar": [archives.symlink(b"c/layer.tar", b"../" + a[:60].encode() + b"aaaa/layer.tar")],
        archives.sha256(text)[7:] + ".json": text, "repositories": b"{}",
        "manifest.json": archives.dump([{"Config": archives.sha256(text)[7:] + ".json", "RepoTags": ["old:1", "old:2"],
                                         "Layers": ["c/layer.tar", b + "/layer.tar"]}])})
    assert s.ok("load", write(s.top + "/old.tar", old)) == "old:1\nold:2\n"
    files = archives.layout([LOWER, UPPER], compress=False)  # Docker 25 and up: both forms in one
    config = "blobs/sha256/" + archives.sha256(text)[7:]
    files["manifest.json"] = archives.dump([{"Config": config, "RepoTags": ["new:1"], "Layers": [
        "blobs/sha256/" + archives.sha256(x)[7:] for x in (LOWER, UPPER)], "LayerSources": {}}])
    assert s.ok("load", write(s.top + "/new.tar", archives.archive(files))) == "new:1\n"
    assert s.layers("old:2") == s.layers("new:1")


def nested_index(s):
    inner = archives.layout([LOWER])
    ours = ast.literal_eval(inner["index.json"].decode())["manifests"][0]
    other = {**ours, "digest": "sha256:" + "0" * 64, "platform": {"architecture": "s390x", "os": "linux"}}
    unknown = {**other, "platform": {"architecture": "unknown", "os": "unknown"}}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    index = archives.dump({"schemaVersion": 2, "manifests": [
        other, unknown, {**ours, "platform": {"architecture": machine, "os": "linux"}}]})
    inner["blobs/sha256/" + archives.sha256(index)[7:]] = index
    inner["index.json"] = archives.dump({"schemaVersion": 2, "manifests": [archives.descriptor(
        index, "index.v1+json", annotations={"io.containerd.image.name": "docker.io/library/multi:9",
                                             "org.opencontainers.image.ref.name": "9"})]})
    assert s.ok("load", write_layout(s.top + "/multi", inner)) == "multi:9\n"
    assert s.ok("find", "multi@" + ours["digest"]).split()[0] in s.ok("list")


# --- what the store does with it

def layers_are_shared(s):
    before = len(os.listdir(s.store + "/layers"))
    for i, layers in enumerate(([LOWER, b"\0" * 1024], [LOWER, UPPER], [LOWER, LOWER, UPPER])):
        s.ok("load", write(s.top + "/x.tar", archives.docker(layers, tags=["share:%d" % i])))
    assert len(os.listdir(s.store + "/layers")) <= before + 3
    kept = s.layers("share:1")
    s.ok("rmi", "share:0"), s.ok("rmi", "share:2")
    assert all(os.path.isdir(x) for x in kept)
    s.ok("rmi", "share:1")


def names_and_removal(s):
    image = s.ok("import", s.top + "/tree-ustar", "name:1").strip()
    s.ok("tag", "name:1", "docker.io/library/other"), s.ok("tag", image[7:19], "host:5000/a/b:2")
    for ref in ("name:1", "other", "docker.io/other:latest", "host:5000/a/b:2", image, image[7:], image[7:11]):
        assert s.ok("find", ref).split()[0] == image, ref
    assert "no such image" in s.fails("find", "name") and "no such image" in s.fails("find", "0123abcd")
    assert "lower case" in s.fails("tag", "other", "Bad") and "names" in s.fails("rmi", image)
    assert s.ok("rmi", "name:1") == "Untagged: name:1\n"
    assert s.ok("rmi", "other") == "Untagged: other:latest\n"
    assert s.ok("rmi", image).splitlines() == ["Untagged: host:5000/a/b:2", "Deleted: " + image]
    assert image not in s.ok("list") and not os.path.exists(s.store + "/configs/" + image[7:])


def many_at_once(s):
    before = s.state()
    path = write(s.top + "/many.tar", archives.docker([LOWER, UPPER], tags=["many:1"]))
    for _ in range(4):
        jobs = [s.start("load", path) for _ in range(6)] + [s.start("rmi", "many:1") for _ in range(3)]
        for p in jobs:
            _, err = p.communicate()
            lines = [x for x in err.decode().splitlines() if not x.startswith("... ")]
            assert p.returncode == 0 or (len(lines) == 1 and "no such image" in lines[0]), err
    s.ok("load", path)
    facts_of_image(s, "many:1")
    s.ok("rmi", "many:1")
    assert s.state() == before


def erofs_once(s):
    s.ok("load", write(s.top + "/e.tar", archives.docker([LOWER, UPPER, LOWER], tags=["erofs:1"])))
    jobs = [s.start("erofs", "erofs:1") for _ in range(4)]
    said = [p.communicate()[1].decode() for p in jobs]
    assert all(p.returncode == 0 for p in jobs), said
    assert sum("making" in x for x in said) == 1, "made more than once: %s" % said
    file = s.store + "/roots/" + s.ok("find", "erofs:1").split()[0][7:] + ".erofs"
    first = bench.file_hash(file)
    os.unlink(file)
    s.ok("erofs", "erofs:1")
    assert bench.file_hash(file) == first, "made again it is another"
    subprocess.run(["fsck.erofs", "--extract=" + s.top + "/extracted", file], check=True, capture_output=True)
    assert os.path.exists(s.top + "/extracted/f") and os.path.exists(s.top + "/extracted/was/dir")
    s.ok("rmi", "erofs:1")
    assert not os.path.exists(file)


def killed_anywhere(s):
    """kill -9 of the command, or of ketch-image alone, at many moments: old or new state, and nothing left."""
    moments = 12 if "sanitized" in sys.argv else 60
    os.makedirs(s.top + "/small", exist_ok=True)
    old = s.state()
    path = write(s.top + "/kill.tar", archives.docker([archives.tar(*[
        archives.file(b"%d/%d" % (i % 30, i), b"x" * 3000) for i in range(1500)])], tags=["kill:1"]))
    began = time.monotonic()
    s.ok("load", path)
    took, new = time.monotonic() - began, s.state()
    s.ok("rmi", "kill:1")
    seen, env = set(), s.env
    # at its end the leak sanitizer has a child of its own, which must not be the one that is killed: it waits for ever
    s.env = dict(env or os.environ, ASAN_OPTIONS="detect_leaks=0")
    for i in range(moments):
        p = s.start("load", path)
        # the moments are what is tested; the last one is behind the end
        time.sleep(took * i / moments) if i < moments - 1 else p.wait()
        child = open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split() if i % 2 and p.poll() is None else []
        os.kill(int(child[0]), 9) if child else p.kill()
        p.communicate()
        listed = s.run("list")[1]
        assert listed in (old[1], new[1]), listed
        seen.add(listed)
        s.run("rmi", "kill:1")
        for _ in range(20):  # a killed command's child dies, and lets go, a moment later
            if s.state() == old:
                break
            s.ok("import", s.top + "/small", "sweep:1"), s.ok("rmi", "sweep:1")  # the next job sweeps
        assert s.state() == old, "something is left"
    s.env = env
    assert seen == {old[1], new[1]}, "the moments did not cover it"


def no_room(s):
    """On file systems too small by various amounts: one line, nothing left, and what was there can be removed."""
    path = write(s.top + "/room.tar", archives.docker([archives.tar(*[
        archives.file(b"%d" % i, os.urandom(20000)) for i in range(200)])], tags=["room:1"]))
    small = write(s.top + "/small.tar", archives.tar(archives.file(b"f")))
    script = """mkdir -p "$1/full"; mount -t tmpfs -o size=$2k none "$1/full"; t="$1/store_tool $1/full/s"
        $t import "$3" small:1 >/dev/null; used=$(du -s "$1/full/s/layers" "$1/full/s/tmp" | tr '\\n' ' ')
        $t load "$4" >/dev/null 2>"$1/full.err" && echo fits || grep -v '^\\.\\.\\. ' "$1/full.err"
        $t list | grep -c room || true
        [ "$used" = "$(du -s "$1/full/s/layers" "$1/full/s/tmp" | tr '\\n' ' ')" ] && echo clean
        $t rmi small:1"""
    fits = 0
    for kb in list(range(2000, 6500, 300)) + [12000]:
        lines = in_mounts(script, s.top, str(kb), small, path).splitlines()
        if lines[0] == "fits":
            fits += 1
            continue
        assert "no room left on the disk of the store" in lines[0] and len(lines[0]) < 200, lines
        assert lines[1:3] == ["0", "clean"] and lines[-1].startswith("Deleted"), lines
    assert 0 < fits < 8, fits


def removal_on_a_full_disk(s):
    small = write(s.top + "/small.tar", archives.tar(archives.file(b"f")))
    out = in_mounts("""mkdir -p "$1/full"; mount -t tmpfs -o size=8m none "$1/full"; t="$1/store_tool $1/full/s"
        for i in 1 2 3; do $t import "$2" small:$i >/dev/null; done
        dd if=/dev/zero of="$1/full/fill" bs=4k 2>/dev/null || true
        df --output=avail "$1/full" | tail -n 1; $t list | wc -l; $t rmi small:1; $t list | wc -l; $t rmi small:3""",
                    s.top, small).split()
    assert out[:2] == ["0", "3"] and out[2:4] == ["Untagged:", "small:1"] and out[6] == "2", out


def sandbox_is_closed(s):
    """What a job has while it waits for its input."""
    p = s.start("load", "-", stdin=subprocess.PIPE)
    try:
        fcntl.fcntl(p.stdin, fcntl.F_SETPIPE_SZ, 4096)
        p.stdin.write(archives.header(b"f", size=1 << 20).ljust(8192, b"x"))
        p.stdin.flush()  # ends once it reads, which it does in the sandbox
        children = open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split()
        status = open("/proc/%s/status" % children[0]).read()
        proc = "/proc/" + children[0]
        facts = dict(re.findall(r"^(\w+):\t(.*)$", status, re.M))
        kept = sum(1 << n for n in (0, 1, 3, 4, 21, 27, 31))
        assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2", status
        assert all(int(facts[k], 16) == kept for k in ("CapEff", "CapPrm", "CapBnd")), status
        assert int(facts["CapInh"], 16) == int(facts["CapAmb"], 16) == 0, status
        assert set(os.listdir(proc + "/root")) <= {"layers", "skeletons", "packages", "configs"}, "the root is not the stage"
        assert len(open(proc + "/mountinfo").readlines()) == 1, "there is more than one mount"
        for ns in ("mnt", "net", "ipc", "uts", "pid"):
            assert os.readlink(proc + "/ns/" + ns) != os.readlink("/proc/self/ns/" + ns), ns
        open_fds = {os.readlink(proc + "/fd/" + n) for n in os.listdir(proc + "/fd") if int(n) > 2}
        assert all(x == "/" or x.startswith("pipe:") or x.endswith("spool (deleted)") for x in open_fds), open_fds
    finally:
        p.stdin.close()
        p.stdin = None
        p.communicate()


def swapped_while_copied(s):
    """A directory whose parts are exchanged with links out, all the time, while it is imported."""
    secret = s.top + "/secret"
    os.makedirs(secret), write(secret + "/file", b"secret")
    tree = s.top + "/tree-swap"
    for i in range(100):
        os.makedirs("%s/d%d" % (tree, i)), write("%s/d%d/file" % (tree, i), b"harmless")
    swap = '''
import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
os.symlink(sys.argv[2], "link")
while True:
    for i in range(100):
        libc.renameat2(-100, b"link", -100, b"d%d" % i, 2)
'''
    p = subprocess.Popen([sys.executable, "-c", swap, tree, secret])
    try:
        for _ in range(30):
            status, out, _err, *_ = s.run("import", tree)
            for layer in s.layers(out.strip()) if status == 0 else []:
                for path in bench.walk(layer):
                    full = os.path.join(os.fsencode(layer), path)
                    assert os.path.islink(full) or os.path.isdir(full) or open(full, "rb").read() == b"harmless"
    finally:
        p.kill(), p.wait()


def million_names(s):
    """A layer of a million files is made in 64 MiB."""
    with open(s.top + "/million.tar", "wb") as f:
        for i in range(1000):
            f.write(archives.directory(b"dir%04d" % i))
            f.write(b"".join(archives.header(b"dir%04d/file-number-%07d" % (i, i * 1000 + k)) for k in range(1000)))
        f.write(b"\0" * 1024)
    status, out, err, _, kib = s.run("import", s.top + "/million.tar", "million:1")
    os.unlink(s.top + "/million.tar")
    assert status == 0, err
    assert kib <= 64 << 10, "%d KiB" % kib
    top = s.layers("million:1")[0]
    assert len(os.listdir(top)) == 1000 and len(os.listdir(top + "/dir0999")) == 1000
    s.ok("rmi", "million:1")


CASES = [
    ("GNU tar's formats and compressions become the same tree", gnu_tar_formats),
    ("holes stay holes", holes_stay),
    ("a million files take 64 MiB of memory", million_names),
    ("a directory is copied exactly, and always to the same layer", directory_is_copied),
    ("a directory's layer is the canonical stream that is written down", canonical_stream),
    ("umoci unpacks the same tree, with deletions", umoci_agrees),
    ("podman's archives are loaded, compressed and from a pipe, too", podman_archives),
    ("layouts by umoci and skopeo are loaded, with gzip and zstd", umoci_and_skopeo_layouts),
    ("docker's old and new forms are loaded", docker_forms),
    ("of an index within an index the host's platform is taken", nested_index),
    ("a layer is kept once and as long as somebody needs it", layers_are_shared),
    ("an image has names, and goes with the last", names_and_removal),
    ("many processes load and remove at once", many_at_once),
    ("an EROFS file is made once, always the same, and goes with its image", erofs_once),
    ("ketch-image has next to no rights when it reads", sandbox_is_closed),
    ("a directory that changes while it is copied never leads out", swapped_while_copied),
    ("a load killed at any moment leaves nothing", killed_anywhere),
    ("a full disk is told in one line and leaves nothing", no_room),
    ("on a full disk images can be listed and removed", removal_on_a_full_disk),
]

# What a sanitized build reads: each form of image; the rest is about limits, kills and full disks.
FORMS = (gnu_tar_formats, holes_stay, canonical_stream, umoci_agrees, podman_archives, umoci_and_skopeo_layouts, docker_forms,
         nested_index, erofs_once)


def main():
    if len(sys.argv) == 2:
        print(repr(bench.tree_facts(sys.argv[1])))
        return 0
    if os.geteuid() != 0:
        print("needs root: ketch-image makes namespaces and devices")
        return bench.SKIP
    tap, s = bench.Tap(), bench.Store(*sys.argv[1:3])
    try:
        for name, fn in CASES:
            if "sanitized" in sys.argv and fn not in FORMS:
                continue
            tap.case(name, fn, s)
    finally:
        s.close()
    return tap.end()


sys.exit(main())
