#!/usr/bin/env python3
"""hostile.py - hostile.py SERVER COUNT [SEED]: broken queries by UDP and TCP; in between, one that has to be answered"""
import random, socket, struct, sys

SERVER, COUNT = sys.argv[1], int(sys.argv[2])
random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
WEB = b"\x03web\x00\x00\x01\x00\x01"
SEEDS = [
    b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + WEB,
    b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" + WEB + b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00",
    b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x35\x01\x30\x01\x39\x0210\x07in-addr\x04arpa\x00\x00\x0c\x00\x01",
    b"\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" + WEB + b"\xc0\x0c\x00\x1c\x00\x01",
]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(5)
udp.connect((SERVER, 53))


def mutate(data):
    d = bytearray(data)
    for _ in range(random.randint(1, 4)):
        how, at = random.randrange(5), random.randrange(len(d) or 1)
        if how == 0 and d:
            d[at] = random.randrange(256)
        elif how == 1 and d:
            d[at] ^= 1 << random.randrange(8)
        elif how == 2:
            d = d[:at]
        elif how == 3:
            d[at:at] = random.randbytes(random.randint(1, 40))
        else:
            d += d[at:] * random.randint(1, 20)
    return bytes(d)


def check(number):
    """A good query is answered; answers to broken ones have the form of answers."""
    want = struct.pack(">H", 0x8000 | number)
    udp.send(want + SEEDS[0])
    while True:
        a = udp.recv(65535)
        if len(a) < 12 or not a[2] & 0x80 or a[3] & 0x0f > 5:
            sys.exit("no answer in form: %r" % a)
        if a[:2] == want:
            break
    if a[3] & 0x0f or struct.unpack(">H", a[6:8])[0] != 1:
        sys.exit("a wrong answer: %r" % a)


def by_tcp(data):
    with socket.create_connection((SERVER, 53), timeout=5) as s:
        s.sendall(struct.pack(">H", random.choice([len(data), len(data), random.randrange(65536)])) + data)


for i in range(COUNT):
    data = struct.pack(">H", random.randrange(0x8000)) + mutate(random.choice(SEEDS))
    if i % 20 == 19:
        by_tcp(data)
    else:
        udp.send(data[:1500])
    if i % 50 == 49:
        check(i)
print("ok", COUNT)
