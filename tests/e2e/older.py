#!/usr/bin/env python3
"""older.py DIR - a monitor that knows no SAVE_DISK, as those of before it: in front of the one whose run directory is DIR

Its socket is moved aside; all that clients say goes on to it but MSG_SAVE with that step, which is answered with EINVAL.
Ends when its stdin does, and then the socket is back in its place.  Prints "ready" first, and "refused" each time.
"""
import os
import selectors
import socket
import struct
import sys
import threading

HEAD = struct.Struct("<IHHI")  # bytes behind it, type, 0, stream
MSG_SAVE, MSG_SAVED, SAVE_DISK, EINVAL = 33, 34, 3, 22


def receive(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def up(client, monitor):
    """From the client, frame by frame."""
    try:
        while True:
            head = receive(client, HEAD.size)
            size, kind, _, stream = HEAD.unpack(head)
            body = receive(client, size)
            if kind == MSG_SAVE and struct.unpack_from("<I", body)[0] == SAVE_DISK:
                text = struct.pack("<I", EINVAL) + b"this is no id of a snapshot"
                client.sendall(HEAD.pack(len(text), MSG_SAVED, 0, stream) + text)
                print("refused", flush=True)
            else:
                monitor.sendall(head + body)
    except (EOFError, OSError):
        half_close(monitor)


def half_close(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def down(monitor, client):
    try:
        while data := monitor.recv(65536):
            client.sendall(data)
    except OSError:
        pass
    half_close(client)


def serve(client):
    monitor = socket.socket(socket.AF_UNIX)
    monitor.connect("real.sock")
    threading.Thread(target=up, args=(client, monitor), daemon=True).start()
    threading.Thread(target=down, args=(monitor, client), daemon=True).start()


def main():
    os.chdir(sys.argv[1])  # a socket's address is short
    os.rename("monitor.sock", "real.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("monitor.sock")
    listener.listen()
    print("ready", flush=True)
    wait = selectors.DefaultSelector()
    wait.register(listener, selectors.EVENT_READ)
    wait.register(sys.stdin, selectors.EVENT_READ)
    while all(key.fileobj is listener for key, _ in wait.select()):
        serve(listener.accept()[0])
    os.rename("real.sock", "monitor.sock")


main()
