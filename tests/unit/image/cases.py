"""cases.py - the hostile archives: what each is, and what must come of it

A case is (name, verb, input, expected).  Input: bytes, a dict of files (a directory), or a function that fills a path.
Expected: a string that the one line of refusal must contain, or a function that looks at the layer's tree.
"""
import bz2
import gzip
import lzma
import os
import stat
import subprocess
import tempfile
import socket
import zlib

from archives import *  # noqa: F403

CANARY = os.fsencode(tempfile.mkdtemp(prefix="ketch-canary-"))  # many of the cases aim at it
LONG = b"/".join([b"d"] * 300)
LAYER = tar(directory(b"etc"), file(b"etc/motd", b"hello\n"))


def has(path, data=b"x"):
    def check(root):
        with open(os.path.join(root, path), "rb") as f:
            assert f.read() == data, path
    return check


def shows(*want):
    """The tree has exactly these names."""
    def check(root):
        found = sorted(os.path.relpath(os.path.join(d.encode(), n), root.encode())
                       for d, ds, fs in os.walk(root) for n in [os.fsencode(x) for x in ds + fs])
        assert found == sorted(want), found
    return check


def is_whiteout(*paths):
    def check(root):
        for p in paths:
            st = os.lstat(os.path.join(root, p))
            assert stat.S_ISCHR(st.st_mode) and st.st_rdev == 0, p
    return check


def is_opaque(path, yes=True):
    def check(root):
        assert ("trusted.overlay.opaque" in os.listxattr(os.path.join(root, path))) == yes, path
    return check


def xattrs(path, *want):
    def check(root):
        assert sorted(os.listxattr(os.path.join(root, path))) == sorted(want), os.listxattr(os.path.join(root, path))
    return check


def both(*checks):
    return lambda root: [c(root) for c in checks]


def bad(*entries):
    return tar(file(b"first"), *entries, file(b"last"))


def xattr_file(*pairs):
    return pax([(b"SCHILY.xattr." + k, v) for k, v in pairs]) + file(b"f")


def zeros_file(size):
    """The header of a file of `size` zeros and its content, piece by piece."""
    yield header(b"zeros", size=size)
    piece = b"\0" * (1 << 20)
    for _ in range(size >> 20):
        yield piece
    yield END


def command(argv, size):
    """Fills a path with what a compressor makes of a file of zeros."""
    def fill(path):
        with open(path, "wb") as out, subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out) as p:
            for c in zeros_file(size):
                p.stdin.write(c)
    return fill


def old_gnu_sparse(entries, real_size, blocks=0):
    h = bytearray(header(b"sparse", type=b"S", size=0, magic=b"ustar  \0"))
    for i, (offset, n) in enumerate(entries[:4]):
        h[386 + 24 * i:386 + 24 * i + 24] = number(offset, 12) + number(n, 12)
    h[482] = 1 if blocks else 0
    h[483:495] = number(real_size, 12)
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    extended = b"".join(number(i * 21 + k, 12) + b"%011o\0" % 0 for i in range(1) for k in range(21))
    return bytes(h) + b"".join(extended + (b"\1" if i + 1 < blocks else b"\0") + b"\0" * 7 for i in range(blocks))


def xz_with_dictionary(size_byte):
    """xz-file-format 3.1: the size of the dictionary is byte 4 of the first block's header."""
    x = bytearray(lzma.compress(LAYER, preset=0))
    x[16] = size_byte
    x[20:24] = zlib.crc32(bytes(x[12:20])).to_bytes(4, "little")
    return bytes(x)


TAR_CASES = [
    ("a path that begins with ..", bad(file(b"../evil")), '".."'),
    ("a path that climbs out", bad(directory(b"a"), file(b"a/../../evil")), '".."'),
    ("a path with .. that stays inside", bad(directory(b"a"), file(b"a/../b")), '".."'),
    ("a path that is ..", bad(directory(b"..")), '".."'),
    ("an absolute path is made relative", tar(file(b"/abs/file")), both(has("abs/file"), shows(b"abs", b"abs/file"))),
    ("many slashes and dots in a path", tar(file(b"//./x/.//y")), shows(b"x", b"x/y")),
    ("a hard link that climbs out", bad(hardlink(b"h", b"../../canary/file")), '".."'),
    ("a hard link to an absolute path", bad(hardlink(b"h", b"/canary/file")), "no file of this layer"),
    ("a hard link to nothing", bad(hardlink(b"h", b"missing")), "no file of this layer"),
    ("a hard link to a directory", bad(directory(b"d"), hardlink(b"h", b"d")), "no file of this layer"),
    ("a hard link to itself", tar(file(b"h"), hardlink(b"h", b"h")), has("h")),
    ("a hard link to the root", bad(hardlink(b"h", b"/")), "no file of this layer"),
    ("a hard link through a symbolic link out", bad(symlink(b"s", b"/canary"), hardlink(b"h", b"s/file")),
     "no file of this layer"),
    ("a hard link to a symbolic link, then written", tar(symlink(b"s", CANARY + b"/file"), hardlink(b"h", b"s"),
                                                         file(b"h", b"new")), has("h", b"new")),
    ("a symbolic link out, then written through", bad(symlink(b"s", CANARY), file(b"s/file", b"evil")),
     "link to nowhere"),
    ("a symbolic link by .. out, then written through", tar(symlink(b"s", b"../../../../.."), file(b"s/file")),
     shows(b"s", b"file")),
    ("a symbolic link to /proc, then written through", bad(symlink(b"s", b"/proc/self/cwd"), file(b"s/file")),
     "link to nowhere"),
    ("a symbolic link inside, then written through", tar(directory(b"e"), symlink(b"d", b"e"), file(b"d/f")),
     shows(b"d", b"e", b"e/f")),
    ("a chain of symbolic links out", bad(symlink(b"a", b"b"), symlink(b"b", b"c"), symlink(b"c", CANARY),
                                          file(b"a/file", b"evil")), "link to nowhere"),
    ("a loop of symbolic links", bad(symlink(b"a", b"b"), symlink(b"b", b"a"), file(b"a/x")), "directory"),
    ("a directory that becomes a link, then written", bad(directory(b"d"), file(b"d/x"), symlink(b"d", CANARY),
                                                          file(b"d/file", b"evil")), "link to nowhere"),
    ("a link that becomes a directory", tar(symlink(b"d", CANARY), directory(b"d"), file(b"d/file")),
     has("d/file")),
    ("a file over a symbolic link", tar(symlink(b"f", CANARY + b"/file"), file(b"f", b"mine")), has("f", b"mine")),
    ("a device over a symbolic link", tar(symlink(b"f", CANARY + b"/file"), device(b"f", 1, 3)), shows(b"f")),
    ("a file that is used as a directory", bad(file(b"f"), file(b"f/x")), "directory"),
    ("the root as a file", bad(file(b".")), "root of the layer"),
    ("the root as a link", bad(symlink(b"./", CANARY)), "root of the layer"),
    ("the root as a hard link", bad(hardlink(b"/", b"first")), "root of the layer"),
    ("an empty name", bad(file(b"")), ""),
    ("a file twice: the last counts", tar(file(b"f", b"1"), file(b"f", b"2")), has("f", b"2")),
    ("a directory that becomes a file", tar(directory(b"d"), file(b"d/x"), file(b"d", b"f")), has("d", b"f")),
    ("a file that becomes a directory", tar(file(b"d"), directory(b"d"), file(b"d/x")), has("d/x")),
    ("a whiteout of ..", bad(file(b"d/.wh...", b"")), "whiteout"),
    ("a whiteout of .", bad(file(b"d/.wh..", b"")), "whiteout"),
    ("a whiteout of nothing", bad(file(b"d/.wh.", b"")), "whiteout"),
    ("a whiteout through a link out", bad(symlink(b"s", CANARY), file(b"s/.wh.file", b"")), "link to nowhere"),
    ("a whiteout of what this layer brings", tar(file(b"f"), file(b".wh.f", b"")), has("f")),
    ("a whiteout, then a directory", tar(file(b".wh.d", b""), directory(b"d")), is_opaque("d")),
    ("a directory, then its whiteout", tar(directory(b"d"), file(b".wh.d", b"")), is_opaque("d")),
    ("a whiteout", tar(file(b"d/.wh.gone", b"")), both(is_whiteout("d/gone"), shows(b"d", b"d/gone"))),
    ("a hard link as whiteout", tar(file(b"f"), hardlink(b".wh.gone", b"f")), is_whiteout("gone")),
    ("a file below a whiteout", bad(file(b".wh.d", b""), file(b"d/x")), "directory"),
    ("an opaque directory", tar(directory(b"d"), file(b"d/.wh..wh..opq", b"")), is_opaque("d")),
    ("an opaque directory that has no entry", tar(file(b"d/.wh..wh..opq", b"")), is_opaque("d")),
    ("an opaque root", bad(file(b"./.wh..wh..opq", b"")), "not supported"),
    ("an opaque root through a link", bad(symlink(b"s", b"/"), file(b"s/.wh..wh..opq", b"")), "not supported"),
    ("an opaque link out", bad(symlink(b"s", CANARY), file(b"s/.wh..wh..opq", b"")), "directory"),
    ("an opaque link inside", tar(directory(b"e"), symlink(b"s", b"e"), file(b"s/.wh..wh..opq", b"")), is_opaque("e")),
    ("marks of AUFS", tar(file(b".wh..wh.plnk", b""), file(b".wh..wh.aufs", b""), file(b"f")), shows(b"f")),
    ("a whiteout in its overlay form", bad(device(b"d", 0, 0)), "0:0"),
    ("a device", tar(device(b"dev/null", 1, 3)), shows(b"dev", b"dev/null")),
    ("a pipe", tar(header(b"p", type=b"6")), shows(b"p")),
    ("attributes that steer overlay", tar(xattr_file((b"trusted.overlay.redirect", b"/x"), (b"user.overlay.opaque", b"y"),
                                                     (b"trusted.overlay.metacopy", b""), (b"user.mine", b"1"))),
     xattrs("f", "user.mine")),
    ("an opaque mark as attribute", tar(pax([(b"SCHILY.xattr.trusted.overlay.opaque", b"y")]), directory(b"d")),
     is_opaque("d", False)),
    ("an attribute of 70 kB", bad(xattr_file((b"user.big", b"v" * 70000))), "attributes"),
    ("300 attributes", bad(xattr_file(*[(b"user.a%d" % i, b"v") for i in range(300)])), "attributes"),
    ("an attribute with no class", bad(xattr_file((b"nonsense", b"v"))), "attribute"),
    ("a name of 300 bytes", bad(pax([(b"path", b"n" * 300)]), file(b"x")), "longer than 255"),
    ("a path of 5000 bytes", bad(pax([(b"path", b"/".join([b"n" * 99] * 50))]), file(b"x")), "longer than 4095"),
    ("a path 300 deep", bad(pax([(b"path", LONG)]), file(b"x")), "deeper than 256"),
    ("a path 10000 deep", bad(pax([(b"path", b"/".join([b"d"] * 10000))]), file(b"x")), "deeper than 256"),
    ("a directory 10000 deep by GNU name", bad(gnu_long(b"d/" * 10000), directory(b"x")), "deeper than 256"),
    ("a link of 5000 bytes", bad(pax([(b"linkpath", b"l" * 5000)]), symlink(b"s", b"x")), "no good target"),
    ("a link to nothing", bad(symlink(b"s", b"")), "no good target"),
    ("a GNU name of 2 MB", bad(gnu_long(b"n" * 2000000), file(b"x")), ""),
    ("a pax header of 2 MB", bad(pax([(b"comment", b"c" * 2000000)]), file(b"x")), ""),
    ("a pax header that ends early", bad(pax(b"30 path=short\n"), file(b"x")), ""),
    ("a pax header without a length", bad(pax(b"path=x\n"), file(b"x")), ""),
    ("a pax record of length 0", bad(pax(b"0 path=x\n"), file(b"x")), ""),
    ("a pax path with a NUL ends there", tar(pax([(b"path", b"a\0/../b")]), file(b"x")), shows(b"a")),
    ("a pax size of 2^63-1", bad(pax([(b"size", b"9223372036854775807")]), file(b"x")), ""),
    ("a pax size below 0", bad(pax([(b"size", b"-5")]), file(b"x")), ""),
    ("a size of 2^62", bad(header(b"big", size=1 << 62)), ""),
    ("a size of 1 TB", bad(header(b"big", size=1 << 40)), "GiB"),
    ("a size below 0", bad(header(b"neg", size=-512)), ""),
    ("an owner below 0", bad(pax([(b"uid", b"-1")]), file(b"x")), "owner"),
    ("an owner of 2^32-1", bad(pax([(b"uid", b"4294967295")]), file(b"x")), "owner"),
    ("an owner of 2^40", bad(pax([(b"gid", b"1099511627776")]), file(b"x")), "owner"),
    ("a wrong checksum", bad(header(b"x", checksum=1)), "tar archive"),
    ("control characters in a name", tar(file(b"a\nb\x1b[2J")), shows(b"a\nb\x1b[2J")),
    ("control characters in a bad name", bad(file(b"\x1b[2J\n/../x")), "?[2J?/"),
    ("bytes that are no UTF-8", tar(file(b"\xff\xfe")), shows(b"\xff\xfe")),
    ("bytes that are no UTF-8 in a pax path", tar(pax([(b"hdrcharset", b"BINARY"), (b"path", b"\xff\xfe")]), file(b"x")),
     shows(b"\xff\xfe")),
    ("a sparse file of 8 EB", bad(old_gnu_sparse([(0, 0)], (1 << 63) - 1)), ""),
    ("a sparse map that goes back", bad(pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                                             (b"GNU.sparse.name", b"s"), (b"GNU.sparse.realsize", b"4096")]),
                                        file(b"x", pad(b"2\n2048\n512\n0\n512\n") + b"\0" * 1024)), ""),
    ("a sparse map outside of the file", bad(pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                                                  (b"GNU.sparse.name", b"s"), (b"GNU.sparse.realsize", b"10")]),
                                             file(b"x", pad(b"1\n99999\n512\n") + b"\0" * 512)), ""),
    ("an entry of an unknown type", tar(header(b"odd", type=b"Z", size=1) + pad(b"x")), has("odd")),
    ("a continued volume", bad(header(b"m", type=b"M", size=1) + pad(b"x")), ""),
    ("not a tar file", b"#!/bin/sh\necho hello\n" * 100, "tar archive"),
    ("an empty file", b"", "the archive is empty"),
    ("a tar file without its end", tar(file(b"f"))[:-1024], "truncated"),
    ("garbage behind a gzip stream", gzip.compress(tar(file(b"f"))) + b"garbage behind it", "gzip data is corrupt"),
    ("a gzip stream with a wrong sum", corrupt(gzip.compress(tar(file(b"f"))), -6), "gzip data is corrupt"),
    ("a broken zstd frame", b"\x28\xb5\x2f\xfd" + b"\xff" * 64, "zstd"),
    ("a zstd frame with a window of 2 GB", b"\x28\xb5\x2f\xfd\x00\xa8" + b"\0" * 64, "zstd"),
    ("a broken xz stream", corrupt(lzma.compress(LAYER, preset=0), 40), ""),
    ("an xz stream with a dictionary of 4 GB", xz_with_dictionary(40), ""),
    ("a broken bzip2 stream", corrupt(bz2.compress(LAYER), 30), ""),
]

for at in (1, 100, 511, 512, 513, 1000, 1023, 1024, 1025, 1400, 1536, 2047, 2048):
    TAR_CASES.append(("a tar file cut at %d" % at, tar(directory(b"d"), file(b"d/f", b"f" * 700))[:at], ""))
for at in (1, 9, 10, 20, 60, -20, -9, -8, -4, -1):
    TAR_CASES.append(("a gzip stream cut at %d" % at, gzip.compress(tar(file(b"f", os.urandom(500))))[:at], ""))
for at in (3, 30, 90, -4, -1):
    TAR_CASES.append(("an xz stream cut at %d" % at, lzma.compress(tar(file(b"f", os.urandom(500))), preset=0)[:at], ""))

NEED_LIMITS = ["an xz stream with a dictionary of 4 GB"]

BOMBS = [
    ("a gzip bomb", command(["gzip", "-9"], 400 << 20), "bomb"),
    ("a zstd bomb", command(["zstd", "-q", "-1"], 400 << 20), "bomb"),
    ("an xz bomb", command(["xz", "-0", "-T1"], 400 << 20), "bomb"),
    ("a bzip2 bomb", command(["bzip2", "-1"], 400 << 20), "bomb"),
]


# --- what `ketch load` reads

def spoil(stage, fn):
    def change(now, doc):
        if now == stage:
            fn(doc)
    return lambda: layout([LAYER], change)


def set_in(part, **values):
    return lambda doc: doc[part].update(values)


def manifest_entry(**values):
    conf = dump(config([LAYER]))
    return docker([LAYER], manifest=[{"Config": sha256(conf)[7:] + ".json", "RepoTags": ["x:1"],
                                      "Layers": ["0/layer.tar"], **values}])


def nested(depth):
    return b"[" * depth + b"]" * depth


DOCKER_CASES = [
    ("neither form of image", archive({"hello": b"x"}), "no image in it"),
    ("a layer of another digest", docker([LAYER], conf=config([LAYER + b"\0" * 512])), "wrong digest"),
    ("a config of another digest", docker([LAYER], config_name="0" * 64 + ".json"), "wrong digest"),
    ("a config that is missing", manifest_entry(Config="missing.json"), "has no missing.json"),
    ("a layer that is missing", manifest_entry(Layers=["missing"]), "has no missing"),
    ("a layer too many", manifest_entry(Layers=["0/layer.tar"] * 2), "2 layers"),
    ("a layer too few", manifest_entry(Layers=[]), "0 layers"),
    ("a layer by .. out of the archive", manifest_entry(Layers=["../../../etc/passwd"]), "bad name"),
    ("a config by .. out of the archive", manifest_entry(Config="../etc/passwd"), "bad name"),
    ("a layer by an absolute path", manifest_entry(Layers=["/etc/passwd"]), "has no"),
    ("a layer that is a link out", docker([LAYER], extra={"l": [symlink(b"0/layer.tar", b"/etc/passwd")]}), "twice"),
    ("a link that leaves the archive", docker([LAYER], extra={"l": [symlink(b"l", b"../../x")]}), "leaves the archive"),
    ("links in a circle", docker([LAYER], extra={"a": [symlink(b"a", b"b")], "b": [symlink(b"b", b"a")]},
                                 manifest=[{"Config": "a", "Layers": []}]), "too many links"),
    ("no JSON", docker([LAYER], manifest=b"hello"), "manifest.json"),
    ("half of a JSON", docker([LAYER], manifest=b'[{"Config":'), "manifest.json"),
    ("an object for an array", docker([LAYER], manifest=b"{}"), "manifest.json"),
    ("JSON with a NUL", docker([LAYER], manifest=b'[{"Config":"a\\u0000b","Layers":[]}]'), "manifest.json"),
    ("JSON 100000 deep", docker([LAYER], manifest=nested(100000)), "manifest.json"),
    ("a key twice", docker([LAYER], manifest=b'[{"Config":"a","Config":"b","Layers":[]}]'), "twice"),
    ("no images", docker([LAYER], manifest=b"[]"), "no image"),
    ("300 images", docker([LAYER], manifest=b"[" + b",".join([b'{"Config":"a"}'] * 300) + b"]"), "256 images"),
    ("a manifest of 5 MB", docker([LAYER], manifest=b"[" + b" " * 5000000 + b"]"), "larger than"),
    ("129 layers", manifest_entry(Layers=["0/layer.tar"] * 129), "more than 128"),
    ("a name in upper case", docker([LAYER], tags=["Upper:1"]), "lower case"),
    ("a name with control characters", docker([LAYER], tags=["a\x1b[2Jb:1"]), "bad image name"),
    ("a name with ..", docker([LAYER], tags=["../../x:1"]), "bad image name"),
    ("a name that is an option", docker([LAYER], tags=["--privileged"]), "bad image name"),
    ("an image for windows", docker([LAYER], conf=config([LAYER], os="windows")), "not for linux"),
    ("a diff id of md5", docker([LAYER], conf={**config([]), "rootfs": {"type": "layers", "diff_ids": ["md5:00"]}}),
     "not a sha256 digest"),
    ("a diff id with a path", docker([LAYER], conf={**config([]), "rootfs": {
        "type": "layers", "diff_ids": ["sha256:../../../../etc"]}}), "not a sha256 digest"),
    ("a config with a key twice", docker([], conf=b'{"os":"linux","os":"linux","architecture":"amd64"}'), "twice"),
    ("a config of the wrong types", docker([], conf=b'{"os":"linux","architecture":"amd64","config":{"Env":"A=1"}}'),
     "Env"),
    ("a hostile layer inside", docker([bad(file(b"../evil"))]), '".."'),
    ("a good layer, then a hostile one", docker([LAYER, bad(hardlink(b"h", CANARY + b"/file"))]), "no file of this"),
    ("two files of one name", docker([LAYER], extra={"again": [file(b"manifest.json", b"[]")]}), "twice"),
    ("an archive cut in the middle", docker([LAYER])[:3000], ""),
    ("a name of 600 bytes in the archive", docker([LAYER], extra={"x": [pax([(b"path", b"/".join([b"p"] * 300))]) + file(b"x")]}),
     "bad name"),
]

OCI_CASES = [
    ("a layer of another digest", lambda: {**layout([LAYER]), **{
        n: d + b"\0" for n, d in layout([LAYER]).items() if d[:2] == b"\x1f\x8b"}}, "bytes, not"),
    ("a layer of the same length", lambda: {**layout([LAYER], compress=False), **{
        n: corrupt(d, 600) for n, d in layout([LAYER], compress=False).items() if d == LAYER}}, ""),
    ("a manifest of another digest", spoil("index", lambda d: d["index"]["manifests"][0].update(
        digest=sha256(dump(d["config"])), size=len(dump(d["config"])))), ""),
    ("a manifest of another size", spoil("index", lambda d: d["index"]["manifests"][0].update(size=5)), "bytes, not"),
    ("a blob that is missing", spoil("index", lambda d: d["files"].update(
        {"blobs/sha256/" + sha256(dump(d["config"]))[7:]: None})), "the archive has no"),
    ("a manifest that is an index, too", spoil("manifest", lambda d: d["manifest"].update(
        manifests=[descriptor(b"x", "manifest.v1+json")])), "an index too"),
    ("a manifest that calls itself an index", spoil("manifest", set_in("manifest", mediaType=OCI + "index.v1+json")),
     "something else"),
    ("an index that is read as a manifest", spoil("index", lambda d: d["index"].update(
        config=descriptor(b"x", "config.v1+json"))), "a manifest too"),
    ("a manifest of an old schema", spoil("manifest", set_in("manifest", schemaVersion=1)), "schemaVersion"),
    ("a manifest without a config", spoil("manifest", lambda d: d["manifest"].pop("config")), "config"),
    ("a config of another kind", spoil("manifest", lambda d: d["manifest"]["config"].update(
        mediaType="application/vnd.example+json")), "not of an image"),
    ("a layer of an unknown kind", spoil("config", lambda d: d["layers"][0].update(mediaType="text/html")),
     "unknown type of layer"),
    ("a digest in upper case", spoil("config", lambda d: d["layers"][0].update(
        digest=d["layers"][0]["digest"].upper())), "not a sha256 digest"),
    ("a digest that is a path", spoil("config", lambda d: d["layers"][0].update(
        digest="sha256:../../../../../../../../../../../../../../../../../../etc/passwd")), "not a sha256 digest"),
    ("a digest of sha512", spoil("config", lambda d: d["layers"][0].update(digest="sha512:" + "0" * 128)),
     "not a sha256 digest"),
    ("an image for another machine only", spoil("index", lambda d: d["index"]["manifests"][0].update(
        platform={"architecture": "s390x", "os": "linux"})), "no image for linux/"),
    ("an index of something unknown", spoil("index", lambda d: d["index"]["manifests"][0].update(
        mediaType="text/html")), "not an image"),
    ("a layout of version 9", spoil("index", lambda d: d["layout"].update(imageLayoutVersion="9")), "version 1"),
    ("no oci-layout", spoil("index", lambda d: d["files"].update({"oci-layout": None})), "has no oci-layout"),
    ("a bad name", spoil("index", lambda d: d["index"]["manifests"][0]["annotations"].update(
        {"org.opencontainers.image.ref.name": "../../X:\x1b"})), "bad image name"),
    ("a bad tag", spoil("index", lambda d: d["index"]["manifests"][0]["annotations"].update(
        {"org.opencontainers.image.ref.name": "-rf\x07"})), "bad name"),
    ("a size below 0", spoil("config", lambda d: d["layers"][0].update(size=-1)), "manifest"),
    ("a size of 2^64", spoil("config", lambda d: d["layers"][0].update(size=1 << 64)), ""),
]


# --- directories as they lie on the disk: fill(path)

def filled(fn):
    def fill(path):
        os.mkdir(path)
        fn(path)
    return fill


def write(path, data=b"x"):
    with open(path, "wb") as f:
        f.write(data)


def deep(path):
    for _ in range(300):
        path += "/d"
        os.mkdir(path)


def with_socket(path):
    write(path + "/f")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path + "/sock")
    os.mkfifo(path + "/pipe")


def with_overlay_attribute(path):
    os.mkdir(path + "/d")
    os.setxattr(path + "/d", "trusted.overlay.opaque", b"y")


DIRECTORY_CASES = [
    ("a name that means a deletion", filled(lambda p: write(p + "/.wh.x")), ".wh."),
    ("a device that means a deletion", filled(lambda p: os.mknod(p + "/w", stat.S_IFCHR, 0)), "0:0"),
    ("300 directories deep", filled(deep), "deeper than 256"),
    ("a link out stays a link", filled(lambda p: os.symlink(CANARY, os.fsencode(p) + b"/s")), shows(b"s")),
    ("a socket is left out, a pipe is not", filled(with_socket), shows(b"f", b"pipe")),
    ("an attribute that steers overlay", filled(with_overlay_attribute), is_opaque("d", False)),
]


def layout_on_disk(change):
    def fill(path):
        for name, data in layout([LAYER]).items():
            os.makedirs(os.path.dirname(path + "/" + name), exist_ok=True)
            write(path + "/" + name, data)
        change(path)
    return fill


def replace(name, fn):
    def change(path):
        os.rename(path + "/" + name, path + "/" + name + ".old")
        fn(path + "/" + name)
    return layout_on_disk(change)


LAYOUT_DIRECTORY_CASES = [
    ("index.json is a pipe", replace("index.json", os.mkfifo), "not a file"),
    ("index.json is a directory", replace("index.json", os.mkdir), "not a file"),
    ("index.json is a device", replace("index.json", lambda p: os.mknod(p, stat.S_IFCHR | 0o666, os.makedev(1, 5))),
     "index.json"),
    ("index.json is a link out", replace("index.json", lambda p: os.symlink(CANARY + b"/file", os.fsencode(p))),
     "no image in it"),
    ("index.json is a link to itself", replace("index.json", lambda p: os.symlink("index.json", p)), "index.json"),
    ("blobs are a link out", replace("blobs", lambda p: os.symlink("/etc", p)), "has no blobs/"),
    ("an empty directory", filled(lambda p: None), "no image in it"),
]
