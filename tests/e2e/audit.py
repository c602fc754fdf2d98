#!/usr/bin/env python3
"""audit.py DIR - prints what is left of instances whose files are all below DIR

Processes with something open or mounted below it, loop devices, and cgroups of Ketch younger than DIR/things that no living
monitor stands behind (other people's instances on the same machine have theirs).
"""
import glob
import os
import sys


def link(path):
    try:
        return os.readlink(path)
    except OSError:  # it has ended, or is a kernel thread
        return ""


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def users(below):
    seen = set()  # mounts: one namespace has many processes
    for proc in glob.glob("/proc/[0-9]*"):
        pid = os.path.basename(proc)
        links = [proc + "/cwd", proc + "/root", proc + "/exe"] + glob.glob(proc + "/fd/*")
        if int(pid) != os.getpid() and any(link(l).startswith(below) for l in links):
            yield f"process {pid}: {read(proc + '/cmdline').replace(chr(0), ' ')}"
        for line in read(proc + "/mountinfo").splitlines():
            if below in line and line not in seen:
                seen.add(line)
                yield f"mount seen by {pid}: {line}"


def loop_devices(below):
    for backing in glob.glob("/sys/block/loop*/loop/backing_file"):
        if read(backing).startswith(below):
            yield backing


def top_ancestor(pid):
    """The last one below init: itself when whoever started it is gone."""
    while True:
        parent = (read(f"/proc/{pid}/stat").rpartition(")")[2].split() + ["0", "0"])[1]
        if int(parent) <= 1:
            return pid
        pid = parent


def orphaned_cgroups(since):
    for cgroup in glob.glob("/sys/fs/cgroup/ketch/*/") + glob.glob("/sys/fs/cgroup/*/ketch/*/"):
        try:
            young = os.stat(cgroup).st_ctime >= since
        except OSError:
            continue
        pids = read(cgroup + "cgroup.procs").split()
        if young and all(top_ancestor(pid) in pids for pid in pids):
            yield f"cgroup {cgroup}"


def left(top):
    for finds in users(top + "/"), loop_devices(top + "/"), orphaned_cgroups(os.stat(top + "/things").st_mtime):
        yield from finds


if __name__ == "__main__":
    for line in left(sys.argv[1]):
        print(line)
