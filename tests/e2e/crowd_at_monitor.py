#!/usr/bin/env python3
"""crowd_at_monitor.py SOCKET N: connects N times and keeps all; each has to hear HELLO, or that it is turned away.

Prints how many were heard and how many turned away.
"""
import socket
import sys

kept, heard = [], 0
for _ in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)  # nobody is left waiting
    s.connect(sys.argv[1])
    heard += bool(s.recv(1))
    kept.append(s)
print(heard, len(kept) - heard)
