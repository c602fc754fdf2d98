#!/usr/bin/env python3
"""bad_config.py RUNTIME DIR TAG: hundreds of config.json, process.json and resources that are wrong in one place

Each is a good text with one change and the place (JSON path) that the message has to name.  Expected: status 1 (255 of
exec), one line on stderr with "FILE: PLACE", and nothing made: no state, process, cgroup or mount.  Half of the
cases are made from the text itself: every member of it gets values of other types.  Run it by `private`; DIR, TAG and
the running container TAG-box are made by bad_config.bats.  Prints what went wrong, and at last a count.
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

RUNTIME, DIR, TAG = sys.argv[1:4]
RT = [RUNTIME, "--root", DIR + "/state"]
BUNDLE = DIR + "/b/bad"
BASE = json.load(open(DIR + "/b/box/config.json"))
BASE["linux"]["cgroupsPath"] = f"/{TAG}/bad"
DEEP = 100000
HUGE = "x" * 10_000_000

# Every member that the base does not have, with a value that is good as far as reading goes.
MORE = {
    "domainname": "example",
    "process": {"consoleSize": {"height": 1, "width": 1}, "selinuxLabel": "", "apparmorProfile": "",
                "user": {"umask": 18, "additionalGids": [5]}, "scheduler": {"policy": "SCHED_OTHER", "nice": 0},
                "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
                "capabilities": {"inheritable": [], "ambient": []}},
    "root": {"readonly": False},
    "hooks": {name: [{"path": "/bin/true", "args": ["a"], "env": ["A=b"], "timeout": 5}]
              for name in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")},
    "linux": {
        "sysctl": {"net.ipv4.ip_forward": "1"},
        "rootfsPropagation": "private",
        "mountLabel": "",
        "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0}],
        "resources": {
            "memory": {"reservation": 1, "swap": 1 << 30, "kernel": 1, "kernelTCP": 1, "swappiness": 1, "disableOOMKiller": False},
            "cpu": {"shares": 2, "quota": 1000, "period": 1000, "realtimeRuntime": 1, "realtimePeriod": 1, "cpus": "0", "mems": "0"},
            "blockIO": {"weight": 10, "leafWeight": 10, "weightDevice": [{"major": 8, "minor": 0, "weight": 10}],
                        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}]},
            "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
            "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
            "rdma": {"mlx": {"hcaHandles": 1, "hcaObjects": 1}},
            "unified": {"memory.high": "max"}},
        "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "flags": [],
                    "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                                  "args": [{"index": 0, "value": 1, "valueTwo": 0, "op": "SCMP_CMP_EQ"}]}]},
    },
}


def merged(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: merged(a[k], b[k]) if k in a and k in b else copy.deepcopy(a.get(k, b.get(k))) for k in {**a, **b}}
    return copy.deepcopy(b)


FULL = merged(BASE, MORE)


def keys_of(place):
    """"a.b[0].c" as keys; a key with dots in it is written ["key"]."""
    return [int(n) if n else quoted or name for n, quoted, name in re.findall(r'\[(\d+)\]|\["([^"]*)"\]|([^.\[\]]+)', place)]


def place_of(keys):
    place = ""
    for key in keys:
        if isinstance(key, int):
            place += f"[{key}]"
        elif re.fullmatch(r"[A-Za-z0-9_]+", key):
            place += ("." if place else "") + key
        else:
            place += f'["{key}"]'
    return place


GONE = object()


def changed(text, place, value):
    text = copy.deepcopy(text)
    *way, last = keys_of(place)
    inner = text
    for key in way:
        inner = inner.setdefault(key, {}) if isinstance(key, str) else inner[key]
    if value is GONE:
        del inner[last]
    elif isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return text


def wrong_types(text, keys=()):
    """(place, value): each member with values of types that it cannot have."""
    for key, value in (enumerate(text) if isinstance(text, list) else text.items()):
        here = (*keys, key)
        others = {str: (7, []), bool: ("true", 1), int: ("1", 1.5), list: ("x", {"a": 1}), dict: ([1], "x")}[type(value)]
        for other in others:
            yield place_of(here), other
        if isinstance(value, (list, dict)):
            yield from wrong_types(value, here)


def ns(*kinds):
    return [n for n in BASE["linux"]["namespaces"] if n["type"] not in kinds]


TMPFS = {"type": "tmpfs", "source": "tmpfs"}
RULE = {"names": ["read"], "action": "SCMP_ACT_ALLOW"}
MAP = {"containerID": 0, "hostID": 1000, "size": 10}
USERNS = [*BASE["linux"]["namespaces"], {"type": "user"}]
END = len(BASE["mounts"])
# (place of the change, value, place that is named if it is another one)
VALUES = [
    ("ociVersion", GONE), ("ociVersion", ""), ("ociVersion", "invalid"), ("ociVersion", "2.0.0"), ("ociVersion", "0.1.0"), ("ociVersion", "1"),
    ("root", GONE), ("root.path", GONE), ("root.path", ""), ("root.path", DIR + "/nosuch"), ("root.path", "/etc/passwd"), ("root.path", HUGE),
    ("process.cwd", GONE), ("process.cwd", ""), ("process.cwd", "tmp"), ("process.cwd", "../tmp"), ("process.cwd", "/a\0b"),
    ("process.args", GONE), ("process.args", []), ("process.args", [None], "process.args[0]"), ("process.args", ["a\0b"], "process.args[0]"),
    ("process.env", ["A"], "process.env[0]"), ("process.env", ["=x"], "process.env[0]"), ("process.env", ["A=b", ""], "process.env[1]"),
    ("process.user.uid", -1), ("process.user.uid", 1 << 32), ("process.user.uid", (1 << 32) - 1), ("process.user.uid", 1e30),
    ("process.user.gid", -1), ("process.user.gid", 1 << 64), ("process.user.umask", 512), ("process.user.umask", -1),
    ("process.user.additionalGids", [1, -1], "process.user.additionalGids[1]"), ("process.user.additionalGids", [1 << 40], "process.user.additionalGids[0]"),
    ("process.rlimits[0].type", "RLIMIT_FOO"), ("process.rlimits[0].type", "NOFILE"), ("process.rlimits[0].type", GONE),
    ("process.rlimits[0].soft", 2048), ("process.rlimits[0].soft", -1), ("process.rlimits[0].hard", 1 << 64), ("process.rlimits[0].hard", GONE),
    ("process.rlimits[1]", {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}, "process.rlimits[1].type"),
    ("process.oomScoreAdj", 1001), ("process.oomScoreAdj", -1001), ("process.oomScoreAdj", 1 << 70),
    ("process.consoleSize", {"height": 70000, "width": 1}, "process.consoleSize.height"), ("process.consoleSize", {"height": 1}, "process.consoleSize.width"),
    ("process.scheduler", {"policy": "SCHED_FAST"}, "process.scheduler.policy"), ("process.scheduler", {}, "process.scheduler.policy"),
    ("process.scheduler", {"policy": "SCHED_OTHER", "nice": 20}, "process.scheduler.nice"),
    ("process.scheduler", {"policy": "SCHED_FIFO", "priority": 100}, "process.scheduler.priority"),
    ("process.ioPriority", {"class": "FAST", "priority": 1}, "process.ioPriority.class"),
    ("process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8}, "process.ioPriority.priority"),
    ("process.selinuxLabel", "no label"), ("process.apparmorProfile", "a\nb"),
    ("process.capabilities.bounding", ["CAP_NOSUCH"], "process.capabilities.bounding[0]"),
    ("process.capabilities.ambient", ["CAP_SYS_TIME", "chown"], "process.capabilities.ambient[1]"),
    ("hostname", "x" * 65), ("hostname", HUGE), ("domainname", "x" * 65),
    ("linux.namespaces", ns("uts"), "hostname"),
    ("linux.namespaces[0].type", "nosuch"), ("linux.namespaces[0].type", GONE), ("linux.namespaces[0].path", "relative/path"),
    ("linux.namespaces[1].path", "/etc/passwd", ""), ("linux.namespaces[1].path", "/proc/self/ns/ipc", ""),
    ("linux.namespaces[1].path", DIR + "/nosuch", ""),  # found out when it is joined: the path itself is named
    ("linux.namespaces[6]", {"type": "pid"}, "linux.namespaces[6].type"), ("linux.namespaces[6]", {"type": "uts"}, "linux.namespaces[6].type"),
    ("linux.uidMappings", [MAP]), ("linux.gidMappings", [MAP]),
    ("linux.maskedPaths", ["relative"], "linux.maskedPaths[0]"), ("linux.readonlyPaths", ["/ok", "relative"], "linux.readonlyPaths[1]"),
    ("linux.maskedPaths", [""], "linux.maskedPaths[0]"),
    ("linux.sysctl", {"kernel.panic": "1"}, 'linux.sysctl["kernel.panic"]'), ("linux.sysctl", {"vm.swappiness": "1"}, 'linux.sysctl["vm.swappiness"]'),
    ("linux.sysctl", {"../../etc/x": "1"}, 'linux.sysctl["../../etc/x"]'), ("linux.sysctl", {"net..x": "1"}, 'linux.sysctl["net..x"]'),
    ("linux.sysctl", {"net.ipv4.no.such": "1"}), ("linux.sysctl", {"": "1"}, "linux.sysctl"),
    ("linux.mountLabel", "no label"),
    ("linux.rootfsPropagation", "sideways"), ("linux.cgroupsPath", "../../escape"), ("linux.cgroupsPath", "/a/../../b"),
    ("linux.personality", {"domain": "SOLARIS"}, "linux.personality.domain"), ("linux.personality", {}, "linux.personality.domain"),
    ("linux.timeOffsets", {"monotonic": {"secs": 1, "nanosecs": 1}}),
    ("linux.devices", [{"path": "/dev/x", "type": "z", "major": 1, "minor": 1}], "linux.devices[0].type"),
    ("linux.devices", [{"path": "dev/x", "type": "c", "major": 1, "minor": 1}], "linux.devices[0].path"),
    ("linux.devices", [{"path": "/dev/x", "type": "c"}], "linux.devices[0].major"),
    ("linux.devices", [{"path": "/dev/x", "type": "b", "major": 8}], "linux.devices[0].minor"),
    ("linux.devices", [{"path": "/dev/x", "type": "u", "minor": 8}], "linux.devices[0].major"),
    *[("linux.devices", [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": mode}], "linux.devices[0].fileMode")
      for mode in (0o10000 | 0o666, 0o60666, 0o100666, 1 << 26 | 0o666, 1 << 32, -1)],
    ("linux.maskedPaths", ["/proc", "/"], "linux.maskedPaths[1]"), ("linux.maskedPaths", ["/x/.."], "linux.maskedPaths[0]"),
    ("linux.resources.blockIO", {"weightDevice": [{"major": 8, "minor": 0}]}, "linux.resources.blockIO.weightDevice[0].weight"),
    ("process.capabilities.effective", ["CAP_SYS_TIME"], "process.capabilities.effective[0]"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{**RULE, "names": ["read", ""]}]}, "linux.seccomp.syscalls[0].names[1]"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}, "linux.seccomp.listenerMetadata"),
    ("linux.resources.devices[0].access", "rwx"), ("linux.resources.devices[0].type", "z"), ("linux.resources.devices[0].major", -2),
    ("linux.resources.memory.limit", -2), ("linux.resources.memory.limit", 1 << 63), ("linux.resources.memory.swap", 1),
    ("linux.resources.memory.swappiness", 101), ("linux.resources.pids.limit", -2), ("linux.resources.pids.limit", 1 << 63),
    ("linux.resources.cpu", {"shares": -1}, "linux.resources.cpu.shares"), ("linux.resources.cpu", {"quota": -2}, "linux.resources.cpu.quota"),
    ("linux.resources.cpu", {"cpus": "0-"}, "linux.resources.cpu.cpus"), ("linux.resources.cpu", {"cpus": "a"}, "linux.resources.cpu.cpus"),
    ("linux.resources.cpu", {"mems": "3-1"}, "linux.resources.cpu.mems"), ("linux.resources.cpu", {"period": 1 << 64}, "linux.resources.cpu.period"),
    ("linux.resources.blockIO", {"weight": 9}, "linux.resources.blockIO.weight"), ("linux.resources.blockIO", {"weight": 1001}, "linux.resources.blockIO.weight"),
    ("linux.resources.hugepageLimits", [{"pageSize": "3XB", "limit": 1}], "linux.resources.hugepageLimits[0].pageSize"),
    ("linux.resources.hugepageLimits", [{"pageSize": "../x", "limit": 1}], "linux.resources.hugepageLimits[0].pageSize"),
    ("linux.resources.unified", {"../escape": "1"}, 'linux.resources.unified["../escape"]'),
    ("linux.resources.unified", {"memory": "1"}, "linux.resources.unified"),
    ("linux.seccomp", {}, "linux.seccomp.defaultAction"), ("linux.seccomp", {"defaultAction": "ALLOW"}, "linux.seccomp.defaultAction"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}, "linux.seccomp.architectures[0]"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NO"]}, "linux.seccomp.flags[0]"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1 << 40}, "linux.seccomp.defaultErrnoRet"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{**RULE, "action": "SCMP_ACT_X"}]}, "linux.seccomp.syscalls[0].action"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]}, "linux.seccomp.syscalls[0].names"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{**RULE, "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]},
     "linux.seccomp.syscalls[0].args[0].index"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{**RULE, "args": [{"index": 0, "value": 1, "op": "EQ"}]}]},
     "linux.seccomp.syscalls[0].args[0].op"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{**RULE, "action": "SCMP_ACT_NOTIFY"}]}, "linux.seccomp"),
    ("hooks", {"prestart": [{}]}, "hooks.prestart[0].path"), ("hooks", {"poststop": [{"path": "relative"}]}, "hooks.poststop[0].path"),
    ("hooks", {"createRuntime": [{"path": "/x", "timeout": 0}]}, "hooks.createRuntime[0].timeout"),
    ("hooks", {"createRuntime": [{"path": "/x", "timeout": -1}]}, "hooks.createRuntime[0].timeout"),
    ("hooks", {"createRuntime": [{"path": "/x", "timeout": 1 << 62}]}, "hooks.createRuntime[0].timeout"),
    ("hooks", {"createRuntime": [{"path": "/x", "env": ["A"]}]}, "hooks.createRuntime[0].env[0]"),
    ("annotations", {"": "x"}, 'annotations[""]'), ("annotations", {"a": 1}, "annotations.a"),
    *[(f"mounts[{END}]", {"destination": d, **TMPFS}, f"mounts[{END}].destination") for d in ("", "/", "/.", "/x/../..", "/a\0b")],
    (f"mounts[{END}]", TMPFS, f"mounts[{END}].destination"),
    (f"mounts[{END}]", {"destination": "/x", "type": "nosuchfs", "source": "x"}, f"mounts[{END}]"),
    (f"mounts[{END}]", {"destination": "/x", "type": "bind", "source": DIR + "/nosuch", "options": ["bind"]}, f"mounts[{END}]"),
    (f"mounts[{END}]", {"destination": "/x", "type": "bind", "options": ["bind"]}, f"mounts[{END}].source"),
    (f"mounts[{END}]", {"destination": "/x", **TMPFS, "options": ["size=many"]}, f"mounts[{END}]"),
    (f"mounts[{END}]", {"destination": "/x", **TMPFS, "options": ["ro", ""]}, f"mounts[{END}].options[1]"),
    (f"mounts[{END}]", {"destination": "/x", **TMPFS, "options": ["idmap"]}, f"mounts[{END}]"),
]
# Changes of two places, and the one that is named.
PAIRS = [
    ([("linux.namespaces", USERNS), ("linux.uidMappings", [{**MAP, "size": 0}]), ("linux.gidMappings", [MAP])], "linux.uidMappings[0].size"),
    ([("linux.namespaces", USERNS), ("linux.uidMappings", [MAP, MAP]), ("linux.gidMappings", [MAP])], "linux.uidMappings[1]"),
    ([("linux.namespaces", USERNS), ("linux.uidMappings", [{**MAP, "hostID": (1 << 32) - 2}]), ("linux.gidMappings", [MAP])], "linux.uidMappings[0]"),
    ([("linux.namespaces", USERNS), ("linux.uidMappings", [MAP] * 400), ("linux.gidMappings", [MAP])], "linux.uidMappings"),
    ([("linux.namespaces", ns("network")), ("linux.sysctl", {"net.ipv4.ip_forward": "1"})], 'linux.sysctl["net.ipv4.ip_forward"]'),
    ([("linux.namespaces", ns("ipc")), ("linux.sysctl", {"kernel.msgmax": "1"})], 'linux.sysctl["kernel.msgmax"]'),
    ([("linux.namespaces", ns("mount"))], "linux.maskedPaths"),
]


def texts():
    """Whole files: (bytes, the place that is named)."""
    good = json.dumps(BASE)
    for cut in (0, 1, 2, 50, len(good) // 2, len(good) - 1):
        yield good[:cut].encode(), ""
    yield good.encode() + b"{}", ""
    yield good.encode() + b" x", ""
    yield good.encode().replace(b'"of-the-bundle', b'"\xff', 1) if b'"of-the-bundle' in good.encode() else good.encode()[:-1], ""
    yield good.replace('"hostname": "box"', '"hostname": "\xff"').encode("latin-1"), "hostname"
    yield good.replace('"hostname": "box"', '"hostname": "a\\ud800b"').encode(), "hostname"
    yield good.replace('"hostname": "box"', '"hostname": "a", "hostname": "b"').encode(), "hostname"
    yield good.replace('"cwd": "/"', '"cwd": "/", "cwd": "/tmp"').encode(), "process.cwd"
    yield good.replace('"hostname": "box"', '"x": ' + "[" * DEEP + "]" * DEEP).encode(), "x"
    yield good.replace('"hostname": "box"', '"x": ' + '{"a":' * DEEP + "1" + "}" * DEEP).encode(), "x.a"
    for bad in (".5", "+1", "NaN", "Infinity", "tru", "'a'", '"a\nb"', '"\\x41"', "[1,]", "{1:2}", '{"a" 1}', "// c"):
        yield good.replace('"hostname": "box"', f'"x": {bad}').encode(), "x"
    for whole in (b"null", b"[]", b'"text"', b"1", b"\xef\xbb\xbf" + good.encode(), b"\0" * 100):
        yield whole, ""


def configs():
    for place, value in wrong_types(FULL):
        # what comes later than the limits, with limits that every machine has
        text = changed(FULL, "linux.resources", BASE["linux"]["resources"]) if place.startswith("linux.seccomp") else FULL
        yield json.dumps(changed(text, place, value)).encode(), place
    for place, value, *named in VALUES:
        yield json.dumps(changed(BASE, place, value)).encode(), (named or [place])[0]
    for changes, named in PAIRS:
        text = BASE
        for place, value in changes:
            text = changed(text, place, value)
        yield json.dumps(text).encode(), named
    yield from texts()


def processes():
    """process.json: the mistakes of `process`, and the places without it."""
    base, full = BASE["process"], FULL["process"]
    for place, value in wrong_types(full):
        yield json.dumps(changed(full, place, value)).encode(), place
    for place, value, *named in VALUES:
        if place.startswith("process."):
            yield json.dumps(changed(base, place[8:], value)).encode(), (named or [place])[0][8:]


def resources():
    base, full = BASE["linux"]["resources"], FULL["linux"]["resources"]
    for place, value in wrong_types(full):
        yield json.dumps(changed(full, place, value)).encode(), place
    for place, value, *named in VALUES:
        if place.startswith("linux.resources."):
            yield json.dumps(changed(base, place[16:], value)).encode(), (named or [place])[0][16:]


def world():
    box = BASE["linux"]["cgroupsPath"]
    cgroups = [d for top in ["/sys/fs/cgroup", *(e.path for e in os.scandir("/sys/fs/cgroup"))]
               for d in [top + box] if os.path.isdir(d)]
    pids = [p for p in os.listdir("/proc") if p.isdecimal()]
    with open("/proc/self/mountinfo") as f:
        return sorted(n for n in os.listdir(DIR + "/state") if n != ".seccomp"), cgroups, len(pids), f.read()


def check(what, command, status):
    """Returns what is wrong: the text is in the file that the command names."""
    text, place = what
    before = world()
    try:
        with tempfile.TemporaryFile() as err:  # no pipe: a container made by mistake would keep it
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, timeout=20)
            err.seek(0)
            said = err.read().decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "no answer in 20 s"
    wrong = []
    if done.returncode != status:
        wrong.append(f"status {done.returncode}")
    if status and place and not re.search(r"(^|[ \"]|process\.)" + re.escape(place) + r"(?![A-Za-z0-9_])", said):
        wrong.append("the place is not named")
    if len(said.strip().splitlines()) != 1 or len(said) > 2000:
        wrong.append("not one short line")
    after = world()
    if after != before:
        wrong.append("something was left: " + str([a for a, b in zip(after[:3], before[:3]) if a != b] or "a mount"))
    if done.returncode == 0 and command[3] == "create":
        subprocess.run([*RT, "delete", "--force", TAG + "-bad"])
    return wrong and f"{', '.join(wrong)}; it said {said.strip()[:300]!r}"


def main():
    kinds = {
        "config.json": (configs, BUNDLE + "/config.json", [*RT, "create", "--bundle", BUNDLE, TAG + "-bad"], 1),
        "process.json": (processes, DIR + "/process.json", [*RT, "exec", "--process", DIR + "/process.json", TAG + "-box"], 255),
        "resources": (resources, DIR + "/resources.json", [*RT, "update", "--resources", DIR + "/resources.json", TAG + "-box"], 1),
    }
    make, path, command, status = kinds[sys.argv[4]]
    os.makedirs(BUNDLE, exist_ok=True)
    count = failed = 0
    for count, what in enumerate(make(), 1):
        with open(path, "wb") as f:
            f.write(what[0])
        wrong = check(what, command, status)
        if wrong:
            failed += 1
            print(f"case {count} ({what[1] or 'the text'}): {wrong}")
    print(f"{count} cases, {failed} failed")
    sys.exit(failed > 0)


main()
