"""What stands between the parts in a storm: proxies that cut, stall and lose, and a network namespace for a second machine.

All proxies run in one thread with one asyncio loop.  A proxy is switched by plain attributes from any thread."""
import asyncio
import os
import random
import socket
import subprocess
import sys
import threading

CHUNK = 65536


class Cut(Exception):
    """Both ends of this connection are to be cut, at once."""


class Loop:
    """the thread that the proxies run in"""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class Pair:
    """One connection through a proxy: client and server side, and what a fault remembers about it."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.client, self.to_client = proxy, reader, writer
        self.to_server = None
        self.is_marked = False

    async def run(self):
        try:
            server, self.to_server = await asyncio.open_connection(*self.proxy.target)
        except OSError:
            self.to_client.transport.abort()
            return
        up = asyncio.ensure_future(self._copy(self.client, self.to_server, self.proxy.up))
        down = asyncio.ensure_future(self._copy(server, self.to_client, self.proxy.down))
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((up, down), timeout=0.5)  # what the other direction still has to say
        up.cancel(), down.cancel()
        self.abort()

    def abort(self):
        for writer in (self.to_client, self.to_server):
            writer.transport.abort()

    async def _copy(self, source, target, hook):
        try:
            while data := await source.read(CHUNK):
                await self.proxy.flowing.wait()
                data = await hook(self, data)
                if data:
                    target.write(data)
                    await target.drain()
            target.write_eof()
        except Cut:
            self.abort()
        except OSError:
            pass


class Proxy:
    """Listens on `host`, passes everything on to `target`.  stall(), flow(), cut(); subclasses look at the bytes."""

    def __init__(self, loop, host, target, port=0):
        self.loop, self.target, self.pairs = loop, target, set()
        self.flowing = self.server = None
        sock = socket.create_server((host, port))
        self.host, self.port = sock.getsockname()[:2]
        loop.call(self._start(sock))

    async def _start(self, sock):
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.server = await asyncio.start_server(self._accepted, sock=sock)

    async def _accepted(self, reader, writer):
        pair = Pair(self, reader, writer)
        self.pairs.add(pair)
        try:
            await pair.run()
        finally:
            self.pairs.discard(pair)

    async def up(self, pair, data):
        return data

    async def down(self, pair, data):
        return data

    def stall(self):
        """nothing passes, nothing is refused: a cable that was pulled out far away"""
        self.loop.loop.call_soon_threadsafe(self.flowing.clear)

    def flow(self):
        self.loop.loop.call_soon_threadsafe(self.flowing.set)

    def cut(self):
        for pair in list(self.pairs):
            if pair.to_server:
                self.loop.loop.call_soon_threadsafe(pair.abort)

    def close(self):
        async def end():
            self.server.close()
            for pair in list(self.pairs):
                if pair.to_server:
                    pair.abort()
        self.loop.call(end())


class DatabaseProxy(Proxy):
    """Before PostgreSQL.  arm(how) makes the next transaction with a message in it fail at one point:

    request lost     it is taken from the server's hands, and does not reach the database
    request torn     half of it does
    request passed   all of it does, and then the connection ends, maybe before the database has read it
    request late     the connection ends; the database gets it two seconds later
    answer lost      the database has committed; its answer does not arrive
    answer torn      half of the answer does
    """
    CUTS = ("request lost", "request torn", "request passed", "request late", "answer lost", "answer torn")

    def __init__(self, loop, host, target):
        super().__init__(loop, host, target)
        self.armed, self.struck = None, threading.Event()

    def arm(self, how):
        self.struck.clear()
        self.armed = how

    def _strike(self):
        self.armed = None
        self.struck.set()

    async def up(self, pair, data):
        how = self.armed
        if not how or b"storm:" not in data:
            return data
        if how.startswith("answer"):
            pair.is_marked = True
            return data
        self._strike()
        if how == "request torn":
            pair.to_server.write(data[:len(data) // 2])
        elif how == "request passed":
            pair.to_server.write(data)
        elif how == "request late":
            pair.to_client.transport.abort()
            await asyncio.sleep(2)
            pair.to_server.write(data)
        if how != "request lost":
            await pair.to_server.drain()
            pair.to_server.write_eof()
            pair.to_client.transport.abort()
            await asyncio.sleep(1)
        raise Cut

    async def down(self, pair, data):
        how = self.armed
        # a column of what the database answers for a stored message
        if not how or not pair.is_marked or b"sender_last_name" not in data:
            return data
        self._strike()
        if how == "answer torn":
            pair.to_client.write(data[:len(data) // 2])
            await pair.to_client.drain()
        raise Cut


class BusProxy(Proxy):
    """Before Redis.  `loss`: the share of the messages of rooms that go to a channel nobody listens to."""

    def __init__(self, loop, host, target, seed):
        super().__init__(loop, host, target)
        self.loss, self.lost, self.chance = 0.0, 0, random.Random(seed)

    def _lose(self, data):
        parts = data.split(b"\nparley:0:room.")
        for i in range(1, len(parts)):
            is_lost = self.chance.random() < self.loss
            self.lost += is_lost
            parts[i] = (b"\nparley:9:room." if is_lost else b"\nparley:0:room.") + parts[i]
        return b"".join(parts)

    async def up(self, pair, data):
        return self._lose(data) if self.loss and b"PUBLISH" in data else data

    async def down(self, pair, data):
        return self._lose(data) if self.loss and b"$7\r\nmessage" in data else data


# ---- a second machine ----
def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Machine:
    """A network namespace with two cables: `front` is for clients, `back` for database and Redis.

    front_host is its address for clients, back_host the one under which it finds what is here.  A server in it listens on
    127.0.0.1, as one behind a load balancer does (the outbox of the tests is refused on other addresses): serve() makes it
    reachable."""

    @staticmethod
    def is_possible():
        name = f"parley-try-{os.getpid()}"
        if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
            return False
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        return True

    def __init__(self):
        self.name, self.balancer = f"parley-{os.getpid()}", None
        taken = subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True).stdout
        net = next(n for n in range(os.getpid() % 200, 500) if f" 10.213.{n % 250}." not in taken) % 250
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        self.cables = {}
        for cable, second in (("front", 213), ("back", 214)):
            here, there = f"p{cable[0]}{net}-here", f"p{cable[0]}{net}-there"
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
            ip("address", "add", f"10.{second}.{net}.1/30", "dev", here)
            ip("-n", self.name, "address", "add", f"10.{second}.{net}.2/30", "dev", there)
            self.cables[cable] = (here, there)
            ip("link", "set", here, "up")
            self.plug(cable)
        self.front_host, self.back_host = f"10.213.{net}.2", f"10.214.{net}.1"
        self.wrapper = ("ip", "netns", "exec", self.name)

    def pull(self, cable):
        ip("-n", self.name, "link", "set", self.cables[cable][1], "down")

    def plug(self, cable):
        ip("-n", self.name, "link", "set", self.cables[cable][1], "up")

    def serve(self, port):
        """clients who come to front_host find the server of that port"""
        command = [*self.wrapper, sys.executable, __file__, self.front_host, str(port)]
        self.balancer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.balancer.stdout.readline() == b"ready\n"

    def end(self):
        if self.balancer:
            self.balancer.communicate()
        ip("netns", "del", self.name)  # its ends of the cables go with it, and so do ours


class NoMachine:
    """Without the rights for a namespace the second node lives here, and a pulled cable is a stalled proxy."""
    front_host = back_host = "127.0.0.1"
    wrapper = ()

    def __init__(self):
        self.proxies = []

    def pull(self, cable):
        for proxy in self.proxies:
            proxy.stall()

    def plug(self, cable):
        for proxy in self.proxies:
            proxy.flow()

    def serve(self, port):
        pass  # it listens where its clients are

    def end(self):
        pass


def balance(host, port):
    """until stdin ends: from one address of this machine to a port of 127.0.0.1"""
    Proxy(Loop(), host, ("127.0.0.1", int(port)), int(port))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    balance(*sys.argv[1:])
