#!/usr/bin/env python3
"""forge.py IN DIR - archives made of one of `ketch export --instance`, each with one thing in it changed

DIR/NAME.tar: for each of CHANGES, with all digests made right again; `cut-N`, the first N hundredths of it; `flip-N`, with
a bit changed in the middle of every third blob.
"""
import hashlib
import io
import json
import sys
import tarfile

KEY = "io.ketch.instance"


def spec(x):
    return x["now"]["spec"]


CHANGES = {
    "version": lambda x: x.update(version=2),
    "no document": lambda x: x.clear(),
    "image": lambda x: x["snapshots"][0].update(image="sha256:" + 64 * "0"),
    "volume nowhere": lambda x: x["now"]["volumes"][0].update(name="elsewhere"),
    "mounted name": lambda x: spec(x)["mounts"].append({"type": "volume", "source": "../../x", "target": "/x"}),
    "volume of the root": lambda x: x["now"]["volumes"][0].update(image=x["snapshots"][0]["image"]),
    "privileged": lambda x: spec(x).update(privileged=True),
    "bind": lambda x: spec(x)["mounts"].append({"type": "bind", "source": "/etc", "target": "/x"}),
    "snapshot privileged": lambda x: x["snapshots"][0]["spec"].update(privileged=True),
}


def read(path):
    with tarfile.open(path) as t:
        return {m.name: t.extractfile(m).read() for m in t if m.isreg()}


def write(path, files):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
        for name, data in files.items():
            m = tarfile.TarInfo(name)
            m.size = len(data)
            t.addfile(m, io.BytesIO(data))


def put(files, data):
    digest = hashlib.sha256(data).hexdigest()
    files["blobs/sha256/" + digest] = data
    return {"digest": "sha256:" + digest, "size": len(data)}


def blob(files, descriptor):
    return files["blobs/sha256/" + descriptor["digest"].split(":")[1]]


def forge(files, change):
    index = json.loads(files["index.json"])
    manifest = json.loads(blob(files, index["manifests"][-1]))
    config = json.loads(blob(files, manifest["config"]))
    change(config[KEY])
    if not config[KEY]:
        del config[KEY]
    manifest["config"].update(put(files, json.dumps(config).encode()))
    index["manifests"][-1].update(put(files, json.dumps(manifest).encode()))
    files["index.json"] = json.dumps(index).encode()


def main():
    source, to = sys.argv[1:]
    files = read(source)
    for name, change in CHANGES.items():
        forged = dict(files)
        forge(forged, change)
        write(f"{to}/{name}.tar", forged)
    with open(source, "rb") as f:
        data = f.read()
    for n in 50, 99:
        with open(f"{to}/cut-{n}.tar", "wb") as f:
            f.write(data[: len(data) * n // 100])
    for n, name in enumerate([x for x in files if x.startswith("blobs/")][::3]):
        flipped = bytearray(files[name])
        flipped[len(flipped) // 2] ^= 1
        write(f"{to}/flip-{n}.tar", {**files, name: bytes(flipped)})


main()
