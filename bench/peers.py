"""peers.py - Ketch and what it is measured against: each starts the same root with /bin/true, and cleans up after itself

A peer has a name, prepare() (raises Unavailable with the peer's own error), start(argv) -> command line, close().
Everything a peer makes lies below its own directory; only processes that we started are ever signalled.
"""
import json
import os
import shutil
import subprocess
import time

# Every command that we run must end.
LIMIT_S = 120


class Unavailable(Exception):
    pass


def run(argv, **kwargs):
    """Runs a command to its end; Unavailable with its last words when it fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=LIMIT_S, check=False, **kwargs)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise Unavailable(lines[-1][:300])
    return done.stdout


def need(program):
    path = shutil.which(program)
    if not path:
        raise Unavailable(f"{program} is not installed")
    return path


def processes_with(text):
    """Pids of processes whose command line contains text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if text.encode() in f.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Peer:
    name = ""
    note = ""
    namespace = None  # a mount namespace to start in

    def __init__(self, work, root):
        self.dir = os.path.join(work, self.name)
        self.root = root
        os.makedirs(self.dir)

    def prepare(self):
        pass

    def close(self):
        pass

    # --- an engine's commands: its words before the verb are self.base

    limits = []
    remove = ["rm", "-f"]  # at once, also what runs

    def create(self, name, argv):
        return self.base + ["create", "--name", name, "--network", "none", *self.limits, "bench", *argv]

    def detached(self, name, argv):
        return self.base + ["run", "-d", "--name", name, "--network", "none", *self.limits, "bench", *argv]

    def monitors(self):
        """Pids of the processes that watch the idle instances."""
        return []


class Ketch(Peer):
    name = "ketch"

    def __init__(self, work, root, program):
        super().__init__(work, root)
        self.program = os.path.abspath(program)
        self.base = [self.program, "--root", f"{self.dir}/root", "--run-root", f"{self.dir}/run"]

    def prepare(self):
        run(self.base + ["import", self.root, "bench:latest"])
        run(self.start(["/bin/true"]))

    def start(self, argv):
        return self.base + ["run", "--rm", "--network", "none", "bench", *argv]

    def start_vm(self, argv):
        return self.base + ["run", "--rm", "--vm", "--network", "none", "bench", *argv]

    def idle(self, n):
        for _ in range(n):
            run(self.base + ["run", "-d", "--network", "none", "bench", "/bin/sleep", "1000"])

    def monitors(self):
        pids = []
        for line in run(self.base + ["ps", "-q"]).split():
            state = json.loads(run(self.base + ["inspect", line]))[0]
            pids.append(parent_of(state["State"]["Pid"]))
        return pids

    def close(self):
        for line in run(self.base + ["ps", "-aq"]).split():
            run(self.base + ["rm", "-f", line])

    def vm_arguments(self):
        """QEMU's options from the plan of a VM, and the kernel's from inside one (the plan does not measure the TSC)."""
        plan = run(self.base + ["run", "--vm", "--dry-run", "bench", "/bin/true"]).splitlines()
        options = [line.split(None, 2)[2] for line in plan if line.split(None, 2)[1] == "vmm-arg"]
        return options, run(self.start_vm(["/bin/busybox", "cat", "/proc/cmdline"])).strip()

    def kernel_image(self):
        return json.loads(run(self.base + ["kernel", "ls", "--format", "json"]).splitlines()[0])["Image"]


def parent_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return int(next(line.split()[1] for line in f if line.startswith("PPid:")))


class Docker(Peer):
    name = "docker"
    networking = ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]

    def __init__(self, work, root):
        super().__init__(work, root)
        self.daemon = None
        self.base = ["docker", "-H", f"unix://{self.dir}/docker.sock"]

    def prepare(self):
        need("docker")
        dockerd = need("dockerd")
        with open(f"{self.dir}/log", "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                [dockerd, "-H", f"unix://{self.dir}/docker.sock", "--data-root", f"{self.dir}/data",
                 "--exec-root", f"{self.dir}/exec", "--pidfile", f"{self.dir}/pid", *self.networking],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_for_daemon()
        run(["sh", "-c", 'tar -C "$0" -c . | "$@"', self.root, *self.base, "import", "-", "bench:latest"])
        run(self.start(["/bin/true"]))

    def wait_for_daemon(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.daemon.poll() is not None:
                break
            try:
                self.note = "Docker " + run(self.base + ["version", "--format", "{{.Server.Version}}"]).strip()
                return
            except Unavailable:
                time.sleep(0.2)
        with open(f"{self.dir}/log", encoding="utf-8", errors="replace") as log:
            raise Unavailable("dockerd: " + (log.read().strip().splitlines() or ["it says nothing"])[-1][:300])

    def start(self, argv):
        return self.base + ["run", "--rm", "--network", "none", "bench", *argv]

    def idle(self, n):
        for _ in range(n):
            run(self.base + ["run", "-d", "--network", "none", "bench", "/bin/sleep", "1000"])

    def monitors(self):
        ids = run(self.base + ["ps", "-q", "--no-trunc"]).split()
        return [pid for i in ids for pid in processes_with(i) if "shim" in open(f"/proc/{pid}/comm").read()]

    def close(self):
        if self.daemon is None:
            return
        if self.daemon.poll() is None:
            try:
                ids = run(self.base + ["ps", "-aq"]).split()
                if ids:
                    run(self.base + ["rm", "-f", *ids])
            except Unavailable:
                pass
            self.daemon.terminate()
            try:
                self.daemon.wait(60)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()


class Podman(Peer):
    name = "podman"
    # The machine may have no CAP_SYS_RESOURCE: Podman's default limits cannot be set then.
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    remove = ["rm", "-f", "-t", "0"]  # else it waits ten seconds for a PID 1 that ignores SIGTERM

    def __init__(self, work, root):
        super().__init__(work, root)
        self.base = ["podman", "--root", f"{self.dir}/root", "--runroot", f"{self.dir}/run", "--tmpdir",
                     f"{self.dir}/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
                     "--storage-driver", "overlay", "--runtime", shutil.which("runc") or "runc"]

    def prepare(self):
        need("podman")
        self.note = run(["podman", "--version"]).strip() + " with runc"
        run(["sh", "-c", 'tar -C "$0" -c . | "$@"', self.root, *self.base, "import", "-q", "-", "bench:latest"])
        run(self.start(["/bin/true"]))

    def start(self, argv):
        return self.base + ["run", "--rm", "--network", "none", *self.limits, "bench", *argv]

    def idle(self, n):
        for _ in range(n):
            run(self.base + ["run", "-d", "--network", "none", *self.limits, "bench", "/bin/sleep", "1000"])

    def monitors(self):
        ids = run(self.base + ["ps", "-q", "--no-trunc"]).split()
        return [pid for i in ids for pid in processes_with(i) if "conmon" in open(f"/proc/{pid}/comm").read()]

    def close(self):
        if shutil.which("podman"):
            run(self.base + ["rm", "-f", "-a", "-t", "0"])
            run(self.base + ["rmi", "-f", "-a"])


class Runtime(Peer):
    """A low-level runtime: no image, no log, no network, no seccomp filter and no limits."""

    def prepare(self):
        program = need(self.name)
        self.note = run([program, "--version"]).splitlines()[0] + "; a lower layer: no image, log, limits or seccomp"
        run([program, "spec"], cwd=self.dir)
        with open(f"{self.dir}/config.json", encoding="utf-8") as f:
            spec = json.load(f)
        spec["process"].update(terminal=False, args=["/bin/true"])
        spec["process"].pop("rlimits", None)
        spec["root"]["path"] = self.root
        spec["linux"].pop("resources", None)
        spec["linux"].pop("seccomp", None)
        with open(f"{self.dir}/config.json", "w", encoding="utf-8") as f:
            json.dump(spec, f)
        self.enter_namespace()
        run(["nsenter", f"--mount={self.namespace}", *self.start([])])

    def enter_namespace(self):
        """Debian's crun refuses a hybrid cgroup layout: it gets a namespace with version 2 alone."""
        self.holder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c",
             'mount -t cgroup2 none /sys/fs/cgroup && echo ready && read -r _'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"ready\n":
            raise Unavailable("no mount namespace with cgroup version 2")
        self.namespace = f"/proc/{self.holder.pid}/ns/mnt"

    def start(self, argv):
        return [self.name, "--root", f"{self.dir}/state", "run", "--bundle", self.dir, f"bench-{os.getpid()}"]

    def close(self):
        if getattr(self, "holder", None):
            self.holder.stdin.close()
            self.holder.wait()


class Crun(Runtime):
    name = "crun"


class Runc(Runtime):
    name = "runc"
