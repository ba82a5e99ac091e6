"""Writes pcap files whose bytes depend on nothing but the frames: no clock, no library version."""
import struct

MAGIC_US = 0xa1b2c3d4
ETHERNET = 1
SNAPLEN = 65535


def write(path, frames):
    """@frames: (microseconds since the epoch, bytes), in the order in which they are to be read."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", MAGIC_US, 2, 4, 0, 0, SNAPLEN, ETHERNET))
        for time_us, frame in frames:
            file.write(struct.pack("<IIII", time_us // 1000000, time_us % 1000000, len(frame),
                                   len(frame)))
            file.write(frame)
