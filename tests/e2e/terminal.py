#!/usr/bin/env python3
"""terminal.py - plays a user at a terminal: terminal.py ROWSxCOLS STEP... -- COMMAND...

Steps: expect=REGEX (in what came since the last match), send=TEXT (with \\r, \\x03 ...), resize=ROWSxCOLS,
signal=NUMBER (to the command), eof (waits for the end).  Prints all the terminal showed and exits with the
command's status (128 + n for a signal); 99 when an expectation is not met within DEADLINE seconds.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

DEADLINE = 120


def set_size(fd, size):
    rows, cols = map(int, size.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


class Terminal:
    def __init__(self, size, command):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            set_size(0, size)
            os.execvp(command[0], command)

    def read_more(self, end):
        """False at the end of the output."""
        if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            fail("terminal.py: nothing came in time; seen since the last match: %r" % self.seen)
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the other side is closed
            data = b""
        self.seen += data
        os.write(1, data)
        return bool(data)

    def expect(self, pattern):
        end = time.monotonic() + DEADLINE
        while not (m := re.search(pattern.encode(), self.seen)):
            if not self.read_more(end):
                fail("terminal.py: ended before %r came; seen: %r" % (pattern, self.seen))
        self.seen = self.seen[m.end():]

    def eof(self):
        while self.read_more(time.monotonic() + DEADLINE):
            pass


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(99)


def main():
    split = sys.argv.index("--")
    terminal = Terminal(sys.argv[1], sys.argv[split + 1:])
    for step in sys.argv[2:split]:
        verb, _, value = step.partition("=")
        if verb == "expect":
            terminal.expect(value)
        elif verb == "send":
            os.write(terminal.fd, value.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "resize":
            set_size(terminal.fd, value)
        elif verb == "signal":
            os.kill(terminal.pid, int(value))
        elif verb == "eof":
            terminal.eof()
        else:
            fail("terminal.py: unknown step " + step)
    terminal.eof()
    status = os.waitpid(terminal.pid, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


main()
