"""Start: how long until a server listens, and until it answers that it is ready, with a million messages in its database.

    ./dev bench start [--rounds 9] [--messages 1000000]
"""
import argparse
import contextlib
import socket
import sys
import time

import requests
from lab import machine
from lab.tables import Results, table, text
from reads import filled


def listens(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_ready(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def until(what, *arguments):
    while not what(*arguments):
        time.sleep(0.0005)
    return time.perf_counter()


def one_start(server):
    begin = time.perf_counter()
    server.start(ready=False)
    there = until(listens, server.port)
    ready = until(is_ready, server.port)
    server.end()
    return {"listens_ms": (there - begin) * 1e3, "ready_ms": (ready - begin) * 1e3}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--messages", type=int, default=1000000)
    parser.add_argument("--raw", help="a file to which every measurement is added as a line of JSON")
    args = parser.parse_args()
    results = Results(args.raw)
    print(f"writing {args.messages:,} messages ...", file=sys.stderr)
    server, _ = filled(args.messages)
    server.server.end()
    for _ in range(args.rounds):
        results.add("start", "parley", one_start(server.server))
    server.folder.cleanup()
    print(f"\n{machine.describe()}")
    table(f"start ({args.messages:,} messages; median of {args.rounds})", ["", "listens after ms", "ready after ms"],
          [["parley", text(results.median("start", "parley", "listens_ms"), 1), text(results.median("start", "parley", "ready_ms"), 1)]])


if __name__ == "__main__":
    main()
