#!/usr/bin/env python3
"""hostile.py STORE_TOOL KETCH_IMAGE [sanitized] - every hostile archive does what it must, and nothing else (root only)

After a refusal the store is byte for byte what it was, one line was said, and nothing lies in tmp/.  A canary directory
that many of the archives aim at stays untouched.  Every job ends within 10 s and takes at most 64 MiB; a sanitized
build takes more and has no limits.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import bench  # noqa: E402
import cases  # noqa: E402
from archives import archive, file, tar  # noqa: E402

SECONDS, KIB = 10, 64 << 10


class Hostile(bench.Store):
    def __init__(self, tool, program, *more):
        super().__init__(tool, program)
        self.sanitized = "sanitized" in more
        self.canary = os.fsdecode(cases.CANARY)
        self.input = self.top + "/input.tar"
        with open(self.canary + "/file", "w") as f:
            f.write("untouched")
        self.fill(tar(file(b"good")))
        self.ok("import", self.input, "good:1")

    def close(self):
        super().close()
        shutil.rmtree(self.canary)

    def state(self):
        return *super().state(), bench.tree_facts(self.canary)

    def fill(self, data):
        """Makes the input: bytes, a directory from a dict of files, or whatever a function makes."""
        if os.path.isdir(self.input):
            shutil.rmtree(self.input)
        elif os.path.exists(self.input):
            os.unlink(self.input)
        if callable(data):
            data(self.input)
        elif isinstance(data, dict):
            for name, content in data.items():
                path = os.path.join(self.input, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(content)
        else:
            with open(self.input, "wb") as f:
                f.write(data)

    def refused(self, verb, want):
        before = self.state()
        line = self.fails(verb, self.input)
        assert want in line and "signal" not in line, line
        assert self.state() == before, "the store or the canary changed"

    def accepted(self, verb, check):
        before = self.state()
        ref = self.ok(verb, self.input).split()[0]
        check(self.layers(ref)[0])
        self.ok("rmi", ref)
        assert self.state() == before, "rmi did not give back the old state"

    def run(self, *args, **more):
        result = super().run(*args, **more)
        assert result[3] < SECONDS, "%s took %.1f s" % (args[0], result[3])
        assert self.sanitized or result[4] <= KIB, "%s took %d KiB" % (args[0], result[4])
        return result

    def case(self, name, verb, data, want):
        if self.sanitized and name in cases.NEED_LIMITS:
            return "a sanitized build has no limits"
        self.fill(data)
        (self.accepted if callable(want) else self.refused)(verb, want)
        assert not os.listdir(self.store + "/tmp"), "something is left in tmp/"
        return None


def all_cases():
    for name, data, want in cases.TAR_CASES + cases.BOMBS:
        yield name, "import", data, want
    for name, data, want in cases.DOCKER_CASES:
        yield "docker-archive: " + name, "load", data, want
    for name, make, want in cases.OCI_CASES:
        yield "layout: " + name, "load", make(), want
        yield "layout in an archive: " + name, "load", archive(make()), want
    for name, fill, want in cases.DIRECTORY_CASES:
        yield "directory: " + name, "import", fill, want
    for name, fill, want in cases.LAYOUT_DIRECTORY_CASES:
        yield "layout directory: " + name, "load", fill, want


def main():
    if os.geteuid() != 0:
        print("needs root: ketch-image makes namespaces and devices")
        return bench.SKIP
    tap, store = bench.Tap(), Hostile(*sys.argv[1:])
    try:
        for name, *rest in all_cases():
            tap.case(name, store.case, name, *rest)
    finally:
        store.close()
    return tap.end()


sys.exit(main())
