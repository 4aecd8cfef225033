#!/usr/bin/env python3
"""Writes a capture of a SYN flood: one unanswered SYN from each of many addresses.

bench/syn-flood.py 400000 flood.pcap
"""
import random
import struct
import sys

count, path = int(sys.argv[1]), sys.argv[2]
random.seed(1)
ethernet = bytes.fromhex("020000000002 020000000001 0800".replace(" ", ""))
with open(path, "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for i in range(count):
        # Counting up keeps the addresses distinct, the factor spreads them.
        source = (0x0A000000 + i * 2654435761) & 0xFFFFFFFF
        ip = struct.pack("!BBHHHBBHI4B", 0x45, 0, 40, i & 0xFFFF, 0, 64, 6, 0, source, 192, 0, 2, 1)
        tcp = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), 80, random.getrandbits(32), 0, 0x50, 2, 64240, 0, 0)
        packet = ethernet + ip + tcp
        out.write(struct.pack("<IIII", 1_600_000_000 + i // 50_000, i % 50_000 * 20, len(packet), len(packet)) + packet)
