"""measure.py - times of many runs, what they say, and tables"""
import os
import shutil
import subprocess
import sys

import peers
from peers import Unavailable

HERE = os.path.dirname(os.path.realpath(__file__))


def repeat(program, argv, runs, period_ms=0, until=None, namespace=None):
    """Runs argv `runs` times; returns milliseconds.  Any failed run is Unavailable: a fast failure is no result."""
    command = [program, "-n", str(runs), "-p", str(period_ms)]
    if until:
        command += ["-u", until]
    if namespace:
        command += ["-m", namespace]
    done = subprocess.run(command + ["--"] + argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Unavailable(done.stderr.strip() or "the runs failed")
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    bad = [status for ns, status in lines if status != 0 or ns < 0]
    if bad:
        raise Unavailable(f"{len(bad)} of {len(lines)} runs failed, the first with status {bad[0]}")
    return [ns / 1e6 for ns, _ in lines]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def summary(values):
    return {"runs": len(values), "min": min(values), "p50": quantile(values, 0.5), "p90": quantile(values, 0.9)}


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def load_average():
    return os.getloadavg()[0]


def print_table(rows):
    """Rows of text, the first the headings; numbers stand on the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def report(title, times, reference):
    """Prints a table of times with their ratio to the reference's, and returns what it says."""
    found = {name: summary(values) for name, values in times.items()}
    base = found.get(reference)
    rows = [(title, "runs", "min", "p50", "p90", "p50 / " + reference)]
    for name, s in found.items():
        s["ratio"] = s["p50"] / base["p50"] if base else None
        rows.append((name, str(s["runs"]), f"{s['min']:.2f}", f"{s['p50']:.2f}", f"{s['p90']:.2f}",
                     f"{s['ratio']:.2f}" if base else "-"))
    print_table(rows)
    return found


# --- what a measurement needs before it begins


def own_namespace():
    """Nothing that we mount shall be seen outside."""
    if os.environ.get("KETCH_BENCH_INSIDE"):
        return
    os.environ["KETCH_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])


def make_root(work):
    """A root of one static busybox: the same for all."""
    root = os.path.join(work, "rootfs")
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "run"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(peers.need("busybox"), os.path.join(root, "bin/busybox"))
    for name in ("true", "sh", "echo", "sleep"):
        os.symlink("busybox", os.path.join(root, "bin", name))
    with open(os.path.join(root, "etc/passwd"), "w", encoding="ascii") as f:
        f.write("root:x:0:0:root:/:/bin/sh\n")
    return root


def build_repeat(work):
    program = os.path.join(work, "repeat")
    peers.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, os.path.join(HERE, "repeat.c")])
    return program
