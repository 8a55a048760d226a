"""How many messages a second are stored, beside what the database alone can do.

    ./dev bench durable [--rounds 9] [--seconds 3] [--databases sqlite,postgres]

64 clients, each in a room of its own with one message under way (senders.c), over WebSocket and over REST; then a program
that does nothing but commit the same rows on the same database with the same durability, with as many messages in a
transaction as Parley had (bare_sqlite.c, bare_postgres.c).  All in turns, so that a busy machine is busy for all of them:
read the ratios, not the figures.  Nothing is pinned.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import postgres  # noqa: E402
from lab import history  # noqa: E402
from metrics import Scrape  # noqa: E402
from parley import Server  # noqa: E402

RELEASE = ROOT / "build" / "release"
CLIENTS = 64


def tool(name, *arguments, text=None):
    done = subprocess.run([RELEASE / "bench" / name, *map(str, arguments)], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr}")
    return json.loads(done.stdout)


def crowd(server):
    """One line "TOKEN ROOM" for each client."""
    print(f"registering {CLIENTS} clients ...", file=sys.stderr)
    lines = []
    for _ in range(CLIENTS):
        person = server.person()
        lines.append(f"{person.token} {person.room()['id']}\n")
    return "".join(lines)


def groups(server):
    """(messages, transactions) that the room log has stored so far"""
    scrape = Scrape(server)
    return scrape["parley_chat_group_size_sum"], scrape["parley_chat_group_size_count"]


def measure(server, who, way, seconds):
    before = groups(server)
    found = tool("senders", way, server.port, seconds, text=who)
    after = groups(server)
    found["size"] = max(1, round((after[0] - before[0]) / (after[1] - before[1])))
    return found


def bare(database, folder, number, size, seconds):
    if database == "sqlite":
        return tool("bare_sqlite", folder / f"bare{number}.db", size, seconds, CLIENTS, *history.schema("sqlite"))
    return tool("bare_postgres", postgres.shared().database(), size, seconds, CLIENTS, *history.schema("postgres"))


def rounds(database, folder, args):
    """{row: [results]} of one database"""
    rows = {name: [] for name in ("websocket", "bare (websocket)", "rest", "bare (rest)")}
    with Server(folder / database, build=RELEASE, db=database, ops=True) as server:
        who = crowd(server)
        for number in range(args.rounds):
            print(f"{database}: round {number + 1} of {args.rounds}", file=sys.stderr)
            for way, row in (("ws", "websocket"), ("rest", "rest")):
                found = measure(server, who, way, args.seconds)
                rows[row].append(found)
                limit = bare(database, folder, f"{number}{way}", found["size"], args.seconds)
                rows[f"bare ({row})"].append(limit)
                found["ratio"] = found["per_second"] / limit["per_second"]
    return rows


def median(results, key):
    return statistics.median(result[key] for result in results)


def report(database, rows):
    print(f"\n### {database}\n\n| | messages/s | messages per transaction | of bare | p50 ms | p99 ms |\n|---|---|---|---|---|---|")
    for name, results in rows.items():
        if name.startswith("bare"):
            print(f"| {name} | {median(results, 'per_second'):,.0f} | | 1.00 | | |")
        else:
            print(f"| {name} | {median(results, 'per_second'):,.0f} | {median(results, 'size'):.0f} | {median(results, 'ratio'):.2f} "
                  f"| {median(results, 'p50_ms'):.1f} | {median(results, 'p99_ms'):.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--databases", default="sqlite,postgres")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
            for database in args.databases.split(","):
                report(database, rounds(database, Path(folder), args))
    finally:
        postgres.end_shared()


if __name__ == "__main__":
    main()
