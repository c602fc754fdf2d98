#!/usr/bin/env python3
"""layers.py ROOTFS N NAME - writes the archive of an image of N layers to stdout, as `docker save` would

The lowest is ROOTFS.  Each other layer has its own file /l/I, a new version of /last, hides the file of the layer two below, and
of every tenth the directory /gone is made anew with one file of its own.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit/image"))
sys.dont_write_bytecode = True
from archives import directory, docker, file, tar  # noqa: E402


def layer(i):
    entries = [directory(b"l"), file(b"l/%d" % i, b"%d" % i), file(b"last", b"%d\n" % i)]
    if i > 2:
        entries.append(file(b"l/.wh.%d" % (i - 2), b""))
    if i % 10 == 0:
        entries += [directory(b"gone"), file(b"gone/.wh..wh..opq", b""), file(b"gone/%d" % i)]
    return tar(*entries)


def main():
    rootfs, n, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    lowest = subprocess.run(["tar", "-cC", rootfs, "."], check=True, capture_output=True).stdout
    sys.stdout.buffer.write(docker([lowest] + [layer(i) for i in range(1, n)], tags=[name]))


main()
