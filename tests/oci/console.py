#!/usr/bin/env python3
"""console.py SOCKET STEP... -- COMMAND...: plays conmon: receives a terminal through SOCKET and works at it

The steps are those of terminal.py (expect=REGEX, send=TEXT, resize=ROWSxCOLS).  Prints the name that came with the
descriptor and all that the terminal showed.  Fails when COMMAND fails or does not hand over a terminal.
"""
import array
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import sys
import termios
import time

DEADLINE = 10


def receive(server):
    server.settimeout(DEADLINE)
    conn = server.accept()[0]
    data, ancillary, _, _ = conn.recvmsg(4096, socket.CMSG_SPACE(16))
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload)
    if len(fds) != 1 or not os.isatty(fds[0]):
        sys.exit(f"console.py: not one terminal came, but {list(fds)}")
    return data, fds[0]


def expect(fd, pattern):
    seen, end = b"", time.monotonic() + DEADLINE
    while not re.search(pattern.encode(), seen):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"console.py: no {pattern!r} in {seen!r}")
        try:
            seen += os.read(fd, 65536)
        except OSError:  # EIO: nobody has the other side open
            sys.exit(f"console.py: ended before {pattern!r}: {seen!r}")
    print(seen.decode(errors="replace"))


def main():
    split = sys.argv.index("--")
    path = sys.argv[1]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    command = subprocess.Popen(sys.argv[split + 1:], stdin=subprocess.DEVNULL)
    try:
        name, fd = receive(server)
        print(name.decode())
        if command.wait(DEADLINE):
            sys.exit(f"console.py: the command ended with {command.returncode}")
        for step in sys.argv[2:split]:
            verb, _, value = step.partition("=")
            if verb == "expect":
                expect(fd, value)
            elif verb == "send":
                os.write(fd, value.encode().decode("unicode_escape").encode("latin-1"))
            elif verb == "resize":
                rows, cols = map(int, value.split("x"))
                fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            elif verb == "run":
                subprocess.run(value, shell=True, check=True)
            else:
                sys.exit("console.py: unknown step " + step)
    finally:
        os.unlink(path)


main()
