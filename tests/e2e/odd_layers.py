#!/usr/bin/env python3
"""odd_layers.py OUT.tar [plain] - a docker-archive whose layers are tar files of every form that its readers must keep byte for byte

One layer a form of GNU tar (v7, ustar, oldgnu, gnu, pax; sparse files in each of its four ways), made of one tree with long names,
hard links, attributes, large owners, holes; and one made by hand: names twice, a file that becomes a directory and back,
content behind whiteouts, zeros and rubbish behind the end.  plain: only what Podman reads, too.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile

CONTENT = bytes(range(256)) * 40


def make_tree(top):
    os.makedirs(top + "/d/" + "long" * 20 + "/" + "n" * 100)
    for size in (0, 1, 511, 512, 513, 2048, 2049, 4095, 4096, 4097, 6144, 6145, 10240, 3 << 20):
        with open(f"{top}/d/size{size}", "wb") as f:
            f.write((CONTENT * (size // len(CONTENT) + 1))[:size])
    with open(top + "/d/" + "long" * 20 + "/" + "n" * 100 + "/" + "f" * 120, "w") as f:
        f.write("behind a long name\n")
    os.link(top + "/d/size513", top + "/d/hard")
    os.symlink("t" * 150, top + "/d/soft")
    os.mkfifo(top + "/d/fifo")
    with open(top + "/d/attrs", "w") as f:
        f.write("attributes\n")
    os.setxattr(top + "/d/attrs", "user.colour", b"blue\0\xff")
    os.setxattr(top + "/d/attrs", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    os.chown(top + "/d/attrs", 70000, 2000000)
    os.utime(top + "/d/attrs", ns=(1234567890123456789, 1234567890123456789))


def make_holes(top):
    os.makedirs(top)
    with open(top + "/sparse", "wb") as f:
        for i in range(30):
            f.seek(i * 300000)
            f.write(CONTENT[: 1000 + 97 * i])
        f.truncate(20 << 20)
    with open(top + "/tail", "wb") as f:
        f.seek(1 << 20)
        f.write(b"x" * 100)
    with open(top + "/empty", "wb") as f:
        f.truncate(1 << 20)


def gnu_tar(top, *words):
    return subprocess.run(["tar", "-C", top, "--sort=name", *words, "-cf", "-", "."], check=True, capture_output=True).stdout


def by_hand():
    out = io.BytesIO()
    t = tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT)

    def add(name, data=b"", kind=tarfile.REGTYPE, link="", uid=0):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size, info.uid = kind, link, len(data), uid
        info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
        t.addfile(info, io.BytesIO(data))

    for i in range(3):
        add("twice", CONTENT[i : 5000 * (i + 1)])
        add("./small//twice", b"%d" % i)
    add("becomes", b"a file")
    add("becomes/", kind=tarfile.DIRTYPE)
    add("becomes/below", b"lost content" * 1000)
    add("becomes", b"a file again")
    add("linked", b"kept by a link" * 500)
    add("link", kind=tarfile.LNKTYPE, link="linked")
    add("linked", b"another")
    add("way", kind=tarfile.SYMTYPE, link="small")
    add("way/through", b"a link")
    add("way", kind=tarfile.DIRTYPE)
    add("large", b"owner", uid=(1 << 32) - 2)
    add("small/.wh.gone")
    add(".wh.away", b"content of a whiteout" * 50)
    add("opaque/.wh..wh..opq")
    t.close()
    return out.getvalue() + b"\0" * (5 << 20) + b"rubbish"


def layers(scratch):
    make_tree(scratch + "/tree")
    make_holes(scratch + "/holes")
    for form in ("v7", "ustar", "oldgnu", "gnu", "pax"):
        left_out = ["--exclude=long*", "--exclude=soft", "--exclude=fifo"] if form in ("v7", "ustar") else []
        owner = ["--owner=root:0", "--group=root:0"] if form == "v7" else []
        yield gnu_tar(scratch + "/tree", "--format=" + form, *left_out, *owner)
    yield gnu_tar(scratch + "/tree", "--format=pax", "--xattrs", "--xattrs-include=*")
    if sys.argv[2:] == ["plain"]:
        return
    yield gnu_tar(scratch + "/holes", "--format=gnu", "-S")
    for version in ("0.0", "0.1", "1.0"):
        yield gnu_tar(scratch + "/holes", "--format=pax", "-S", "--sparse-version=" + version)
    yield gnu_tar(scratch + "/tree", "--format=gnu", "-b", "1")[:-512]
    yield by_hand()


def main():
    out = tarfile.open(sys.argv[1], "w")

    def add(name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        out.addfile(info, io.BytesIO(data))

    names, ids = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for i, data in enumerate(layers(scratch)):
            names.append(f"{i}/layer.tar")
            ids.append("sha256:" + hashlib.sha256(data).hexdigest())
            add(names[-1], data)
    config = {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux", "created": "2020-01-02T03:04:05Z",
              "config": {"Cmd": ["true"]}, "rootfs": {"type": "layers", "diff_ids": ids}, "history": [{"created_by": f"step {i}"} for i in range(len(ids))]}
    text = json.dumps(config, indent=3).encode() + b"\n"
    name = hashlib.sha256(text).hexdigest() + ".json"
    add(name, text)
    add("manifest.json", json.dumps([{"Config": name, "RepoTags": ["odd:1"], "Layers": names}]).encode())
    out.close()
    print("sha256:" + name.removesuffix(".json"))


main()
