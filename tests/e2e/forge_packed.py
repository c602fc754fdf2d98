#!/usr/bin/env python3
"""forge_packed.py HOST REPOSITORY TAG - images made of one that holds the memory of a machine, each with one thing changed

In the same repository, where the chunks are, under the names of CHANGES; digests are made right again.
"""
import hashlib
import json
import sys
import urllib.request

HOST, REPOSITORY, TAG = sys.argv[1:]
BASE = f"http://{HOST}/v2/{REPOSITORY}"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ZERO = "sha256:" + 64 * "0"


def chunk(n, word, value):
    """Of the Nth chunk, "FILE AT BLOB SIZE PLAIN", one word is another."""
    def change(x):
        words = x["files"]["chunks"][n].split(" ")
        words[word] = value(words[word]) if callable(value) else value
        x["files"]["chunks"][n] = " ".join(words)
    return change


CHANGES = {
    "version": lambda x: x.update(version=2),
    "format": lambda x: x.update(format="other/1"),
    "program": lambda x: x.update(program="/usr/bin/other"),
    "processor": lambda x: x.update(processor="another 1"),
    "clock": lambda x: x.update(tscKHz=1000),
    "driver": lambda x: x["spec"]["vm"].update(driver="qemu" if x["spec"]["vm"].get("driver", "kvm") == "kvm" else "kvm"),
    "kernel": lambda x: x["spec"]["vm"].update(kernel="9.9-nosuch"),
    "kernel-bytes": lambda x: x.update(kernel=ZERO),
    "layer": lambda x: x["verities"].__setitem__(0, ZERO),
    "layers": lambda x: x["spec"]["layers"].__setitem__(0, ZERO),
    "ram": lambda x: x["spec"]["vm"].update(ram=1 << 50),
    "container": lambda x: x["spec"].update(isolation="container"),
    "outside": lambda x: x["files"].update(disk=1 << 20),
    "length": lambda x: x["files"].update(disk=1 << 50),
    "twice": lambda x: x["files"]["chunks"].append(x["files"]["chunks"][-1]),
    "bad-chunk": lambda x: x["files"]["chunks"].append("disk 0"),
    "many": lambda x: x["files"].update(chunks=10000 * x["files"]["chunks"][:1]),
    "missing": chunk(1, 2, ZERO),
    "size": chunk(1, 3, lambda n: str(int(n) + 1)),
    "bytes": chunk(1, 4, ZERO),
}


def get(where, accept="*/*"):
    return urllib.request.urlopen(urllib.request.Request(f"{BASE}/{where}", headers={"Accept": accept})).read()


def put_blob(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    place = urllib.request.urlopen(urllib.request.Request(f"{BASE}/blobs/uploads/", method="POST")).headers["Location"]
    sep = "&" if "?" in place else "?"
    urllib.request.urlopen(urllib.request.Request(f"{place}{sep}digest={digest}", data=data, method="PUT",
                                                  headers={"Content-Type": "application/octet-stream"}))
    return digest


def main():
    index = json.loads(get(f"manifests/{TAG}", INDEX))
    manifest = json.loads(get(f"manifests/{index['manifests'][0]['digest']}", MANIFEST))
    text = get(f"blobs/{manifest['config']['digest']}")
    for name, change in CHANGES.items():
        config = json.loads(text)
        change(config["io.ketch.memory"])
        data = json.dumps(config).encode()
        manifest["config"].update(digest=put_blob(data), size=len(data))
        urllib.request.urlopen(urllib.request.Request(f"{BASE}/manifests/{name}", data=json.dumps(manifest).encode(),
                                                      method="PUT", headers={"Content-Type": MANIFEST}))


main()
