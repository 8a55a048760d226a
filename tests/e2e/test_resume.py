"""delivery-and-conventions.md 1.6 and 1.7: a socket that catches up with the log of its room."""
import concurrent.futures
import itertools
import threading
import uuid

import pytest

from parley import ROOT, Closed, Refused, Socket, wait_until
from redis import Redis, config_with_redis


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def epoch_of(person, room):
    with person.socket(room) as socket:
        socket.sync()
        return socket.hello["epoch"]


def resume(person, room, after, epoch):
    return Socket.open(person.server, f"/ws/chat/{room['id']}/?after={after}&epoch={epoch}", token=person.token)


def until(socket, *types):
    """the frames up to the first of one of these types; that one is the last"""
    got = []
    while not got or got[-1]["type"] not in types:
        got.append(socket.read())
    return got


def fill(server, person, room, n, size=20):
    """n messages in the log, as if `person` had said them, without the way there"""
    with_size = "x" * size
    key, sender = server.query(f"SELECT r.id, u.id FROM rooms r, users u WHERE r.uid = '{room['id']}' AND u.uid = '{person.id}'")[0]
    server.query(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,
                              content, created_at)
        SELECT {uuid_of(server)}, r.id, r.last_seq + n.i, u.id, u.uid, u.username, u.first_name, u.last_name,
               '{with_size} ' || n.i, 1738324800123456 + n.i
        FROM n CROSS JOIN rooms r CROSS JOIN users u WHERE r.id = {key} AND u.id = {sender} RETURNING seq""")
    server.query(f"""INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)
        SELECT m.room_id, m.seq, 1, m.id, m.sender_id, m.created_at FROM messages m JOIN rooms r ON r.id = m.room_id
        WHERE m.room_id = {key} AND m.seq > r.last_seq RETURNING seq""")
    server.query(f"UPDATE rooms SET last_seq = last_seq + {n}, message_count = message_count + {n} WHERE id = {key} RETURNING id")


def uuid_of(server):
    """an id nobody has, in the SQL of its database"""
    return "gen_random_uuid()" if server.database_url else f"printf('{uuid.uuid4()!s:.18}-%04x-%012x', n.i / 65536, n.i + 1000000)"


def test_every_kind_comes_as_it_came(people):
    ada, bob = people
    room = ada.room(bob)
    path = f"/api/chat/rooms/{room['id']}/"
    with ada.socket(room) as live:
        ada.say(room, "one")
        two = ada.post(path + "send/", {"content": "two", "client_msg_id": "c2"}).json()
        bob.delete(f"{path}participants/{bob.id}/")
        ada.post(path + "participants/", {"email": bob.email})
        ada.put(path, {"name": "Renamed"})
        ada.delete(f"/api/chat/messages/{two['id']}/")
        came = [live.read() for _ in range(6)]
        epoch = live.hello["epoch"]
    assert [f["seq"] for f in came] == [1, 2, 3, 4, 5, 6]
    gone = {**came[5], "seq": 2, "at": came[1]["at"]}  # at its creation's place, without its content
    wanted = [came[0], gone, *came[2:]]
    for after in range(7):
        with resume(ada, room, after, epoch) as socket:
            got = until(socket, "resumed", "resync")
            assert got[:-1] == wanted[after:], after
            assert got[-1] == {"type": "resumed", "recovered": True, "replayed": 6 - after, "room": room["id"], "seq": 6, "epoch": epoch}
            assert socket.hello["seq"] == 6
            said = ada.say(room, "next") if after == 6 else None
            assert not said or socket.read()["id"] == said["id"]
    with resume(bob, room, 0, epoch) as socket:  # an old removal of one's own is history
        assert [f["seq"] for f in until(socket, "resumed")[:-1]] == list(range(1, 8))


def test_resync(people):
    ada = people[0]
    room = ada.room()
    ada.say(room, "one")
    epoch = epoch_of(ada, room)
    for after, known, reason in ((0, "other", "epoch_changed"), (2, epoch, "ahead"), (10 ** 17, epoch, "ahead"), (5, "x", "epoch_changed")):
        with resume(ada, room, after, known) as socket:
            assert socket.read() == {"type": "resync", "reason": reason, "room": room["id"], "seq": 1, "epoch": epoch}
            assert socket.sync() == []
    with resume(ada, room, 2, epoch) as socket:
        socket.read()
        ada.say(room, "two")  # live from the head on
        assert socket.read()["seq"] == 2


def test_what_was_purged_is_told(server, people):
    ada = people[0]
    room = ada.room()
    for n in range(5):
        ada.say(room, str(n))
    epoch = epoch_of(ada, room)
    key = server.query(f"SELECT id FROM rooms WHERE uid = '{room['id']}'")[0][0]
    server.query(f"DELETE FROM room_events WHERE room_id = {key} AND seq <= 3 RETURNING seq")
    for after, whole in ((0, False), (2, False), (3, True), (4, True)):
        with resume(ada, room, after, epoch) as socket:
            got = until(socket, "resumed", "resync")
            if whole:
                assert [f["seq"] for f in got[:-1]] == list(range(after + 1, 6)) and got[-1]["type"] == "resumed"
            else:  # nothing, rather than a part that looks whole
                assert got == [{"type": "resync", "reason": "purged", "room": room["id"], "seq": 5, "epoch": epoch}]


NONSENSE = ["after=1", "epoch=x", "after=&epoch=x", "after=-1&epoch=x", "after=1.5&epoch=x", "after=1e3&epoch=x", "after=+1&epoch=x",
            "after=99999999999999999999&epoch=x", "after=1&epoch=", f"after=1&epoch={'x' * 40}", "after=%00&epoch=x",
            "after=1&epoch=%00", "after=0x1&epoch=x", "after= 1&epoch=x".replace(" ", "%20")]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_in_the_query(server, people, query):
    ada, bob = people
    room = ada.room()
    with pytest.raises(Refused) as refused:
        Socket.open(server, f"/ws/chat/{room['id']}/?{query}", token=ada.token)
    assert refused.value.status == 400 and '"code":"invalid"' in refused.value.body
    with Socket.open(server, f"/ws/chat/{room['id']}/?{query}", token=ada.token, headers={"Origin": server.url}) as socket:
        assert socket.closed().code == 4400
    with pytest.raises(Refused) as refused:
        Socket.open(server, f"/ws/chat/{room['id']}/?{query}", token=bob.token)
    assert refused.value.status == 404


def test_the_frame(people):
    ada = people[0]
    room = ada.room()
    for n in range(250):
        ada.say(room, str(n))
    with ada.socket(room) as socket:
        socket.sync()
        epoch = socket.hello["epoch"]
        for fields in ({}, {"after": 1}, {"epoch": epoch}, {"after": -1, "epoch": epoch}, {"after": "1", "epoch": epoch},
                       {"after": 1.5, "epoch": epoch}, {"after": None, "epoch": epoch}, {"after": 1, "epoch": 7},
                       {"after": 1, "epoch": ""}, {"after": True, "epoch": epoch}, {"after": 2 ** 70, "epoch": epoch}):
            socket.send({"type": "resume", **fields})
            error = socket.read()
            assert error["type"] == "error" and set(error.get("errors", {"after": 0})) <= {"after", "epoch"}, (fields, error)
            assert error["code"] == ("invalid_json" if fields.get("after") == 2 ** 70 else "invalid"), (fields, error)
        for after in (0, 100, 249, 250, 0):
            socket.send({"type": "resume", "after": after, "epoch": epoch})
            got = until(socket, "resumed")
            assert [f["seq"] for f in got[:-1]] == list(range(after + 1, 251))
            assert (got[-1]["replayed"], got[-1]["seq"]) == (250 - after, 250)
        socket.send({"type": "resume", "after": 0, "epoch": "other"})
        assert socket.read()["reason"] == "epoch_changed"
        said = ada.say(room, "live again")
        assert socket.read()["id"] == said["id"]
        assert socket.sync() == []


def test_nothing_is_lost_or_twice_while_others_write(people):
    ada, bob = people
    room = ada.room(bob)
    epoch = epoch_of(ada, room)
    stop = threading.Event()

    def talk():
        with bob.socket(room) as socket:
            for n in itertools.count():
                if stop.is_set():
                    return socket.sync()
                socket.say(f"say {n}")
                socket.message()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk)
        try:
            last = 0
            for _ in range(60):  # each goes on where the one before was cut
                with resume(ada, room, last, epoch) as socket:
                    for frame in until(socket, "resumed") + [socket.read() for _ in range(7)]:
                        if frame["type"] == "chat_message":
                            assert frame["seq"] == last + 1
                            last += 1
        finally:
            stop.set()
            talking.result()
    with resume(ada, room, last, epoch) as socket:
        rest = until(socket, "resumed")
        assert [f["seq"] for f in rest[:-1]] == list(range(last + 1, rest[-1]["seq"] + 1))


def test_a_long_way_for_a_slow_reader(own_server):
    """100,000 events; memory stays bounded while the reader takes nothing, and all of them come."""
    # A sanitized server keeps what it has freed for a while, which would look as if it were in use.  Nobody answers pings here.
    config = (ROOT / "config/parley.yaml").read_text().replace("server:\n", "server:\n  ping_interval: 1h\n", 1)
    server = own_server(config=config, env={"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:quarantine_size_mb=4"})
    ada = server.person()
    room = ada.room()
    fill(server, ada, room, 100_000)
    epoch = epoch_of(ada, room)
    before = resident(server)
    with resume(ada, room, 0, epoch) as slow, resume(ada, room, 60_000, epoch) as fast:
        assert until(fast, "resumed")[-1]["replayed"] == 40_000  # not held up by the other
        assert resident(server) - before < 64 << 20
        for seq in range(1, 100_001):
            assert slow.read()["seq"] == seq
        assert slow.read()["replayed"] == 100_000
        ada.say(room, "live")
        assert slow.read()["seq"] == fast.read()["seq"] == 100_001


def resident(server):
    """bytes of its largest worker"""
    def of(pid):
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))
    return max(of(pid) for pid in server.workers())


def test_large_messages_do_not_close_the_socket(own_server):
    """one page of them is more than a queue takes"""
    server = own_server()
    ada = server.person()
    room = ada.room()
    fill(server, ada, room, 300, size=15_000)
    with resume(ada, room, 0, epoch_of(ada, room)) as socket:
        assert [f["seq"] for f in until(socket, "resumed")[:-1]] == list(range(1, 301))


def test_many_at_once(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    fill(server, ada, room, 3_000)
    epoch = epoch_of(ada, room)
    afters = [n * 37 % 3_000 for n in range(60)]
    sockets = [resume(ada, room, after, epoch) for after in afters]
    try:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for after, got in zip(afters, pool.map(lambda s: until(s, "resumed"), sockets)):
                assert [f["seq"] for f in got[:-1]] == list(range(after + 1, 3_001))
    finally:
        for socket in sockets:
            socket.sock.close()


def test_a_removal_ends_it(own_server):
    server = own_server()
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    fill(server, ada, room, 50_000)
    epoch = epoch_of(ada, room)
    with resume(bob, room, 0, epoch) as socket:
        assert socket.read()["seq"] == 1
        assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/").status_code == 204
        secret = ada.say(room, "not for bob")
        seqs = []
        with pytest.raises(Closed) as end:
            while True:
                frame = socket.read()
                assert frame["type"] != "resumed" and frame["seq"] < secret["seq"]
                seqs.append(frame["seq"])
        assert end.value.code == 4403 and seqs == list(range(2, len(seqs) + 2))
        assert len(seqs) < 50_000


def test_a_deleted_room_ends_it(own_server):
    server = own_server()
    ada = server.person()
    room = ada.room()
    fill(server, ada, room, 50_000)
    with resume(ada, room, 0, epoch_of(ada, room)) as socket:
        assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
        assert socket.closed().code == 4404


def test_on_several_workers(tmp_path, own_server):
    """The cursor comes from another worker, which may have shown more than the one that is asked now."""
    with Redis(tmp_path / "redis") as redis:
        server = own_server(config=config_with_redis(3), env={"REDIS_URL": redis.url})
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        epoch = epoch_of(ada, room)
        last = 0
        for n in range(120):
            said = bob.say(room, f"say {n}")
            with resume(ada, room, last, epoch) as socket:
                got = until(socket, "resumed", "resync")
                assert [f["seq"] for f in got[:-1]] == list(range(last + 1, said["seq"] + 1)), got
                assert got[-1]["type"] == "resumed"
                last = said["seq"] if n % 3 else last
        server.end()
