#!/usr/bin/env python3
"""relay.py - the relay for [::1] (network/relay6.h) between clients and servers of its own; needs fd00::1 on lo"""
import os, socket, subprocess, threading

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build"))
WHOLE = os.urandom(5 << 20)


def held(kind, address, port):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    return s


def echo_tcp(address, port):
    """Answers only when all has been said: a half-closed connection has to work."""
    s = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)

    def serve(c):
        with c:
            data = b"".join(iter(lambda: c.recv(65536), b""))
            c.sendall(data)

    def accept():
        while True:
            threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def echo_udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))

    def serve():
        while True:
            data, peer = s.recvfrom(65535)
            s.sendto(data, peer)

    threading.Thread(target=serve, daemon=True).start()


def ask_tcp(address, port, data):
    with socket.create_connection((address, port), timeout=10) as c:
        threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)), daemon=True).start()
        return b"".join(iter(lambda: c.recv(65536), b""))


def is_refused(address, port):
    try:
        return ask_tcp(address, port, b"x") == b""
    except OSError:
        return True


def check(what, good):
    if not good:
        raise SystemExit("not so: " + what)


echo_tcp("127.0.0.5", 8080)
echo_tcp("fd00::1", 8090)
echo_udp("127.0.0.5", 8080)
sockets = [held(socket.SOCK_STREAM, "::1", 8081), held(socket.SOCK_STREAM, "::", 8082),
           held(socket.SOCK_DGRAM, "::1", 8083), held(socket.SOCK_STREAM, "::1", 8084), held(socket.SOCK_STREAM, "::1", 8085)]
targets = [("tcp", "127.0.0.5", 8080), ("tcp", "127.0.0.5", 8080), ("udp", "127.0.0.5", 8080), ("tcp", "127.0.0.5", 9),
           ("tcp", "fd00::1", 8090)]
ours, theirs = socket.socketpair()
words = [str(theirs.fileno())]
for s, t in zip(sockets, targets):
    words += [str(s.fileno()), t[0], t[1], str(t[2])]
relay = subprocess.Popen([os.path.join(BUILD, "ketch-net"), "relay"] + words,
                         pass_fds=[theirs.fileno()] + [s.fileno() for s in sockets])
theirs.close()
check("it starts", ours.recv(2) == b"ok")

check("bytes pass whole, both ways", ask_tcp("::1", 8081, WHOLE) == WHOLE)
check("to an instance that has IPv6", ask_tcp("::1", 8085, WHOLE) == WHOLE)
check("a port of every address", ask_tcp("::1", 8082, b"hello") == b"hello")
check("who is not ::1 is refused", is_refused("fd00::1", 8082))
check("nobody behind it", is_refused("::1", 8084))

answers = []
threads = [threading.Thread(target=lambda i=i: answers.append(ask_tcp("::1", 8081, b"%d" % i * 9999) == b"%d" % i * 9999))
           for i in range(50)]
[t.start() for t in threads]
[t.join() for t in threads]
check("fifty at a time", answers == [True] * 50)

idle = [socket.create_connection(("::1", 8081)) for _ in range(300)]
check("too many wait or are refused", relay.poll() is None)
[s.close() for s in idle]
check("and then it goes on", ask_tcp("::1", 8081, b"again") == b"again")

clients = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(20)]
for i, c in enumerate(clients):
    c.settimeout(5)
    c.sendto(b"%d" % i, ("::1", 8083))
check("datagrams go back to who has sent them", [c.recv(99) for c in clients] == [b"%d" % i for i in range(20)])

status = open("/proc/%d/status" % relay.pid).read()
check("it has no rights", "CapPrm:\t0000000000000000" in status and "Seccomp:\t2" in status)
ticks = lambda: sum(map(int, open("/proc/%d/stat" % relay.pid).read().split(") ")[1].split()[11:13]))
reset = socket.create_connection(("::1", 8081))
reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
reset.shutdown(socket.SHUT_WR)
reset.close()
before = ticks()
check("it does not spin", ask_tcp("::1", 8081, b"x") == b"x" and ticks() - before < 5)
ours.close()
check("it ends with its starter", relay.wait(10) == 0)
print("ok")
