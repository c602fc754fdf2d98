"""lab.py - several "hosts" on one machine: network namespaces, who serves in them and who asks

The namespaces are made below an own /run/netns, in a mount namespace of this process (see enter): nothing of the machine
changes.  The process itself is in the namespace "host".
"""
import json, os, socket, subprocess, sys, threading

ASK_S = 1.0  # what does not answer until then is not reached


def sh(command):
    subprocess.run(command, shell=True, check=True)


def enter():
    """Runs this program again in own mount and network namespaces."""
    if os.environ.get("LAB"):
        sh("mount -t tmpfs tmpfs /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns; }")
        sh("mount -t sysfs sysfs /sys && ip link set lo up")
        return
    os.environ["LAB"] = "1"
    os.execvp("unshare", ["unshare", "-mn", "--propagation", "private", sys.executable] + sys.argv)


def within(ns, argv):
    return argv if ns == "host" else ["ip", "netns", "exec", ns] + argv


def wire(ns, host_link, inside, addresses, routes=(), bridge=None, mac=None):
    """A namespace (made unless it is there) and a veth pair into it."""
    if not os.path.exists("/run/netns/" + ns):
        sh(f"ip netns add {ns} && ip -n {ns} link set lo up")
    sh(f"ip link add {host_link} type veth peer name {inside} netns {ns}")
    if mac:
        sh(f"ip -n {ns} link set {inside} address {mac}")
    for a in addresses:
        sh(f"ip -n {ns} address add {a} dev {inside} {'nodad' if ':' in a else ''}")
    sh(f"ip -n {ns} link set {inside} up")
    if bridge:
        sh(f"ip link set {host_link} master {bridge}")
    sh(f"ip link set {host_link} up")
    for r in routes:
        sh(f"ip -n {ns} route add {r}")


def bridge(name, *addresses):
    sh(f"ip link add {name} type bridge && ip link set {name} up")
    for a in addresses:
        sh(f"ip address add {a} dev {name} {'nodad' if ':' in a else ''}")


# --- inside a namespace: serves on ports and answers questions on stdin

def answer_tcp(s):
    while True:
        c, peer = s.accept()
        c.sendall((peer[0] + "\n").encode())
        c.close()


def answer_udp(s):
    while True:
        _, peer = s.recvfrom(100)
        s.sendto((peer[0] + "\n").encode(), peer)


def serve(ports):
    for family in (socket.AF_INET, socket.AF_INET6):
        for port in ports:
            for kind, loop in ((socket.SOCK_STREAM, answer_tcp), (socket.SOCK_DGRAM, answer_udp)):
                s = socket.socket(family, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("", port))
                if kind == socket.SOCK_STREAM:
                    s.listen(16)
                threading.Thread(target=loop, args=(s,), daemon=True).start()


def ask(kind, address, port):
    """The address that the server saw, or "" when nobody answers."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(ASK_S)
        try:
            s.connect(socket.getaddrinfo(address, port, family)[0][4])  # which knows fe80::1%eth0
            if kind == "udp":
                s.send(b"?")
            return s.recv(100).decode().strip()
        except OSError:
            return ""


def agent(ports):
    serve(ports)
    print("ready", flush=True)
    for line in sys.stdin:
        questions = json.loads(line)
        answers = [None] * len(questions)

        def one(i):
            answers[i] = ask(*questions[i])

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(questions))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        print(json.dumps(answers), flush=True)


class Agent:
    def __init__(self, ns, ports):
        self.ns = ns
        self.p = subprocess.Popen(within(ns, [sys.executable, os.path.abspath(__file__)] + [str(p) for p in ports]),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.p.stdout.readline() == "ready\n"

    def begin(self, questions):
        self.p.stdin.write(json.dumps(questions) + "\n")
        self.p.stdin.flush()

    def end(self):
        return json.loads(self.p.stdout.readline())

    def ask(self, kind, address, port):
        self.begin([(kind, address, port)])
        return self.end()[0]

    def close(self):
        self.p.stdin.close()
        self.p.wait()


# --- TAP

class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, name, good, *why):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {name}")
        for w in why if not good else ():
            print(f"# {w}")
        sys.stdout.flush()

    def end(self):
        sys.exit(1 if self.failed else 0)


if __name__ == "__main__":
    agent([int(p) for p in sys.argv[1:]])
