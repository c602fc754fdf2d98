#!/usr/bin/env python3
"""compare.py KETCH ROOTFS DIR ISOLATION - the same commands given to dockerd and to ketch, outputs compared field by field

dockerd is started privately below DIR.  Each case is one command line with a way to compare:

    same     exit status and stdout, once ids, times, durations, sizes and digests are masked
    status   exit status, and whether it said something on stderr
    header   the first line of a table
    fields   of JSON: every field that Docker prints is there, with a value of the same type

What differs on purpose stands in DIFFERENT, with the reason.  Prints TAP.
"""
import json
import os
import re
import subprocess
import sys
import time

KETCH, ROOTFS, DIR, ISOLATION = sys.argv[1:]
DOCKER = ["docker", "-H", f"unix://{DIR}/docker.sock"]
LIMITS = ["--ulimit", "nofile=1024:1024"]  # the machine may have no CAP_SYS_RESOURCE
STAY = "sh -c 'trap \"exit 0\" TERM; echo ready; while :; do sleep 0.1; done'"

CASES = [
    ("status", "run --name web --network none -d -l tier=front -e A=b --hostname h -w /tmp -m 64m img " + STAY),
    ("same", "wait-ready"),
    ("same", "ps --format '{{.Names}} {{.Image}} {{.State}} {{.Command}} {{.Labels}} {{.Ports}} {{.Networks}}'"),
    ("header", "ps"),
    ("header", "ps -a --size"),
    ("fields", "ps --format '{{json .}}'"),
    ("same", "inspect --format '{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}}' web"),
    ("same", "inspect --format '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.WorkingDir}} {{.Config.Hostname}}' web"),
    ("same", "inspect --format '{{.HostConfig.Memory}} {{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}}' web"),
    ("same", "inspect --format '{{range .Config.Env}}{{println .}}{{end}}' web"),
    ("same", "inspect --format '{{json .Config.Labels}} {{.Config.Image}} {{.Path}} {{json .Args}}' web"),
    ("same", "inspect --format '{{.Config.Labels.nope}} {{.Config.Labels.tier}} {{.NetworkSettings.Networks.nope.IPAddress}}' web"),
    ("same", "inspect --format '{{.Config.Hostname}}' /web"),
    ("same", "inspect --format '{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}} {{.HostConfig.NanoCPUs}}' web"),
    ("same", "run --network none --rm --hostname 'a b' img cat /proc/sys/kernel/hostname"),
    ("same", "create --network none --name anon -v /data -v named:/b img true"),
    ("same", "inspect --format '{{.ID}} {{json .Config.Volumes}}' anon"),
    ("same", "rm -v anon"),
    ("status", "events --since 1h --until 2h"),
    ("same", "ps --filter name=^/web$ --format '{{.Names}}'"),
    ("status", "ps --filter exited=x"),
    ("status", "update web"),
    ("same", "info --format '{{.OperatingSystem}} {{.Architecture}} {{.Swarm.LocalNodeState}} {{.LoggingDriver}} {{.ContainersPaused}}'"),
    ("same", "version --format '{{.Server.Os}} {{.Server.Arch}}'"),
    ("fields", "inspect web"),
    ("fields", "image inspect img"),
    ("same", "create --network none --name apart --expose 80 --expose 53/udp -l x=y -u :5 img true"),
    ("same", "inspect --format '{{range $p, $c := .Config.ExposedPorts}}{{$p}} {{end}}{{.Config.User}}' apart web"),
    ("same", "inspect --format '{{define \"l\"}}{{range $k, $v := .}}{{$k}}={{html $v}};{{end}}{{end}}{{template \"l\" .Config.Labels}}' apart"),
    ("same", "rm apart"),
    ("same", "run --network none --name told -l a=1 -e X='y z' --log-opt labels=a --log-opt env=X --log-opt tag={{.Name}} img echo hi"),
    ("same", "logs --details told"),
    ("same", "inspect --format '{{json .HostConfig.LogConfig.Config}}' told"),
    ("same", "rm told"),
    ("same", "exec -u :5 web id"),
    ("status", "inspect nobody"),
    ("same", "exec web sh -c 'id -u; pwd; echo $A; hostname; echo err >&2; exit 7'"),
    ("same", "exec -w / -e A=c -u 1:2 web sh -c 'id; pwd; echo $A'"),
    ("status", "exec web /nope"),
    ("status", "exec web /tmp"),
    ("status", "exec nobody true"),
    ("status", "exec -w /nonexist web true"),
    ("status", "exec -u nosuch web true"),
    ("same", "inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' web"),
    ("same", "logs web"),
    ("same", "logs --tail 0 web"),
    ("status", "logs nobody"),
    ("header", "stats --no-stream"),
    ("fields", "stats --no-stream --format '{{json .}}'"),
    ("header", "top web"),
    ("same", "port web"),
    ("same", "diff web"),
    ("same", "rename web www"),
    ("same", "rename www web"),
    ("status", "rename nobody other"),
    ("same", "pause web"),
    ("status", "pause web"),
    ("same", "ps --format '{{.State}}'"),
    ("same", "unpause web"),
    ("status", "unpause web"),
    ("same", "update -m 48m --memory-swap 48m web"),
    ("status", "cp web:/etc/passwd -"),
    ("status", "cp web:/nope -"),
    ("same", "kill -s WINCH web"),
    ("status", "kill -s NOPE web"),
    ("status", "rm web"),
    ("same", "stop -t 5 web"),
    ("same", "inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Pid}}' web"),
    ("status", "kill web"),
    ("same", "stop web"),
    ("status", "exec web true"),
    ("same", "wait web"),
    ("same", "ps -a --format '{{.Names}} {{.State}}'"),
    ("same", "start web"),
    ("same", "restart -t 1 web"),
    ("same", "rm -f web"),
    ("same", "rm -f web"),
    ("status", "rm web"),
    ("same", "run --rm --network none img echo hello"),
    ("same", "run --rm --network none -u 1:2 -w /etc -e X=y img sh -c 'id -u; id -g; pwd; echo $X; exit 9'"),
    ("status", "run --rm --network none img /nope"),
    ("status", "run --rm --network none img /etc"),
    ("status", "run --rm --network none --memory 1 img true"),
    ("status", "run --rm --network none --nope img true"),
    ("status", "run --rm --network none --name 'a b' img true"),
    ("same", "run --rm --network none --read-only img sh -c 'touch /x 2>/dev/null || echo ro'"),
    ("same", "run --rm --network none --cap-drop all img grep CapEff /proc/1/status"),
    ("same", "run --rm --network none img grep -E 'Cap(Eff|Bnd|Inh)|NoNewPrivs|Seccomp:' /proc/1/status"),
    ("same", "run --rm --network none img sh -c 'cat /proc/self/oom_score_adj; umask; ulimit -c'"),
    ("same", "run --rm --network none img sh -c 'env | grep -v HOSTNAME | sort'"),
    ("same", "run --rm --network none -t img sh -c 'env | grep TERM; tty'"),
    ("same", "run --rm --network none img sh -c 'ls /dev | grep -v console | sort | tr \"\\n\" \" \"'"),
    ("same", "run --rm --network none img sh -c 'grep -c . /proc/self/mounts >/dev/null; stat -c \"%a %u %g %F\" /dev/null /dev/shm /tmp /proc /sys'"),
    ("same", "run --rm --network none --tmpfs /m:size=1m,mode=700 img stat -c '%a %F' /m"),
    ("same", "volume create vol"),
    ("same", "volume ls -q"),
    ("header", "volume ls"),
    ("fields", "volume inspect vol"),
    ("same", "run --rm --network none -v vol:/v img sh -c 'echo x >/v/f; cat /v/f'"),
    ("same", "volume rm vol"),
    ("same", "volume create --name vol"),
    ("same", "volume rm vol"),
    ("status", "volume rm vol"),
    ("header", "images"),
    ("fields", "images --format '{{json .}}'"),
    ("same", "images --format '{{.Repository}} {{.Tag}}'"),
    ("same", "tag img other:1"),
    ("same", "rmi other:1"),
    ("status", "rmi nope"),
    ("header", "history img"),
    ("fields", "history --format '{{json .}}' img"),
    ("header", "system df"),
    ("fields", "version --format '{{json .}}'"),
    ("status", "create --network none --name made img true"),
    ("same", "ps -a --format '{{.Names}} {{.Status}}'"),
    ("same", "start made"),
    ("same", "wait made"),
    ("same", "container prune -f"),
]

# (command, what): why it is another thing here.
DIFFERENT = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "different.json"), encoding="utf-8"))

MASKS = [
    (r"sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( [A-Z]{3})?", "TIME"),
    (r"(Less than a|About an?|\d+) (second|minute|hour)s?", "AGE"),
    (r"\b\d+(\.\d+)?([kKMGT]i?)?B\b", "SIZE"),
]


def masked(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


class Engine:
    def __init__(self, name, base, run_flags):
        self.name, self.base, self.run_flags = name, base, run_flags

    def words(self, line):
        words = shell_words(line)
        if words[0] in ("run", "create"):
            words[1:1] = self.run_flags
        return self.base + words

    def call(self, line):
        """Status, stdout, stderr."""
        if line == "wait-ready":
            return self.wait_ready()
        p = subprocess.run(self.words(line), stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")

    def wait_ready(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if "ready" in self.call("logs web")[1]:
                return 0, "ready", ""
            time.sleep(0.05)
        return 1, "", "never ready"


def shell_words(line):
    import shlex
    return shlex.split(line)


def json_of(text):
    """The first object that is printed, in a list or a line of its own."""
    value = json.loads(text) if text.lstrip().startswith("[") else json.loads((text.splitlines() or ["{}"])[0])
    return value[0] if isinstance(value, list) else value


def kind(value):
    return {bool: "bool", int: "number", float: "number", str: "text", list: "list", dict: "object"}.get(type(value), "null")


def missing_fields(want, got, path=""):
    """Docker's fields that are not there or of another type; null there says nothing about the type."""
    for key, value in want.items():
        place = f"{path}.{key}"
        if key not in got:
            yield place
        elif isinstance(value, dict) and isinstance(got[key], dict):
            if not re.search(r"\.(Labels|Ports|Networks|GraphDriver|Options|Components)$", place):
                yield from missing_fields(value, got[key], place)
        elif "null" not in (kind(value), kind(got[key])) and kind(value) != kind(got[key]):
            yield f"{place} ({kind(value)}, not {kind(got[key])})"


def differences(how, docker, ours):
    if docker[0] != ours[0]:
        yield f"status {docker[0]}, not {ours[0]}: {ours[2].strip()[:200] or docker[2].strip()[:200]}"
        return
    if how == "same" and masked(docker[1]) != masked(ours[1]):
        yield f"prints {masked(docker[1])[:600]!r}, not {masked(ours[1])[:600]!r}"
    if how == "status" and bool(docker[2].strip()) != bool(ours[2].strip()):
        yield f"says {docker[2].strip()[:200]!r}, not {ours[2].strip()[:200]!r}"
    if how == "header":
        want, got = (re.sub(r" {2,}", "|", (t[1].splitlines() or [""])[0].strip()) for t in (docker, ours))
        if want != got:
            yield f"head {want!r}, not {got!r}"
    if how == "fields" and docker[0] == 0:
        yield from missing_fields(json_of(docker[1]), json_of(ours[1]))


def start_dockerd():
    log = open(f"{DIR}/dockerd.log", "w", encoding="utf-8")
    daemon = subprocess.Popen(
        ["dockerd", "-H", f"unix://{DIR}/docker.sock", "--data-root", f"{DIR}/data", "--exec-root", f"{DIR}/exec",
         "--pidfile", f"{DIR}/pid", "--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    end = time.monotonic() + 60
    while subprocess.run(DOCKER + ["version"], capture_output=True).returncode:
        if time.monotonic() > end or daemon.poll() is not None:
            sys.exit(f"Bail out! dockerd does not start: see {DIR}/dockerd.log")
        time.sleep(0.1)
    return daemon


def import_image():
    command = "CMD [\"sh\"]"
    tar = subprocess.run(["tar", "-C", ROOTFS, "-cf", f"{DIR}/rootfs.tar", "."], check=True)
    for base in (DOCKER, [KETCH]):
        subprocess.run(base + ["import", "-c", command, f"{DIR}/rootfs.tar", "img"], check=True, stdout=subprocess.DEVNULL)
    return tar


def compare(docker, ketch):
    failed = 0
    print(f"1..{len(CASES)}")
    for n, (how, line) in enumerate(CASES, 1):
        known = DIFFERENT.get(line, {})
        found = [d for d in differences(how, docker.call(line), ketch.call(line)) if not any(re.search(k, d) for k in known)]
        failed += bool(found)
        print(("not ok" if found else "ok") + f" {n} {how}: {line}", flush=True)
        for d in found:
            print(f"# {d}", flush=True)
    return failed


def main():
    daemon = start_dockerd()
    try:
        import_image()
        failed = compare(Engine("docker", DOCKER, LIMITS), Engine("ketch", [KETCH], ["--isolation", ISOLATION, *LIMITS]))
    finally:
        ids = subprocess.run(DOCKER + ["ps", "-aq"], capture_output=True, text=True).stdout.split()
        if ids:
            subprocess.run(DOCKER + ["rm", "-f", *ids], stdout=subprocess.DEVNULL)
        daemon.terminate()
        daemon.wait(60)
    sys.exit(bool(failed))


main()
