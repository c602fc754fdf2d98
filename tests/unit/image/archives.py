"""archives.py - writes tar files, docker-archives and OCI layouts byte by byte, also wrong ones"""
import gzip
import hashlib
import io
import json

BLOCK = 512


def number(value, n):
    """A numeric field: octal, or base 256 where that does not fit."""
    if 0 <= value < 8 ** (n - 1):
        return b"%0*o\0" % (n - 1, value)
    raw = (value % (1 << (8 * n))).to_bytes(n, "big")
    return bytes([raw[0] | 0x80]) + raw[1:] if value >= 0 else raw


def header(name, type=b"0", size=0, mode=0o644, link=b"", uid=0, gid=0, mtime=0, major=0, minor=0, prefix=b"",
           magic=b"ustar\x0000", checksum=None):
    h = bytearray(BLOCK)

    def put(at, data):
        h[at:at + len(data)] = data
    put(0, name[:100])
    put(100, number(mode, 8))
    put(108, number(uid, 8))
    put(116, number(gid, 8))
    put(124, number(size, 12))
    put(136, number(mtime, 12))
    put(148, b" " * 8)
    put(156, type)
    put(157, link[:100])
    put(257, magic)
    put(329, number(major, 8))
    put(337, number(minor, 8))
    put(345, prefix)
    put(148, b"%06o\0 " % (sum(h) if checksum is None else checksum))
    return bytes(h)


def pad(data):
    return data + b"\0" * (-len(data) % BLOCK)


def file(name, data=b"x", **more):
    return header(name, size=len(data), **more) + pad(data)


def directory(name, **more):
    return header(name, type=b"5", **{"mode": 0o755, **more})


def symlink(name, to):
    return header(name, type=b"2", link=to, mode=0o777)


def hardlink(name, to):
    return header(name, type=b"1", link=to)


def device(name, major, minor, type=b"3"):
    return header(name, type=type, major=major, minor=minor, mode=0o666)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    n = len(body)
    while len(b"%d" % n) + len(body) != n:
        n = len(b"%d" % n) + len(body)
    return b"%d" % n + body


def pax(records, type=b"x", name=b"PaxHeaders/x"):
    data = records if isinstance(records, bytes) else b"".join(record(k, v) for k, v in records)
    return header(name, type=type, size=len(data)) + pad(data)


def gnu_long(name, type=b"L"):
    data = name + b"\0"
    return header(b"././@LongLink", type=type, size=len(data), magic=b"ustar  \0") + pad(data)


END = b"\0" * 1024


def tar(*entries):
    return b"".join(entries) + END


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dump(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def config(layers, **more):
    return {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
        "type": "layers", "diff_ids": [sha256(x) for x in layers]}, **more}


def archive(files):
    """A tar of name -> bytes, or name -> a whole entry given as a one-element list."""
    return tar(*[d[0] if isinstance(d, list) else file(n.encode(), d) for n, d in files.items()])


def docker(layers, conf=None, tags=("hostile:1",), manifest=None, extra=None, config_name=None):
    text = dump(config(layers) if conf is None else conf)
    name = config_name or sha256(text)[7:] + ".json"
    files = {"%d/layer.tar" % i: x for i, x in enumerate(layers)}
    files[name] = text
    files["manifest.json"] = dump([{"Config": name, "RepoTags": list(tags), "Layers": [
        "%d/layer.tar" % i for i in range(len(layers))]}] if manifest is None else manifest)
    files.update(extra or {})
    return archive(files)


OCI = "application/vnd.oci.image."


def descriptor(data, type, **more):
    return {"mediaType": OCI + type, "digest": sha256(data), "size": len(data), **more}


def layout(layers, change=None, compress=True):
    """Files of an OCI layout; change(doc) may spoil config, manifest and index before they are hashed."""
    blobs = [gzip.compress(x, mtime=0) if compress else x for x in layers]
    doc = {"config": config(layers), "blobs": blobs, "files": {}, "layout": {"imageLayoutVersion": "1.0.0"}}
    doc["layers"] = [descriptor(b, "layer.v1.tar+gzip" if compress else "layer.v1.tar") for b in blobs]
    step = change or (lambda stage, d: None)
    step("config", doc)
    text = dump(doc["config"])
    doc["manifest"] = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                       "config": descriptor(text, "config.v1+json"), "layers": doc["layers"]}
    step("manifest", doc)
    manifest = dump(doc["manifest"])
    doc["index"] = {"schemaVersion": 2, "manifests": [descriptor(
        manifest, "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "hostile:2"})]}
    step("index", doc)
    files = {"oci-layout": dump(doc["layout"]), "index.json": dump(doc["index"])}
    for data in blobs + [text, manifest]:
        files["blobs/sha256/" + sha256(data)[7:]] = data
    files.update(doc["files"])
    return {n: d for n, d in files.items() if d is not None}


def gzip_stream(chunks, path):
    """Writes a gzip file from an iterable without holding it."""
    with gzip.open(path, "wb", compresslevel=9) as f:
        for c in chunks:
            f.write(c)


def corrupt(data, at):
    b = io.BytesIO(data).getvalue()
    return b[:at] + bytes([b[at] ^ 0xff]) + b[at + 1:]
