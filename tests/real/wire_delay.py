"""Forward every frame between two interfaces after a delay: `NEAR FAR MILLISECONDS`. Linux, root."""

from __future__ import annotations

import heapq
import select
import socket
import sys
import time

ALL_PROTOCOLS = 3
OUTGOING = 4  # sll_pkttype: a frame we sent ourselves


def main(near: str, far: str, milliseconds: float) -> None:
    ends = []
    for interface in (near, far):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        end.bind((interface, 0))
        ends.append(end)
    due: list[tuple[float, int, int, bytes]] = []
    number = 0
    print("forwarding", flush=True)
    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for end in select.select(ends, [], [], wait)[0]:
            frame, address = end.recvfrom(65535)
            if address[2] != OUTGOING:
                number += 1
                other = 1 - ends.index(end)
                heapq.heappush(due, (time.monotonic() + milliseconds / 1000, number, other, frame))
        while due and due[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(due)
            ends[to].send(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
