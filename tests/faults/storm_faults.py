"""The faults of a storm, a table: each is a function of the storm and its chance, and returns, when the fault is over, what it did.

docs/FAULTS.md says what is promised in each case."""
import errno
import os
import re
import signal
import time

from parley import PATIENCE, wait_until
from storm_net import DatabaseProxy


def node_and_worker(storm, chance):
    node = chance.choice(storm.nodes)
    return node, chance.choice(wait_until("a worker", node.workers))


# ---- processes of the server ----
def worker_killed(storm, chance):
    node, pid = node_and_worker(storm, chance)
    os.kill(pid, signal.SIGKILL)
    return f"SIGKILL of worker {pid} of {node.name}"


def supervisor_killed(storm, chance):
    node = chance.choice(storm.nodes)
    workers = node.workers()
    node.kill()
    wait_until("the workers to end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
    storm.restart(node)
    return f"SIGKILL of the supervisor of {node.name}, then a start"


def node_drained(storm, chance):
    node = chance.choice(storm.nodes)
    started = time.monotonic()
    node.process.terminate()
    status = node.process.wait(PATIENCE)
    took = time.monotonic() - started
    storm.expect(status == 0, f"{node.name} ended with {status} after SIGTERM")
    storm.expect(took < 12, f"{node.name} took {took:.1f} s to stop")
    storm.restart(node)
    return f"SIGTERM of {node.name}, which ended after {took:.2f} s, then a start"


def configuration_reloaded(storm, chance):
    node = chance.choice(storm.nodes)
    before = set(wait_until("the workers", lambda: len(w := node.workers()) == node.slots and w))
    asked = 0

    def is_replaced():
        """A reload that meets another fault (a full disk) is refused, says so, and is asked for again."""
        nonlocal asked
        refused = len(re.findall(r"configuration not taken|Mend it and send SIGHUP again", node.text()))
        if refused >= asked:
            asked = refused + 1
            node.process.send_signal(signal.SIGHUP)
        return len(w := set(node.workers())) == node.slots and not w & before

    wait_until(f"{node.name} to replace its workers", is_replaced)
    return f"SIGHUP of {node.name}"


# ---- PostgreSQL ----
def postgres_restarted(storm, chance):
    storm.postgres.stop()
    time.sleep(chance.uniform(0, storm.longest / 3))
    storm.postgres.start()
    return "PostgreSQL stopped (fast) and started"


def postgres_shut_down(storm, chance):
    storm.postgres.process.send_signal(signal.SIGQUIT)
    storm.postgres.process.wait(PATIENCE)
    time.sleep(chance.uniform(0, storm.longest / 3))
    storm.postgres.start()
    return "PostgreSQL shut down at once (SIGQUIT) and started"


def postgres_killed(storm, chance):
    storm.postgres.kill()
    storm.postgres.start()
    return "SIGKILL of all of PostgreSQL, then a start"


def postgres_frozen(storm, chance):
    seconds = chance.uniform(1, storm.longest)
    storm.postgres.pause()
    time.sleep(seconds)
    storm.postgres.resume()
    return f"SIGSTOP of PostgreSQL for {seconds:.1f} s"


def postgres_full(storm, chance):
    seconds = chance.uniform(1, storm.longest)
    with open(storm.disk / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 16))
        except OSError as full:
            assert full.errno == errno.ENOSPC
        time.sleep(seconds)
    os.unlink(storm.disk / "ballast")
    was_alive = storm.postgres.process.poll() is None
    if not was_alive:
        storm.postgres.start()
    return f"the disk of PostgreSQL full for {seconds:.1f} s; it {'went on' if was_alive else 'had ended, and was started'}"


def commit_cut(storm, chance):
    proxy, how = chance.choice(storm.database_proxies), chance.choice(DatabaseProxy.CUTS)
    proxy.arm(how)
    struck = proxy.struck.wait(10)
    proxy.armed = None
    return f"the connection cut during COMMIT: {how}{'' if struck else ' (nothing was sent in 10 s)'}"


def sessions_ended(storm, chance):
    storm.postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'")
    return "all sessions of the database ended"


# ---- Redis and the bus ----
def redis_restarted(storm, chance):
    storm.redis.stop()
    time.sleep(chance.uniform(0, storm.longest / 3))
    storm.redis.start()
    return "Redis killed and started"


def redis_frozen(storm, chance):
    storm.redis.freeze()
    time.sleep(storm.longest)
    storm.redis.thaw()
    return f"SIGSTOP of Redis for {storm.longest:g} s"


def bus_lossy(storm, chance):
    loss, seconds = chance.choice((0.2, 0.5, 1.0)), chance.uniform(1, storm.longest / 2)
    before = sum(p.lost for p in storm.bus_proxies)
    for proxy in storm.bus_proxies:
        proxy.loss = loss
    time.sleep(seconds)
    for proxy in storm.bus_proxies:
        proxy.loss = 0.0
    return f"{loss:.0%} of the messages of the bus lost for {seconds:.1f} s: {sum(p.lost for p in storm.bus_proxies) - before}"


def last_message_lost(storm, chance):
    """The bus loses the last message before everybody falls silent: no later one shows the hole."""
    for proxy in storm.bus_proxies:
        proxy.loss = 1.0
    time.sleep(chance.uniform(0.2, 0.6))
    state = storm.fall_silent()
    for proxy in storm.bus_proxies:
        proxy.loss = 0.0
    took, late = storm.wait_heads(state)
    storm.hush.clear()
    storm.expect(not late, f"the last message, lost on the bus, was not found by {late} within {storm.repair:g} s")
    return f"the last messages before a silence lost on the bus; shown to all after {took:.1f} s"


def bus_cut(storm, chance):
    for proxy in storm.bus_proxies:
        proxy.cut()
    return "all connections to Redis cut"


# ---- the network ----
def node_cut_off(storm, chance):
    return _cables(storm, chance, ("front", "back"), "a node cut off from everything")


def node_without_stores(storm, chance):
    return _cables(storm, chance, ("back",), "a node cut off from database and Redis, its clients stay")


def _cables(storm, chance, cables, what):
    seconds = chance.uniform(1, storm.longest)
    for cable in cables:
        storm.machine.pull(cable)
    time.sleep(seconds)
    for cable in cables:
        storm.machine.plug(cable)
    return f"{what}, for {seconds:.1f} s"


def database_silent(storm, chance):
    proxy, seconds = chance.choice(storm.database_proxies), chance.uniform(1, storm.longest)
    proxy.stall()
    time.sleep(seconds)
    proxy.flow()
    return f"no byte between a node and the database for {seconds:.1f} s"


# ---- the disk of SQLite ----
def _switched(storm, chance, switch, value, what):
    seconds = chance.uniform(0.5, storm.longest / 2)
    setattr(storm.shim, switch, value)
    time.sleep(seconds)
    setattr(storm.shim, switch, 0)
    return f"{what} for {seconds:.1f} s"


def disk_full(storm, chance):
    return _switched(storm, chance, chance.choice(("db_write_errno", "db_sync_errno")), errno.ENOSPC, "the disk full")


def disk_broken(storm, chance):
    return _switched(storm, chance, chance.choice(("db_write_errno", "db_sync_errno", "db_read_errno")), errno.EIO,
                     "errors of the disk")


def disk_slow(storm, chance):
    ms = chance.choice((50, 300, 1500))
    return _switched(storm, chance, "db_sync_ms", ms, f"fsync of {ms} ms")


def logs_full(storm, chance):
    return _switched(storm, chance, "log_errno", errno.ENOSPC, "the disk of the logs full")


# Two faults that come together are from different groups: one would undo the other.
PROCESSES = (worker_killed, node_drained, configuration_reloaded)
BUS = (redis_restarted, redis_frozen, bus_lossy, bus_cut)
DATABASE = (postgres_restarted, postgres_shut_down, postgres_killed, postgres_frozen, postgres_full, sessions_ended)
NETWORK = (commit_cut, node_cut_off, node_without_stores, database_silent)
DISK = (disk_full, disk_broken, disk_slow, logs_full)
ALONE = (last_message_lost, supervisor_killed)
GROUPS = (PROCESSES, BUS, DATABASE, NETWORK, DISK)

ON_POSTGRES = PROCESSES + BUS + DATABASE + NETWORK + (last_message_lost,)
ON_SQLITE = PROCESSES + DISK + (supervisor_killed,)


def companion(fault, table, chance):
    """a fault of another group, or None"""
    if fault in ALONE:
        return None
    others = [f for f in table if f not in ALONE and not any(f in group and fault in group for group in GROUPS)]
    return chance.choice(others) if others else None
