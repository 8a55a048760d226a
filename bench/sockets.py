"""WebSockets: what a delivery and an idle socket cost, beside the limits and other servers.

    ./dev bench sockets [--rounds 9] [--seconds 3] [--scenarios fan1,...] [--servers limit,parley,...] [--raw FILE]

All in turns, so that a busy machine is busy for all of them: read the ratios, and the CPU time rather than the rate.  What a
server that stores every message must spend at least is limit-batch, and for each message what bare_sqlite.c spends on the
same rows, in as many rooms, in transactions of the same size, divided by the members: "limit-batch + SQL".  A limit "as
long" writes frames as long as Parley's.  Other servers: lab/others.py.
"""
import argparse
import math
import signal
import sys
import tempfile
from pathlib import Path

from lab import history, machine, others, servers
from lab.measure import Unable, load, tool
from lab.tables import Results, table, text
from metrics import Scrape

ROOT = machine.ROOT
TALK = {  # clients of load.c, and what they do
    "fan1": dict(members=1000, publishers=1, window=1),  # nothing to merge
    "fan100": dict(members=100, publishers=4, window=16),
    "fan1000": dict(members=1000, publishers=4, window=16),
    "fan1000w4": dict(members=1000, publishers=4, window=4),
    "fan5000": dict(members=5000, publishers=4, window=4),
    "rooms": dict(members=4, rooms=500, publishers=4, window=1),
    "lat50k": dict(members=1000, publishers=5, rate=10),  # 50,000 deliveries a second
}
IDLE = {
    "idle": dict(members=10000),
    "crowd": dict(members=10, rooms=1000),  # every client a user of its own
}
SLOW = {  # members that read, and in the same room some that do not
    "slow": dict(members=100, publishers=1, rate=50, bytes=2000),
}
SLOW_READERS = 1000
SLOW_SECONDS = 15
NAMES = [*TALK, *IDLE, *SLOW]
DURABLE_TARGET = 50  # times less CPU time in rooms than other servers that store


# ---- measuring ----
def bare_sqlite(size, seconds, rooms):
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        return tool("bare_sqlite", Path(folder) / "bare.db", size, seconds, rooms, *history.schema("sqlite"))


def groups(server):
    scrape = Scrape(server.server)
    return scrape["parley_chat_group_size_sum"], scrape["parley_chat_group_size_count"]


def measured(results, name, kind, row, measure, plan):
    """adds what measure(server, plan) finds, and returns it; of another server that is unable to, a note of that"""
    asked = kind.plan(name, plan)
    if asked is None:
        results.note(name, f"{kind.name} is left out: {kind.why}")
        return None
    if asked != plan:
        row += " (" + ", ".join(f"{key} {value}" for key, value in asked.items() if plan.get(key) != value) + ")"
    try:
        with kind() as server:
            found = measure(server, asked)
    except (Unable, AssertionError, FileNotFoundError) as error:  # not able to, not listening, gone
        if not issubclass(kind, others.Other):
            raise
        results.note(name, str(error))
        return None
    found["stores"] = kind.keeps
    results.add(name, row, found)
    return found


def measure_talk(results, name, kinds, args):
    def talk(server, plan):
        stores = isinstance(server, servers.Parley)
        before = groups(server) if stores else None
        found = load(server, seconds=args.seconds, packed=int(isinstance(server, servers.ParleyPacked)), **plan)
        if stores:
            after = groups(server)
            found["group"] = max(1, round((after[0] - before[0]) / (after[1] - before[1])))
        return found

    for kind in kinds:
        found = measured(results, name, kind, kind.name, talk, TALK[name])
        if kind is servers.Parley:
            results.add(name, "bare SQL", bare_sqlite(found["group"], args.seconds, TALK[name].get("rooms", 1)))


def measure_idle(results, name, kinds):
    wanted = kinds if name == "idle" else [servers.ParleyCrowd] if servers.Parley in kinds else []
    for kind in wanted:
        if kind not in servers.WHO_TALK:
            measured(results, name, kind, kind.name, lambda server, plan: load(server, **plan), IDLE[name])


def measure_slow(results, name, kinds):
    def listen(server, plan):
        found = load(server, watch=True, seconds=SLOW_SECONDS, **plan)
        if isinstance(server, servers.Parley):
            found["closed"] = Scrape(server.server)["parley_slow_closes_total"]
        return found

    for kind in kinds:
        if kind not in servers.WHO_TALK:
            for slow in (0, SLOW_READERS):
                measured(results, name, kind, f"{kind.name}, {slow} slow", listen, {**SLOW[name], "slow": slow})


# ---- tables ----
def report_talk(results, name):
    plan, rows = TALK[name], results.rows[name]
    limit = results.median(name, servers.Limit.name, "cpu_us")
    sql = results.median(name, "bare SQL", "cpu_us_per_message")
    floors = {f"{row} + SQL": results.median(name, row, "cpu_us") + sql / plan["members"]
              for row in rows if row.startswith(servers.LimitBatch.name) and sql}
    floor = floors.get(f"{servers.LimitBatch.name} + SQL")
    own = results.median(name, servers.Parley.name, "cpu_us")

    def ratios(cpu):
        return [text(cpu, 3), *[text(cpu / base, 2) if cpu and base else "-" for base in (limit, floor, own)]]

    out = []
    for row, cpu in floors.items():
        out.append((cpu, [row, servers.Parley.keeps, *ratios(cpu), *["-"] * 6]))
    for row in rows:
        cpu = results.median(name, row, "cpu_us")
        if row == "bare SQL":
            continue
        cpu = cpu or None  # nothing has come while it was measured
        bad = f"{results.worst(name, row, 'missing')}/{results.worst(name, row, 'disordered')}"
        spread = results.spread(name, row, "cpu_us")
        out.append((cpu or math.inf, [row, stores(results, name, row) or "nothing", *ratios(cpu),
                                      text(spread * 100) + " %" if spread is not None else "-",
                                      text(results.median(name, row, "per_second")), text(results.median(name, row, "p50_ms"), 2),
                                      text(results.median(name, row, "p99_ms"), 2), bad,
                                      text(results.median(name, row, "load_busy"), 2)]))
    asked = ", ".join(f"{key} {value}" for key, value in plan.items())
    table(f"{name} ({asked}; median of {max(map(len, rows.values()))})",
          ["server", "stores in", "CPU us/delivery", "of limit", "of limit-batch + SQL", "of parley", "spread", "deliveries/s", "p50 ms",
           "p99 ms", "missing/disordered", "load busy"], [row for _, row in sorted(out, key=lambda pair: pair[0])])
    report_durable(results, name)


def stores(results, name, row):
    return results.rows[name][row][0].get("stores")


def report_durable(results, name):
    """how many times more CPU time others take who store as well; over all, since they may be seconds behind"""
    rows = {row: results.median(name, row, "cpu_us_in_all") for row in results.rows[name] if stores(results, name, row)}
    own = rows.pop(servers.Parley.name, None)
    rows.pop(servers.ParleyPacked.name, None)
    if own and rows:
        print("\nOthers that store take so many times the CPU time of parley, counted over all that came, in time or late: " +
              ", ".join(f"{row} {text(cpu / own, 1)}" for row, cpu in rows.items() if cpu) +
              (f" (target: at least {DURABLE_TARGET})." if name == "rooms" else "."))


def report_idle(results, name):
    rows = results.rows[name]
    table(f"{name} ({', '.join(f'{k} {v}' for k, v in IDLE[name].items())}; median of {max(map(len, rows.values()))})",
          ["server", "stores in", "sockets", "bytes (PSS) a socket", "CPU us a connect", "connects/s"],
          [[row, stores(results, name, row) or "nothing", text(results.median(name, row, "opened")), text(results.median(name, row, "bytes_per_socket")),
            text(results.median(name, row, "connect_cpu_us"), 1), text(results.median(name, row, "connects_per_second"))]
           for row in sorted(rows, key=lambda row: results.median(name, row, "bytes_per_socket"))])


def report_slow(results, name):
    rows = results.rows[name]
    table(f"{name} ({', '.join(f'{k} {v}' for k, v in SLOW[name].items())}; {SLOW_SECONDS} s; median of {max(map(len, rows.values()))})",
          ["server", "p50 ms of the others", "p99 ms", "missing at them", "server memory grew by MB", "kernel's TCP memory by MB", "closed as slow"],
          [[row, text(results.median(name, row, "p50_ms"), 2), text(results.median(name, row, "p99_ms"), 2),
            text(results.worst(name, row, "missing")), text(results.median(name, row, "grown") / 1e6, 1),
            text(results.median(name, row, "tcp_grown") / 1e6, 1), text(results.median(name, row, "closed"))] for row in rows])


def main():
    known = {kind.name: kind for kind in servers.OWN + servers.WHO_TALK + others.ALL}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--scenarios", default=",".join(NAMES))
    parser.add_argument("--servers", help="with ; between them; all that are installed: " + "; ".join(known))
    parser.add_argument("--raw", help="a file to which every measurement is added as a line of JSON")
    args = parser.parse_args()
    wanted = args.scenarios.split(",")
    if not set(wanted) <= set(NAMES) or not set((args.servers or "").split(";")) <= {"", *known}:
        parser.error(f"scenarios are {', '.join(NAMES)}; servers are {'; '.join(known)}")
    kinds = [known[name] for name in args.servers.split(";")] if args.servers else list(known.values())
    for kind in kinds:
        if not kind.is_here():
            print(f"{kind.name} is not installed (docs/performance.md, Other servers): {kind.install}", file=sys.stderr)
    kinds = [kind for kind in kinds if kind.is_here()]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, too
    results = Results(args.raw)
    for number in range(args.rounds):
        for name in wanted:
            print(f"round {number + 1} of {args.rounds}: {name}", file=sys.stderr)
            if name in TALK:
                measure_talk(results, name, kinds, args)
            elif name in IDLE:
                measure_idle(results, name, kinds)
            else:
                measure_slow(results, name, kinds)
    print(f"\n{machine.describe()}")
    for name in wanted:
        if name in results.rows:
            (report_talk if name in TALK else report_idle if name in IDLE else report_slow)(results, name)
            results.report_notes(name)


if __name__ == "__main__":
    main()
