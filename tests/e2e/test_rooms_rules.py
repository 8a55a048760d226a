"""contract.md sections 3 to 5 in detail: addresses of participants, the creator's rules, texts of sockets, ends."""
import json
import re
import struct

import pytest

from parley import ROOT, Refused, Socket
from routes import ask

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ADDRESS = "Enter a valid email address."


@pytest.fixture(scope="module")
def people(server):
    return server.person("ada"), server.person("bob"), server.person("eve")


def nobody(address):
    return f"No user with the email {address}."


def test_exact_shapes(people):
    ada, bob, _ = people
    room = ada.room(bob)
    for one in (room, ada.get(f"/api/chat/rooms/{room['id']}/").json(), ada.get("/api/chat/rooms/?limit=1").json()["results"][0],
                ada.put(f"/api/chat/rooms/{room['id']}/", {"name": "Room"}).json()):
        assert list(one)[:6] == ["id", "name", "creator", "participants", "created_at", "updated_at"]
        assert UUID.fullmatch(one["id"]) and TIME.fullmatch(one["created_at"]) and TIME.fullmatch(one["updated_at"])
        for person in (one["creator"], *one["participants"]):
            assert list(person) == ["id", "username", "email", "first_name", "last_name"]
    message = ada.say(room, "x")
    assert list(message)[:5] == ["id", "room", "sender", "content", "created_at"] and UUID.fullmatch(message["id"]) and TIME.fullmatch(message["created_at"])
    assert list(message["sender"]) == ["id", "username", "first_name", "last_name"]


ELEMENTS = [(5, ADDRESS), (True, ADDRESS), ([], ADDRESS), ({}, ADDRESS), (None, "This field may not be null."), ("", "This field may not be blank."),
            (" \u3000", "This field may not be blank."), ("x", ADDRESS), ("a@b", ADDRESS), ("a@example.org, b@example.org", ADDRESS), ("é@example.org", ADDRESS)]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_faulty_elements_are_named_by_their_index(people, method):
    ada, bob, eve = people
    path = "/api/chat/rooms/" if method == "POST" else f"/api/chat/rooms/{ada.room()['id']}/"

    def refused(emails, errors, **more):
        answer = ada.call(method, path, json={"name": "x", "participant_emails": emails, **more})
        assert (answer.status_code, answer.json()) == (400, errors), emails
    for element, text in ELEMENTS:
        refused([element], {"participant_emails": {"0": [text]}})
        refused([bob.email, element, eve.email], {"participant_emails": {"1": [text]}})
    refused(["nobody1@example.org", "x"], {"participant_emails": {"1": [ADDRESS]}})
    refused(["x", bob.email, 5, None], {"participant_emails": {"0": [ADDRESS], "2": [ADDRESS], "3": ["This field may not be null."]}})
    refused([bob.email, "nobody1@example.org", "nobody2@example.org"], {"participant_emails": [nobody("nobody1@example.org"), nobody("nobody2@example.org")]})
    refused(["nobody1@example.org"] * 3, {"participant_emails": [nobody("nobody1@example.org")]})
    refused(["x"], {"name": ["This field may not be blank."], "participant_emails": {"0": [ADDRESS]}}, name=" ")
    for value, kind in (("x", "str"), (1, "int"), (1.5, "float"), (True, "bool"), ({"0": "a"}, "dict")):
        refused(value, {"participant_emails": [f'Expected a list of items but got type "{kind}".']})
    refused(None, {"participant_emails": ["This field may not be null."]})


def test_harmless_lists(people):
    ada, bob, _ = people
    for emails, members in (([], {ada.id}), ([ada.email], {ada.id}), ([ada.email.upper(), bob.email, bob.email.upper(), f" {bob.email}\u00a0"], {ada.id, bob.id})):
        answer = ada.post("/api/chat/rooms/", {"name": "x", "participant_emails": emails})
        assert answer.status_code == 201 and {p["id"] for p in answer.json()["participants"]} == members
        assert len(answer.json()["participants"]) == len(members)


def test_an_unknown_address_refuses_the_whole_request(people):
    ada, bob, eve = people
    before = bob.get("/api/chat/rooms/").json()["count"]
    answer = ada.post("/api/chat/rooms/", {"name": "x", "participant_emails": [bob.email, "nobody@example.org"]})
    assert answer.status_code == 400
    assert bob.get("/api/chat/rooms/").json()["count"] == before
    room = ada.room(bob, name="Old")
    answer = ada.put(f"/api/chat/rooms/{room['id']}/", {"name": "New", "participant_emails": ["nobody@example.org"]})
    assert answer.status_code == 400 and ada.get(f"/api/chat/rooms/{room['id']}/").json() == room
    answer = ada.put(f"/api/chat/rooms/{room['id']}/", {"name": "New", "participant_emails": [eve.email]})
    assert answer.status_code == 200 and {p["id"] for p in answer.json()["participants"]} == {ada.id, bob.id}


def test_the_unknown_address_is_named_as_it_was_given(people):
    for given, shown in (("Nobody@Example.ORG", "Nobody@Example.ORG"), ("  nobody@example.org ", "nobody@example.org")):
        answer = people[0].post("/api/chat/rooms/", {"name": "x", "participant_emails": [given]})
        assert answer.json()["participant_emails"][0] in (nobody(shown), nobody(shown.lower()))


def test_names_of_rooms_need_not_be_unique(people):
    assert people[0].room(name="Same")["id"] != people[0].room(name="Same")["id"]


def test_the_creator_cannot_leave_and_members_come_and_go(people):
    ada, bob, eve = people
    room = ada.room(bob, eve)
    path = f"/api/chat/rooms/{room['id']}/participants/"
    for who, status in ((ada, 400), (bob, 403), (eve, 403)):
        answer = who.delete(path + f"{ada.id}/")
        assert answer.status_code == status
        assert answer.json()["detail"] == ("The creator cannot be removed from the room." if status == 400 else "Only the creator of the room may do this.")
    assert bob.delete(path + f"{eve.id}/").status_code == 403
    assert eve.delete(path + f"{eve.id}/").status_code == 204 and eve.delete(path + f"{eve.id}/").status_code == 404
    before = ada.get(f"/api/chat/rooms/{room['id']}/").json()
    assert {p["id"] for p in before["participants"]} == {ada.id, bob.id}
    for _ in range(3):
        assert ada.post(path, {"email": eve.email}).status_code == 201
        assert eve.get(f"/api/chat/rooms/{room['id']}/").status_code == 200
        assert ada.delete(path + f"{eve.id}/").status_code == 204
        assert eve.get(f"/api/chat/rooms/{room['id']}/").status_code == 404


def test_204_says_nothing_more(people):
    ada, bob, _ = people
    room = ada.room(bob)
    message = ada.say(room, "x")
    for path in (f"/api/chat/messages/{message['id']}/", f"/api/chat/rooms/{room['id']}/participants/{bob.id}/", f"/api/chat/rooms/{room['id']}/"):
        answer = ask(ada.server, "DELETE", path, token=ada.token)
        assert answer.status_code == 204 and answer.content == b"" and "Content-Type" not in answer.headers
        assert answer.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in answer.headers
        assert ask(ada.server, "DELETE", path, token=ada.token).status_code == 404


def test_a_creator_who_was_added_elsewhere_has_no_rights_there(people):
    ada, bob, _ = people
    room = ada.room(bob)
    mine = bob.room(ada)
    assert bob.put(f"/api/chat/rooms/{room['id']}/", {"name": "x"}).status_code == 403
    assert ada.put(f"/api/chat/rooms/{mine['id']}/", {"name": "x"}).status_code == 403


# ---- messages ----
def test_sender_is_as_it_was_and_deleted_messages_leave_the_list_only(people):
    ada, bob, _ = people
    room = ada.room(bob)
    said = [bob.say(room, str(i)) for i in range(3)]
    with ada.socket(room) as socket:
        socket.sync()
        assert bob.delete(f"/api/chat/messages/{said[1]['id']}/").status_code == 204
        told = socket.read_type("message_deleted")
        assert told["message_id"] == said[1]["id"] and told["room"] == room["id"] and "content" not in told
    page = ada.get(f"/api/chat/rooms/{room['id']}/messages/?limit=1").json()
    assert page["count"] == 2 and page["results"][0] == said[2]
    assert page["next"].endswith("?limit=1&offset=1")
    assert ada.get(f"/api/chat/rooms/{room['id']}/messages/?limit=1&offset=1").json()["results"] == [said[0]]
    assert bob.delete(f"/api/chat/messages/{said[1]['id']}/").status_code == 404
    ada.delete(f"/api/chat/rooms/{room['id']}/")
    assert bob.delete(f"/api/chat/messages/{said[0]['id']}/").status_code == 404


def test_emails_of_others_may_be_hidden(own_server):
    config = (ROOT / "config" / "parley.yaml").read_text()
    server = own_server(config=re.sub(r"^  - chat\n", "  - chat:\n      show_emails: self\n", config, flags=re.M))
    ada, bob = server.person(), server.person()
    room = ada.room(bob)
    for who in (ada, bob):
        for one in (who.get(f"/api/chat/rooms/{room['id']}/").json(), who.get("/api/chat/rooms/").json()["results"][0]):
            shown = {p["id"]: p.get("email") or None for p in one["participants"]}
            assert shown == {ada.id: ada.email if who is ada else None, bob.id: bob.email if who is bob else None}
            assert (one["creator"].get("email") or None) == (ada.email if who is ada else None)


# ---- sockets ----
def test_frames_as_the_contract_shows_them(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with ada.socket(room) as a, bob.socket(room) as b:
        a.sync(), b.sync()
        b.send({"type": "typing", "user": {"id": "x"}, "room": "x"})
        typing = a.read_type("typing")
        assert typing["user"] == {"id": bob.id, "username": bob.username} and "seq" not in typing
        assert typing["expires_in_ms"] == 5000
        b.send({"type": "chat_message", "content": "Hello from WebSocket!", "id": "x", "sender": {}, "room": "x", "created_at": "x", "seq": 5})
        frame = a.message()
        assert frame["type"] == "chat_message" and frame["sender"] == {"id": bob.id, "username": bob.username, "first_name": "First", "last_name": "Last"}
        assert UUID.fullmatch(frame["id"]) and TIME.fullmatch(frame["created_at"]) and frame["room"] == room["id"]
        stored = ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"][0]
        assert {k: frame[k] for k in stored} == stored


def test_sockets_are_told_of_changes_in_order_and_rest_and_frames_share_it(people):
    ada, bob, _ = people
    room = ada.room(bob)
    with bob.socket(room) as socket, ada.socket(room) as other:
        socket.sync(), other.sync()
        for i in range(10):
            ada.say(room, f"rest {i}")
            other.say(f"frame {i}")  # no order with what comes by REST until it is back
            while other.message()["content"] != f"frame {i}":
                pass
        got = [socket.message() for _ in range(20)]
        assert [g["content"] for g in got] == [f"{kind} {i}" for i in range(10) for kind in ("rest", "frame")]
    stored = ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]
    assert [m["id"] for m in stored][::-1] == [g["id"] for g in got]


def test_a_query_and_the_host_of_a_handshake(server, people):
    ada = people[0]
    room = ada.room()
    path = f"/ws/chat/{room['id']}/"
    with Socket.open(server, path + "?x=1&token=nope", token=ada.token) as socket:
        socket.sync()
    with pytest.raises(Refused) as refused:
        Socket.open(server, path, token=ada.token, headers={"Host": "evil.example"})
    assert refused.value.status == 400
    for query in (f"?token={ada.token}", "?ticket=nope", ""):
        with pytest.raises(Refused) as refused:
            Socket.open(server, path + query)
        assert refused.value.status == 401 and json.loads(refused.value.body)["detail"]
        assert refused.value.headers["www-authenticate"] == "Token"


def test_origins(server, people):
    ada = people[0]
    room = ada.room()
    own = f"http://127.0.0.1:{server.port}"
    for origin in (None, own, f"http://LOCALHOST:{server.port}".lower()):
        host = {"Host": f"localhost:{server.port}"} if origin and "localhost" in origin else {}
        with ada.socket(room, headers={"Origin": origin, **host}) as socket:
            socket.sync()
    for origin in ("null", "https://evil.example", own + ".evil.example", own + "@evil.example", own + "/x", "x" + own, own[:-1], own + "0", "file://", "http://",
                   "127.0.0.1", f"ftp://127.0.0.1:{server.port}", own + " https://evil.example", "http://127.0.0.1"):
        for token in (ada.token, None):
            with pytest.raises(Refused) as refused:
                Socket.open(server, f"/ws/chat/{room['id']}/", token=token, headers={"Origin": origin})
            assert refused.value.status == 403, origin


def test_browsers_can_read_why_they_are_refused(server, people):
    ada, bob, eve = people
    room = ada.room()
    origin = {"Origin": server.url}
    unknown = "019a1b2c-0000-7000-8000-0000000000c3"
    gone = ada.room()
    ada.delete(f"/api/chat/rooms/{gone['id']}/")
    cases = [(None, room["id"], 4401), ("nope", room["id"], 4401), (eve.token, room["id"], 4404), (ada.token, unknown, 4404), (ada.token, gone["id"], 4404),
             (ada.token, "x", 4404), (None, "x", 4404)]
    for token, where, code in cases:
        with Socket.open(server, f"/ws/chat/{where}/", token=token, headers=origin) as socket:
            assert socket.closed().code == code, (token, where)


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4401, 4999])
def test_a_close_is_answered(people, code):
    room = people[0].room()
    with people[0].socket(room) as socket:
        socket.sync()
        assert socket.close(code).code in (1000, code)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535])
def test_a_close_with_a_code_that_nobody_may_send(people, code):
    room = people[0].room()
    with people[0].socket(room) as socket:
        socket.sync()
        socket.frame(8, struct.pack("!H", code))
        assert socket.closed().code == 1002
