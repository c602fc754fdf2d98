#!/usr/bin/python3
"""firewall.py BUILD - the rule set with real packets, between network namespaces; speaks TAP; for root

Two networks, an internal one and two wires to the outside.  The table of who may reach whom (120 cells) is asked with
connections, before and after `nft flush ruleset`, and with Docker's own rules beside ours.
"""
import json, os, subprocess, sys, tempfile

from lab import Agent, Tap, bridge, enter, sh, wire, within
from spoof import FRAMES

TABLE = "ketch-lab"
NAMES = "host lan wan a1 a2 b1 i1 i2".split()
MAC = {n: f"02:42:00:00:00:{i:02x}" for i, n in enumerate(NAMES)}
V4 = {"a1": "10.88.0.5", "a2": "10.88.0.6", "b1": "10.89.0.5", "i1": "10.90.0.5", "i2": "10.90.0.6",
      "lan": "192.168.7.2", "wan": "192.168.8.2"}
V6 = {"a1": "fd88::5", "a2": "fd88::6", "lan": "fd07::2"}
BRIDGE = {"a1": "ka", "a2": "ka", "b1": "kb", "i1": "ki", "i2": "ki"}
NET = {"ka": 0, "kb": 1, "ki": 2}
GATEWAY = {"ka": "10.88.0.1", "kb": "10.89.0.1", "ki": "10.90.0.1"}


def port(name, **more):
    given = {"link": "v" + name, "name": "eth0", "mac": MAC[name], "address": V4[name] + "/24"}
    if name in V6:
        given["address6"] = V6[name] + "/64"
    return {"instance": (name * 32)[:64], "network": NET[BRIDGE[name]], "net": {"attachments": [{"given": given}], **more}}


def published(kind, host, host_port, inside):
    return {"protocol": kind, "hostIp": host, "hostPort": host_port, "port": inside}


MODEL = {
    "table": TABLE,
    "networks": [{"id": "a" * 32, "bridge": "ka", "subnet": "10.88.0.0/24", "subnet6": "fd88::/64"},
                 {"id": "b" * 32, "bridge": "kb", "subnet": "10.89.0.0/24"},
                 {"id": "c" * 32, "bridge": "ki", "subnet": "10.90.0.0/24", "internal": True}],
    "ports": [port("a1", ports=[published("tcp", "0.0.0.0", 8080, 80), published("tcp", "::", 8080, 80),
                                published("udp", "192.168.7.1", 8081, 80), published("tcp", "127.0.0.1", 8082, 80),
                                published("udp", "127.0.0.1", 8082, 80)]),
              port("a2"),
              port("b1", ports=[published("tcp", "192.168.8.1", 9000, 80)]),
              port("i1"), port("i2")],
}


def lab():
    bridge("ka", "10.88.0.1/24", "fd88::1/64")
    bridge("kb", "10.89.0.1/24")
    bridge("ki", "10.90.0.1/24")
    for name, at in BRIDGE.items():
        v6 = [V6[name] + "/64"] if name in V6 else []
        routes = [f"default via {GATEWAY[at]}"] + ["default via fd88::1"] * bool(v6)
        wire(name, "v" + name, "eth0", [V4[name] + "/24"] + v6, routes, at, MAC[name])
    # what is outside knows the way to our subnets: only the rules keep it out
    ways = [f"{n} via 192.168.7.1" for n in ("10.88.0.0/24", "10.89.0.0/24", "10.90.0.0/24", "192.168.8.0/24")]
    wire("lan", "eth0", "eth0", ["192.168.7.2/24", "fd07::2/64"], ways + ["fd88::/64 via fd07::1"])
    sh("ip address add 192.168.7.1/24 dev eth0 && ip address add fd07::1/64 dev eth0 nodad")
    wire("wan", "eth1", "eth0", ["192.168.8.2/24"], [w.replace("7.1", "8.1").replace("8.0/", "7.0/") for w in ways])
    sh("ip address add 192.168.8.1/24 dev eth1")


# who is asked: kind, address, port
TARGETS = {
    "a1": ("tcp", V4["a1"], 80), "a1.udp": ("udp", V4["a1"], 80), "a1.v6": ("tcp", V6["a1"], 80),
    "a2": ("tcp", V4["a2"], 80), "b1": ("tcp", V4["b1"], 80), "i1": ("tcp", V4["i1"], 80), "i2": ("tcp", V4["i2"], 80),
    "lan": ("tcp", V4["lan"], 80), "wan": ("tcp", V4["wan"], 80), "lan.v6": ("tcp", V6["lan"], 80),
    ":8080": ("tcp", "192.168.7.1", 8080), "v6:8080": ("tcp", "fd07::1", 8080), ":8081u": ("udp", "192.168.7.1", 8081),
    ":8082": ("tcp", "192.168.7.1", 8082), ":9000": ("tcp", "192.168.8.1", 9000),
}
# who reaches it; the host itself reaches everything that has an address for it
REACHED = {
    "host": "a1 a1.udp a1.v6 a2 b1 i1 i2 lan wan lan.v6 :8080 v6:8080 :8081u :9000",
    "lan": "lan lan.v6 :8080 v6:8080 :8081u :9000",
    "wan": "wan :8080 :9000 :8081u",
    "a1": "a1 a1.udp a1.v6 a2 lan wan lan.v6 :8080 v6:8080 :8081u :9000",
    "a2": "a1 a1.udp a1.v6 a2 lan wan lan.v6 :8080 v6:8080 :8081u :9000",
    "b1": "b1 lan wan :8080 :8081u :9000",
    "i1": "i1 i2",
    "i2": "i1 i2",
}


def matrix(agents):
    for a in agents.values():
        a.begin(list(TARGETS.values()))
    return {n: {t for t, answer in zip(TARGETS, a.end()) if answer} for n, a in agents.items()}


def check_matrix(tap, name, agents):
    got = matrix(agents)
    wrong = [f"{n}: reaches {sorted(got[n] - want)} and should not, not {sorted(want - got[n])}"
             for n, want in ((n, set(w.split())) for n, w in REACHED.items()) if got[n] != want]
    tap.ok(name, not wrong, *wrong)


def main():
    build = os.path.abspath(sys.argv[1])
    enter()
    tap = Tap()
    work = tempfile.mkdtemp(prefix="ketch-lab.")
    try:
        run(tap, build, work)
    finally:
        subprocess.run(["rm", "-rf", work])
    tap.end()


class Tool:
    def __init__(self, build, work):
        self.tool, self.work = build + "/tests/network/fw_tool", work
        os.environ["LAB_DIR"] = work

    def __call__(self, verb, *words, model=MODEL, good=True):
        path = self.work + "/model.json"
        with open(path, "w") as f:
            json.dump(model, f)
        p = subprocess.run([self.tool, verb, path, *map(str, words)], capture_output=True, text=True)
        assert (p.returncode == 0) == good, p.stderr
        return p.stdout.strip() if good else p.stderr


def run(tap, build, work):
    lab()
    tool = Tool(build, work)
    sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
    sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null || :")
    tool("up", work)
    tool("hairpin")
    agents = {n: Agent(n, [80]) for n in NAMES}
    for who, address in [("lan", "fd07::1"), ("lan", "192.168.8.1")] + [("host", a) for a in [*V4.values(), *V6.values()]]:
        assert any(agents[who].ask("tcp", address, 80) for _ in range(10)), address  # neighbours are known from now on
    by_address(tap, agents)
    check_matrix(tap, "who may reach whom: 120 cells", agents)
    whole = tool("whole")
    sh("nft flush ruleset")
    tap.ok("flushed rules are noticed", whole == "1" and tool("whole") == "0")
    tool("up", work)
    check_matrix(tap, "the same after nft flush ruleset and the next command", agents)
    pieces(tap, tool, work)
    spoofing(tap)
    rules(tap, tool, agents)
    link_local(tap, tool, agents)
    isolated(tap, tool, work, agents)
    firewalld(tap, tool, work, agents)
    incus(tap, tool, work, agents)
    docker(tap, tool, work, agents)
    rates(tap, tool)
    for a in agents.values():
        a.close()


def by_address(tap, agents):
    """The server sees the client's own address, but for 127.0.0.1 and an instance that asks itself."""
    for who, (kind, address, number), want in (
            ("lan", TARGETS[":8080"], V4["lan"]), ("lan", TARGETS["v6:8080"], V6["lan"]),
            ("lan", TARGETS[":8081u"], V4["lan"]), ("host", TARGETS[":8080"], "192.168.7.1"),
            ("b1", TARGETS[":8080"], V4["b1"]), ("a1", TARGETS[":8080"], "10.88.0.1"),
            ("host", ("tcp", "127.0.0.1", 8082), "10.88.0.1"), ("host", ("udp", "127.0.0.1", 8082), "10.88.0.1"),
            ("host", ("tcp", "127.0.0.1", 8080), "10.88.0.1"), ("a1", TARGETS["lan"], "192.168.7.1")):
        got = agents[who].ask(kind, address, number)
        tap.ok(f"{who} at {address}:{number}/{kind} is seen as {want}", got == want, f"got {got!r}")
    # 127.0.0.1 is the host's alone, though its bridges route it (CVE-2020-8558)
    sh("ip -n a1 route add 127.0.0.1 via 10.88.0.1 table 9; ip netns exec a1 sysctl -qw net.ipv4.conf.all.route_localnet=1;"
       "ip -n a1 rule add to 127.0.0.1 dport 8082 table 9 pref 1; ip -n a1 rule del pref 0; ip -n a1 rule add table local pref 2")
    got = agents["a1"].ask("tcp", "127.0.0.1", 8082)
    tap.ok("a packet for 127.0.0.1 from an instance is dropped", got == "", f"got {got!r}")
    sh("ip -n a1 rule add table local pref 0; ip -n a1 rule del pref 1; ip -n a1 rule del pref 2")


def pieces(tap, tool, work):
    tap.ok("what is whole is left alone", tool("ensure") == "0")
    sh(f"nft delete element inet {TABLE} bridges '{{ \"ka\" }}'")
    tap.ok("one element that is missing is put back", tool("ensure") == "1" and tool("ensure") == "0")
    sh(f"nft insert rule inet {TABLE} forward accept")
    tap.ok("a rule that is not ours is noticed", tool("whole") == "0")
    tool("up", work)
    tap.ok("what was whole is known without a look", tool("note", work) == tool("recall", work) == "1")
    sh("nft add table ip other")
    tap.ok("not when somebody has changed rules, whose they may be", tool("recall", work) == "0" and tool("note", work) == "1")
    sh("nft delete table ip other")
    before = set(tool("owners").split("\n"))
    tool("port-remove", 2)
    after = set(tool("owners").split("\n"))
    tap.ok("a port's elements go with it, all of them", before - after == {MODEL["ports"][2]["instance"]}, before, after)
    tool("port-remove", 2)
    tool("port-add", 2)
    # another instance has its address and published port now: it displaces what was left, and survives the late removal
    other = json.loads(json.dumps(MODEL))
    other["ports"][2]["instance"] = "f" * 64
    tool("port-add", 2, model=other)
    tool("port-remove", 2)
    left = set(tool("owners").split("\n"))
    tap.ok("who has an address now displaces who had it, and is not removed with it",
           "f" * 64 in left and MODEL["ports"][2]["instance"] not in left, left)
    tool("sweep", "f" * 64)
    tap.ok("what nobody owns is swept", "f" * 64 not in tool("owners"))
    tool("ensure")


def spoofing(tap):
    spoof = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spoof.py")
    hear = subprocess.Popen(within("a2", [sys.executable, spoof, "hear", "eth0"]), stdout=subprocess.PIPE, text=True)
    hear.stdout.readline()
    subprocess.run(within("a1", [sys.executable, spoof, "send", "eth0"]), check=True)
    heard = {int(n) for n in hear.stdout.readline().split()}
    for i, (name, arrives, _) in enumerate(FRAMES):
        tap.ok(f"{name} {'arrives' if arrives else 'is dropped'}", (i in heard) == arrives)


def rule(allow, out=False, protocol=None, peer=None, first=0, last=0):
    r = {"allow": allow, "out": out, "protocol": protocol, "peer": peer, "portFirst": first, "portLast": last or first}
    return {k: v for k, v in r.items() if v is not None}


def rules(tap, tool, agents):
    sh("ip link set ka type bridge nf_call_iptables 1 nf_call_ip6tables 1")

    def check(name, rules, asked, **more):
        model = json.loads(json.dumps(MODEL))
        model["ports"][0]["net"].update(rules=rules, **more)
        tool("port-remove", 0)
        tool("port-add", 0, model=model)
        got = {}
        for who, target, want in asked:
            if (agents[who].ask(*target) != "") != want:
                got[who, target] = want
        tap.ok(name, not got, got)
        tool("port-remove", 0, model=model)
        tool("port-add", 0)

    a1, udp = TARGETS["a1"], TARGETS["a1.udp"]
    check("--deny in: keeps a peer of the same network out", [rule(False, peer=V4["a2"])],
          [("a2", a1, False), ("a2", TARGETS["a1.v6"], True), ("lan", TARGETS[":8080"], True), ("a1", TARGETS["a2"], True)])
    check("--allow in:tcp:80 leaves the rest denied", [rule(True, protocol="tcp", first=80)],
          [("a2", a1, True), ("a2", udp, False), ("a2", TARGETS["a1.v6"], True), ("lan", TARGETS[":8080"], True),
           ("lan", TARGETS[":8081u"], False)])
    check("--allow of a network and --deny of one in it", [rule(True, peer="10.88.0.0/24"), rule(False, peer=V4["a2"])],
          [("a2", a1, False), ("a2", TARGETS["a1.v6"], False), ("lan", TARGETS[":8080"], False), ("host", a1, True)])
    check("--deny out: to a peer, to the outside and to the host",
          [rule(False, out=True, peer=V4["a2"]), rule(False, out=True, peer="192.168.7.0/24", protocol="tcp")],
          [("a1", TARGETS["a2"], False), ("a1", TARGETS["lan"], False), ("a1", TARGETS["wan"], True),
           ("a1", ("tcp", "192.168.7.1", 80), False), ("a1", ("tcp", "192.168.8.1", 80), True), ("a2", a1, True)])
    check("--egress none: nothing outside, but its own network", [],
          [("a1", TARGETS["lan"], False), ("a1", TARGETS["lan.v6"], False), ("a1", TARGETS["a2"], True),
           ("a1", ("tcp", "192.168.7.1", 80), False), ("lan", TARGETS[":8080"], True)], egressGiven=True)
    model = json.loads(json.dumps(MODEL))
    model["ports"][0]["net"]["egressGiven"] = True
    tool("port-remove", 0)
    tool("port-add", 0, model=model)
    tool("egress", 0, V4["lan"], 100, model=model)
    reached = [t for t in ("lan", "wan", "lan.v6") if agents["a1"].ask(*TARGETS[t])]
    tap.ok("an address that a name stood for is reached, and no other", reached == ["lan"], reached)
    tool("port-remove", 0, model=model)
    tool("port-add", 0, model=model)
    tap.ok("who has the address next has not what it was allowed", agents["a1"].ask(*TARGETS["lan"]) == "")
    tool("port-remove", 0, model=model)
    tool("port-add", 0)


def link_local_of(ns, link):
    shown = json.loads(subprocess.run(within(ns, ["ip", "-j", "-6", "address", "show", "dev", link, "scope", "link"]),
                                      capture_output=True, text=True, check=True).stdout)
    return [a["local"] for row in shown for a in row.get("addr_info", []) if "local" in a][0]


def link_local(tap, tool, agents):
    """Nobody walks past rules by addresses that no rule is about."""
    host, a1, a2 = (("tcp", link_local_of(ns, link) + "%" + by, 80)
                    for ns, link, by in (("host", "ka", "eth0"), ("a1", "eth0", "eth0"), ("a2", "eth0", "eth0")))
    asked = {"host": ("a1", host), "a peer": ("a1", a2), "from a peer": ("a2", a1),
             "from a peer, to its own address": ("a2", ("tcp", V6["a1"], 80))}

    def reached():
        return [name for name, (who, target) in asked.items() if agents[who].ask(*target)]

    got = reached()
    tap.ok("link-local addresses are anyone's who has no rules", got == list(asked), got)
    for name, more in (("--deny", {"rules": [rule(False, peer=V4["a2"])]}), ("--allow", {"rules": [rule(True, peer=V4["a2"])]}),
                       ("--egress none", {"egressGiven": True})):
        model = json.loads(json.dumps(MODEL))
        model["ports"][0]["net"].update(more)
        tool("port-rules", 0, model=model)
        got = reached()
        wanted = [] if name == "--allow" else ["from a peer, to its own address"]
        tap.ok(f"{name}: and nobody's who has", got == wanted, got)
        sh("ip -n a2 neigh flush dev eth0; ip -n a1 neigh flush dev eth0")
        tap.ok(f"{name}: neighbours are found all the same", name == "--allow" or agents["a2"].ask("tcp", V6["a1"], 80) != "")
    tool("port-rules", 0)
    got = reached()
    tap.ok("until the rules are gone", got == list(asked), got)


def isolated(tap, tool, work, agents):
    """Who is isolated does not reach another by way of the gateway."""
    model = json.loads(json.dumps(MODEL))
    model["networks"][0]["isolate"] = True
    sh("ip link set va1 type bridge_slave isolated on && ip link set va2 type bridge_slave isolated on")
    sh("ip link set ka type bridge nf_call_iptables 0 nf_call_ip6tables 0")  # else what is published is bridged, too
    for who, other in (("a1", "a2"), ("a2", "a1")):  # the answer goes the same way
        sh(f"ip -n {who} route add {V4[other]}/32 via 10.88.0.1 && ip -n {who} -6 route add {V6[other]}/128 via fd88::1")
        sh(f"ip netns exec {who} sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth0.accept_redirects=0"
           " net.ipv6.conf.eth0.accept_redirects=0")
    ways = [TARGETS["a2"], ("tcp", V6["a2"], 80)]
    round_about = [w for w in ways if agents["a1"].ask(*w)]
    sh("nft flush ruleset")
    tool("up", work, model=model)
    got = [w for w in ways if agents["a1"].ask(*w)]
    tap.ok("--isolate: the gateway leads to no other instance", round_about == ways and not got, round_about, got)
    got = [t for t in ("lan", "lan.v6", ":8080", "v6:8080") if not agents["a2"].ask(*TARGETS[t])]
    tap.ok("but outside, and to ports that one publishes", not got, got)
    for who, other in (("a1", "a2"), ("a2", "a1")):
        sh(f"ip -n {who} route del {V4[other]}/32 && ip -n {who} -6 route del {V6[other]}/128")
    sh("ip link set ka type bridge nf_call_iptables 1 nf_call_ip6tables 1")
    sh("ip link set va1 type bridge_slave isolated off && ip link set va2 type bridge_slave isolated off")
    tool("up", work)


MIB = 1 << 20


def transfer(ns_from, ns_to, address, size):
    """Seconds until `size` bytes have come; all of them do."""
    take = ("import socket,time;s=socket.create_server(('',7000));print('ready',flush=True);c,_=s.accept();t=None;n=0\n"
            "while True:\n b=c.recv(65536)\n t=t or time.monotonic()\n n+=len(b)\n"
            " if not b: break\nprint(n,time.monotonic()-t)")
    send = (f"import socket;s=socket.create_connection(('{address}',7000));s.sendall(bytes({size}))")
    server = subprocess.Popen(within(ns_to, [sys.executable, "-c", take]), stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()
        subprocess.run(within(ns_from, [sys.executable, "-c", send]), check=True)
        n, seconds = server.stdout.readline().split()
    finally:
        server.kill()  # else it would wait for ever for one who did not come
    assert int(n) == size
    return float(seconds)


def rates(tap, tool):
    """Never faster than the rate, by more than what may go at once; how much slower is the machine's affair."""
    free = transfer("a2", "a1", V4["a1"], 2 * MIB)
    for words, both in ((["2m:in"], (True, False)), (["2m:out"], (False, True)), (["16mbit"], (True, True))):
        tool("rate", 0, *words)
        for limited, way in zip(both, (("a2", "a1", V4["a1"]), ("a1", "a2", V4["a2"]))):
            took = transfer(*way, 2 * MIB)
            # 2 MiB at 2 MB a second, of which 100 KB (50 ms) go at once
            tap.ok(f"--net-rate {words[0]}: {way[0]} to {way[1]} is {'limited' if limited else 'as fast as before'}",
                   took > 0.8 if limited else took < max(0.7, 5 * free), f"took {took:.2f} s, {free:.2f} s without")
    tool("rate", 0, "0")
    left = subprocess.run("tc qdisc show dev va1; ip -br link show type ifb", shell=True, capture_output=True, text=True).stdout
    tap.ok("a rate that is lifted leaves nothing", "tbf" not in left and "ingress" not in left and "ki" not in left, left)
    tool("rate", 0, "1gbit")
    sh("ip link del va1")
    tool("rate-clear", 0)
    tool("rate-clear", 0)
    left = subprocess.run("ip -br link show type ifb", shell=True, capture_output=True, text=True).stdout
    tap.ok("nor does a port that has gone", "ki" not in left, left)


# As dockerd 20.10 writes them, with iptables-nft.
DOCKER = """iptables -P FORWARD DROP; iptables -N DOCKER; iptables -N DOCKER-ISOLATION-STAGE-1
iptables -N DOCKER-ISOLATION-STAGE-2; iptables -N DOCKER-USER
iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1
iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -o docker0 -j DOCKER; iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT
iptables -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
iptables -A DOCKER-ISOLATION-STAGE-1 -j RETURN; iptables -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
iptables -A DOCKER-ISOLATION-STAGE-2 -j RETURN; iptables -A DOCKER-USER -j RETURN
iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables -t nat -A DOCKER -i docker0 -j RETURN"""


def legacy(tap, tool, work, agents, d1):
    """Docker on a host whose iptables is the old one."""
    for line in DOCKER.split("\n"):
        sh(line.replace("iptables", "iptables-legacy"))
    tool("up", work)
    check_matrix(tap, "the same with Docker's rules by iptables-legacy", agents)
    got = [bool(a.ask(*t)) for a, t in ((d1, TARGETS["lan"]), (d1, TARGETS["a1"]), (agents["a1"], ("tcp", "172.17.0.2", 80)))]
    tap.ok("and Docker's containers and ours do not reach each other", got == [True, False, False], got)
    tool("up", work)
    rules = subprocess.run("iptables-legacy -S DOCKER-USER", shell=True, capture_output=True, text=True).stdout
    tap.ok("our rules are there once", rules.count('"ketch ka"') == 4 and rules.rstrip().endswith("-j RETURN"), rules)


class Firewalld:
    """It and a bus, in the root of its fixture, in the network of the host."""

    def __init__(self):
        fixtures = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fixtures/get")
        self.root = subprocess.run([fixtures, "firewalld"], capture_output=True, text=True, check=True).stdout.strip() + "/rootfs"
        for d in ("run", "var/log", "tmp"):
            sh(f"mount -t tmpfs tmpfs {self.root}/{d}")
        for d in ("proc", "sys", "dev"):
            sh(f"mount --rbind /{d} {self.root}/{d}")
        os.mkdir(self.root + "/run/dbus")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={self.root}/run/dbus/system_bus_socket"
        self.children = [self.start("dbus-daemon --system --nofork --nopidfile --print-address", subprocess.PIPE)]
        self.children[0].stdout.readline()  # it listens
        self.children.append(self.start("firewalld --nofork --nopid"))
        while self.cmd("--state") != "running" and self.children[1].poll() is None:
            pass

    def start(self, command, out=subprocess.DEVNULL):
        return subprocess.Popen(["chroot", self.root, "env", "-u", "DBUS_SYSTEM_BUS_ADDRESS"] + command.split(), stdout=out,
                                stderr=subprocess.DEVNULL)

    def cmd(self, *words):
        p = subprocess.run(["chroot", self.root, "env", "-u", "DBUS_SYSTEM_BUS_ADDRESS", "firewall-cmd", *words],
                           capture_output=True, text=True)
        return p.stdout.strip()

    def close(self):
        for p in reversed(self.children):
            p.terminate()
            p.wait()
        del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        sh(f"umount -Rl {self.root}/proc {self.root}/sys {self.root}/dev {self.root}/run {self.root}/var/log {self.root}/tmp")


def firewalld(tap, tool, work, agents):
    f = Firewalld()
    try:
        without = matrix(agents)
        tap.ok("firewalld keeps all out that it does not know", "lan" not in without["a1"] and "a2" not in without["a1"], without["a1"])
        tool("up", work)
        check_matrix(tap, "the same with firewalld beside ours", agents)
        tap.ok("and its gateway is not closed to an instance", agents["a1"].ask("tcp", "10.88.0.1", 80) != "")
        f.cmd("--reload")
        tool("up", work)
        check_matrix(tap, "the same after it has read its rules again", agents)
        f.cmd("--zone=work", "--change-interface=kb")
        tool("up", work)
        zones = f.cmd("--get-zone-of-interface=ka"), f.cmd("--get-zone-of-interface=kb")
        tap.ok("a zone that somebody has chosen stays", zones == ("trusted", "work"), zones)
        f.cmd("--zone=trusted", "--change-interface=kb")
        tool("down", work)
        left = f.cmd("--zone=trusted", "--list-interfaces")
        tap.ok("removal leaves nothing in its zones", left == "", left)
    finally:
        f.close()
    sh("nft flush ruleset")
    tool("up", work)


# what Incus (and LXD) have for a bridge of theirs: hooks of the same kinds as ours, which drop nothing
INCUS = """table inet incus {
    chain fwd.incusbr0 { type filter hook forward priority 0; policy accept;
        ip version 4 oifname "incusbr0" accept; ip version 4 iifname "incusbr0" accept; }
    chain pstrt.incusbr0 { type nat hook postrouting priority 100; policy accept;
        ip saddr 10.77.0.0/24 ip daddr != 10.77.0.0/24 masquerade; }
    chain in.incusbr0 { type filter hook input priority 0; policy accept;
        iifname "incusbr0" tcp dport 53 accept; iifname "incusbr0" udp dport { 53, 67 } accept; }
    chain out.incusbr0 { type filter hook output priority 0; policy accept;
        oifname "incusbr0" tcp sport 53 accept; oifname "incusbr0" udp sport { 53, 67 } accept; }
}"""


def incus(tap, tool, work, agents):
    bridge("incusbr0", "10.77.0.1/24")
    wire("c1", "vc1", "eth0", ["10.77.0.2/24"], ["default via 10.77.0.1"], "incusbr0")
    c1 = Agent("c1", [80])
    sh(f"nft '{INCUS}'")
    tool("up", work)
    check_matrix(tap, "the same with Incus's rules beside ours", agents)
    got = [c1.ask(*TARGETS["lan"]), c1.ask(*TARGETS[":8080"]), c1.ask(*TARGETS["a1"]), agents["a1"].ask("tcp", "10.77.0.1", 80)]
    tap.ok("its containers reach the outside and what is published, not ours", [bool(g) for g in got] == [True, True, False, True], got)
    sh("nft delete table inet ketch-lab; nft delete table bridge ketch-lab")
    got = c1.ask(*TARGETS["lan"])
    tap.ok("with or without our tables", got != "", got)
    c1.close()
    sh("nft flush ruleset; ip link del incusbr0; ip netns del c1")
    tool("up", work)


def docker(tap, tool, work, agents):
    # docker0 and what is on it came after us
    bridge("docker0", "172.17.0.1/16")
    wire("d1", "vd1", "eth0", ["172.17.0.2/16"], ["default via 172.17.0.1"], "docker0")
    d1 = Agent("d1", [80])
    for line in DOCKER.split("\n"):
        sh(line)
    sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1 2>/dev/null || :")
    tool("up", work)
    check_matrix(tap, "the same with Docker's rules and its FORWARD policy beside ours", agents)
    got = [d1.ask(*TARGETS["lan"]), d1.ask(*TARGETS["a1"]), agents["a1"].ask("tcp", "172.17.0.2", 80),
           d1.ask(*TARGETS[":8080"])]
    tap.ok("Docker's containers and ours reach the outside and what is published, not each other",
           [bool(g) for g in got] == [True, False, False, True], got)
    policy = subprocess.run("iptables -S FORWARD", shell=True, capture_output=True, text=True).stdout
    tap.ok("its policy is as it was, and iptables reads its table still", "-P FORWARD DROP" in policy, policy)
    sh("nft flush ruleset")
    tool("up", work)
    check_matrix(tap, "the same when somebody flushed Docker's rules and ours", agents)
    legacy(tap, tool, work, agents, d1)
    tool("remove")
    tool("down", work)
    left = subprocess.run("nft list ruleset; iptables-legacy-save", shell=True, capture_output=True, text=True).stdout
    tap.ok("removal leaves nothing of ours", "ketch" not in left, left)
    sh("iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F")  # it would drop what goes between ports of a bridge
    d1.close()


main()
