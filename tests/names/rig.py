#!/usr/bin/env python3
"""rig.py - a ketch-net on a bridge of its own, in a network namespace that the caller has made, for tests

    rig.py DIR [--bridge B] [--gateway A] [--gateway6 A] ...: starts it on what is in DIR/names, says "ready", and waits for
    the end of its stdin.  Sockets and lock are made as names_start.c makes them.
"""
import argparse, fcntl, os, socket, struct, subprocess, sys

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build"))
F_OFD_SETLK = 37


def listeners(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    tcp = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    udp.bind((address, 53))
    tcp.bind((address, 53))
    tcp.listen(64)
    return [udp, tcp]


def dhcp(bridge):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode() + b"\0")
    s.bind(("0.0.0.0", 67))
    return [s]


def start(directory, gateways, bridge=None, table="ketch", instances=None):
    """Returns the process, whose pid is the keeper's."""
    where = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    inst = os.open(instances or directory, os.O_RDONLY | os.O_DIRECTORY)
    lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    sockets = [s for g in gateways for s in listeners(g)] + (dhcp(bridge) if bridge else [])
    out, status = os.pipe()
    stray = os.open("/", os.O_RDONLY)  # of the caller: it must not be kept
    numbers = [where, inst, lock, status] + [s.fileno() for s in sockets]
    p = subprocess.Popen([os.path.join(BUILD, "ketch-net"), "names", "net", table] + [str(n) for n in numbers], pass_fds=numbers + [stray])
    for n in (where, inst, lock, status, stray):
        os.close(n)
    said = os.read(out, 200)
    if said != b"ok":
        sys.exit("ketch-net did not start: %s" % said.decode())
    return p


def main():
    a = argparse.ArgumentParser()
    a.add_argument("directory")
    a.add_argument("gateways", nargs="*")
    a.add_argument("--bridge")
    a.add_argument("--instances")
    a.add_argument("--table", default="ketch")
    o = a.parse_args()
    p = start(o.directory, o.gateways, o.bridge, o.table, o.instances)
    print("ready", p.pid, flush=True)
    sys.exit(p.wait())


if __name__ == "__main__":
    main()
