#!/usr/bin/env python3
"""monitor_kills.py KETCH ISOLATION DIR TIMES SEED - SIGKILL for the monitor of an instance at random moments of its life

The moments: while it starts, while something is executed in it, while it stops, while it is paused and woken, and while
nothing happens.  After each: ps answers in time and says that the instance does not run, no process of the workload is
left, it starts again or is removed, and at the end nothing is left of it.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

import audit

KETCH, ISOLATION, DIR, TIMES, SEED = sys.argv[1:]
RUN = os.environ["KETCH_RUN_ROOT"]
DEADLINE = 60
START_MS = 40 if ISOLATION == "container" else 4000  # about as long as a start takes
dice = random.Random(int(SEED))


def ketch(*words):
    with open(DIR + "/said", "w+b") as out, open(DIR + "/told", "w+b") as err:
        status = subprocess.run([KETCH, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                timeout=DEADLINE).returncode
        out.seek(0), err.seek(0)
        return status, out.read().decode(), err.read().decode()


def begin(*words):
    quiet = subprocess.DEVNULL
    return subprocess.Popen([KETCH, *words], stdin=quiet, stdout=quiet, stderr=quiet)


def is_monitor(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip() == "ketch-monitor"
    except OSError:
        return False


def monitor_below(command):
    """The monitor that this command has started, as a pidfd; None: it ended before there was one."""
    while command.poll() is None:
        try:
            with open(f"/proc/{command.pid}/task/{command.pid}/children") as f:
                children = f.read().split()
        except OSError:
            continue
        for child in children:
            if is_monitor(child):
                return os.pidfd_open(int(child))
    return None


def kill(pidfd):
    if pidfd is None:
        return
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.close(pidfd)


def state():
    status, text, told = ketch("inspect", "one")
    return json.loads(text)[0]["State"] if status == 0 else {"Status": f"not to be inspected: {told}"}


def running_monitor():
    """As a pidfd; None: nobody."""
    for name in os.listdir(RUN):
        try:
            with open(f"{RUN}/{name}/state.json") as f:
                return os.pidfd_open(json.load(f)["monitorPid"])
        except (OSError, ValueError, KeyError):
            pass
    return None


def kill_in(command, most_ms):
    """Kills the monitor of the running instance while this command is about it."""
    fd = running_monitor()
    p = begin(*command)
    time.sleep(dice.uniform(0, most_ms) / 1000)
    kill(fd)
    p.wait(DEADLINE)


def while_starting():
    p = begin("run", "-d", "--isolation", ISOLATION, "--name", "one", "ketch/base", "tail", "-f", "/dev/null")
    fd = monitor_below(p)
    time.sleep(dice.uniform(0, START_MS) / 1000)
    kill(fd)
    p.wait(DEADLINE)


def started():
    status, _, told = ketch("run", "-d", "--isolation", ISOLATION, "--name", "one", "ketch/base", "tail", "-f", "/dev/null")
    if status:
        raise RuntimeError(f"run: {told}")


def while_executing():
    started()
    kill_in(["exec", "one", "sh", "-c", "echo a; echo b"], 20)


def while_stopping():
    started()
    kill_in(["stop", "-t", "1", "one"], 20)


def while_pausing():
    started()
    kill_in(["pause", "one"], 10)


def while_idle():
    started()
    kill(running_monitor())


MOMENTS = [while_starting, while_executing, while_stopping, while_pausing, while_idle]


def alive(pid):
    """Does the process of the workload still do something?  One that waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def told_wrong():
    """What ps says that is not so."""
    status, listed, told = ketch("ps", "-a", "--format", "{{.Names}} {{.State}}")
    if status:
        return f"ps: {told}"
    if listed.strip() in ("", "one exited", "one created"):
        return None
    now = state()  # the signal may have come before the monitor, or behind its last word
    fd = running_monitor()
    right = fd is not None and now["Status"] in ("running", "paused") and alive(now["Pid"])
    if fd is not None:
        os.close(fd)
    return None if right else f"it is said to be {listed.strip()}"


def wrong_after():
    end = time.monotonic() + 5  # by then the truth is known
    while (wrong := told_wrong()) and time.monotonic() < end:
        pass
    found = [wrong] if wrong else []
    if state()["Status"] in ("exited", "created") and dice.random() < 0.3:
        status, _, told = ketch("start", "one")
        found += [f"start: {told}"] if status else []
    status, _, told = ketch("rm", "-f", "one")
    return found + ([f"rm -f: {told}"] if status and "o such" not in told else [])


def left():
    end = time.monotonic() + 20
    while (found := list(audit.left(DIR))) and time.monotonic() < end:
        time.sleep(0.02)  # what was killed a moment ago may not be reaped yet
    return found


def once():
    moment = dice.choice(MOMENTS)
    try:
        moment()
        found = wrong_after()
    except subprocess.TimeoutExpired as e:
        found = [f"did not return: {e.cmd}"]
    return moment.__name__, found + left()


def main():
    open(DIR + "/things", "a").close()
    bad, counts = [], {}
    for n in range(int(TIMES)):
        name, found = once()
        counts[name] = counts.get(name, 0) + 1
        if found:
            bad.append((n, name, found))
            print(f"{n} {name}: {'; '.join(found[:5])}", flush=True)
    print(f"{TIMES} monitors killed {counts}, seed {SEED}: {len(bad)} times something was wrong")
    sys.exit(bool(bad))


main()
