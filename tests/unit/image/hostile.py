#!/usr/bin/env python3
"""hostile.py STORE_TOOL KETCH_IMAGE [sanitized] - every hostile archive does what it must, and nothing else (root only)

After a refusal the store is byte for byte what it was, one line was said, and nothing lies in tmp/.  A canary directory
that many of the archives aim at stays untouched.  Every job ends within 10 s and takes at most 64 MiB; a sanitized
build takes more and has no limits.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402
from archives import archive, tar, file  # noqa: E402

SECONDS, KIB = 10, 64 << 10


def tree_hash(top):
    h = hashlib.sha256()
    for where, dirs, files in os.walk(top):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(where, name)
            if re.search(r"/ketch\.db(-wal|-shm)?$|/locks(/|$)", path):
                continue
            st = os.lstat(path)
            h.update(b"%r %o %d %d %d" % (os.fsencode(os.path.relpath(path, top)), st.st_mode, st.st_uid, st.st_rdev,
                                          0 if name in dirs else st.st_size))
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    while data := f.read(1 << 20):
                        h.update(data)
    return h.hexdigest()


class Bench:
    def __init__(self, tool, program, *more):
        self.sanitized = "sanitized" in more
        self.top = tempfile.mkdtemp(prefix="ketch-hostile-")
        os.chmod(self.top, 0o755)
        self.tool = shutil.copy(tool, self.top + "/store_tool")  # it looks for ketch-image beside itself
        shutil.copy(program, self.top + "/ketch-image")
        self.store, self.canary = self.top + "/store", os.fsdecode(cases.CANARY)
        with open(self.canary + "/file", "w") as f:
            f.write("untouched")
        self.n = self.failed = 0
        self.input = self.top + "/input.tar"
        with open(self.input, "wb") as f:
            f.write(tar(file(b"good")))
        assert self.run("import", self.input, "good:1")[0] == 0

    def run(self, *args):
        """Status, stdout, stderr, seconds, KiB of the largest process."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.monotonic()
            p = subprocess.Popen([self.tool, self.store, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = status
            took = time.monotonic() - start
            out.seek(0), err.seek(0)
            return status, out.read().decode(), err.read().decode(errors="replace"), took, usage.ru_maxrss

    def state(self):
        return tree_hash(self.store), self.run("list")[1], tree_hash(self.canary)

    def fill(self, data):
        shutil.rmtree(self.input, ignore_errors=True) if os.path.isdir(self.input) else os.unlink(self.input)
        if callable(data):
            data(self.input)
        elif isinstance(data, dict):
            os.mkdir(self.input)
            for name, content in data.items():
                path = os.path.join(self.input, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(content)
        else:
            with open(self.input, "wb") as f:
                f.write(data)

    def refused(self, before, result, want):
        status, out, err, *_ = result
        lines = [x for x in err.splitlines() if not x.startswith("... ")]
        assert status != 0, "it was accepted"
        assert os.WIFEXITED(status), "the tool crashed: %d" % status
        assert "signal" not in err, err
        assert len(lines) == 1 and not re.search(r"[\x00-\x1f\x7f]", lines[0]), err
        assert want in lines[0], err
        assert self.state() == before, "the store or the canary changed"

    def accepted(self, before, result, check):
        status, out, err, *_ = result
        assert status == 0, err
        image = self.run("find", out.split()[0])[1]
        layer = re.search(r"diff_ids.*?sha256:([0-9a-f]{64})", image, re.S).group(1)
        check(self.store + "/layers/" + layer)
        assert self.run("rmi", out.split()[0])[0] == 0
        assert self.state() == before, "rmi did not give back the old state"

    def case(self, name, verb, data, want):
        self.n += 1
        if self.sanitized and name in cases.NEED_LIMITS:
            print("ok %d - %s: %s # skip a sanitized build has no limits" % (self.n, verb, name))
            return
        try:
            self.fill(data)
            before = self.state()
            result = self.run(verb, self.input)
            (self.accepted if callable(want) else self.refused)(before, result, want)
            assert result[3] < SECONDS, "it took %.1f s" % result[3]
            assert self.sanitized or result[4] <= KIB, "it took %d KiB" % result[4]
            assert not os.listdir(self.store + "/tmp"), "something is left in tmp/"
            print("ok %d - %s: %s" % (self.n, verb, name), flush=True)
        except AssertionError as e:
            self.failed += 1
            print("not ok %d - %s: %s\n# %s" % (self.n, verb, name, str(e).replace("\n", "\n# ")), flush=True)


def main():
    if os.geteuid() != 0:
        print("needs root: ketch-image makes namespaces and devices")
        return 77
    b = Bench(*sys.argv[1:])
    try:
        for name, data, want in cases.TAR_CASES:
            b.case(name, "import", data, want)
        for name, data, want in cases.BOMBS:
            b.case(name, "import", data, want)
        for name, data, want in cases.DOCKER_CASES:
            b.case("docker-archive: " + name, "load", data, want)
        for name, make, want in cases.OCI_CASES:
            b.case("layout: " + name, "load", make(), want)
            b.case("layout in an archive: " + name, "load", archive(make()), want)
        for name, fill, want in cases.DIRECTORY_CASES:
            b.case("directory: " + name, "import", fill, want)
        for name, fill, want in cases.LAYOUT_DIRECTORY_CASES:
            b.case("layout directory: " + name, "load", fill, want)
    finally:
        shutil.rmtree(b.top)
        shutil.rmtree(b.canary)
    print("1..%d" % b.n)
    return b.failed != 0


sys.exit(main())
