#!/usr/bin/env python3
# resume.py - a layer is unpacked while it comes; a pull is killed in the middle of one: the next one asks for the rest; two at
# a time fetch each blob once
#
#	resume.py KETCH DIR	(DIR is made and removed)
import glob
import os
import shutil
import subprocess
import sys
import threading
import time

from server import Image, Server

KETCH, DIR = os.path.abspath(sys.argv[1]), sys.argv[2]
ENV = {"PATH": os.environ["PATH"], "HOME": DIR, "KETCH_CONFIG": "", "KETCH_ROOT": DIR + "/store", "KETCH_RUN_ROOT": DIR + "/run",
       "REGISTRY_AUTH_FILE": DIR + "/none"}
registry = Server()
image = Image({"a": os.urandom(3 << 20)}, {"b": b"small"})
blob = max(image.blobs.values(), key=len)
name = next(d for d, b in image.blobs.items() if b is blob)
half = len(blob) // 2


def pull(tag="1"):
    return subprocess.Popen([KETCH, "pull", f"{registry.host}/r:{tag}"], env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def size_is(n):
    partial = f"{DIR}/store/blobs/{name[7:]}.partial"
    return os.path.exists(partial) and os.path.getsize(partial) == n


def wait_for(condition, what):
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain: {what}")
        time.sleep(0.02)


def ranges():
    return [s[2].get("Range") for s in registry.requests("blob") if name in s[1]]


def killed():
    """Half of the blob comes, then nothing, until it is killed."""
    registry.put(image)
    go_on = threading.Event()

    def rule(h, kind, digest):
        if digest != name or go_on.is_set():
            return None
        h.send_response(200)
        h.send_header("Content-Length", str(len(blob)))
        h.end_headers()
        h.wfile.write(blob[:half])
        h.wfile.flush()
        go_on.wait(20)
        return True

    registry.rules.append(rule)
    p = pull()
    wait_for(lambda: size_is(half), "half a blob")
    p.kill()
    p.wait()
    go_on.set()
    partial = f"{DIR}/store/blobs/{name[7:]}.partial"
    week = time.time() - 8 * 24 * 3600
    shutil.copy(partial, partial.replace(name[7:], "0" * 64))
    os.utime(partial.replace(name[7:], "0" * 64), (week, week))
    p = pull()
    out = p.communicate(timeout=30)[0]
    if p.returncode or ranges() != ["bytes=0-", f"bytes={half}-"]:
        sys.exit(f"after the kill: status {p.returncode}, asked for {ranges()}\n{out}")
    if os.listdir(f"{DIR}/store/blobs"):
        sys.exit(f"what is old, or unpacked, is still there: {os.listdir(f'{DIR}/store/blobs')}")


def unpacked():
    """Bytes of the layer that is being made."""
    files = glob.glob(f"{DIR}/store/tmp/*/layers/new")
    return sum(os.path.getsize(f) for f in files)


def followed():
    """With half of the blob, half of the layer is made; what then comes makes it whole, or fails and is forgotten."""
    subprocess.run([KETCH, "rmi", f"{registry.host}/r:1"], env=ENV, check=True, stdout=subprocess.DEVNULL)
    for rest, status in ((bytes(len(blob) - half), 1), (blob[half:], 0)):
        registry.reset()
        registry.put(image)
        go_on = threading.Event()

        def rule(h, kind, digest, rest=rest, go_on=go_on):
            if digest != name:
                return None
            h.send_response(200)
            h.send_header("Content-Length", str(len(blob)))
            h.end_headers()
            h.wfile.write(blob[:half])
            h.wfile.flush()
            go_on.wait(20)
            h.wfile.write(rest)
            return True

        registry.rules.append(rule)
        p = pull()
        wait_for(lambda: size_is(half) and unpacked() > half // 2, "half a layer, made of half a blob")
        go_on.set()
        out = p.communicate(timeout=30)[0]
        left = os.listdir(f"{DIR}/store/blobs") + os.listdir(f"{DIR}/store/tmp")
        if p.returncode != status or ranges() != ["bytes=0-"] or left:
            sys.exit(f"followed: status {p.returncode}, asked for {ranges()}, left {left}\n{out}")


def together():
    """Two names of one image at the same time."""
    subprocess.run([KETCH, "rmi", f"{registry.host}/r:1"], env=ENV, check=True, stdout=subprocess.DEVNULL)
    registry.reset()
    registry.put(image)
    registry.put(image, "2")
    begun, go_on = threading.Event(), threading.Event()

    def rule(h, kind, digest):
        if digest == name:
            begun.set()
            go_on.wait(40)

    registry.rules.append(rule)
    first = pull()
    begun.wait(20)
    second = pull("2")
    out = ""
    for line in second.stdout:
        out += line
        if line == f"{name[7:19]}: Waiting\n":  # it has found it locked
            go_on.set()
    first.communicate(timeout=30)
    if first.returncode or second.wait(30) or len(ranges()) != 1:
        sys.exit(f"two at a time: {first.returncode}, {second.returncode}, asked for {ranges()}\n{out}")


def pruned():
    """What was broken off is nobody's when the disk is wanted for something else."""
    with open(f"{DIR}/store/blobs/{'1' * 64}.partial", "wb") as f:
        f.write(blob)
    out = subprocess.run([KETCH, "system", "prune", "-f"], env=ENV, check=True, capture_output=True, text=True).stdout
    if os.listdir(f"{DIR}/store/blobs") or "3.1" not in out:
        sys.exit(f"after system prune: {os.listdir(f'{DIR}/store/blobs')}, {out}")


def many():
    """127 layers, and one more than there may be."""
    for n, status in ((127, 0), (129, 1)):
        registry.reset()
        registry.put(Image(*[{f"f{i}": b"%d" % i} for i in range(n)]))
        p = pull()
        out = p.communicate(timeout=60)[0]
        if p.returncode != status or ("more than 128" in out) != bool(status):
            sys.exit(f"{n} layers: status {p.returncode}, {out[-300:]}")


os.makedirs(DIR)
killed()
followed()
together()
pruned()
many()
shutil.rmtree(DIR)
