#!/usr/bin/env python3
"""power_loss.py KETCH IMAGE-TREE POINTS [SEED [KERNEL]] - the power goes off while ketch works: what the disk has then is looked at

A store lies on an ext4 file system whose disk writes a log (QEMU's blklogwrites, in the format of Linux' dm-log-writes).
STEPS work on it, each followed by a mark in the log and a look at what is there: the files of instances, their snapshots,
the volumes, the images.  Then, for POINTS moments of the log, spread evenly, the disk is made anew as a power cut would leave
it: all that was written before the last flush, and of what came after it some, chosen by SEED.  There the same look must see
what was there after the last step that had ended, or after the one that was under way; every instance starts, can be removed,
and nothing is left of it.  With KERNEL (a directory as tests/fixtures/get kernel makes it) all are virtual machines.

Runs in a mount namespace of its own (unshare -m), as root, on loop devices and FUSE; its directory is $TMPDIR.
"""
import glob
import io
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

KETCH, TREE, POINTS = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
KERNEL = sys.argv[5] if len(sys.argv) > 5 else None
WALL = ("--isolation", "vm" if KERNEL else "container", "--network", "none")
DISK_BYTES, START = 512 << 20, 1 << 20  # the file system begins at START; the marks are in the first sector
SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4
DEADLINE = 120


def call(words, **more):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE,
                          **more)


def must(*words):
    done = call(words)
    if done.returncode:
        raise RuntimeError("%s: status %d: %s" % (" ".join(words), done.returncode, done.stderr.decode().strip()))
    return done.stdout


def unmount(where):
    """What a monitor clears up behind the last answer may still be under way, in the store."""
    end = time.monotonic() + DEADLINE
    while call(["umount", where]).returncode:
        if time.monotonic() > end:
            must("umount", where)
        time.sleep(0.01)


class Store:
    """A mounted one, with a run root that is as empty as after a boot."""

    def __init__(self, where):
        self.where, self.run_root = where, tempfile.mkdtemp(prefix="run.")
        os.environ.update(KETCH_ROOT=where + "/store", KETCH_RUN_ROOT=self.run_root, KETCH_CONFIG="")

    def close(self):
        shutil.rmtree(self.run_root)

    def ketch(self, *words):
        return must(KETCH, *words).decode()

    def lines(self, *words):
        return self.ketch(*words).split()

    def files(self, name):
        """Path -> content below /data of an instance at rest."""
        with tarfile.open(fileobj=io.BytesIO(must(KETCH, "cp", name + ":/data", "-"))) as t:
            return {m.name: t.extractfile(m).read().decode() for m in t if m.isfile() and not m.name.endswith(".part")}

    def volume(self, name):
        top = self.ketch("volume", "inspect", "-f", "{{.Mountpoint}}", name).strip()
        found = {}
        for where, _, names in os.walk(top):
            for n in names:
                if not n.endswith(".part"):
                    with open(os.path.join(where, n)) as f:
                        found[os.path.relpath(os.path.join(where, n), top)] = f.read()
        return found

    def look(self):
        """All that a user can see, and that a power cut may not change by halves."""
        names = self.lines("images", "--format", "{{.Repository}}:{{.Tag}}")
        seen = {"images": sorted(n for n in names if n != "<none>:<none>")}  # `image prune` removes those of a cut import
        for name in sorted(self.lines("ps", "-a", "--format", "{{.Names}}")):
            seen["files of " + name] = self.files(name)
            seen["snapshots of " + name] = [n for n in self.lines("snapshot", "ls", "--format", "{{.Name}}", name)
                                            if not n.startswith("snap")]  # update-image's own, until it has succeeded
        for name in sorted(self.lines("volume", "ls", "-q")):
            seen["volume " + name] = self.volume(name)
            seen["snapshots of volume " + name] = self.lines("volume", "snapshot-ls", "--format", "{{.Name}}", name)
        seen["networks"] = sorted(self.lines("network", "ls", "--format", "{{.Name}}"))
        return seen


# --- the disk

def mount(disk, where):
    must("mount", "-t", "ext4", "-o", "loop,offset=%d" % START, disk, where)  # the loop device goes with it


class LoggedDisk:
    """An ext4 file system whose block device logs what is written."""

    def __init__(self, top):
        self.image, self.log, self.door, self.where = (top + "/" + n for n in ("disk", "log", "door", "mounted"))
        for path, size in ((self.image, DISK_BYTES), (self.log, 0), (self.door, 0)):
            with open(path, "wb") as f:
                f.truncate(size)
        os.makedirs(self.where)
        must("qemu-storage-daemon", "--daemonize", "--pidfile", top + "/pid",  # returns once the door is there
             "--blockdev", "driver=file,node-name=data,filename=" + self.image,
             "--blockdev", "driver=file,node-name=log,filename=" + self.log,
             "--blockdev", "driver=blklogwrites,node-name=disk,file=data,log=log",
             "--export", "type=fuse,id=door,node-name=disk,writable=on,mountpoint=" + self.door)
        with open(top + "/pid") as f:
            self.daemon = os.pidfd_open(int(f.read()))
        must("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,offset=%d" % START, self.door,
             "%dk" % ((DISK_BYTES - START) >> 10))
        mount(self.door, self.where)

    def mark(self, step):
        fd = os.open(self.door, os.O_WRONLY)
        os.pwrite(fd, (b"step %d\n" % step).ljust(SECTOR, b"\0"), 0)
        os.close(fd)

    def close(self):
        call(["umount", self.where])
        signal.pidfd_send_signal(self.daemon, signal.SIGTERM)
        if not select.select([self.daemon], [], [], DEADLINE)[0]:
            raise RuntimeError("qemu-storage-daemon does not end")


class Log:
    """What was written to the disk, in order: (sector, flags, bytes or, of a discard, their number)."""

    def __init__(self, path):
        self.entries = []
        with open(path, "rb") as f:
            magic, _version, _, size = struct.unpack("<QQQI", f.read(28))
            if magic != 0x6A736677736872:
                raise RuntimeError("this is no log of writes")
            at = size
            while True:
                f.seek(at)
                head = f.read(32)
                if len(head) < 32:
                    break
                sector, count, flags, _ = struct.unpack("<QQQQ", head)
                if not count and not flags:
                    break
                at += size
                if flags & DISCARD:
                    self.entries.append((sector, flags, count * SECTOR))
                    continue
                f.seek(at)
                self.entries.append((sector, flags, f.read(count * SECTOR)))
                at += count * SECTOR

    def marks(self):
        """Position -> number of the step that had ended by then."""
        return {i: int(data[5:].split(b"\n")[0]) for i, (sector, flags, data) in enumerate(self.entries)
                if sector == 0 and not flags & DISCARD and data.startswith(b"step ")}


class CrashedDisk:
    """The disk as power cuts leave it, one after the other; moments must come in order."""

    def __init__(self, log, top, rng):
        self.log, self.rng, self.at = log, rng, 0
        self.sure, self.image = top + "/sure", top + "/crashed"
        with open(self.sure, "wb") as f:
            f.truncate(DISK_BYTES)

    @staticmethod
    def write(f, entry):
        sector, flags, data = entry
        f.seek(sector * SECTOR)
        if flags & DISCARD:
            data = bytes(data)
        f.write(data)

    def cut(self, moment):
        """The power goes off behind the entry `moment`: flushed writes are there, of the others a part."""
        last = max((i for i in range(self.at, moment + 1) if self.log.entries[i][1] & FLUSH), default=self.at)
        with open(self.sure, "r+b") as f:
            for entry in self.log.entries[self.at:last]:
                self.write(f, entry)
        self.at = last
        must("cp", "--sparse=always", self.sure, self.image)
        share = self.rng.choice((0, 0.5, 0.9, 1))
        with open(self.image, "r+b") as f:
            for entry in self.log.entries[last:moment + 1]:
                if entry[1] & FUA or self.rng.random() < share:
                    self.write(f, entry)


# --- what is done, and what may be seen

def write(name, **files):
    """The workload writes files and has them synced (fsync of file and directory): each is there whole, or not at all."""
    script = "cd /data && " + " && ".join(
        "echo %s >%s.part && sync %s.part && mv %s.part %s && sync ." % (text, f, f, f, f) for f, text in files.items())

    def act(s):
        s.ketch("start", name)
        s.ketch("exec", name, "sh", "-c", script)
        s.ketch("stop", name)
    return act


def ketch(*words):
    return lambda s: s.ketch(*words)


STAY = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait; done")
STEPS = [
    ketch("create", *WALL, "--name", "web", "-v", "db:/db", "base", *STAY),
    write("web", a="1"),
    ketch("snapshot", "create", "web@one"),
    write("web", b="2", a="3"),
    ketch("snapshot", "create", "--no-volumes", "web@two"),
    write("web", c="4", **{"../db/v": "5"}),
    ketch("rollback", "web@one"),
    write("web", d="6"),
    ketch("snapshot", "create", "web@three"),
    ketch("clone", "--volumes", "none", "web@two", "copy"),
    write("copy", e="7"),
    ketch("commit", "copy", "copied:1"),
    ketch("rollback", "web@three"),
    ketch("snapshot", "rm", "web@one"),
    ketch("snapshot", "rm", "web@two"),
    write("web", f="8"),
    ketch("snapshot", "rm", "web@three"),
    ketch("volume", "snapshot-create", "db@early"),
    write("web", **{"../db/w": "9"}),
    ketch("volume", "rollback", "db@early"),
    ketch("rename", "web", "site"),
    ketch("snapshot", "create", "--group", "site,copy@both"),
    write("site", g="10"),
    write("copy", h="11"),
    ketch("rollback", "--group", "site,copy@both"),
    ketch("tag", "copied:1", "again:1"),
    ketch("rm", "copy"),
    ketch("rmi", "again:1"),
    ketch("run", "--rm", *WALL, "base", "true"),
    ketch("update-image", "site", "copied:1"),
    ketch("stop", "site"),
    ketch("volume", "clone", "db@early", "other"),
    ketch("snapshot", "rename", "site@both", "first"),
    lambda s: s.ketch("export", "--instance", "--no-volumes", "-o", s.run_root + "/site.tar", "site"),
    lambda s: s.ketch("import", "--instance", "--no-volumes", s.run_root + "/site.tar", "twin"),
    ketch("rollback", "twin@first"),
    ketch("rm", "twin"),
    ketch("network", "create", "back"),
    ketch("network", "rm", "back"),
    ketch("update", "-m", "64m", "site"),
    ketch("rm", "site"),
    ketch("rmi", "copied:1"),
    ketch("volume", "rm", "db"),
]


def prepare(s):
    tree = tempfile.mkdtemp(prefix="tree.")
    must("cp", "-a", TREE + "/.", tree)
    os.mkdir(tree + "/data")
    s.ketch("import", tree, "base")
    if KERNEL:
        s.ketch("kernel", "import", *glob.glob(KERNEL + "/boot/vmlinuz-*"), *glob.glob(KERNEL + "/lib/modules/*"))


def between(seen, before, after):
    """Is it `before`, `after`, or of a step that writes files some of them?"""
    if seen in (before, after):
        return True
    if set(seen) != set(before) or set(seen) != set(after):
        return False
    return all(seen[k] in (before[k], after[k]) or isinstance(seen[k], dict) and all(
        seen[k].get(f) in (before[k].get(f), after[k].get(f)) for f in {*seen[k], *before[k], *after[k]}) for k in seen)


def differences(seen, want):
    return "; ".join("%s: %s, not %s" % (k, seen.get(k), want.get(k)) for k in sorted({*seen, *want})
                     if seen.get(k) != want.get(k))


def record(disk):
    """Does all steps; what was to be seen after each."""
    s, states = Store(disk.where), []
    try:
        prepare(s)
        must("sync", "-f", disk.where)
        for step, act in [(0, lambda s: None), *enumerate(STEPS, 1)]:
            act(s)
            disk.mark(step)
            states.append(s.look())
    finally:
        s.close()
    return states


def check(s, states, step):
    seen, last = s.look(), min(step + 1, len(states) - 1)
    if not between(seen, states[step], states[last]):
        return "after step %d it is neither as after that one (%s) nor as after the next (%s)" % (
            step, differences(seen, states[step]), differences(seen, states[last]))
    must(KETCH, "image", "verify")
    names = s.lines("ps", "-aq")
    for name in names:
        s.ketch("start", name)
        s.ketch("exec", name, "true")
    if names:
        s.ketch("rm", "-f", *names)
    left = os.listdir(s.where + "/store/instances") if os.path.isdir(s.where + "/store/instances") else []
    return "left: %s" % left if left else None


def look_after(crashed, where, states, step):
    s = Store(where)
    mount(crashed.image, where)
    try:
        return check(s, states, step)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        unmount(where)
        s.close()


def main():
    top = tempfile.mkdtemp(prefix="power.")
    tempfile.tempdir = top
    try:
        return all_cuts(top)
    finally:
        shutil.rmtree(top)


def all_cuts(top):
    disk = LoggedDisk(top)
    try:
        states = record(disk)
    finally:
        disk.close()
    log = Log(disk.log)
    marks = log.marks()
    begin = min(marks)
    moments = [begin + (len(log.entries) - 1 - begin) * i // max(POINTS - 1, 1) for i in range(POINTS)]
    crashed, bad = CrashedDisk(log, top, random.Random(SEED)), 0
    for moment in moments:
        crashed.cut(moment)
        step = max(n for i, n in marks.items() if i <= moment)
        wrong = look_after(crashed, disk.where, states, step)
        if wrong:
            bad += 1
            print("entry %d of %d, in step %d: %s" % (moment, len(log.entries), step + 1, wrong), flush=True)
    print("%d writes, %d steps, %d power cuts, %d of them wrong" % (len(log.entries), len(STEPS), len(moments), bad))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
