#!/usr/bin/python3
"""Makes examples/sample.pcap: ten seconds on the link of a load balancer with a firewall.

    gen_sample.py OUT.pcap

Clients reach the VIPs of examples/l4lb/lb.json over IPv4 and IPv6; around them is what such a link
sees: ARP, neighbour discovery, pings, VLANs, fragments, an administrator, password guessers,
scanners, a flood, and packets that are plain broken. The rules of examples/firewall/maps name most
of them. Only what arrives is there, since reals answer their clients directly.

All addresses are from the ranges for documentation (RFC 5737, RFC 3849). The same bytes each time:
one seed, times counted from one instant.
"""
import random
import struct
import sys

from scapy.all import (ARP, DNS, DNSQR, GRE, ICMP, IP, LLC, STP, TCP, UDP, Dot1AD, Dot1Q, Dot3,
                       Ether, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr,
                       ICMPv6PacketTooBig, IPOption, IPv6, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, PadN, Raw)

import pcap_file

START_S = 1748854800  # 2 June 2025, 09:00:00 UTC
MIN_FRAME = 60        # Ethernet pads shorter ones; the checksum behind is not captured

LB_MAC, ROUTER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:fe"
BROADCAST, STP_MAC = "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:00"

WEB, DNS_VIP = "192.0.2.10", "192.0.2.53"
WEB6, DNS6_VIP = "2001:db8:0:10::10", "2001:db8:0:10::53"
HOST, HOST6 = "192.0.2.1", "2001:db8:0:10::1"  # the load balancer's own addresses
ROUTER, ROUTER6 = "192.0.2.254", "fe80::fe"

ADMIN = "198.51.100.241"      # firewall: allowed network
GUESSER = "198.51.100.77"     # tries passwords
STEALTHY = "198.51.100.99"    # scans with impossible flags
FLOODER = "198.51.100.200"
SCANNER, MONITOR = "203.0.113.66", "203.0.113.10"  # the second is excepted from the deny list
SCANNER6, MONITOR6 = "2001:db8:bad::66", "2001:db8:bad::10"

SYN, ACK, PSH_ACK, FIN_ACK = "S", "A", "PA", "FA"


class Story:
    """Frames with their times, in any order; sorted in the end."""

    def __init__(self):
        self.rng = random.Random(20250602)
        self.frames = []

    def add(self, at_s, packet, pad=True):
        frame = bytes(packet)
        if pad:
            frame = frame.ljust(MIN_FRAME, b"\0")
        self.frames.append((START_S * 1000000 + round(at_s * 1000000), frame))

    def from_router(self, at_s, packet, **more):
        self.add(at_s, Ether(dst=LB_MAC, src=ROUTER_MAC) / packet, **more)

    def ip_id(self):
        return self.rng.randrange(1, 65536)

    def sorted(self):
        # Stable: what has the same time stays in the order in which it was told.
        return sorted(self.frames, key=lambda frame: frame[0])


def ip_of(story, src, dst, ttl=None, **more):
    """An IPv4 or IPv6 header, with the hops that a packet from far away has left."""
    ttl = story.rng.randrange(46, 62) if ttl is None else ttl
    if ":" in dst:
        return IPv6(src=src, dst=dst, hlim=ttl, fl=story.rng.randrange(1 << 20))
    return IP(src=src, dst=dst, ttl=ttl, id=story.ip_id(), **more)


def tcp_connection(story, at_s, src, dst, port, request, uploads=()):
    """The client's half of one: open, ask, acknowledge the answer, close."""
    rng = story.rng
    ip = ip_of(story, src, dst)
    sport, seq, ack = rng.randrange(32768, 61000), rng.getrandbits(32), rng.getrandbits(32)
    rtt_s = rng.uniform(0.01, 0.06)

    def send(step, flags, payload=b""):
        nonlocal seq
        tcp = TCP(sport=sport, dport=port, flags=flags, seq=seq, window=64240,
                  ack=0 if flags == SYN else ack,
                  options=[("MSS", 1440), ("SAckOK", ""), ("NOP", None), ("WScale", 7)]
                  if flags == SYN else [])
        if ip.version == 4:
            ip.id = (ip.id + 1) & 0xffff
        story.from_router(at_s + step * rtt_s, ip / tcp / Raw(payload))
        seq = (seq + len(payload) + (flags in (SYN, FIN_ACK))) & 0xffffffff

    send(0, SYN)
    send(1, ACK)
    send(1.1, PSH_ACK, request)
    for i, size in enumerate(uploads):
        send(1.2 + i / 100, ACK, rng.randbytes(size))
    for step in (2, 3):
        ack = (ack + 1440) & 0xffffffff
        send(step, ACK)
    send(3.5, FIN_ACK)


def clients(story):
    rng = story.rng
    http = b"GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n"
    for i in range(40):
        src = f"198.51.100.{10 + i % 25}"
        # Uploads of some: with a tunnel's header the largest do not fit into 1,500 bytes any more.
        uploads = {7: (1400, 1400), 23: (1460,)}.get(i, ())
        tcp_connection(story, rng.uniform(0.3, 9), src, WEB, 443, rng.randbytes(120), uploads)
    for i in range(20):
        tcp_connection(story, rng.uniform(0.3, 9), f"198.51.100.{40 + i % 12}", WEB, 80, http)
    for i in range(20):
        tcp_connection(story, rng.uniform(0.3, 9), f"2001:db8:c:{i % 8:x}::{100 + i:x}", WEB6, 443,
                       rng.randbytes(120))
    for i in range(60):
        name_query(story, rng.uniform(0.3, 9.5), f"198.51.100.{10 + i % 30}", DNS_VIP)
    for i in range(25):
        name_query(story, rng.uniform(0.3, 9.5), f"2001:db8:c:{i % 8:x}::53:{i:x}", DNS6_VIP)
    # Nobody listens there: no VIP has this port.
    for i in range(4):
        story.from_router(2 + i, ip_of(story, "198.51.100.31", WEB) /
                          TCP(sport=40000 + i, dport=8080, flags=SYN, seq=1))


def name_query(story, at_s, src, dst):
    rng = story.rng
    name = f"{rng.choice(['www', 'mail', 'api', 'cdn'])}.example.{rng.choice(['com', 'net', 'org'])}"
    story.from_router(at_s, ip_of(story, src, dst) / UDP(sport=rng.randrange(1024, 65536), dport=53) /
                      DNS(id=rng.getrandbits(16), rd=1, qd=DNSQR(qname=name)))


def neighbours(story):
    """What the link itself says: ARP, neighbour discovery, spanning tree, VLANs."""
    for i in range(5):
        story.add(i * 2 + 0.1, Ether(dst=BROADCAST, src=ROUTER_MAC) /
                  ARP(op="who-has", hwsrc=ROUTER_MAC, psrc=ROUTER, pdst=HOST))
        story.add(i * 2 + 0.2, Dot3(dst=STP_MAC, src=ROUTER_MAC) / LLC(dsap=0x42, ssap=0x42, ctrl=3) /
                  STP(rootmac=ROUTER_MAC, bridgemac=ROUTER_MAC))
    story.from_router(0.15, IPv6(src=ROUTER6, dst=HOST6, hlim=255) / ICMPv6ND_NS(tgt=HOST6) /
                      ICMPv6NDOptSrcLLAddr(lladdr=ROUTER_MAC))
    story.from_router(0.25, IPv6(src=ROUTER6, dst=HOST6, hlim=255) / ICMPv6ND_NA(tgt=ROUTER6))
    # A machine asks whether an address is free: it has none yet to send from.
    story.add(4.2, Ether(dst="33:33:ff:00:00:10", src="02:00:00:00:00:33") /
              IPv6(src="::", dst="ff02::1:ff00:10", hlim=255) / ICMPv6ND_NS(tgt="fe80::10"))
    for i in range(8):
        story.add(1 + i, Ether(dst=LB_MAC, src=ROUTER_MAC) / Dot1Q(vlan=100) /
                  ip_of(story, "198.51.100.60", HOST) / TCP(sport=41000, dport=80, flags=ACK, seq=i))
    for i in range(4):
        story.add(1.5 + i, Ether(dst=LB_MAC, src=ROUTER_MAC) / Dot1AD(vlan=200) / Dot1Q(vlan=7) /
                  ip_of(story, "198.51.100.61", HOST) / TCP(sport=41001, dport=23, flags=SYN, seq=i))


def pings(story):
    for i in range(5):
        story.from_router(i + 0.5, ip_of(story, MONITOR, WEB) / ICMP(id=77, seq=i) / Raw(b"ping" * 8))
        story.from_router(i + 0.6, ip_of(story, MONITOR6, WEB6) /
                          ICMPv6EchoRequest(id=78, seq=i, data=b"ping" * 8))
    for i in range(3):
        story.from_router(i + 0.7, ip_of(story, "198.51.100.15", HOST) / ICMP(id=79, seq=i))
        story.from_router(i + 0.8, ip_of(story, "198.51.100.15", DNS_VIP) / ICMP(id=80, seq=i))


def router_errors(story):
    """"Packet too big" for what a real sent in a VIP's name: it belongs to that connection."""
    quoted = (IP(src=WEB, dst="198.51.100.10", ttl=60, id=1, flags="DF", len=1500) /
              TCP(sport=443, dport=50001, seq=1))
    quoted6 = IPv6(src=WEB6, dst="2001:db8:c::64", hlim=60, plen=1460) / TCP(sport=443, dport=50002,
                                                                           seq=1)
    for i in range(2):
        story.from_router(3.1 + i, ip_of(story, "198.51.100.1", WEB) /
                          ICMP(type=3, code=4, nexthopmtu=1400) / Raw(bytes(quoted)[:28]))
        story.from_router(3.2 + i, ip_of(story, "2001:db8:c::1", WEB6) /
                          ICMPv6PacketTooBig(mtu=1400) / Raw(bytes(quoted6)[:48]))


def intruders(story):
    rng = story.rng
    for i in range(10):
        story.from_router(1 + i / 2, ip_of(story, ADMIN, HOST) /
                          TCP(sport=50022, dport=22, flags=SYN if i == 0 else ACK, seq=i))
    for i in range(12):
        story.from_router(2 + i / 4, ip_of(story, GUESSER, HOST) /
                          TCP(sport=42000 + i, dport=22, flags=SYN, seq=rng.getrandbits(32)))
    for i, port in enumerate(rng.sample(range(1, 10000), 60)):
        story.from_router(3 + i / 50, ip_of(story, SCANNER, WEB) /
                          TCP(sport=55555, dport=port, flags=SYN, seq=rng.getrandbits(32)))
    for i, port in enumerate(rng.sample(range(1, 10000), 20)):
        story.from_router(3.5 + i / 50, ip_of(story, SCANNER6, WEB6) /
                          TCP(sport=55556, dport=port, flags=SYN, seq=rng.getrandbits(32)))
    for i in range(15):
        story.from_router(4 + i / 10, ip_of(story, STEALTHY, WEB) /
                          TCP(sport=44444, dport=80 + i, flags=("FPU", "", "SF")[i % 3], seq=i))
    # 600 queries within a second: three times what one source may send.
    query = bytes(DNS(rd=1, qd=DNSQR(qname="flood.example.com")))
    for i in range(600):
        story.from_router(5 + i / 600, ip_of(story, FLOODER, DNS_VIP) /
                          UDP(sport=1024 + i % 50, dport=53) / Raw(rng.randbytes(2) + query[2:]))
    # Sources that cannot be: this host, a group.
    for i, src in enumerate(("127.0.0.1", "224.0.0.9", "0.1.2.3")):
        story.from_router(6.5 + i / 10, ip_of(story, src, WEB) / TCP(sport=1, dport=443, flags=SYN))
    for i in range(2):
        story.from_router(7 + i, ip_of(story, "198.51.100.88", HOST) / GRE() /
                          IP(src="10.0.0.1", dst="10.0.0.2", id=1) / ICMP())


def fragments(story):
    """A name server's long query in three pieces, over IPv4 and IPv6, and one made to deceive."""
    query = bytes(UDP(sport=5300, dport=53, len=528, chksum=0)) + story.rng.randbytes(520)
    for begin in range(0, len(query), 200):
        more = begin + 200 < len(query)
        piece = query[begin:begin + 200]
        story.from_router(6 + begin / 10000, IP(src="198.51.100.20", dst=DNS_VIP, id=999, ttl=55,
                                                proto=17, frag=begin // 8, flags="MF" if more else 0) /
                          Raw(piece))
        story.from_router(6.1 + begin / 10000, IPv6(src="2001:db8:c::20", dst=DNS6_VIP, hlim=55) /
                          IPv6ExtHdrFragment(nh=17, offset=begin // 8, m=int(more), id=999) /
                          Raw(piece))
    # Would overwrite the flags in a TCP header that has passed already.
    story.from_router(6.3, IP(src=STEALTHY, dst=HOST, id=998, ttl=55, proto=6, frag=1) /
                      Raw(struct.pack(">IIBBHHH", 0, 0, 0x50, 0x02, 1024, 0, 0)))


def odd_ones(story):
    web = ip_of(story, "198.51.100.12", WEB)
    syn = TCP(sport=45000, dport=443, flags=SYN, seq=1)
    # Rare but right: options, extension headers, the last hop.
    story.from_router(8, IP(src="198.51.100.12", dst=WEB, id=2, ttl=50,
                            options=[IPOption(b"\x94\x04\x00\x00")]) / syn)
    story.from_router(8.1, IPv6(src="2001:db8:c::12", dst=WEB6, hlim=50) /
                      IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / syn)
    for hop in range(2):
        story.from_router(8.2 + hop / 10, ip_of(story, "198.51.100.13", WEB, ttl=1) / syn)
    # Wrong: a header too short, a length beyond the frame, a cut TCP header, a cut VLAN tag.
    story.from_router(8.4, IP(src="198.51.100.14", dst=WEB, id=3, ttl=50, ihl=3) / syn)
    story.from_router(8.5, IP(src="198.51.100.14", dst=WEB, id=4, ttl=50, len=1400) / syn)
    story.from_router(8.6, IP(src="198.51.100.14", dst=WEB, id=5, ttl=50, proto=6) / Raw(bytes(syn)[:12]))
    story.from_router(8.7, web / UDP(sport=7, dport=53, len=4))
    story.add(8.8, bytes(Ether(dst=LB_MAC, src=ROUTER_MAC) / Dot1Q(vlan=5))[:16], pad=False)
    # Three tags: a way around filters that look behind two.
    story.add(8.9, Ether(dst=LB_MAC, src=ROUTER_MAC) / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) /
              web / syn)


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2].strip(), file=sys.stderr)
        return 2
    story = Story()
    for tell in (clients, neighbours, pings, router_errors, intruders, fragments, odd_ones):
        tell(story)
    pcap_file.write(sys.argv[1], story.sorted())
    return 0


sys.exit(main())
