#!/usr/bin/env python3
"""kill_points.py KETCH KILLAT ISOLATION DIR POINTS COMMAND - kill -9 of what a command of ketch runs, at its system calls

The command (create, start, stop, ...) works on an instance `one` that was brought into the state before it.  It is run under
killat, which kills whichever of its processes makes the Nth system call, the monitor included, at POINTS numbers spread
evenly.  After each: ps and inspect answer in time with a state that can be, the instance can be used or refuses in one
line, rm -f removes it, and nothing is left of it.
"""
import json
import os
import subprocess
import sys
import time

import net_left

KETCH, KILLAT, ISOLATION, DIR, POINTS, COMMAND = sys.argv[1:]
AUDIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audit.py")
STORE, RUN = os.environ["KETCH_ROOT"], os.environ["KETCH_RUN_ROOT"]
DEADLINE = 60
STAY = ["ketch/base", "sh", "-c", "trap 'exit 0' TERM INT; tail -f /dev/null & wait"]
CREATE = ["create", "--isolation", ISOLATION, "--name", "one", *STAY]
STATES = {"created", "running", "exited", "paused"}


def call(words):
    """Status, stdout and stderr; through files, which a monitor that was left may keep open."""
    with open(DIR + "/said", "w+b") as out, open(DIR + "/told", "w+b") as err:
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
    running()
    must("stop", "-t", "2", "one")


COMMANDS = {  # name: (what comes before, the command)
    "create": (lambda: None, CREATE),
    "port add": (running, ["port", "add", "one", "127.0.0.1::80"]),
    "port rm": (published, ["port", "rm", "one", "80"]),
    "network disconnect": (connected, ["network", "disconnect", "net", "one"]),
    "start": (exited, ["start", "one"]),
    "stop": (running, ["stop", "-t", "2", "one"]),
    "kill": (running, ["kill", "one"]),
    "rm": (exited, ["rm", "one"]),
    "rm -f": (running, ["rm", "-f", "one"]),
    "pause": (running, ["pause", "one"]),
    "unpause": (paused, ["unpause", "one"]),
    "rename": (running, ["rename", "one", "other"]),
    "restart": (running, ["restart", "-t", "2", "one"]),
}


def names():
    status, listed, told = ketch("ps", "-a", "--no-trunc", "--format", "json")
    if status:
        raise RuntimeError(f"ps: {told}")
    try:
        return [json.loads(line)["Names"] for line in listed.splitlines()]
    except ValueError:
        raise RuntimeError(f"ps printed {listed!r}, {told!r}")


def state_of(name):
    status, text, told = ketch("inspect", name)
    return json.loads(text)[0]["State"]["Status"] if status == 0 else f"not to be inspected: {told}"


def look_at(name):
    """What is wrong with an instance that is there."""
    state = state_of(name)
    if state not in STATES:
        return [f"{name} is {state}"]
    status, _, told = ketch("exec", name, "echo", "here")
    if status == 0 and state in ("created", "exited"):
        return [f"{name} was {state}, but exec worked"]
    if status and state == "running" and state_of(name) == "running":  # it may just have ended
        return [f"exec {name}: {status} {told}"]
    return []


def remains():
    left = subprocess.run([AUDIT, DIR], capture_output=True, text=True).stdout.splitlines()
    left = [line for line in left if f"process {os.getpid()}:" not in line]
    return left + [f"store {x}" for x in os.listdir(STORE + "/instances")] + [
        f"run {x}" for x in os.listdir(RUN) if x not in ("kvm.json", "networks")] + [
        f"network {x}" for x in networks() if x != "lock" and not x.startswith("forwarding-")]


def networks():
    try:
        return os.listdir(RUN + "/networks")
    except FileNotFoundError:
        return []


def left():
    end = time.monotonic() + 20
    while (found := remains()) and time.monotonic() < end:
        time.sleep(0.02)  # what was killed a moment ago may not be reaped yet
    return found


def once(n):
    """Returns what was wrong, and the number of calls when n is 0."""
    before, command = COMMANDS[COMMAND]
    before()
    calls, found = None, []
    try:
        _, said, told = call([KILLAT, str(n), KETCH, *command])
        if n == 0 and told:
            raise RuntimeError(f"{command}: {told}")
        calls = int(said.split()[-1]) if n == 0 else None
        there = names()
        if len(there) > 1:
            found.append(f"instances: {there}")
        for name in there:
            found += look_at(name)
        for name in there:
            status, _, told = ketch("rm", "-f", name)
            found += [f"rm -f {name}: {told}"] if status else []
        names()  # clears what a killed creation has left
    except subprocess.TimeoutExpired as e:
        found.append(f"did not return: {e.cmd}")
    return found + left() + net_left.look(ketch, RUN), calls


def main():
    open(DIR + "/things", "a").close()
    wrong, calls = once(0)
    bad = [(0, wrong)] if wrong else []
    points = range(1, calls + 1, max(1, calls // int(POINTS)))
    for n in points:
        wrong, _ = once(n)
        if wrong:
            bad.append((n, wrong))
    print(f"{COMMAND}: killed at {len(points)} of {calls} system calls, {len(bad)} times something was wrong")
    for n, wrong in bad[:6]:
        print(f"at call {n}: {'; '.join(wrong[:5])}")
    sys.exit(bool(bad))


main()
