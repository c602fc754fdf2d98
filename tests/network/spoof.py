"""spoof.py send LINK | hear LINK - frames that say what is not so, and those that are in order; which of them arrive

Each frame carries its number behind a mark; the last one sent is in order, and ends the listening.
"""
import ipaddress, socket, struct, sys

MARK = b"KETCHFRAME"
A1, A2, GATEWAY_MAC = (bytes.fromhex(m.replace(":", "")) for m in ("02:42:00:00:00:03", "02:42:00:00:00:04", "02:42:00:00:00:99"))
ALL = b"\xff" * 6


def ip4(text):
    return ipaddress.ip_address(text).packed


ip6 = ip4


def ether(kind, payload, src=A1, dst=ALL):
    return dst + src + struct.pack("!H", kind) + payload


def arp(sender_mac, sender, target, op=1):
    return struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + sender_mac + ip4(sender) + bytes(6) + ip4(target)


def ipv4(src, dst="255.255.255.255", sport=1000, dport=1000, longer=0):
    n = 8 + len(MARK) + 1
    udp = struct.pack("!HHHH", sport, dport, n, 0)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + n + longer, 0, 0, 64, 17, 0) + ip4(src) + ip4(dst) + udp


def ipv6(src, kind, body, dst="ff02::1", before=b"", next_header=58):
    icmp = struct.pack("!BBHI", kind, 0, 0, 0) + body
    payload = before + icmp + bytes(20)
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header if before else 58, 255) + ip6(src) + ip6(dst) + payload


LINK_LOCAL, OWN6 = "fe80::42:ff:fe00:3", "fd88::5"
DEST_OPTIONS = struct.pack("!BB", 58, 0) + b"\x01\x04" + bytes(4)
FRAMES = [
    ("another's MAC", False, ether(0x800, ipv4("10.88.0.5"), src=A2)),
    ("another's IPv4 address", False, ether(0x800, ipv4("10.88.0.6"))),
    ("the gateway's IPv4 address", False, ether(0x800, ipv4("10.88.0.1"))),
    ("an IPv4 address from outside", False, ether(0x800, ipv4("8.8.8.8"))),
    ("an answer of a DHCP server", False, ether(0x800, ipv4("10.88.0.5", sport=67, dport=68))),
    ("the same in a packet of a wrong length", False, ether(0x800, ipv4("10.88.0.5", sport=67, dport=68, longer=9))),
    ("ARP for another's address", False, ether(0x806, arp(A1, "10.88.0.6", "10.88.0.6"))),
    ("ARP for the gateway's address", False, ether(0x806, arp(A1, "10.88.0.1", "10.88.0.1", 2))),
    ("ARP with another's MAC inside", False, ether(0x806, arp(A2, "10.88.0.5", "10.88.0.6"))),
    ("ARP of no address that is an answer", False, ether(0x806, arp(A1, "0.0.0.0", "10.88.0.6", 2))),
    ("another's IPv6 address", False, ether(0x86dd, ipv6("fd88::6", 128, b""))),
    ("another's link-local address", False, ether(0x86dd, ipv6("fe80::42:ff:fe00:4", 128, b""))),
    ("a router advertisement", False, ether(0x86dd, ipv6(LINK_LOCAL, 134, bytes(8)))),
    ("a router advertisement behind an extension header", False,
     ether(0x86dd, ipv6(LINK_LOCAL, 134, bytes(8), before=DEST_OPTIONS, next_header=60))),
    ("a redirect", False, ether(0x86dd, ipv6(LINK_LOCAL, 137, ip6("fd88::6") * 2))),
    ("a neighbour advertisement for another's address", False, ether(0x86dd, ipv6(OWN6, 136, ip6("fd88::6")))),
    ("a frame with a VLAN tag", False, ether(0x8100, struct.pack("!HH", 5, 0x800) + ipv4("10.88.0.6"))),
    ("a frame of another protocol", False, ether(0x88cc, bytes(30))),
    ("its own IPv4 address", True, ether(0x800, ipv4("10.88.0.5"))),
    ("a question to a DHCP server", True, ether(0x800, ipv4("0.0.0.0", sport=68, dport=67))),
    ("ARP for its own address", True, ether(0x806, arp(A1, "10.88.0.5", "10.88.0.6"))),
    ("ARP that looks whether an address is free", True, ether(0x806, arp(A1, "0.0.0.0", "10.88.0.5"))),
    ("its own IPv6 address", True, ether(0x86dd, ipv6(OWN6, 128, b""))),
    ("a neighbour advertisement for its own address", True, ether(0x86dd, ipv6(OWN6, 136, ip6(OWN6)))),
    ("a neighbour solicitation of no address", True, ether(0x86dd, ipv6("::", 135, ip6(OWN6)))),
]


def opened(link):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((link, 0))
    return s


def main():
    s = opened(sys.argv[2])
    if sys.argv[1] == "send":
        for i, (_, _, frame) in enumerate(FRAMES):
            s.send(frame + MARK + bytes([i]))
        return
    s.settimeout(10)
    print("ready", flush=True)
    heard = set()
    while len(FRAMES) - 1 not in heard:
        frame = s.recv(2000)
        if MARK in frame:
            heard.add(frame[frame.index(MARK) + len(MARK)])
    print(*sorted(heard))


if __name__ == "__main__":
    main()
