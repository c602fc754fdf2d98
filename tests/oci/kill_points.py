#!/usr/bin/env python3
"""kill_points.py RUNTIME KILLAT DIR TAG POINTS COMMAND: kill -9 of a runtime's process at system calls of a command

DIR has state/, b/loop (a bundle whose program stays) and TAG is part of the container's cgroup, as lib.bash makes
them.  The command is killed at POINTS of its system calls, spread evenly over those of it and its children (see
killat.c); then `delete --force` has to succeed and to leave no process, cgroup, mount or file.  Run it
in a pid namespace of its own (`private`): every process that appears belongs to the container.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

RUNTIME, KILLAT, DIR, TAG, POINTS, COMMAND = sys.argv[1:]
NAME = TAG + "-loop"
RT = [RUNTIME, "--root", DIR + "/state"]
PID_FILE = DIR + "/pid"
CREATE = [*RT, "create", "--bundle", DIR + "/b/loop", "--pid-file", PID_FILE, NAME]
DEADLINE = 15
FIRST_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of the kernel


def call(command):
    """Returns the exit status and what it said; through a file, because a container keeps what it is given."""
    with tempfile.TemporaryFile("w+") as said:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=DEADLINE).returncode
        said.seek(0)
        return status, said.read().strip()


def must(command):
    status, said = call(command)
    if status:
        sys.exit(f"{command} failed: {said}")


def created():
    must(CREATE)


def started():
    must(CREATE)
    must([*RT, "start", NAME])


def stopped():
    started()
    must([*RT, "kill", "--all", NAME, "KILL"])
    while '"stopped"' not in subprocess.run([*RT, "state", NAME], capture_output=True, text=True).stdout:
        time.sleep(0.005)  # the runtime has no call that waits for the end


COMMANDS = {  # name: (what comes before, the command)
    "create": (lambda: None, CREATE),
    "start": (created, [*RT, "start", NAME]),
    "exec": (started, [*RT, "exec", NAME, "true"]),
    "kill": (started, [*RT, "kill", NAME, "KILL"]),
    "delete": (stopped, [*RT, "delete", NAME]),
    "delete --force": (started, [*RT, "delete", "--force", NAME]),
}


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def cgroups():
    return {d for top in ["/sys/fs/cgroup", *map(lambda e: e.path, os.scandir("/sys/fs/cgroup"))]
            for d in [f"{top}/{TAG}/loop"] if os.path.isdir(d)}


def processes():
    found = set()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] not in "ZX":
                found.add(f"{pid} {read(f'/proc/{pid}/comm').strip()}")
        except OSError:  # it has just ended
            pass
    return found


def files():
    return {os.path.join(d, name) for top in (DIR, "/run") for d, dirs, names in os.walk(top)
            if "/rootfs" not in d for name in dirs + names}


def world():
    return {"process": processes(), "cgroup": cgroups(), "mount": set(read("/proc/self/mountinfo").splitlines()),
            "file": files() - {PID_FILE}}


def left(before):
    after = world()
    return [f"{kind} {thing}" for kind in after for thing in sorted(after[kind] - before[kind])]


def waited_left(before):
    end = time.monotonic() + 2
    while (found := left(before)) and time.monotonic() < end:
        time.sleep(0.01)  # what was killed a moment ago may not be reaped yet
    return found


def force_delete():
    try:
        status, said = call([*RT, "delete", "--force", NAME])
        return [f"delete --force: status {status}: {said}"] if status else []
    except subprocess.TimeoutExpired:
        return ["delete --force did not return"]


def clean_by_hand(before):
    for process in processes() - before["process"]:
        os.kill(int(process.split()[0]), 9)
    subprocess.run(["umount", "-R", DIR + "/rootfs"], capture_output=True)
    time.sleep(0.1)
    for cgroup in cgroups():
        try:
            os.rmdir(cgroup)
        except OSError as e:
            print(f"# {cgroup}: {e}")
    subprocess.run(["rm", "-rf", DIR + "/state"], check=True)
    os.mkdir(DIR + "/state")


def killed_at(n, command):
    """Starts killat, which holds what the killed process read from, and returns it when it has done its work."""
    killat = subprocess.Popen([KILLAT, "-h", str(n), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE)
    try:
        os.waitid(os.P_PID, killat.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    except subprocess.TimeoutExpired:
        killat.kill()
        killat.wait()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return killat


def on_alarm(number, frame):
    raise subprocess.TimeoutExpired(KILLAT, DEADLINE)


def count_calls(command, before):
    COMMANDS[command][0]()
    _, said = call([KILLAT, "0", *COMMANDS[command][1]])
    return int(said.split()[-1]), swept(before)


def swept(before):
    found = force_delete() + waited_left(before)
    if found:
        clean_by_hand(before)
    return found


def once(command, n, before):
    """Returns what was left."""
    COMMANDS[command][0]()
    try:
        killat = killed_at(n, COMMANDS[command][1])
    except subprocess.TimeoutExpired:
        return ["the command did not return"] + swept(before)
    found = force_delete()
    killat.kill()
    killat.wait()
    return found + swept(before)


def main():
    if os.stat("/proc/self/ns/pid").st_ino == FIRST_PID_NAMESPACE:
        sys.exit("run this by `private`: what appears meanwhile is killed")
    signal.signal(signal.SIGALRM, on_alarm)
    must(CREATE)  # what is kept for later runs (a compiled filter) is made before anything is compared
    must([*RT, "delete", "--force", NAME])
    before = world()
    calls, found = count_calls(COMMAND, before)
    bad = [(0, found)] if found else []
    points = range(1, calls + 1, max(1, calls // int(POINTS)))
    for n in points:
        found = once(COMMAND, n, before)
        if found:
            bad.append((n, found))
    print(f"killed at {len(points)} of {calls} system calls, {len(bad)} times something was left")
    for n, found in bad[:5]:
        print(f"at call {n}: {'; '.join(found[:6])}")
    sys.exit(bool(bad))


main()
