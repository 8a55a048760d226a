"""Who may do what (security.md 16): every route and frame, for everybody there is, as one table."""
import pytest

from parley import Closed, Refused, Socket
from routes import ID, ask

WHO = ("anonymous", "other", "ex", "member", "creator")
CREATOR_ONLY = "Only the creator of the room may do this."
SENDER_ONLY = "Only the sender or the creator of the room may do this."
HERE, SEND = "/api/chat/rooms/{room}/", {"content": "x"}

# method, path, body: the status for each of WHO; {fresh}: a room of the creator's own making for this cell alone
TABLE = [
    ("GET", "/api/", None, (200, 200, 200, 200, 200)),
    ("GET", "/api/auth/profile/", None, (401, 200, 200, 200, 200)),
    ("GET", "/api/auth/sessions/", None, (401, 200, 200, 200, 200)),
    ("DELETE", f"/api/auth/sessions/{ID}/", None, (401, 404, 404, 404, 404)),
    ("POST", "/api/auth/change-password/", {}, (401, 400, 400, 400, 400)),
    ("POST", "/api/auth/ws-ticket/", None, (401, 201, 201, 201, 201)),
    ("GET", "/api/chat/rooms/", None, (401, 200, 200, 200, 200)),
    ("POST", "/api/chat/rooms/", {"name": "x"}, (401, 201, 201, 201, 201)),
    ("GET", HERE, None, (401, 404, 404, 200, 200)),
    ("HEAD", HERE, None, (401, 404, 404, 200, 200)),
    ("PUT", HERE, {"name": "Room"}, (401, 404, 404, 403, 200)),
    ("PUT", HERE, {}, (401, 404, 404, 403, 400)),
    ("PATCH", HERE, {"name": "x"}, (401, 405, 405, 405, 405)),
    ("DELETE", "/api/chat/rooms/{fresh}/", None, (401, 404, 404, 403, 204)),
    ("GET", HERE + "messages/", None, (401, 404, 404, 200, 200)),
    ("HEAD", HERE + "messages/", None, (401, 404, 404, 200, 200)),
    ("POST", HERE + "send/", SEND, (401, 404, 404, 201, 201)),
    ("POST", HERE + "send/", {}, (401, 404, 404, 400, 400)),
    ("POST", HERE + "participants/", {"email": "{stranger}"}, (401, 404, 404, 403, 201)),
    ("POST", HERE + "participants/", {"email": "{own}"}, (401, 404, 404, 403, 400)),
    ("POST", HERE + "participants/", {"email": "nobody@example.org"}, (401, 404, 404, 403, 400)),
    ("POST", HERE + "participants/", {}, (401, 404, 404, 403, 400)),
    ("DELETE", HERE + "participants/{creator}/", None, (401, 404, 404, 403, 400)),
    ("DELETE", HERE + "participants/{second}/", None, (401, 404, 404, 403, 204)),
    ("DELETE", HERE + "participants/{other}/", None, (401, 404, 404, 403, 404)),
    ("DELETE", HERE + "participants/{ex}/", None, (401, 404, 404, 403, 404)),
    ("DELETE", HERE + f"participants/{ID}/", None, (401, 404, 404, 403, 404)),
    ("DELETE", "/api/chat/rooms/{fresh}/participants/{self}/", None, (401, 404, 404, 204, 400)),
    ("DELETE", "/api/chat/messages/{of_creator}/", None, (401, 404, 404, 403, 204)),
    ("DELETE", "/api/chat/messages/{of_member}/", None, (401, 404, 404, 204, 204)),
    ("DELETE", "/api/chat/messages/{of_second}/", None, (401, 404, 404, 403, 204)),
    ("DELETE", "/api/chat/messages/{of_ex}/", None, (401, 404, 404, 403, 204)),
    ("GET", f"/api/chat/rooms/{ID}/", None, (401, 404, 404, 404, 404)),
    ("PUT", f"/api/chat/rooms/{ID}/", {"name": "x"}, (401, 404, 404, 404, 404)),
    ("DELETE", f"/api/chat/rooms/{ID}/", None, (401, 404, 404, 404, 404)),
    ("GET", f"/api/chat/rooms/{ID}/messages/", None, (401, 404, 404, 404, 404)),
    ("POST", f"/api/chat/rooms/{ID}/send/", SEND, (401, 404, 404, 404, 404)),
    ("POST", f"/api/chat/rooms/{ID}/participants/", {"email": "{own}"}, (401, 404, 404, 404, 404)),
    ("DELETE", f"/api/chat/rooms/{ID}/participants/{{self}}/", None, (401, 404, 404, 404, 404)),
    ("DELETE", f"/api/chat/messages/{ID}/", None, (401, 404, 404, 404, 404)),
    ("GET", "/admin/", None, (200, 200, 200, 200, 200)),
]
DETAILS = {401: "Authentication credentials were not provided.", 404: "Not found."}


@pytest.fixture(scope="module")
def cast(server):
    people = {name: server.person() for name in ("other", "ex", "member", "creator", "second", "stranger")}
    people["anonymous"] = server.anonymous()
    return people


def made(cast):
    """a room, after its ex-member has left and all have spoken: the values of a cell's path"""
    creator = cast["creator"]
    room = creator.room(cast["ex"], cast["member"], cast["second"])
    values = {"of_" + name: cast[name].say(room, name)["id"] for name in ("ex", "creator", "member", "second")}
    assert creator.delete(f"/api/chat/rooms/{room['id']}/participants/{cast['ex'].id}/").status_code == 204
    return {**values, "room": room["id"], "fresh": room["id"], **{n: p.id for n, p in cast.items() if p.id}}


CELLS = [(row, i) for row in TABLE for i in range(len(WHO))]


@pytest.mark.parametrize("row,column", CELLS, ids=[f"{r[0]} {r[1]} {r[2] or ''} {WHO[i]}" for r, i in CELLS])
def test_a_cell(server, cast, row, column):
    method, path, body, statuses = row
    who = cast[WHO[column]]
    values = {**made(cast), "self": who.id or ID}
    creator = cast["creator"]
    before = creator.get(f"/api/chat/rooms/{values['room']}/").json(), history(creator, values["room"])
    body = {k: v.format(own=creator.email, stranger=cast["stranger"].email) for k, v in body.items()} if body is not None else None
    answer = ask(server, method, path.format(**values), body, who.token)
    assert answer.status_code == statuses[column], answer.text
    if answer.status_code in DETAILS and method != "HEAD":
        assert answer.json()["detail"] == DETAILS[answer.status_code]
    if answer.status_code == 403:
        assert answer.json()["detail"] == (SENDER_ONLY if "messages/" in path else CREATOR_ONLY)
    if answer.status_code >= 400:  # what is refused has no effect
        assert (creator.get(f"/api/chat/rooms/{values['room']}/").json(), history(creator, values["room"])) == before


def history(person, room):
    return person.get(f"/api/chat/rooms/{room}/messages/").json()


@pytest.mark.parametrize("who,status", zip(WHO, (401, 404, 404, 101, 101)))
def test_opening_a_socket(server, cast, who, status):
    room = made(cast)["room"]
    for origin, code in ((None, None), (server.url, {401: 4401, 404: 4404}.get(status))):
        headers = {"Origin": origin} if origin else {}
        if status == 101 or code:
            with Socket.open(server, f"/ws/chat/{room}/", token=cast[who].token, headers=headers) as socket:
                if code:
                    assert socket.closed().code == code
                else:
                    socket.sync()
            continue
        with pytest.raises(Refused) as refused:
            Socket.open(server, f"/ws/chat/{room}/", token=cast[who].token)
        assert refused.value.status == status


@pytest.mark.parametrize("frame", [{"type": "chat_message", "content": "late"}, {"type": "typing"}])
def test_frames_of_an_ex_member_reach_nobody(cast, frame):
    creator, member = cast["creator"], cast["member"]
    room = creator.room(member)
    with creator.socket(room) as kept, member.socket(room) as gone:
        kept.sync()
        gone.sync()
        assert creator.delete(f"/api/chat/rooms/{room['id']}/participants/{member.id}/").status_code == 204
        gone.send(frame)
        end = gone.closed()
        assert end.code == 4403
        creator.say(room, "after")
        got = []
        while not got or got[-1]["type"] != "chat_message":
            got.append(kept.read())
        assert got[-1]["content"] == "after" and "typing" not in [g["type"] for g in got]
    assert [m["content"] for m in creator.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"]] == ["after"]


def test_only_the_rooms_of_the_caller_are_listed(server, cast):
    room = made(cast)["room"]
    listed = {who: room in ask(server, "GET", "/api/chat/rooms/?limit=200", token=cast[who].token).text for who in WHO[1:]}
    assert listed == {"other": False, "ex": False, "member": True, "creator": True}


def test_a_message_belongs_to_one_room_only(cast):
    """the creator of one room has no say in another"""
    other, creator, member = cast["other"], cast["creator"], cast["member"]
    theirs, own = creator.room(member, other), other.room(member)
    message = member.say(theirs, "not yours")
    assert other.delete(f"/api/chat/messages/{message['id']}/").status_code == 403
    assert other.delete(f"/api/chat/rooms/{own['id']}/participants/{creator.id}/").status_code == 404
    assert creator.delete(f"/api/chat/rooms/{own['id']}/participants/{member.id}/").status_code == 404
    assert member.get(f"/api/chat/rooms/{own['id']}/").status_code == 200


def test_a_removed_member_gets_nothing_more_on_any_socket(cast):
    creator, member = cast["creator"], cast["member"]
    room, other = creator.room(member), creator.room(member)
    with member.socket(room) as one, member.socket(room) as two, member.socket(other) as kept:
        for socket in (one, two, kept):
            socket.sync()
        assert member.delete(f"/api/chat/rooms/{room['id']}/participants/{member.id}/").status_code == 204
        creator.say(room, "secret")
        for socket in (one, two):
            seen = []
            with pytest.raises(Closed) as closed:
                while True:
                    seen.append(socket.read())
            assert closed.value.code == 4403 and "chat_message" not in [s["type"] for s in seen]
        kept.say("still here")
        assert kept.message()["content"] == "still here"
