#!/usr/bin/env python3
"""cri.py SOCKET METHOD [FIELD=VALUE...]: one call of the Kubernetes CRI (api.proto, runtime.v1), by curl

FIELD is a path of field numbers, "1.2.1=text"; a number that is not text is "3:=5"; repeated fields stand as often as they are
asked for.  Prints the answer's fields likewise, a nested message only by its bytes; exit status 1 with the message of a failure.
"""
import subprocess
import sys
import tempfile


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def message(fields):
    """fields: (path, value) in order; those with one first number that have more of it are one nested message."""
    out, done = b"", set()
    for path, value in fields:
        first = path[0]
        if len(path) > 1:
            if first not in done:
                done.add(first)
                inner = message([(p[1:], v) for p, v in fields if p[0] == first])
                out += varint(first << 3 | 2) + varint(len(inner)) + inner
        elif isinstance(value, int):
            out += varint(first << 3) + varint(value)
        else:
            out += varint(first << 3 | 2) + varint(len(value)) + value
    return out


def read_varint(data, at):
    n = shift = 0
    while True:
        byte, at = data[at], at + 1
        n, shift = n | (byte & 127) << shift, shift + 7
        if byte < 128:
            return n, at


def fields_of(data):
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def main():
    socket, method, *words = sys.argv[1:]
    fields = []
    for word in words:
        place, value = word.split("=", 1)
        fields.append(([int(n) for n in place.rstrip(":").split(".")], int(value) if place.endswith(":") else value.encode()))
    body = message(fields)
    with tempfile.NamedTemporaryFile() as header:
        done = subprocess.run(
            ["curl", "-s", "--max-time", "60", "--http2-prior-knowledge", "--unix-socket", socket, "-D", header.name, "-H", "te: trailers",
             "-H", "content-type: application/grpc", "--data-binary", "@-", f"http://localhost/runtime.v1.RuntimeService/{method}"],
            input=b"\0" + len(body).to_bytes(4, "big") + body, stdout=subprocess.PIPE, check=True)
        said = {name: value.strip() for name, _, value in (line.decode().partition(":") for line in open(header.name, "rb"))}
    if said.get("grpc-status") != "0":
        sys.exit(f"{method}: {said.get('grpc-message', said)}")
    for number, value in fields_of(done.stdout[5:]):
        print(number, value if isinstance(value, int) else value.decode(errors="replace"))


main()
