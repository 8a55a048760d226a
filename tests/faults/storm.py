"""A storm: many clients, and faults at random moments; after each fault, and at the end, the checker compares everybody's record
with the database.

    tests/faults/storm.py --faults 200 --seed 7 --build build/release              3 workers on 2 nodes, PostgreSQL, Redis
    tests/faults/storm.py --faults 50 --stores sqlite --build build/release        one worker, SQLite

It prints a line per fault (what, when, how long until everybody was served again), then counts, the times by kind, and PASS or
what was violated; the exit status is 0 or 1.  The same seed gives the same faults in the same order.  docs/FAULTS.md."""
import argparse
import concurrent.futures
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import checker  # noqa: E402
import postgres  # noqa: E402
import storm_faults  # noqa: E402
from faults import Faults, release_build  # noqa: E402
from parley import BUILD, PATIENCE, Server, wait_until  # noqa: E402
from redis import Redis, config_with_redis  # noqa: E402
from storm_clients import Host, Sender, Watcher  # noqa: E402
from storm_net import BusProxy, DatabaseProxy, Loop, Machine, NoMachine  # noqa: E402

CHAPTER = 10        # faults until the rooms are new, so that a check stays short
ROOMS, MEMBERS = 3, 5
BACK_S = 60         # until everybody must be served again
LONGEST = 10.0      # seconds that a fault lasts at most
TOGETHER = 0.25     # how often a fault comes with another one
REFUSED = r"cannot use the database|migration failed"  # what a server says that does not start on a full disk
PAUSE = 0.1         # between two messages of one client, on average


class Trouble(Exception):
    """The storm itself cannot go on."""


class Storm:
    """One run.  Stores are opened by a subclass: nodes, tables of faults, and query()."""

    def __init__(self, folder, faults, seed, build=BUILD, longest=LONGEST, say=print, only=()):
        self.folder, self.build, self.n, self.seed, self.longest, self.say = Path(folder), build, faults, seed, longest, say
        self.only = only
        self.chance = random.Random(seed)
        self.repair = 12.0 if "dev" in str(build) else 8.0
        self.pause = PAUSE
        self.nodes, self.people, self.clients, self.bag, self.ends = [], [], [], [], []
        self.database_proxies, self.bus_proxies = [], []
        self.violations, self.counts, self.times = [], defaultdict(int), defaultdict(list)
        self.by_kind = defaultdict(int)
        # Kept to the end: PostgreSQL is told to stop when the thread that has started it ends.
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.slowest, self.begun, self.done = 0.0, time.monotonic(), 0
        self.stop = self.hush = self.history = None

    # ---- life ----
    def run(self):
        """True: nothing was violated."""
        self.say(f"storm: {self.n} faults, seed {self.seed}, {self.build}, {self.title}")
        try:
            self.open()
            self.table = [f for f in self.table if not self.only or f.__name__ in self.only]
            while self.done < self.n and len(self.violations) < 20:
                self.chapter(min(CHAPTER, self.n - self.done))
            for node in self.nodes:
                node.end()
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            self.violate("the storm broke off", f"{type(error).__name__}: {error}")
            raise
        finally:
            self.close()
            self.report()
        return not self.violations

    def close(self):
        for event in (self.stop, self.hush):
            if event:
                event.set()
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.kill()
            self.look_into_log(node)
        for end in reversed(self.ends):
            try:
                end()
            except Exception as error:  # the others must not stay behind
                self.violate("left behind", f"{type(error).__name__}: {error}")

    def node(self, name, slots, **more):
        node = Server(self.folder / name, **more)
        node.name, node.slots = name, slots
        self.nodes.append(node)
        return node

    def restart(self, node):
        """Starts it again.  On a disk that another fault has filled it refuses, says so, and is started once more."""
        self.look_into_log(node)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return node.start()
            except AssertionError:
                if node.process.poll() is None or not re.search(REFUSED, node.text()) or time.monotonic() > end:
                    raise
            time.sleep(0.2)

    def look_into_log(self, node):
        with open(node.folder / "output", "a") as file:
            file.write(node.text() + "\n")
        # A worker that is started on a disk that another fault has filled says so and ends; it is started again.
        wrong = r"died of signal (?!9 )|Sanitizer|runtime error:|ended with status" + (
            " (?!1$)" if "cannot use the database" in node.text() else "")
        for line in node.output:
            if re.search(wrong, line) and "LeakSanitizer has enc" not in line:
                self.violate("a process went wrong", f"{node.name}: {line}")

    # ---- the order of things ----
    def chapter(self, n):
        self.history, self.stop, self.hush = checker.History(), threading.Event(), threading.Event()
        rooms = self.start_clients()
        self.wait_served(time.monotonic(), "the start of a chapter")
        last = self.done + n
        while self.done < last:
            time.sleep(self.chance.uniform(0.3, 1.5))
            self.fault()
            self.check("after fault", rooms)
        state = self.fall_silent()
        self.wait_heads(state)  # who is late is found by the check
        self.stop.set()
        for client in self.clients:
            client.join(PATIENCE)
            if client.error or client.is_alive():
                raise Trouble(f"{client.name}: {client.error or 'does not end'}")
        self.check("at the end of a chapter", rooms, state)
        for what, count in checker.summary(self.history, state).items():
            self.counts[what] += count

    def start_clients(self):
        self.clients, rooms = [], []
        for i in range(ROOMS):
            host, *members, guest = self.chance.sample(self.people, MEMBERS)
            room = host.room(*members, guest, name=f"Room {self.done}.{i}")
            rooms.append(room["id"])
            def add(kind, label, person, *more, **named):
                self.clients.append(kind(self, f"{label}{i}.{self.done}", person, room, self.seed, *more, **named))
            add(Host, "host", host, [guest])
            for k, person in enumerate(members):
                add(Watcher, f"watcher{k}-", person)
                add(Watcher, f"listener{k}-", person, says=False)
            for k, person in enumerate(members[:2]):
                add(Sender, f"sender{k}-", person)
            add(Watcher, "guest", guest)
        for client in self.clients:
            client.start()
        return rooms

    def fault(self):
        if not self.bag:
            self.bag = list(self.table)
            self.chance.shuffle(self.bag)
        faults = [self.bag.pop()]
        other = storm_faults.companion(faults[0], self.table, self.chance)
        if other and self.chance.random() < TOGETHER:
            faults.append(other)
        chances = [random.Random(self.chance.random()) for _ in faults]
        begin = time.monotonic()
        told = list(self.pool.map(self.do, faults, chances))
        healed = time.monotonic()
        self.done += len(faults)
        took = self.wait_served(healed, " and ".join(told))
        self.history.disturbed.append([begin, time.monotonic()])
        for fault, what in zip(faults, told):
            if len(faults) == 1:
                self.times[fault.__name__].append(took)
            self.by_kind[fault.__name__] += 1
            self.say(f"{self.done:4} {begin - self.begun:7.1f} s  {fault.__name__:22} lasted {healed - begin:5.1f} s, all {len(self.clients)}"
                     f" clients served {took:5.2f} s after it: {what}{' (two at once)' if other in faults else ''}")

    def do(self, fault, chance):
        try:
            return fault(self, chance)
        except AssertionError as error:
            self.violate("a fault could not be ended", f"{fault.__name__}: {error}")
            return "it could not be ended"

    # ---- are they served? ----
    def unserved(self, since):
        """who has not been served with something that was sent since then"""
        late = [c for c in self.clients if isinstance(c, (Sender, Watcher)) and not c.is_out and c.served < since]
        return late + [node for node in self.nodes if len(node.workers()) < node.slots]

    def wait_served(self, since, what):
        end = since + BACK_S
        while late := self.unserved(since):
            broken = [c for c in self.clients if c.error]
            if broken:
                raise Trouble(f"{broken[0].name}: {broken[0].error!r}")
            if time.monotonic() > end:
                self.violate("not served again", f"{', '.join(c.name for c in late)}, {BACK_S} s after: {what}")
                break
            time.sleep(0.02)
        return time.monotonic() - since

    def fall_silent(self):
        """nobody sends any more; what is stored now stays the last"""
        self.hush.set()
        wait_until("the last answers", lambda: not any(c.is_busy for c in self.clients))
        heads = None
        while True:  # sends by socket are not answered, so it is over when the logs stand still
            state = checker.read_state(self.query, [c.room["id"] for c in self.clients if isinstance(c, Host)], time.monotonic())
            last, heads = heads, {room.id: room.last_seq for room in state.rooms.values()}
            if heads == last:
                return state
            time.sleep(0.3)

    def wait_heads(self, state):
        """Until everybody has been shown everything, or would have had to be: seconds, and who was not."""
        heads = {room.id: max((e.seq for e in room.events if e.kind in checker.SHOWN), default=0) for room in state.rooms.values()}
        begin, late = time.monotonic(), [c for c in self.clients if isinstance(c, Watcher)]
        while late and time.monotonic() < begin + self.repair + 1:
            time.sleep(0.02)
            late = [c for c in late if not c.is_out and not c.has_seen(heads[c.room["id"]])]
        return time.monotonic() - begin, [c.name for c in late]

    # ---- judgement ----
    def check(self, when, rooms, state=None):
        history = self.history.until(time.monotonic())
        state = state or checker.read_state(self.query, rooms)
        history.take_later(self.history)
        found = checker.check(history, state, self.repair)
        for violation in found[:20]:
            self.violate(violation.kind, f"{when} {self.done}: {violation.text}")
        if found:
            checker.save(self.folder / f"record{self.done}.jsonl", history, state, self.repair)
            raise Trouble(f"record and log are in {self.folder}")

    def expect(self, is_so, text):
        if not is_so:
            self.violate("not as promised", text)

    def violate(self, kind, text):
        self.violations.append(f"{kind}: {text}")
        self.say(f"VIOLATION {kind}: {text}")

    def report(self):
        self.say(f"\n{self.done} faults in {time.monotonic() - self.begun:.0f} s, seed {self.seed}, {self.title}")
        for kind, n in sorted(self.by_kind.items()):
            times = sorted(self.times[kind])
            self.say(f"  {n:4} {kind:22} " + (f"served again after {times[len(times) // 2]:5.2f} s (median), {times[-1]:5.2f} s at most"
                                              if times else "only together with another one"))
        self.say("  " + ", ".join(f"{count} {what}" for what, count in self.counts.items()))
        self.say(f"  slowest answer to a send: {self.slowest:.2f} s")
        for violation in self.violations:
            self.say(f"  {violation}")
        self.say("PASS" if not self.violations else f"FAIL: {len(self.violations)} violations")


class ClusterStorm(Storm):
    """3 workers on 2 nodes; everything between them and their stores can be cut."""
    title = "3 workers on 2 nodes, PostgreSQL and Redis"

    def open(self):
        is_root = os.getuid() == 0 and Machine.is_possible()
        if not is_root:
            self.say("without the rights to mount and to make namespaces: no full disk of PostgreSQL; a node is cut off by its proxies")
        self.table = [f for f in storm_faults.ON_POSTGRES if is_root or f is not storm_faults.postgres_full]
        self.machine = Machine() if is_root else NoMachine()
        self.ends.append(self.machine.end)
        url = self.open_stores(is_root)
        loop = Loop()
        for node in (("one", 2, "127.0.0.1", "127.0.0.1", ()),
                     ("two", 1, self.machine.front_host, self.machine.back_host, self.machine.wrapper)):
            self.open_node(loop, url, *node)
            if not self.people:  # while there is only one, all mails are there
                self.people = [self.nodes[0].person() for _ in range(ROOMS * MEMBERS)]
        self.machine.serve(self.nodes[1].port)
        if not is_root:
            self.machine.proxies = [self.database_proxies[1], self.bus_proxies[1]]

    def open_stores(self, is_root):
        """PostgreSQL on a small disk of its own, and Redis; the URL of a database"""
        self.disk = self.folder / "disk"
        self.disk.mkdir(parents=True)
        if is_root:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "parley-storm", self.disk], check=True)
            self.ends.append(lambda: subprocess.run(["umount", "-l", self.disk], check=True))
        self.postgres = postgres.Postgres(parent=self.disk, initdb=["--wal-segsize=1"])
        with open(self.postgres.data / "postgresql.conf", "a") as conf:
            conf.write("max_wal_size = 8MB\nmin_wal_size = 2MB\n")
        self.ends += [self.postgres.end, self.postgres.resume]
        url = self.postgres.start().database()
        database = url.rsplit("/", 1)[1]
        self.query = lambda sql: self.postgres.query(sql, database)
        self.redis = Redis(self.folder / "redis").start()
        self.ends.append(self.redis.stop)
        return url

    def open_node(self, loop, url, name, slots, host, back, wrapper):
        """a node that meets its stores through proxies, at the address `back`"""
        database = DatabaseProxy(loop, back, ("127.0.0.1", self.postgres.port))
        bus = BusProxy(loop, back, ("127.0.0.1", self.redis.port), self.seed)
        self.database_proxies.append(database)
        self.bus_proxies.append(bus)
        env = {"REDIS_URL": f"redis://{bus.host}:{bus.port}/0", "HOST": "127.0.0.1", "ALLOWED_HOSTS": host,
               "SECRET_KEY": f"storm {self.seed} storm {self.seed}"}
        self.node(name, slots, host=host, wrapper=wrapper, build=self.build, config=config_with_redis(workers=slots), env=env,
                  db=re.sub(r"@.*/", f"@{database.host}:{database.port}/", url) + "?sslmode=disable").start()


class SqliteStorm(Storm):
    """One worker, SQLite, the preloaded shim for faults of the disk."""
    title = "one worker, SQLite"

    def open(self):
        self.table, self.shim = storm_faults.ON_SQLITE, Faults(self.folder / "shim")
        node = self.node("one", 1, build=release_build(), db="sqlite", env=self.shim.env)
        self.query = node.query
        node.start()
        self.people = [node.person() for _ in range(ROOMS * MEMBERS)]


STORMS = {"postgres": ClusterStorm, "sqlite": SqliteStorm}


def main():
    parser = argparse.ArgumentParser(description="Faults under load, and what became of every message.")
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument("--stores", choices=STORMS, default="postgres")
    parser.add_argument("--build", type=Path, default=BUILD, help="folder of the build")
    parser.add_argument("--longest", type=float, default=LONGEST, help="seconds that a fault lasts at most")
    parser.add_argument("--only", nargs="+", default=(), help="these faults only, by name")
    parser.add_argument("--folder", type=Path, help="for logs and records; default: a new one")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # namespaces and mounts must not stay behind
    folder = args.folder or Path(tempfile.mkdtemp(prefix="parley-storm-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    say = lambda line: print(line, flush=True)  # noqa: E731
    is_good = STORMS[args.stores](folder, args.faults, args.seed, args.build, args.longest, say, args.only).run()
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
