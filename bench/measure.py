"""measure.py - times of many runs, what they say, and tables"""
import os
import subprocess

from peers import Unavailable


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
