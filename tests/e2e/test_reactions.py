"""Reactions: who reacted with what, in bodies, frames and the log."""
import concurrent.futures
from urllib.parse import quote

import pytest

from parley import ROOT, Server

THUMB, HEART, PLAIN_HEART, FLAG = "\U0001f44d", "\u2764\ufe0f", "\u2764", "\U0001f1e9\U0001f1ea"


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def address(message, emoji):
    return f"/api/chat/messages/{message['id']}/reactions/{quote(emoji, safe='')}/"


def react(person, message, emoji, method="PUT"):
    answer = person.call(method, address(message, emoji))
    assert answer.status_code == 204 and answer.content == b"", answer.text
    return answer


def reactions(person, message):
    answer = person.get(f"/api/chat/messages/{message['id']}/")
    assert answer.status_code == 200
    return answer.json().get("reactions")


def events(person, room):
    return person.get(f"/api/chat/rooms/{room['id']}/events/?limit=200").json()["results"]


def test_reactions_as_everybody_sees_them(people):
    ada, bob, _ = people
    room = ada.room(bob)
    message, other = ada.say(room, "react"), ada.say(room, "not to this")
    with ada.socket(room) as live:
        react(bob, message, THUMB)
        react(ada, message, THUMB)
        react(ada, message, HEART)
        react(bob, message, THUMB, "DELETE")
        frames = [live.read() for _ in range(4)]
        epoch = live.hello["epoch"]
    head = {"room": room["id"], "epoch": epoch, "message_id": message["id"]}
    who = {p: {"id": p.id, "username": p.username} for p in (ada, bob)}
    assert [{k: v for k, v in f.items() if k != "at"} for f in frames] == [
        {**head, "type": "reaction_added", "seq": 3, "emoji": THUMB, "count": 1, "actor": who[bob]},
        {**head, "type": "reaction_added", "seq": 4, "emoji": THUMB, "count": 2, "actor": who[ada]},
        {**head, "type": "reaction_added", "seq": 5, "emoji": HEART, "count": 1, "actor": who[ada]},
        {**head, "type": "reaction_removed", "seq": 6, "emoji": THUMB, "count": 1, "actor": who[bob]},
    ]
    for person, own in ((ada, True), (bob, False)):
        want = [{"emoji": THUMB, "count": 1, "own": own}, {"emoji": HEART, "count": 1, "own": own}]
        assert reactions(person, message) == want and reactions(person, other) is None
        for query in ("", "?limit=200", "?after_seq=0", "?before_seq=100", "?limit=2", "?limit=1&offset=1", "?order=asc", "?order=desc"):
            shown = {m["id"]: m for m in person.get(f"/api/chat/rooms/{room['id']}/messages/{query}").json()["results"]}
            assert shown[message["id"]] == {**message, "reactions": want}, query
            assert shown.get(other["id"], other) == other
    told = events(bob, room)  # with the counts of today
    assert told[2:] == [{**f, "count": 1} for f in frames]
    assert "reactions" not in told[0]


def test_what_is_so_already_is_no_event(people):
    ada, bob, _ = people
    room = ada.room(bob)
    message = ada.say(room, "react")
    react(ada, message, THUMB, "DELETE")
    for _ in range(2):
        react(ada, message, HEART)
    react(ada, message, PLAIN_HEART)  # the same heart
    react(ada, message, PLAIN_HEART + "\ufe0e")
    assert reactions(bob, message) == [{"emoji": HEART, "count": 1, "own": False}]
    for _ in range(2):
        react(ada, message, PLAIN_HEART, "DELETE")
    assert reactions(bob, message) is None
    assert [e["type"] for e in events(ada, room)] == ["chat_message", "reaction_added", "reaction_removed"]


def test_a_tag_is_of_what_the_reader_sees(people):
    """one that is kept by a browser is of no use to the next who logs in there, and of none after a reaction"""
    ada, bob, _ = people
    room = ada.room(bob)
    message = ada.say(room, "react")
    react(bob, message, THUMB)
    for query in ("", "?limit=200", "?after_seq=0"):
        path = f"/api/chat/rooms/{room['id']}/messages/{query}"
        first = bob.get(path)
        tag = {"If-None-Match": first.headers["ETag"]}
        assert bob.get(path, headers=tag).status_code == 304
        assert ada.get(path, headers=tag).json()["results"][0]["reactions"] == [{"emoji": THUMB, "count": 1, "own": False}]
        react(ada, message, THUMB)
        assert bob.get(path, headers=tag).json()["results"][0]["reactions"] == [{"emoji": THUMB, "count": 2, "own": True}]
        react(ada, message, THUMB, "DELETE")


@pytest.mark.parametrize("emoji", ["x", "1", "++", THUMB * 2, THUMB + "x", " ", "\u200d", "\U0001f1e9", "<b>", "\u0301", THUMB + "\u0301" * 40,
                                   (THUMB + "\u200d") * 30 + THUMB])
def test_only_one_emoji(people, emoji):
    ada, bob, cyd = people
    message = ada.say(ada.room(bob), "react")
    for method in ("PUT", "DELETE"):
        answer = bob.call(method, address(message, emoji))
        assert answer.status_code == 400 and answer.json() == {"emoji": ["Enter one emoji."]}
        assert cyd.call(method, address(message, emoji)).status_code == 404
    assert reactions(ada, message) is None


@pytest.mark.parametrize("raw", ["%ff", "%F0%9F%91", "%00", "%F0%9F%91%8D%00", "%2F", "%"])
def test_escapes_that_are_no_text(people, raw):
    ada, bob, _ = people
    message = ada.say(ada.room(bob), "react")
    answer = ada.server.connect()
    answer.sendall(f"PUT /api/chat/messages/{message['id']}/reactions/{raw}/ HTTP/1.1\r\nHost: {ada.server.host}:{ada.server.port}\r\n"
                   f"Authorization: Token {ada.token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    status = int(answer.makefile("rb").readline().split()[1])
    answer.close()
    assert status in (400, 404)
    assert reactions(ada, message) is None


@pytest.mark.parametrize("emoji", [THUMB, THUMB + "\U0001f3fd", FLAG, "1\ufe0f\u20e3", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
                                   "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U0001f3f3\ufe0f\u200d\U0001f308"])
def test_emoji_of_all_kinds(people, emoji):
    ada, bob, _ = people
    message = ada.say(ada.room(bob), "react")
    react(bob, message, emoji)
    assert reactions(ada, message) == [{"emoji": emoji, "count": 1, "own": False}]


def test_other_methods_and_strangers(people):
    ada, bob, cyd = people
    room = ada.room(bob)
    message = ada.say(room, "react")
    answer = ada.get(address(message, THUMB))
    assert answer.status_code == 405 and answer.headers["Allow"] == "PUT, DELETE, OPTIONS"
    assert ada.server.anonymous().put(address(message, THUMB)).status_code == 401
    assert cyd.put(address(message, THUMB)).status_code == cyd.delete(address(message, THUMB)).status_code == 404
    react(bob, message, THUMB)
    assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{bob.id}/").status_code == 204
    assert bob.delete(address(message, THUMB)).status_code == 404
    assert reactions(ada, message) == [{"emoji": THUMB, "count": 1, "own": False}]  # stays, as what he said does
    assert ada.delete(f"/api/chat/messages/{message['id']}/").status_code == 204
    assert ada.put(address(message, THUMB)).status_code == ada.delete(address(message, THUMB)).status_code == 404


def test_not_too_many(tmp_path):
    config = (ROOT / "config/parley.yaml").read_text().replace("\n  - chat\n", "\n  - chat:\n      max_reactions: 12\n")
    with Server(tmp_path / "server", config=config) as server:
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        message = ada.say(room, "react")
        faces = [chr(0x1f600 + n) for n in range(14)]
        for face in faces[:10]:
            react(ada, message, face)
        answer = ada.put(address(message, faces[10]))
        assert answer.status_code == 400 and answer.json() == {"emoji": ["Ensure you have no more than 10 different reactions."]}
        react(bob, message, faces[10]), react(bob, message, faces[11])
        answer = bob.put(address(message, faces[12]))
        assert answer.status_code == 400 and answer.json() == {"emoji": ["Ensure this message has no more than 12 different reactions."]}
        react(bob, message, faces[0])  # one that is there
        react(ada, message, faces[1], "DELETE")
        react(bob, message, faces[12])
        assert [r["count"] for r in reactions(ada, message)] == [2] + [1] * 11
        assert len(events(ada, room)) == 16


def test_reactions_that_race(people):
    ada, bob, cyd = people
    room = ada.room(bob, cyd)
    message = ada.say(room, "react")

    def toggle(person):
        for n in range(30):
            react(person, message, THUMB, "DELETE" if n % 3 == 2 else "PUT")
    with concurrent.futures.ThreadPoolExecutor(3) as pool, ada.socket(room) as live:
        for job in [pool.submit(toggle, p) for p in (ada, bob, cyd)]:
            job.result()
        told = events(ada, room)
        frames = [live.read() for _ in told[1:]]
    assert [f["seq"] for f in frames] == list(range(2, len(told) + 1))
    users = set()
    for frame in frames:  # each one changes something, and its count is how many there are then
        is_added = frame["type"] == "reaction_added"
        assert (frame["actor"]["id"] not in users) == is_added
        (users.add if is_added else users.remove)(frame["actor"]["id"])
        assert frame["count"] == len(users)
    assert len(frames) == 3 * 20 and reactions(ada, message) is None
