"""REST reads: a room's latest page on connections that stay open, beside a program that runs the same queries and sends the
same bytes (bare_reads.c).

    ./dev bench reads [--rounds 9] [--seconds 3] [--messages 1000]

Parley answers the newest page from the copy that the plugin memory keeps, so an older page is measured, too: that one it
reads from the database each time.
"""
import argparse
import sys

from lab import machine, servers
from lab.history import add_messages
from lab.measure import tool
from lab.tables import Results, table, text

PAGES = {"latest page": "", "older page": "?offset=100"}
BARE = "bare (latest page)"


def ask(person, room, query):
    return f"GET /api/chat/rooms/{room['id']}/messages/{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {person.token}\r\n\r\n"


def read(server, request, seconds):
    path = f"{server.folder.name}/request"
    with open(path, "w", encoding="utf-8") as file:
        file.write(request)
    return tool("reads", f"port={server.port}", f"request={path}", f"pids={','.join(map(str, server.pids()))}", f"seconds={seconds}")


class Bare(servers.Measured):
    name = BARE

    def __init__(self, *arguments):
        super().__init__()
        self.arguments = arguments

    def run(self):
        self.spawn(machine.BUILD / "bench" / "bare_reads", self.port, *self.arguments)


def filled(messages):
    """a server whose database was filled while it was away; somebody, and their room"""
    server = servers.Parley().start()
    room = server.person.room()
    server.server.end()
    add_messages(server.server.data / "parley.db", room["id"], server.person.id, messages)
    server.server.start()
    return server, room


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--raw", help="a file to which every measurement is added as a line of JSON")
    args = parser.parse_args()
    results = Results(args.raw)
    server, room = filled(args.messages)
    try:
        page = server.person.get(f"/api/chat/rooms/{room['id']}/messages/")
        body = f"{server.folder.name}/body"
        with open(body, "wb") as file:
            file.write(page.content)
        user, = server.database().execute("SELECT id FROM users WHERE uid = ?", (server.person.id,)).fetchone()
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
            for name, query in PAGES.items():
                results.add("reads", name, read(server, ask(server.person, room, query), args.seconds))
            with Bare(server.server.data / "parley.db", room["id"], user, len(page.json()["results"]), body) as bare:
                results.add("reads", BARE, read(bare, ask(server.person, room, ""), args.seconds))
    finally:
        server.stop()
    limit = results.median("reads", BARE, "per_second")
    print(f"\n{machine.describe()}")
    table(f"reads (64 connections, {len(page.json()['results'])} messages a page, {len(page.content):,} bytes; median of {args.rounds})",
          ["", "answers/s", "of bare", "CPU us", "p50 ms", "p99 ms"],
          [[row, text(results.median("reads", row, "per_second")), text(results.median("reads", row, "per_second") / limit, 2),
            text(results.median("reads", row, "cpu_us"), 1), text(results.median("reads", row, "p50_ms"), 2),
            text(results.median("reads", row, "p99_ms"), 2)] for row in (BARE, *PAGES)])


if __name__ == "__main__":
    main()
