"""WebSockets: what a delivery and an idle socket cost, beside the limits and other servers.

    ./dev bench sockets [--rounds 9] [--seconds 3] [--scenarios fan1,...] [--servers limit,parley,...] [--raw FILE]

All in turns, so that a busy machine is busy for all of them: read the ratios, and the CPU time rather than the rate.  What a
server that stores every message must spend at least is limit-batch, and for each message what bare_sqlite.c spends on the
same row in transactions of the same size, divided by the members: "limit-batch + SQL".
"""
import argparse
import sys
import tempfile
from pathlib import Path

from lab import machine, others, servers
from lab.measure import load, tool
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


# ---- measuring ----
def bare_sqlite(size, seconds):
    scripts = [ROOT / "sql" / "sqlite" / plugin / f"001_{plugin}.sql" for plugin in ("accounts", "chat")]
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        return tool("bare_sqlite", Path(folder) / "bare.db", size, seconds, *scripts)


def groups(server):
    scrape = Scrape(server.server)
    return scrape["parley_chat_group_size_sum"], scrape["parley_chat_group_size_count"]


def talk(kind, plan, args):
    """one round of one server"""
    with kind() as server:
        stores = isinstance(server, servers.Parley)
        before = groups(server) if stores else None
        found = load(server, seconds=args.seconds, packed=int(kind is servers.ParleyPacked), **plan)
        if stores:
            after = groups(server)
            found["group"] = max(1, round((after[0] - before[0]) / (after[1] - before[1])))
    return found


def measure_talk(results, name, kinds, args):
    for kind in kinds:
        found = talk(kind, TALK[name], args)
        results.add(name, kind.name, found)
        if kind is servers.Parley:
            results.add(name, "bare SQL", bare_sqlite(found["group"], args.seconds))


def measure_idle(results, name, kinds):
    wanted = kinds if name == "idle" else [servers.ParleyCrowd] if servers.Parley in kinds else []
    for kind in wanted:
        if kind is servers.ParleyPacked:
            continue  # an idle socket is the same
        with kind() as server:
            results.add(name, kind.name, load(server, **IDLE[name]))


def measure_slow(results, name, kinds):
    for kind in kinds:
        if kind is servers.ParleyPacked:
            continue
        for slow in (0, SLOW_READERS):
            with kind() as server:
                found = load(server, watch=True, slow=slow, seconds=SLOW_SECONDS, **SLOW[name])
                if isinstance(server, servers.Parley):
                    found["closed"] = Scrape(server.server)["parley_slow_closes_total"]
            results.add(name, f"{kind.name}, {slow} slow", found)


# ---- tables ----
def report_talk(results, name):
    plan, rows = TALK[name], results.rows[name]
    limit, merged = (results.median(name, row, "cpu_us") for row in ("limit", "limit-batch"))
    sql = results.median(name, "bare SQL", "cpu_us_per_message")
    floor = merged + sql / plan["members"] if merged and sql else None
    out = []
    if floor:
        out.append((floor, ["limit-batch + SQL", "yes", text(floor, 3), text(floor / limit, 2) if limit else "-", "1.00", *["-"] * 6]))
    for row in rows:
        cpu = results.median(name, row, "cpu_us")
        if row == "bare SQL" or cpu is None:
            continue
        bad = f"{results.worst(name, row, 'missing')}/{results.worst(name, row, 'disordered')}"
        spread = results.spread(name, row, "cpu_us")
        out.append((cpu, [row, "yes" if keeps(row) else "no", text(cpu, 3), text(cpu / limit, 2) if limit else "-",
                          text(cpu / floor, 2) if floor else "-", text(spread * 100) + " %" if spread is not None else "-",
                          text(results.median(name, row, "per_second")), text(results.median(name, row, "p50_ms"), 2),
                          text(results.median(name, row, "p99_ms"), 2), bad,
                          text(results.median(name, row, "load_busy"), 2)]))
    asked = ", ".join(f"{key} {value}" for key, value in plan.items())
    table(f"{name} ({asked}; median of {max(map(len, rows.values()))})",
          ["server", "stores", "CPU us/delivery", "of limit", "of limit-batch + SQL", "spread", "deliveries/s", "p50 ms", "p99 ms",
           "missing/disordered", "load busy"], [row for _, row in sorted(out, key=lambda pair: pair[0])])


def keeps(row):
    return any(kind.keeps for kind in servers.OWN + [servers.ParleyPacked, servers.ParleyCrowd] + others.ALL if kind.name == row)


def report_idle(results, name):
    rows = results.rows[name]
    table(f"{name} ({', '.join(f'{k} {v}' for k, v in IDLE[name].items())}; median of {max(map(len, rows.values()))})",
          ["server", "sockets", "bytes (PSS) a socket", "CPU us a connect", "connects/s"],
          [[row, text(results.median(name, row, "opened")), text(results.median(name, row, "bytes_per_socket")),
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
    known = {kind.name: kind for kind in servers.OWN + [servers.ParleyPacked] + others.ALL}
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
            print(f"{kind.name} is not installed: {kind.install}", file=sys.stderr)
    kinds = [kind for kind in kinds if kind.is_here()]
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


if __name__ == "__main__":
    main()
