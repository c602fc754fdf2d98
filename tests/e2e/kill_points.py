#!/usr/bin/env python3
"""kill_points.py KETCH KILLAT ISOLATION DIR POINTS COMMAND - kill -9 of what a command of ketch runs, at its system calls

The command (create, start, stop, ...) works on an instance `one` that was brought into the state before it.  It is run under
killat, which kills whichever of its processes makes the Nth system call that others can see the effect of, the monitor
included, at POINTS numbers spread evenly; what the process had open is closed in two steps.  After each: ps and inspect
answer in time with a state that can be, the instance can be used or refuses in one line, rm -f removes it, and nothing is
left of it.

A machine is at rest without having booted: a clone of seed@ran, which has, and is the caller's.  Whoever damages a layer below
the clone damages the seed.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import audit
import net_left

KETCH, KILLAT, ISOLATION, DIR, POINTS, COMMAND = sys.argv[1:]
STORE, RUN = os.environ["KETCH_ROOT"], os.environ["KETCH_RUN_ROOT"]
BEFORE = []  # what is the seed's
DEADLINE = 240  # a traced start of a machine takes minutes where that is emulated (the bed)
STAY = ["ketch/base", "sh", "-c", "trap 'exit 0' TERM INT; tail -f /dev/null & wait"]
CREATE = ["create", "--isolation", ISOLATION, "--name", "one", *STAY]
STATES = {"created", "running", "exited", "paused"}
SEED = "seed" if ISOLATION == "vm" else None
OTHER = "container" if ISOLATION == "vm" else "vm"


def call(words):
    """Status, stdout and stderr; through files of its own, for what goes on after a kill keeps them open, and writes to them."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=DEADLINE).returncode
        out.seek(0), err.seek(0)
        return status, out.read().decode(), err.read().decode()


def ketch(*words):
    return call([KETCH, *words])


def must(*words):
    status, _, told = ketch(*words)
    if status:
        raise RuntimeError(f"{words}: status {status}: {told}")


def created():
    must(*CREATE)


def running():
    must("run", "-d", *CREATE[1:])


def published():
    must("run", "-d", "-p", "127.0.0.1::80", *CREATE[1:])


def connected():
    must("network", "create", "net")
    running()
    must("network", "connect", "net", "one")


def paused():
    running()
    must("pause", "one")


def exited():
    if SEED:
        return must("clone", "seed@ran", "one")
    running()
    must("stop", "-t", "2", "one")


def used():
    """What has no wall of its own is looked at in a machine at rest: none boots for it."""
    exited() if SEED else running()


def exited_with_snapshot():
    exited()
    must("snapshot", "create", "one@before")


def exported():
    if os.path.exists(DIR + "/in.tar"):
        return
    exited_with_snapshot()
    must("export", "--instance", "-o", DIR + "/in.tar", "one")
    must("rm", "one")


def with_network():
    must("network", "create", "net")


def with_volume():
    must("volume", "create", "vol")


def with_image():
    exited()
    os.makedirs(DIR + "/tree/new", exist_ok=True)
    must("import", "-c", 'CMD ["sh"]', DIR + "/tree", "my/new")


COMMANDS = {  # name: (what comes before, the command)
    "create": (lambda: None, CREATE),
    "port add": (running, ["port", "add", "one", "127.0.0.1::80"]),
    "port rm": (published, ["port", "rm", "one", "80"]),
    "network disconnect": (connected, ["network", "disconnect", "net", "one"]),
    "start": (exited if ISOLATION == "container" else created, ["start", "one"]),  # a machine boots for each
    "stop": (running, ["stop", "-t", "2", "one"]),
    "kill": (running, ["kill", "one"]),
    "rm": (exited, ["rm", "one"]),
    "set isolation": (exited, ["set", "one", "isolation=" + OTHER]),
    "rm -f": (running, ["rm", "-f", "one"]),
    "pause": (running, ["pause", "one"]),
    "unpause": (paused, ["unpause", "one"]),
    "rename": (used, ["rename", "one", "other"]),
    "restart": (running, ["restart", "-t", "2", "one"]),
    "run -p": (lambda: None, ["run", "-d", "-p", "127.0.0.1:8080:80", *CREATE[1:]]),
    "run warm": (lambda: None, ["run", "-d", "-q", "--warm", "-m", "64m", *CREATE[1:]]),
    "exec": (running, ["exec", "one", "true"]),
    "update": (used, ["update", "-m", "64m", "one"]),
    "cp in": (running, ["cp", sys.argv[0], "one:/tmp/in"]),
    "cp out": (running, ["cp", "one:/etc", DIR + "/out"]),
    "cp at rest": (created, ["cp", sys.argv[0], "one:/tmp/in"]),
    "export": (running, ["export", "-o", DIR + "/out", "one"]),
    "export instance": (exited_with_snapshot, ["export", "--instance", "-o", DIR + "/out", "one"]),
    "import instance": (exported, ["import", "--instance", DIR + "/in.tar", "one"]),
    "commit": (exited, ["commit", "one", "my/new"]),
    "rmi": (with_image, ["rmi", "my/new"]),
    "snapshot create": (exited, ["snapshot", "create", "one@new"]),
    "snapshot running": (running, ["snapshot", "create", "one@new"]),
    "snapshot rm": (exited_with_snapshot, ["snapshot", "rm", "one@before"]),
    "rollback": (exited_with_snapshot, ["rollback", "one@before"]),
    "snapshot group": (exited, ["snapshot", "create", "--group", "one@new"]),
    "rollback group": (exited_with_snapshot, ["rollback", "--group", "one@before"]),
    "update-image": (with_image, ["update-image", "one", "my/new"]),
    "clone": (exited_with_snapshot, ["clone", "one@before", "two"]),
    "network create": (lambda: None, ["network", "create", "net"]),
    "network rm": (with_network, ["network", "rm", "net"]),
    "network run": (with_network, ["run", "-d", "--network", "net", *CREATE[1:]]),
    "network connect": (lambda: (with_network(), running()), ["network", "connect", "net", "one"]),
    "volume create": (lambda: None, ["volume", "create", "vol"]),
    "volume run": (lambda: None, ["run", "-d", "-v", "vol:/etc", *CREATE[1:]]),
    "volume rm": (with_volume, ["volume", "rm", "vol"]),
}


def names():
    status, listed, told = ketch("ps", "-a", "--no-trunc", "--format", "json")
    if status:
        raise RuntimeError(f"ps: {told}")
    try:
        found = [json.loads(line)["Names"] for line in listed.splitlines()]
    except ValueError:
        raise RuntimeError(f"ps printed {listed!r}, {told!r}")
    return [name for name in found if name != SEED]


def state_of(name):
    status, text, told = ketch("inspect", name)
    return json.loads(text)[0]["State"]["Status"] if status == 0 else f"not to be inspected: {told}"


def look_at(name):
    """What is wrong with an instance that is there."""
    if COMMAND == "import instance" and ketch("snapshot", "ls", "-q", name)[1] != "before\n":
        return [f"{name} has come without its snapshot"]
    state = state_of(name)
    if state not in STATES:
        return [f"{name} is {state}"]
    status, _, told = ketch("exec", name, "echo", "here")
    if status == 0 and state in ("created", "exited"):
        return [f"{name} was {state}, but exec worked"]
    if status and state == "running" and state_of(name) == "running":  # it may just have ended
        return [f"exec {name}: {status} {told}"]
    return []


def remove(kind, name, *words):
    """What a command made beside the instance: it is whole, so that it goes, or is not there."""
    status, listed, told = ketch(kind, "ls", "--format", "{{.Name}}" if kind != "image" else "{{.Repository}}")
    if status:
        return [f"{kind} ls: {told}"]
    if name not in listed.split():
        return []
    status, _, told = ketch(kind, "rm", *words, name)
    return [f"{kind} rm {name}: {told}"] if status else []


def clear():
    if os.path.isdir(DIR + "/out"):
        shutil.rmtree(DIR + "/out")
    elif os.path.exists(DIR + "/out"):
        os.remove(DIR + "/out")
    if COMMAND == "import instance":
        ketch("image", "prune", "-f")  # what one that was killed has brought
        ketch("import", "--instance", "/dev/null")  # and the next one sweeps
    return remove("network", "net") + remove("volume", "vol") + remove("image", "my/new")


def entries(directory):
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def remains():
    left = list(audit.left(DIR))
    left += [f"{d} {x}" for d in ("instances", "writable", "volumes") for x in entries(f"{STORE}/{d}")]
    left += [f"run {x}" for x in entries(RUN) if x not in ("kvm.json", "networks")]
    return left + [f"network {x}" for x in entries(RUN + "/networks") if x not in ("lock", "rules") and not x.startswith("forwarding-")]


def left():
    end = time.monotonic() + 20
    while (found := [x for x in remains() if x not in BEFORE]) and time.monotonic() < end:
        time.sleep(0.02)  # what was killed a moment ago may not be reaped yet
        names()  # a machine that was started for files ends behind its command: whoever comes next clears up
    return found


def once(n):
    """Returns what was wrong, and the number of calls when n is 0."""
    before, command = COMMANDS[COMMAND]
    before()
    calls, found = None, []
    try:
        _, said, told = call([KILLAT, "-c", "-e", str(n), KETCH, *command])
        if n == 0 and told:
            raise RuntimeError(f"{command}: {told}")
        calls = int(said.split()[-1]) if n == 0 else None
        there = names()
        kept = [name for name in there if name.startswith("warm-")]
        if len(there) - len(kept) > 1 and command[0] != "clone" or len(kept) > 1:
            found.append(f"instances: {there}")
        for name in there:
            found += look_at(name) if name not in kept else []
        for name in there:
            status, _, told = ketch("rm", "-f", name)
            found += [f"rm -f {name}: {told}"] if status else []
        names()  # clears what a killed creation has left
        found += clear()
    except subprocess.TimeoutExpired as e:
        found.append(f"did not return: {e.cmd}")
    return found + left() + net_left.look(ketch, RUN), calls


def main():
    open(DIR + "/things", "a").close()
    BEFORE.extend(remains())
    wrong, calls = once(0)
    bad = [(0, wrong)] if wrong else []
    count = min(int(POINTS), calls)
    points = [calls * (2 * i + 1) // (2 * count) + 1 for i in range(count)]
    for n in points:
        wrong, _ = once(n)
        if wrong:
            bad.append((n, wrong))
    print(f"{COMMAND}: killed at {len(points)} of {calls} system calls, {len(bad)} times something was wrong")
    for n, wrong in bad[:6]:
        print(f"at call {n}: {'; '.join(wrong[:5])}")
    sys.exit(bool(bad))


main()
