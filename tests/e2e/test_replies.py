"""reply_to and mentions: by REST and by frame, in answers, frames, pages and the log."""
import itertools

import pytest

from parley import Server, Socket

_numbers = itertools.count()


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person(), server.person()


def send(person, room, status=201, **body):
    answer = person.post(f"/api/chat/rooms/{room['id']}/send/", body)
    assert answer.status_code == status, answer.text
    return answer.json()


def as_user(*people):
    return [{"id": p.id, "username": p.username} for p in people]


def everywhere(person, room, message):
    """the message wherever it is shown is the same"""
    assert person.get(f"/api/chat/messages/{message['id']}/").json() == message
    for query in ("", "?limit=200", "?after_seq=0", "?before_seq=1000", "?order=asc"):
        shown = {m["id"]: m for m in person.get(f"/api/chat/rooms/{room['id']}/messages/{query}").json()["results"]}
        assert shown[message["id"]] == message, query
    told = person.get(f"/api/chat/rooms/{room['id']}/events/?after_seq={message['seq'] - 1}&limit=1").json()["results"][0]
    assert {k: v for k, v in told.items() if k not in ("type", "epoch", "at")} == message


def test_a_reply_everywhere(people):
    ada, bob, _ = people
    room = ada.room(bob)
    first = ada.say(room, "question")
    assert "reply_to" not in first and "mentions" not in first
    with bob.socket(room) as live:
        answer = send(ada, room, content="answer", reply_to=first["id"], client_msg_id="r1")
        frame = live.read()
        assert frame.pop("type") == "chat_message"
        assert {k: v for k, v in frame.items() if k not in ("epoch", "at")} == answer and answer["reply_to"] == first["id"]
        live.send({"type": "chat_message", "content": "by frame", "reply_to": answer["id"], "client_msg_id": "r2"})
        frames = {f["type"]: f for f in (live.read(), live.read())}
        assert frames["chat_message"]["reply_to"] == answer["id"] and frames["ack"]["replayed"] is False
    everywhere(bob, room, answer)
    again = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "answer", "reply_to": first["id"], "client_msg_id": "r1"})
    assert again.status_code == 200 and again.json() == answer
    assert ada.delete(f"/api/chat/messages/{first['id']}/").status_code == 204
    everywhere(bob, room, answer)  # what it replies to is gone, that it replies is not
    assert bob.get(f"/api/chat/messages/{answer['reply_to']}/").status_code == 404
    again = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "answer", "reply_to": first["id"], "client_msg_id": "r1"})
    assert again.status_code == 200 and again.json() == answer


NO_MESSAGE = {"reply_to": ["No such message in this room."]}


def test_what_cannot_be_replied_to(people):
    ada, bob, cyd = people
    room, other = ada.room(bob), ada.room(bob)
    elsewhere, gone = ada.say(other, "elsewhere"), ada.say(room, "gone")
    ada.delete(f"/api/chat/messages/{gone['id']}/")
    with ada.socket(room) as live:
        for wrong, errors in ((elsewhere["id"], NO_MESSAGE), (gone["id"], NO_MESSAGE), ("x", NO_MESSAGE), ("", NO_MESSAGE), ("\0", NO_MESSAGE),
                              ("-" * 36, NO_MESSAGE), (room["id"], NO_MESSAGE), (elsewhere["id"].upper(), NO_MESSAGE),
                              (5, {"reply_to": ["Not a valid string."]}), ([], {"reply_to": ["Not a valid string."]})):
            assert send(bob, room, 400, content="x", reply_to=wrong) == errors
            live.send({"type": "chat_message", "content": "x", "reply_to": wrong, "client_msg_id": "w"})
            frame = live.read()
            assert (frame["type"], frame["code"], frame["errors"], frame["client_msg_id"]) == ("error", "invalid", errors, "w")
        assert send(bob, room, 400, content=" ", reply_to=elsewhere["id"]) == {"content": ["This field may not be blank."], **NO_MESSAGE}
        assert send(cyd, room, 404, content="x", reply_to=elsewhere["id"])["code"] == "not_found"
        assert "reply_to" not in send(bob, room, content="none", reply_to=None)
        assert live.read()["content"] == "none"
    assert send(bob, other, content="x", reply_to=elsewhere["id"])["reply_to"] == elsewhere["id"]


def test_mentions_everywhere(people):
    ada, bob, cyd = people
    room = ada.room(bob)
    text = f"@{bob.username}, ask @{ada.username.upper()}. Not @{cyd.username}, nor x@{bob.username}; @{bob.username}"
    with bob.socket(room) as live:
        message = send(ada, room, content=text)
        frame = live.read()
        live.say(f"(@{ada.username})")
        assert live.read()["mentions"] == as_user(ada)
    assert message["mentions"] == frame["mentions"] == as_user(bob, ada)  # members, each once, in the order of the text
    everywhere(bob, room, message)
    assert "mentions" not in ada.say(room, f"@{cyd.username} @nobody @ ada@example.org")
    ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": cyd.email})
    assert ada.say(room, f"@{cyd.username}!")["mentions"] == as_user(cyd)
    everywhere(bob, room, message)  # as it was when it was sent


def test_names_with_signs(server, people):
    ada = people[0]
    n = next(_numbers)
    plain, dotted, accented = (server.person() for _ in range(3))
    for person, name in ((plain, f"sam{n}"), (dotted, f"sam{n}."), (accented, f"\u00e9va{n}")):
        server.query(f"UPDATE users SET username = '{name}', username_key = '{name}' WHERE uid = '{person.id}' RETURNING 1")
        person.username = name
    room = ada.room(plain, dotted, accented)
    for text, who in ((f"@sam{n}.", [dotted]), (f"@sam{n}!", [plain]), (f"@sam{n}..", [dotted]), (f"@sam{n}-", [plain]),
                      (f"@sam{n} @sam{n}.", [plain, dotted]), (f"@E\u0301VA{n}?", [accented]), (f"@sam{n}.x", [])):
        assert ada.say(room, text).get("mentions", []) == as_user(*who), text
    assert ada.say(room, " ".join(f"@nobody{k}" for k in range(40)) + f" @sam{n}").get("mentions") is None  # the first 32 names


def test_an_edit_changes_the_mentions(people):
    ada, bob, _ = people
    room = ada.room(bob)
    message = send(ada, room, content=f"@{bob.username}", reply_to=ada.say(room, "first")["id"])
    with bob.socket(room) as live:
        for text, who in ((f"@{ada.username} @{bob.username}", [ada, bob]), ("nobody", None), (f"@{bob.username}", [bob])):
            for kind in ("application/json", "application/json;charset=UTF-8"):
                answer = ada.call("PATCH", f"/api/chat/messages/{message['id']}/", data=f'{{"content":"{text}"}}'.encode(),
                                  headers={"Content-Type": kind})
                assert answer.status_code == 200
                edited = answer.json()
                assert edited.get("mentions") == (who and as_user(*who)) and edited["reply_to"] == message["reply_to"]
            assert live.read().get("mentions") == edited.get("mentions")
    everywhere(bob, room, edited)
    assert ada.delete(f"/api/chat/messages/{message['id']}/").status_code == 204
    assert ada.server.query(f"SELECT COUNT(*) FROM messages WHERE uid = '{message['id']}' AND mentions IS NULL")[0][0] in ("1", 1)


def test_frames_stay_in_order(people):
    """Those that ask the database first are not overtaken by those that do not."""
    ada, bob, _ = people
    room = ada.room(bob)
    first = ada.say(room, "first")
    with ada.socket(room) as live, bob.socket(room) as other:
        for n in range(60):
            frame = {"type": "chat_message", "content": f"@{bob.username} {n}" if n % 3 == 0 else f"{n}"}
            if n % 3 == 1:
                frame["reply_to"] = first["id"]
            if n % 4 == 0:
                frame["client_msg_id"] = f"order {n}"
            live.send(frame)
        came = [other.read()["content"].split()[-1] for _ in range(60)]
    assert came == [str(n) for n in range(60)]


def test_charset_in_the_type(people):
    ada, bob, _ = people
    room = ada.room(bob)
    first = ada.say(room, "first")
    answer = ada.call("POST", f"/api/chat/rooms/{room['id']}/send/", headers={"Content-Type": "application/json;charset=UTF-8"},
                      data=f'{{"content":"@{bob.username}","reply_to":"{first["id"]}"}}'.encode())
    assert answer.status_code == 201 and answer.json()["reply_to"] == first["id"] and answer.json()["mentions"] == as_user(bob)


def test_a_resume_shows_them(people):
    ada, bob, _ = people
    room = ada.room(bob)
    first = ada.say(room, "first")
    message = send(bob, room, content=f"@{ada.username}", reply_to=first["id"])
    epoch = ada.get(f"/api/chat/rooms/{room['id']}/events/?limit=1").json()["epoch"]
    with Socket.open(ada.server, f"/ws/chat/{room['id']}/?after=1&epoch={epoch}", token=ada.token) as live:
        frame = live.read()
    assert {k: v for k, v in frame.items() if k not in ("type", "epoch", "at")} == message


def test_a_throttled_one_asks_nothing(tmp_path):
    with Server(tmp_path, env={"THROTTLE_MESSAGE": "1/minute"}) as server:
        ada = server.person()
        room = ada.room()
        first = ada.say(room, "first")
        assert send(ada, room, 429, content=f"@{ada.username}", reply_to=first["id"])["code"] == "throttled"
