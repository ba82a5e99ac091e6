#!/usr/bin/python3
"""Makes pcap-tests/assorted.pcap: at least one packet of each kind that trips programs up.

    gen_assorted.py OUT.pcap

Each entry of packets() is named by what it is about; with -l the names are listed with their packet
numbers, for whoever looks at a difference. Sizes go from 14 bytes (a bare Ethernet header) to 3,000.
The destinations are VIPs of examples/l4lb/lb.json where that makes a program go deeper.
"""
import random
import struct
import sys

from scapy.all import (AH, ARP, ESP, GRE, ICMP, IP, LLC, SCTP, SNAP, STP, TCP, UDP, VXLAN, Dot1AD,
                       Dot1Q, Dot3, Ether, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6TimeExceeded,
                       IPOption, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                       IPv6ExtHdrRouting, PadN, PPPoE, Raw, RouterAlert)
from scapy.contrib.mpls import MPLS

import pcap_file

START_S = 1748858400  # 2 June 2025, 10:00:00 UTC
STEP_US = 1000

SRC_MAC, DST_MAC = "02:00:00:00:00:fe", "02:00:00:00:00:01"
SRC, DST, DNS = "198.51.100.7", "192.0.2.10", "192.0.2.53"
SRC6, DST6, DNS6 = "2001:db8:c::7", "2001:db8:0:10::10", "2001:db8:0:10::53"

rng = random.Random(7)
eth = Ether(dst=DST_MAC, src=SRC_MAC)
ip4 = IP(src=SRC, dst=DST, id=1, ttl=60)
ip6 = IPv6(src=SRC6, dst=DST6, hlim=60)
dns4 = IP(src=SRC, dst=DNS, id=1, ttl=60)
dns6 = IPv6(src=SRC6, dst=DNS6, hlim=60)
syn = TCP(sport=40001, dport=443, flags="S", seq=1)
ask = UDP(sport=40002, dport=53)


def data(size):
    return Raw(rng.randbytes(size))


def filled(packet, size):
    """@packet with as much payload as makes the frame @size bytes."""
    return packet / data(size - len(packet))


def cut(packet, size):
    return bytes(packet)[:size]


def plain():
    yield "IPv4 TCP SYN", eth / ip4 / syn
    yield "IPv4 TCP data", eth / ip4 / TCP(sport=40001, dport=443, flags="PA", seq=2, ack=1) / data(100)
    yield "IPv4 TCP with options", eth / ip4 / TCP(
        sport=40003, dport=80, flags="S", seq=1,
        options=[("MSS", 1460), ("SAckOK", ""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)])
    yield "IPv4 TCP RST", eth / ip4 / TCP(sport=40001, dport=443, flags="R", seq=2)
    yield "IPv4 TCP no flags", eth / ip4 / TCP(sport=40001, dport=443, flags="", seq=2)
    yield "IPv4 TCP all flags", eth / ip4 / TCP(sport=40001, dport=443, flags="FSRPAUEC", seq=2)
    yield "IPv4 UDP", eth / dns4 / ask / data(30)
    yield "IPv4 UDP without checksum", eth / dns4 / UDP(sport=40002, dport=53, chksum=0) / data(31)
    yield "IPv4 UDP empty", eth / dns4 / UDP(sport=40004, dport=53)
    yield "IPv4 UDP ports zero", eth / dns4 / UDP(sport=0, dport=0) / data(8)
    yield "IPv4 TCP port zero", eth / ip4 / TCP(sport=0, dport=0, flags="S")
    yield "IPv4 ICMP echo", eth / ip4 / ICMP(id=1, seq=1) / data(32)
    yield "IPv4 ICMP unreachable, quoting", eth / ip4 / ICMP(type=3, code=4, nexthopmtu=1400) / Raw(
        bytes(IP(src=DST, dst=SRC, id=9, ttl=60) / TCP(sport=443, dport=40001, seq=9))[:28])
    yield "IPv4 TTL 1", eth / IP(src=SRC, dst=DST, id=1, ttl=1) / syn
    yield "IPv4 TTL 0", eth / IP(src=SRC, dst=DST, id=1, ttl=0) / syn
    yield "IPv4 DSCP and ECN", eth / IP(src=SRC, dst=DST, id=1, ttl=60, tos=0xb9) / syn
    yield "IPv4 to multicast", Ether(dst="01:00:5e:00:00:05", src=SRC_MAC) / IP(
        src=SRC, dst="224.0.0.5", id=1, ttl=1, proto=89) / data(44)
    yield "IPv4 to broadcast", Ether(dst="ff:ff:ff:ff:ff:ff", src=SRC_MAC) / IP(
        src="0.0.0.0", dst="255.255.255.255", id=1) / UDP(sport=68, dport=67) / data(240)
    yield "IPv4 source is destination", eth / IP(src=DST, dst=DST, id=1, ttl=60) / syn
    yield "IPv4 SCTP", eth / IP(src=SRC, dst=DST, id=1, ttl=60, proto=132) / SCTP(sport=1, dport=2)
    yield "IPv4 unknown protocol", eth / IP(src=SRC, dst=DST, id=1, ttl=60, proto=253) / data(20)
    yield "IPv6 TCP SYN", eth / ip6 / syn
    yield "IPv6 TCP data", eth / ip6 / TCP(sport=40001, dport=443, flags="PA", seq=2, ack=1) / data(77)
    yield "IPv6 UDP", eth / dns6 / ask / data(30)
    yield "IPv6 echo", eth / ip6 / ICMPv6EchoRequest(id=1, seq=1, data=b"0123456789abcdef")
    yield "IPv6 neighbour solicitation", Ether(dst="33:33:ff:00:00:10", src=SRC_MAC) / IPv6(
        src="fe80::1", dst="ff02::1:ff00:10", hlim=255) / ICMPv6ND_NS(tgt=DST6)
    yield "IPv6 time exceeded, quoting", eth / ip6 / ICMPv6TimeExceeded() / Raw(
        bytes(IPv6(src=DST6, dst=SRC6, hlim=60, plen=20) / TCP(sport=443, dport=40001))[:48])
    yield "IPv6 no next header", eth / IPv6(src=SRC6, dst=DST6, hlim=60, nh=59)
    yield "IPv6 hop limit 1, flow label", eth / IPv6(src=SRC6, dst=DST6, hlim=1, fl=0xabcde, tc=0xb9) / syn


def link_layer():
    yield "ARP request", Ether(dst="ff:ff:ff:ff:ff:ff", src=SRC_MAC) / ARP(
        op="who-has", hwsrc=SRC_MAC, psrc=SRC, pdst=DST)
    yield "ARP reply", eth / ARP(op="is-at", hwsrc=SRC_MAC, psrc=SRC, hwdst=DST_MAC, pdst=DST)
    yield "LLC spanning tree", Dot3(dst="01:80:c2:00:00:00", src=SRC_MAC) / LLC(
        dsap=0x42, ssap=0x42, ctrl=3) / STP(rootmac=SRC_MAC, bridgemac=SRC_MAC)
    yield "LLC SNAP", Dot3(dst=DST_MAC, src=SRC_MAC) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(
        OUI=0, code=0x0800) / ip4 / syn
    yield "VLAN IPv4", eth / Dot1Q(vlan=100, prio=5) / ip4 / syn
    yield "VLAN IPv6", eth / Dot1Q(vlan=100) / ip6 / syn
    yield "VLAN ARP", eth / Dot1Q(vlan=100) / ARP(op="who-has", hwsrc=SRC_MAC, psrc=SRC, pdst=DST)
    yield "QinQ IPv4", eth / Dot1AD(vlan=200) / Dot1Q(vlan=7) / ip4 / syn
    yield "QinQ IPv6", eth / Dot1AD(vlan=200) / Dot1Q(vlan=7) / dns6 / ask / data(9)
    yield "two tags, both 802.1Q", eth / Dot1Q(vlan=1) / Dot1Q(vlan=2) / dns4 / ask
    yield "three tags", eth / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / ip4 / syn
    yield "tag without end", eth / Dot1Q(vlan=1, type=0x8100)
    yield "MPLS", eth / MPLS(label=16, ttl=60, s=1) / ip4 / syn
    yield "MPLS, two labels, IPv6", eth / MPLS(label=16, ttl=60, s=0) / MPLS(label=17, ttl=60, s=1) / ip6 / syn
    yield "PPPoE session", Ether(dst=DST_MAC, src=SRC_MAC, type=0x8864) / PPPoE(sessionid=1) / Raw(
        b"\0\x21" + bytes(ip4 / syn))
    yield "LLDP", Ether(dst="01:80:c2:00:00:0e", src=SRC_MAC, type=0x88cc) / data(40)
    yield "unknown type", Ether(dst=DST_MAC, src=SRC_MAC, type=0x9999) / data(46)


def fragments():
    payload = bytes(ask / data(792))
    for begin in (0, 400):
        more = begin == 0
        yield f"IPv4 fragment at {begin}", eth / IP(
            src=SRC, dst=DNS, id=77, ttl=60, proto=17, frag=begin // 8,
            flags="MF" if more else 0) / Raw(payload[begin:begin + 400])
        yield f"IPv6 fragment at {begin}", eth / dns6 / IPv6ExtHdrFragment(
            nh=17, offset=begin // 8, m=int(more), id=77) / Raw(payload[begin:begin + 400])
    yield "IPv4 fragment, tiny first", eth / IP(src=SRC, dst=DST, id=78, ttl=60, proto=6, flags="MF") / data(8)
    yield "IPv4 fragment over the flags", eth / IP(src=SRC, dst=DST, id=78, ttl=60, proto=6, frag=1) / data(12)
    yield "IPv4 fragment at the very end", eth / IP(src=SRC, dst=DST, id=79, ttl=60, proto=17, frag=8191) / data(16)
    yield "IPv6 atomic fragment", eth / ip6 / IPv6ExtHdrFragment(nh=6, id=80) / syn
    yield "IPv6 tiny first fragment", eth / ip6 / IPv6ExtHdrFragment(nh=6, m=1, id=81) / data(8)


def options():
    yield "IPv4 router alert", eth / IP(src=SRC, dst=DST, id=1, ttl=60,
                                        options=[IPOption(b"\x94\x04\x00\x00")]) / syn
    yield "IPv4 forty bytes of options", eth / IP(src=SRC, dst=DST, id=1, ttl=60,
                                                  options=[IPOption(b"\x01")] * 40) / syn
    yield "IPv6 hop-by-hop", eth / ip6 / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / syn
    yield "IPv6 destination options", eth / ip6 / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(28))]) / syn
    yield "IPv6 routing header", eth / ip6 / IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=0) / syn
    yield "IPv6 chain of headers", eth / ip6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / \
        IPv6ExtHdrRouting() / IPv6ExtHdrFragment(nh=60, id=5) / IPv6ExtHdrDestOpt() / ask / data(5)
    chain = ip6
    for _ in range(9):
        chain = chain / IPv6ExtHdrDestOpt()
    yield "IPv6 chain too long", eth / chain / syn
    yield "IPv4 AH", eth / IP(src=SRC, dst=DST, id=1, ttl=60) / AH(nh=6, payloadlen=4, spi=1, seq=1, icv=bytes(12)) / syn
    yield "IPv6 AH", eth / ip6 / AH(nh=6, payloadlen=4, spi=1, seq=1, icv=bytes(12)) / syn
    yield "IPv4 ESP", eth / IP(src=SRC, dst=DST, id=1, ttl=60) / ESP(spi=1, seq=1, data=bytes(40))


def tunnels():
    inner4 = IP(src="10.0.0.1", dst="10.0.0.2", id=2, ttl=9) / TCP(sport=1, dport=80)
    inner6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=9) / UDP(sport=1, dport=53)
    yield "IPIP", eth / ip4 / inner4
    yield "6in4", eth / ip4 / inner6
    yield "4in6", eth / ip6 / inner4
    yield "IP6IP6", eth / ip6 / inner6
    yield "GRE", eth / ip4 / GRE() / inner4
    yield "GRE with key and sequence", eth / ip4 / GRE(key_present=1, key=5, seqnum_present=1,
                                                       seqence_number=6) / inner6
    yield "VXLAN", eth / ip4 / UDP(sport=50000, dport=4789) / VXLAN(vni=42, flags="Instance") / \
        Ether(dst=SRC_MAC, src=DST_MAC) / inner4
    yield "GRE in IPv6", eth / ip6 / GRE() / inner6


def damaged():
    tcp4, udp4, tcp6 = eth / ip4 / syn / data(20), eth / dns4 / ask / data(20), eth / ip6 / syn / data(20)
    for size in (14, 15, 20, 33, 34, 35, 41, 53, 54):
        yield f"IPv4 TCP cut to {size}", cut(tcp4, size)
    for size in (41, 42):
        yield f"IPv4 UDP cut to {size}", cut(udp4, size)
    for size in (14, 53, 54, 60, 73, 74):
        yield f"IPv6 TCP cut to {size}", cut(tcp6, size)
    yield "VLAN cut", cut(eth / Dot1Q(vlan=1) / ip4, 17)
    yield "VLAN, nothing behind", cut(eth / Dot1Q(vlan=1) / ip4, 18)
    yield "ARP cut", cut(eth / ARP(hwsrc=SRC_MAC, psrc=SRC, pdst=DST), 28)
    yield "IPv6 extension header cut", cut(eth / ip6 / IPv6ExtHdrHopByHop() / syn, 57)
    yield "IPv6 fragment header cut", cut(eth / ip6 / IPv6ExtHdrFragment() / syn, 60)
    # Whole frames whose lengths lie. Checksums are scapy's own, over what it was told.
    yield "IPv4 version 5", eth / IP(src=SRC, dst=DST, id=1, ttl=60, version=5) / syn
    yield "IPv4 header length 4", eth / IP(src=SRC, dst=DST, id=1, ttl=60, ihl=4) / syn
    yield "IPv4 header length beyond", eth / IP(src=SRC, dst=DST, id=1, ttl=60, ihl=15) / UDP(sport=1, dport=53)
    yield "IPv4 total length 19", eth / IP(src=SRC, dst=DST, id=1, ttl=60, len=19) / syn
    yield "IPv4 total length 0", eth / IP(src=SRC, dst=DST, id=1, ttl=60, len=0) / syn
    yield "IPv4 total length beyond", eth / IP(src=SRC, dst=DST, id=1, ttl=60, len=1500) / syn
    yield "IPv4 wrong checksum", eth / IP(src=SRC, dst=DST, id=1, ttl=60, chksum=0xdead) / syn
    yield "TCP header length 4", eth / ip4 / TCP(sport=40005, dport=443, flags="S", dataofs=4)
    yield "TCP header length beyond", eth / ip4 / TCP(sport=40005, dport=443, flags="S", dataofs=15)
    yield "UDP length 7", eth / dns4 / UDP(sport=40006, dport=53, len=7) / data(10)
    yield "UDP length beyond", eth / dns4 / UDP(sport=40006, dport=53, len=999) / data(10)
    yield "IPv6 version 4", eth / IPv6(src=SRC6, dst=DST6, hlim=60, version=4) / syn
    yield "IPv6 payload length beyond", eth / IPv6(src=SRC6, dst=DST6, hlim=60, plen=1400) / syn
    yield "IPv6 payload length 0", eth / IPv6(src=SRC6, dst=DST6, hlim=60, plen=0, nh=6) / syn
    yield "IPv6 extension header length beyond", eth / ip6 / IPv6ExtHdrDestOpt(len=255) / syn
    yield "all zeros", bytes(64)
    yield "all ones", b"\xff" * 64
    yield "random", rng.randbytes(200)


def sizes():
    """Payload after payload, around the limits that drivers and programs have."""
    for size in (60, 61, 64, 127, 128, 129, 255, 256, 257, 511, 1023, 1499, 1500, 1514):
        yield f"{size} bytes", filled(eth / dns4 / UDP(sport=40100, dport=53), size)
    for size in (1515, 2000, 2048, 2999, 3000):
        yield f"{size} bytes", filled(eth / ip4 / TCP(sport=40101, dport=443, flags="A", seq=size), size)
    yield "IPv6, 1514 bytes", filled(eth / ip6 / TCP(sport=40101, dport=443, flags="A"), 1514)
    yield "IPv6, 3000 bytes", filled(eth / dns6 / UDP(sport=40100, dport=53), 3000)
    yield "60 bytes, 6 of them padding", bytes(eth / ip4 / syn).ljust(60, b"\0")
    yield "padding that looks like a header", bytes(eth / dns4 / UDP(sport=40102, dport=53)) + \
        struct.pack(">HHHH", 53, 53, 8, 0)


def packets():
    for group in (plain, link_layer, fragments, options, tunnels, damaged, sizes):
        yield from group()


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2].strip(), file=sys.stderr)
        return 2
    named = [(name, bytes(packet)) for name, packet in packets()]
    if sys.argv[1] == "-l":
        for i, (name, frame) in enumerate(named):
            print(i, len(frame), name)
        return 0
    assert all(14 <= len(frame) <= 3000 for _, frame in named)
    pcap_file.write(sys.argv[1], [(START_S * 1000000 + i * STEP_US, frame)
                                  for i, (_, frame) in enumerate(named)])
    return 0


sys.exit(main())
