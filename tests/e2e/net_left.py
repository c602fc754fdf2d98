"""net_left.py - what the kernel and the store still hold of networks, when no instance runs any more"""
import hashlib
import json
import re
import subprocess
import time

DEADLINE = 5  # what is released behind an answer


def output(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout


def held(ketch, run_root):
    """Rules of instances and networks that are in no record, links on this store's bridges, leases."""
    status, listed, told = ketch("network", "ls", "-q", "--no-trunc", "--filter", "driver=bridge")
    if status:
        return [f"network ls: {told}"]
    ids = listed.split()
    table = "ketch-" + hashlib.sha256(run_root.encode()).hexdigest()[:8]
    rules = "".join(output("nft", "list", "table", family, table) for family in ("inet", "bridge"))
    owners = set(re.findall(r'comment "([0-9a-f]{64}|network [0-9a-f]+)"', rules))
    bridges = ["kt-" + i[:8] for i in ids]
    links = [x["ifname"] for x in json.loads(output("ip", "-j", "link")) if x.get("master") in bridges]
    leases = [i for i in ids if json.loads(ketch("network", "inspect", i)[1] or "[{}]")[0].get("Containers")]
    return [f"rules of {o}" for o in owners if o.removeprefix("network ") not in ids] + [
        f"link {x}" for x in links] + [f"lease on {i[:8]}" for i in leases]


def look(ketch, run_root):
    """Removes the network `net`, if it is there; what is left then."""
    status, _, told = ketch("network", "rm", "net")
    found = [f"network rm: {told}"] if status and "not found" not in told else []
    end = time.monotonic() + DEADLINE
    while (left := held(ketch, run_root)) and time.monotonic() < end:
        time.sleep(0.02)  # it sends no event
    return found + left
