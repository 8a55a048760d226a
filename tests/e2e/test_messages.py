"""contract.md section 4: messages over REST."""
import uuid

import pytest

MESSAGE = {"id", "room", "sender", "content", "created_at"}
SENDER = {"id", "username", "first_name", "last_name"}


@pytest.fixture(scope="module")
def people(server):
    return server.person("ada"), server.person("bob"), server.person("eve")


@pytest.fixture(scope="module")
def room(people):
    return people[0].room(people[1])


def send(person, room, body):
    return person.post(f"/api/chat/rooms/{room['id']}/send/", body)


def test_a_message_as_the_contract_shows_it(people, room):
    answer = send(people[1], room, {"content": "  Hello, World!\n", "id": "x", "sender": "y"})
    assert answer.status_code == 201
    message = answer.json()
    assert set(message) >= MESSAGE and set(message["sender"]) == SENDER
    assert message["content"] == "Hello, World!" and message["room"] == room["id"] and message["sender"]["id"] == people[1].id
    newest = people[0].get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"][0]
    assert newest == message


@pytest.mark.parametrize("content", ["é", "😀" * 5000, "<script>alert(1)</script>", "a\u202eb\u0007\u200b", "\ufeff", "\u200b",
                                     "'; DROP TABLE messages; --", "a\r\nb", "\ufffe\uffff", "{{7*7}}", "\\u0041\\", '"'])
def test_content_comes_back_as_it_was_sent(people, room, content):
    answer = send(people[0], room, {"content": content})
    assert answer.status_code == 201 and answer.json()["content"] == content
    assert people[1].get(f"/api/chat/rooms/{room['id']}/messages/?limit=1").json()["results"][0]["content"] == content


CASES = [
    ("missing", {}, "This field is required."),
    ("empty", {"content": ""}, "This field may not be blank."),
    ("blank", {"content": " \u2028\u3000\x1c\x85"}, "This field may not be blank."),
    ("null", {"content": None}, "This field may not be null."),
    ("list", {"content": ["x"]}, "Not a valid string."),
    ("object", {"content": {}}, "Not a valid string."),
    ("boolean", {"content": True}, "Not a valid string."),
    ("number", {"content": 1}, "Not a valid string."),
    ("real", {"content": 1.5}, "Not a valid string."),
    ("long", {"content": "é" * 5001}, "Ensure this field has no more than 5000 characters."),
    ("NUL", {"content": "a\0"}, "Null characters are not allowed."),
]


@pytest.mark.parametrize("label,body,text", CASES, ids=[c[0] for c in CASES])
def test_content_is_refused(people, room, label, body, text):
    before = people[0].get(f"/api/chat/rooms/{room['id']}/messages/?limit=1").json()["count"]
    answer = send(people[0], room, body)
    assert (answer.status_code, answer.json()) == (400, {"content": [text]})
    assert people[0].get(f"/api/chat/rooms/{room['id']}/messages/?limit=1").json()["count"] == before


def test_history_is_paged_in_the_exact_order_of_storage(people):
    ada, bob, _ = people
    room = ada.room(bob)
    said = [(ada if i % 2 else bob).say(room, f"m{i}")["id"] for i in range(7)]
    path = f"/api/chat/rooms/{room['id']}/messages/"
    assert [m["id"] for m in ada.get(path).json()["results"]] == said[::-1]
    page = bob.get(path + "?limit=3&offset=3").json()
    assert page["count"] == 7 and [m["id"] for m in page["results"]] == said[::-1][3:6]
    assert page["next"].endswith(path + "?limit=3&offset=6") and page["previous"].endswith(path + "?limit=3")


def test_members_see_what_was_said_before_they_joined(people):
    ada, bob, _ = people
    room = ada.room()
    ada.say(room, "early")
    ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": bob.email})
    assert bob.get(f"/api/chat/rooms/{room['id']}/messages/").json()["count"] == 1


def test_a_broken_log_takes_no_message(server, people):
    """A seq that is taken (a database repaired by hand): a clear failure, and nothing of the message stays."""
    room = people[0].room(people[1])
    assert send(people[0], room, {"content": "one"}).status_code == 201
    where = f"(SELECT id FROM rooms WHERE uid = '{room['id']}')"
    server.query(f"INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at) SELECT room_id, 2, kind, message_id, actor_id, at"
                 f" FROM room_events WHERE room_id = {where} AND seq = 1 RETURNING seq")
    for body in ({"content": "two"}, {"content": "two", "client_msg_id": "once"}):
        assert send(people[0], room, body).status_code == 500
    assert server.query(f"SELECT content FROM messages WHERE room_id = {where}") == [["one"]]
    assert server.query(f"SELECT last_seq, message_count FROM rooms WHERE id = {where}") == [["1", "1"]]
    server.query(f"DELETE FROM room_events WHERE room_id = {where} AND seq = 2 RETURNING seq")
    assert send(people[0], room, {"content": "two"}).json()["seq"] == 2


def test_deleting(server, people):
    ada, bob, eve = people
    cyd = server.person("cyd")
    room = ada.room(bob, cyd)
    mine, theirs, kept = bob.say(room, "mine"), bob.say(room, "theirs"), cyd.say(room, "kept")
    with cyd.socket(room) as socket:
        answer = cyd.delete(f"/api/chat/messages/{mine['id']}/")
        assert answer.status_code == 403
        assert answer.json()["detail"] == "Only the sender or the creator of the room may do this."
        for message_id in (mine["id"], str(uuid.uuid4())):
            assert eve.delete(f"/api/chat/messages/{message_id}/").status_code == 404
        assert bob.delete(f"/api/chat/messages/{mine['id']}/").status_code == 204
        assert socket.read_type("message_deleted")["message_id"] == mine["id"]
        assert ada.delete(f"/api/chat/messages/{theirs['id']}/").status_code == 204
        assert socket.read_type("message_deleted")["message_id"] == theirs["id"]
    assert bob.delete(f"/api/chat/messages/{mine['id']}/").status_code == 404
    page = ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()
    assert page["count"] == 1 and [m["id"] for m in page["results"]] == [kept["id"]]
    ada.delete(f"/api/chat/rooms/{room['id']}/participants/{cyd.id}/")
    assert cyd.delete(f"/api/chat/messages/{kept['id']}/").status_code == 404
    assert ada.put(f"/api/chat/messages/{kept['id']}/", {}).status_code == 405
    assert ada.delete("/api/chat/messages/x/").status_code == 404
