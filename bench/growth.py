"""Growth: what a delivery, a message and an idle socket cost as there are more of everything.

    ./dev bench growth [--rounds 9] [--seconds 3] [--messages 1000,1000000]

    members    of one room: CPU time of a delivery, beside limit-batch; bytes of an idle socket
    rooms      with 2000 messages a second over all of them, one member each: CPU time of a message
    messages   in the database: a page from the database, a stored message
"""
import argparse
import sys

from lab import machine, servers
from lab.measure import load
from lab.tables import Results, table, text
from reads import ask, filled, read

MEMBERS = (100, 1000, 10000)
ROOMS = (10, 100, 1000, 10000)
ROOMS_RATE = 2000  # messages a second, of all


def measure_members(results, seconds):
    for members in MEMBERS:
        for kind in (servers.LimitBatch, servers.Parley):
            with kind() as server:
                results.add(f"members {members}", kind.name, load(server, members=members, publishers=4, window=4, seconds=seconds))


def measure_rooms(results, seconds):
    for rooms in ROOMS:
        with servers.Parley() as server:
            results.add(f"rooms {rooms}", "parley", load(server, rooms=rooms, publishers=1, rate=ROOMS_RATE / rooms, seconds=seconds))


class InRoom:
    """a server as it is, and one room of it"""

    def __init__(self, server, room):
        self.server, self.room = server, room

    def __getattr__(self, name):
        return getattr(self.server, name)

    def script(self, rooms, members):
        return [f"room {self.room['id']}", *[line for line in self.server.script(1, members) if not line.startswith("room ")]]


def measure_messages(results, counts, rounds, seconds):
    for count in counts:
        print(f"writing {count:,} messages ...", file=sys.stderr)
        server, room = filled(count)
        try:
            for _ in range(rounds):
                results.add(f"messages {count}", "page", read(server, ask(server.person, room, "?offset=100"), seconds))
                results.add(f"messages {count}", "send", load(InRoom(server, room), publishers=1, window=64, seconds=seconds))
        finally:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--messages", default="1000,1000000")
    parser.add_argument("--raw", help="a file to which every measurement is added as a line of JSON")
    args = parser.parse_args()
    counts = [int(count) for count in args.messages.split(",")]
    results = Results(args.raw)
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
        measure_members(results, args.seconds)
        measure_rooms(results, args.seconds)
    measure_messages(results, counts, args.rounds, args.seconds)
    print(f"\n{machine.describe()}")
    table(f"members of a room (4 publishers, window 4; median of {args.rounds})",
          ["members", "CPU us/delivery", "limit-batch", "bytes of an idle socket"],
          [[text(n), text(results.median(f"members {n}", "parley", "cpu_us"), 3), text(results.median(f"members {n}", "limit-batch", "cpu_us"), 3),
            text(results.median(f"members {n}", "parley", "bytes_per_socket"))] for n in MEMBERS])
    table(f"rooms ({ROOMS_RATE} messages a second over all; median of {args.rounds})", ["rooms", "CPU us/message", "p50 ms", "p99 ms"],
          [[text(n), *[text(results.median(f"rooms {n}", "parley", key), 2) for key in ("cpu_us", "p50_ms", "p99_ms")]] for n in ROOMS])
    table(f"messages in the database (median of {args.rounds})",
          ["messages", "CPU us/page of 50", "pages/s", "CPU us/stored message", "stored/s"],
          [[text(n), *[text(results.median(f"messages {n}", row, key), digits) for row in ("page", "send")
                       for key, digits in (("cpu_us", 1), ("per_second", 0))]] for n in counts])


if __name__ == "__main__":
    main()
