#!/usr/bin/env python3
"""upstream.py - a resolver for tests: upstream.py ADDRESS LOG [VALUE]; each question it hears is a line of LOG

    a.example.org     192.0.2.VALUE, 2001:db8::VALUE      many.example.org   70 addresses: by UDP truncated
    alias.example.org an alias of a.example.org           huge.example.org   a TXT of 40,000 bytes, by TCP
    silent.*          no answer                           liar.*             four wrong answers, then the right one
    garbage.*         no DNS at all                       refused.*          REFUSED
    anything else     192.0.2.VALUE
"""
import os, random, socket, socketserver, struct, sys, threading

ADDRESS, LOG = sys.argv[1:3]
VALUE = int(sys.argv[3]) if len(sys.argv) > 3 else 1
TYPES = {1: "A", 28: "AAAA", 16: "TXT", 12: "PTR", 5: "CNAME"}
log = open(LOG, "a", buffering=1)


def question(data):
    at, labels = 12, []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin1"))
        at += data[at] + 1
    return ".".join(labels).lower(), struct.unpack(">H", data[at + 1:at + 3])[0], data[12:at + 5]


def record(owner, kind, rdata, ttl=60):
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(rdata)) + rdata


def address(kind, value):
    if kind == 28:
        return socket.inet_pton(socket.AF_INET6, "2001:db8::%x" % value)
    return socket.inet_aton("192.0.2.%d" % value)


def records(name, kind):
    asked = b"\xc0\x0c"
    if name.startswith("many.") and kind == 1:
        return [record(asked, 1, address(1, i)) for i in range(1, 71)]
    if name.startswith("huge.") and kind == 16:
        return [record(asked, 16, (b"\xff" + b"x" * 255) * 156)]
    if name.startswith("alias."):
        a = b"\x01a\x07example\x03org\x00"
        return [record(asked, 5, a)] + ([record(a, kind, address(kind, VALUE))] if kind in (1, 28) else [])
    if name.startswith("short.") and kind == 1:
        return [record(asked, 1, address(1, VALUE), 1)]
    return [record(asked, kind, address(kind, VALUE))] if kind in (1, 28) else []


def answer(data, tcp, rcode=0):
    name, kind, text = question(data)
    rr = [] if rcode else records(name, kind)
    cut = not tcp and sum(map(len, rr)) > 450
    head = data[:2] + struct.pack(">HHHHH", 0x8180 | (0x200 if cut else 0) | rcode, 1, 0 if cut else len(rr), 0, 0)
    return head + text + (b"" if cut else b"".join(rr))


def wrong(data):
    good = answer(data, False)
    other = bytearray(good)
    other[13] ^= 1
    return [bytes([good[0] ^ 1]) + good[1:], bytes(other), good[:-1], good[:2] + b"\x01" + good[3:]]


def hear(data, tcp):
    """The answers to one query, in order."""
    name, kind, _ = question(data)
    log.write("%s %s %s\n" % ("tcp" if tcp else "udp", name, TYPES.get(kind, kind)))
    first = name.split(".")[0]
    if first == "silent":
        return []
    if first == "garbage":
        return [random.randbytes(200)]
    if first == "refused":
        return [answer(data, tcp, 5)]
    return (wrong(data) if first == "liar" else []) + [answer(data, tcp)]


def serve_udp(s):
    while True:
        data, peer = s.recvfrom(4096)
        if data[12:17] == b"\x04liar":  # right in every way, but not from who was asked
            with socket.socket(s.family, socket.SOCK_DGRAM) as other:
                other.sendto(answer(data, False).replace(address(1, VALUE), address(1, 66)), peer)
        for a in hear(data, False):
            s.sendto(a, peer)


class Tcp(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(4096)
        for a in hear(data[2:], True):
            self.request.sendall(struct.pack(">H", len(a)) + a)


family = socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((ADDRESS, 53))
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.address_family = family
tcp = socketserver.ThreadingTCPServer((ADDRESS, 53), Tcp)
threading.Thread(target=tcp.serve_forever, daemon=True).start()
print("ready", os.getpid(), flush=True)
serve_udp(udp)
