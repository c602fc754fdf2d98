"""bench.py - a store in a temporary directory, the tool that works on it, and what tests look at"""
import ctypes
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time

SKIP = 77
CLONE_NEWNS, MS_RDONLY, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 1, 0x4000, 1 << 18, 2
libc = ctypes.CDLL(None, use_errno=True)


def call(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def leave_mounts():
    """What is mounted from now on is seen by this process and its children alone."""
    call(libc.unshare(CLONE_NEWNS), "unshare")
    call(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")


def mount_erofs(file, where):
    os.makedirs(where, exist_ok=True)
    if libc.mount(os.fsencode(file), os.fsencode(where), b"erofs", MS_RDONLY, None) < 0:  # not on tmpfs
        subprocess.run(["mount", "-o", "ro,loop", "-t", "erofs", file, where], check=True)


def unmount(where):
    call(libc.umount2(os.fsencode(where), MNT_DETACH), where)


def file_hash(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(1 << 20):
            h.update(data)
    return h.hexdigest()


def walk(top):
    """Every path below top as bytes, sorted, the top as b""."""
    found = [b""]
    for where, dirs, files in os.walk(os.fsencode(top)):
        found += [os.path.relpath(os.path.join(where, n), os.fsencode(top)) for n in dirs + files]
    return sorted(found)


def tree_facts(top, ignore=()):
    """Path -> all that an image keeps of it; hard links are told by the first path of their file."""
    facts, first = {}, {}
    for path in walk(top):
        full = os.path.join(os.fsencode(top), path)
        st = os.lstat(full)
        is_file = stat.S_ISREG(st.st_mode)
        facts[path] = (
            stat.filemode(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns,
            st.st_size if not stat.S_ISDIR(st.st_mode) else 0,
            st.st_rdev if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode) else 0,
            os.readlink(full) if stat.S_ISLNK(st.st_mode) else file_hash(full) if is_file else "",
            {x: os.getxattr(full, x, follow_symlinks=False) for x in os.listxattr(full, follow_symlinks=False)
             if not any(x.startswith(i) for i in ignore)},
            first.setdefault((st.st_dev, st.st_ino), path) if not stat.S_ISDIR(st.st_mode) else "")
    return facts


def store_hash(top):
    """Of all but the database's own files, the locks and the journal."""
    h = hashlib.sha256()
    for path in walk(top):
        full = os.path.join(os.fsencode(top), path)
        if re.match(rb"ketch\.(db|reserve)|locks/|events/", path):
            continue
        st = os.lstat(full)
        h.update(b"%r %o %d %d %d" % (path, st.st_mode, st.st_uid, st.st_rdev,
                                      0 if stat.S_ISDIR(st.st_mode) else st.st_size))
        if stat.S_ISREG(st.st_mode):
            h.update(file_hash(full).encode())
    return h.hexdigest()


class Store:
    def __init__(self, tool, program):
        self.top = tempfile.mkdtemp(prefix="ketch-store-")
        self.tool = shutil.copy(tool, self.top + "/store_tool")  # it looks for ketch-image beside itself
        shutil.copy(program, self.top + "/ketch-image")
        self.store = self.top + "/store"
        self.mounted = {}  # path of a layer -> where it is seen
        leave_mounts()
        # meson has malloc fill its memory: measured memory would be that of the allocator
        self.env = {k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"}

    def close(self):
        for where in self.mounted.values():
            unmount(where)
        shutil.rmtree(self.top)

    def start(self, *args, **more):
        return subprocess.Popen([self.tool, self.store, *args], env=self.env,
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   **more})

    def run(self, *args, **more):
        """Status, stdout, stderr, seconds, KiB of the largest process."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.monotonic()
            p = self.start(*args, stdout=out, stderr=err, **more)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = status
            took = time.monotonic() - began
            out.seek(0), err.seek(0)
            return status, out.read().decode(), err.read().decode(errors="replace"), took, usage.ru_maxrss

    def ok(self, *args, **more):
        status, out, err, *_ = self.run(*args, **more)
        assert status == 0, err
        return out

    def fails(self, *args, **more):
        status, out, err, *_ = self.run(*args, **more)
        lines = [x for x in err.splitlines() if not x.startswith("... ")]
        assert status != 0 and os.WIFEXITED(status), "status %d" % status
        assert len(lines) == 1 and not re.search(r"[\x00-\x1f\x7f]", lines[0]), err
        return lines[0]

    def layers(self, ref):
        """The directories of an image's layers, lowest first."""
        ids = re.search(r'"diff_ids": \[(.*?)\]', self.ok("find", ref), re.S)
        return [self.layer(x) for x in re.findall(r"sha256:([0-9a-f]{64})", ids.group(1))] if ids else []

    def layer(self, name):
        """A layer as a directory; as a file it must please fsck.erofs first."""
        path, where = self.store + "/layers/" + name, "%s/mounted/%d" % (self.top, len(self.mounted))
        if os.path.isdir(path):
            return path
        if path in self.mounted:
            return self.mounted[path]
        fsck = subprocess.run(["fsck.erofs", path + ".erofs"], capture_output=True, text=True)
        assert fsck.returncode == 0, fsck.stdout + fsck.stderr
        mount_erofs(path + ".erofs", where)
        self.mounted[path] = where
        return where

    def state(self):
        return store_hash(self.store), self.run("list")[1]


class Tap:
    """Runs cases and tells how it went."""
    def __init__(self):
        self.n = self.failed = 0

    def case(self, name, fn, *args):
        self.n += 1
        try:
            why = fn(*args)
            print("ok %d - %s%s" % (self.n, name, " # skip " + why if why else ""), flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            self.failed += 1
            text = "%s: %s" % (type(e).__name__, e)
            print("not ok %d - %s\n# %s" % (self.n, name, text.replace("\n", "\n# ")), flush=True)

    def end(self):
        print("1..%d" % self.n)
        return self.failed != 0
