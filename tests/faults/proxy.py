"""A TCP proxy in front of PostgreSQL that understands its messages, counts them, and cuts connections at a chosen one."""
import collections
import select
import socket
import threading

class Messages:
    """One direction of a connection, taken apart: feed(bytes) gives (type, the message's bytes)."""

    def __init__(self, is_client):
        self.buffer, self.is_untyped = b"", is_client

    def feed(self, data):
        self.buffer += data
        found = []
        while len(self.buffer) >= 5:
            at = 0 if self.is_untyped else 1
            n = int.from_bytes(self.buffer[at:at + 4], "big") + at
            if len(self.buffer) < n:
                break
            found.append(("startup" if self.is_untyped else chr(self.buffer[0]), self.buffer[:n]))
            self.is_untyped, self.buffer = False, self.buffer[n:]
        return found


class Proxy:
    """cut() is asked when the server answers the COMMIT of a transaction with a chat message in it: True ends both sides
    in the place of that answer, so that it has happened and nobody was told."""

    def __init__(self, port):
        self.upstream, self.cut = port, None
        self.transactions = 0  # with chat messages in them: each is one trip to the server and back
        self.writes = 0  # chat messages in them
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url):
        return url.replace(f":{self.upstream}/", f":{self.port}/")

    def end(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.upstream))
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent, came = Messages(True), Messages(False)
        connection = {"inserts": set(), "waiting": collections.deque(), "open": 0}
        with client, server:
            while True:
                for one in select.select([client, server], [], [])[0]:
                    try:
                        data = one.recv(1 << 16)
                    except OSError:
                        data = b""
                    if not data:
                        return
                    if one is client:
                        self._note(sent.feed(data), connection)
                        server.sendall(data)
                    elif not self._pass(came.feed(data), connection, client):
                        self.cuts += 1
                        return

    def _note(self, messages, connection):
        for kind, data in messages:
            if kind == "P":
                name, text = data[5:].split(b"\0")[:2]
                if b"INSERT INTO messages" in text:
                    connection["inserts"].add(name)
            if kind == "B" and data[5:].split(b"\0")[1] in connection["inserts"]:
                connection["open"] += 1
            if kind == "S":
                self.writes += connection["open"]
                self.transactions += connection["open"] > 0
                connection["waiting"].append(connection["open"])
                connection["open"] = 0

    def _pass(self, messages, connection, client):
        for kind, data in messages:
            holds = kind == "Z" and connection["waiting"] and connection["waiting"].popleft()
            if holds and self.cut and self.cut():
                return False
            client.sendall(data)
        return True
