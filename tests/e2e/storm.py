#!/usr/bin/env python3
"""storm.py KETCH ISOLATION NAMES PROCESSES COMMANDS SEED - many users who do everything to a few names at once

Each of PROCESSES does COMMANDS random ones of create, run -d, start, stop, kill, pause, unpause, restart, rename, rm.
Most are refused, as they come at a bad time.  The storm fails when a command does not return, dies of a signal, says
what is no sentence of ketch's, or when a name belongs to two instances.  Who calls looks for what is left.
"""
import json
import random
import subprocess
import sys
import threading

KETCH, ISOLATION, NAMES, PROCESSES, COMMANDS, SEED = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
IMAGE = ["ketch/base", "sh", "-c", "trap 'exit 0' TERM; tail -f /dev/null & wait"]
NEW = ["--isolation", ISOLATION]
DEADLINE = 120
STATUSES = {0, 1, 125, 137, 143}  # the last two: stopped while it was started
failures = []


def names(rng):
    return f"n{rng.randrange(NAMES)}"


VERBS = {
    "create": lambda n, rng: [*NEW, "--name", n, "--stop-timeout", "2", *IMAGE],
    "run": lambda n, rng: ["-d", *NEW, "--name", n, *rng.choice([[], ["--rm"], ["--restart", "always"]]), *IMAGE],
    "start": lambda n, rng: [n],
    "stop": lambda n, rng: ["-t", "1", n],
    "kill": lambda n, rng: [n],
    "pause": lambda n, rng: [n],
    "unpause": lambda n, rng: [n],
    "restart": lambda n, rng: ["-t", "1", n],
    "rename": lambda n, rng: [n, names(rng)],
    "rm": lambda n, rng: [*rng.choice([[], ["-f"], ["-f"]]), n],
}


def ketch(*words):
    return subprocess.run([KETCH, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE)


def once(rng):
    verb = rng.choice(list(VERBS))
    words = [verb, *VERBS[verb](names(rng), rng)]
    try:
        done = ketch(*words)
    except subprocess.TimeoutExpired:
        failures.append(f"{words}: did not return in {DEADLINE} s")
        return
    strange = [line for line in done.stderr.splitlines() if not line.startswith("ketch: ")]
    if done.returncode not in STATUSES or strange:
        failures.append(f"{words}: status {done.returncode}: {done.stderr}")


def user(seed):
    rng = random.Random(seed)
    for _ in range(COMMANDS):
        once(rng)


def main():
    users = [threading.Thread(target=user, args=(SEED * 1000 + i,)) for i in range(PROCESSES)]
    for u in users:
        u.start()
    for u in users:
        u.join()
    listed = [json.loads(line)["Names"] for line in ketch("ps", "-a", "--format", "json").stdout.splitlines()]
    if len(set(listed)) != len(listed):
        failures.append(f"a name twice: {listed}")
    for f in [f"seed {SEED}"] * bool(failures) + failures[:20]:
        print(f)
    sys.exit(bool(failures))


main()
