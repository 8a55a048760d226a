"""Instructions of the parts, counted by callgrind: a busy machine changes nothing of them.

    ./dev bench parts [--parts head_scan,...] [--without-server]

First parts of the core by themselves (parts.c): what N more of them cost, divided by N.  Then the whole server, with 10 and with
100 members in a room and one message under way: what a message costs once, what it costs for each member, and which functions
spend it.  Only user space is counted: the kernel's part of a delivery is what `limit` costs.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import machine, servers
from lab.measure import load
from lab.tables import table, text

PARTS = machine.BUILD / "bench" / "parts"
TIMES = 1000
MEMBERS = (10, 100)
BELOW = {"worker_run", "main", "(below main)", "cli_worker", "cli_run", "__libc_start_main@@GLIBC_2", "start_thread", "clone"}
TOTALS = re.compile(r"^(?:summary|totals): (\d+)", re.M)


# ---- parts by themselves ----
def instructions(name, times):
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        out = Path(folder) / "out"
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", PARTS, name, str(times)], check=True,
                       stderr=subprocess.DEVNULL)
        return int(TOTALS.search(out.read_text()).group(1))


def one_part(name):
    """instructions of one, without what the program does before"""
    return (instructions(name, 2 * TIMES) - instructions(name, TIMES)) / TIMES


# ---- the whole server ----
class Counted(servers.Parley):
    """under callgrind"""

    def __init__(self):
        super().__init__()
        self.out = Path(self.folder.name) / "callgrind.%p"
        self.server.wrapper = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={self.out}"]

    def control(self, what):
        worker, = self.server.workers()
        # Valgrind names its pipe after the variable HOST, which is the server's, too.
        subprocess.run(["callgrind_control", what, str(worker)], check=True, env=self.server.env, capture_output=True)
        return worker


def counted(members, seconds):
    """(instructions, messages, lines of callgrind_annotate) of a worker while its sockets talk"""
    with Counted() as server:
        found = load(server, members=members, publishers=1, window=1, seconds=seconds, at_hold=lambda: server.control("--zero"))
        worker = server.control("--dump")
        dump = max(Path(server.folder.name).glob(f"callgrind.{worker}.*"), key=lambda path: path.stat().st_mtime)
        shown = subprocess.run(["callgrind_annotate", "--threshold=100", str(dump)], capture_output=True, text=True, check=True).stdout
        return int(TOTALS.search(dump.read_text()).group(1)), found["said"], shown


def spenders(shown):
    """{(object, function): instructions} of what callgrind_annotate shows; without those below everything, to which it gives
    what was under way when counting began"""
    rows = {}
    for count, function, where in re.findall(r"^\s*([\d,]+) \([ \d.]+%\)\s+\S+?:(.+) \[(.+)\]$", shown, re.M):
        name = function.split(".")[0]
        if name not in BELOW and not where.startswith("/usr/lib/x86_64-linux-gnu/ld-"):
            key = (Path(where).name.split(".so")[0], name if not name.startswith("0x") else "(no name)")
            rows[key] = rows.get(key, 0) + int(count.replace(",", ""))
    return rows


def report_server(seconds):
    runs = [counted(members, seconds) for members in MEMBERS]
    few, many = (total / said for total, said, _ in runs)
    each = (many - few) / (MEMBERS[1] - MEMBERS[0])
    table("the worker (one message under way)", ["", "instructions"],
          [["a message, once", text(few - each * MEMBERS[0])], ["for each member", text(each)]])
    _, said, shown = runs[1]
    functions = spenders(shown)
    objects = {}
    for (where, _), count in functions.items():
        objects[where] = objects.get(where, 0) + count
    table(f"where they go, with {MEMBERS[1]} members: of a message", ["", "instructions"],
          [[where, text(count / said)] for where, count in sorted(objects.items(), key=lambda pair: -pair[1]) if count > said * 100])
    table("and the functions", ["function", "of", "instructions"],
          [[f"`{name}`", where, text(count / said)] for (where, name), count in sorted(functions.items(), key=lambda pair: -pair[1])[:30]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", help="some of: " + ", ".join(subprocess.run([PARTS], capture_output=True, text=True).stdout.split()))
    parser.add_argument("--without-server", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    names = args.parts.split(",") if args.parts else subprocess.run([PARTS], capture_output=True, text=True, check=True).stdout.split()
    print(f"\n{machine.describe()}")
    rows = []
    for name in names:
        print(f"counting {name}", file=sys.stderr)
        rows.append([f"`{name}`", text(one_part(name))])
    table("parts", ["", "instructions"], rows)
    if not args.without_server:
        report_server(args.seconds)


if __name__ == "__main__":
    main()
