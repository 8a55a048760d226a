"""contract.md section 3: rooms and participants."""
import re
import uuid

import pytest

from parley import Closed, Refused

NOT_FOUND = "Not found."
PERSON = {"id", "username", "email", "first_name", "last_name"}


@pytest.fixture(scope="module")
def people(server):
    """ada creates, bob is a member, eve is not"""
    return server.person("ada"), server.person("bob"), server.person("eve")


def test_a_room_as_the_contract_shows_it(people):
    ada, bob, _ = people
    answer = ada.post("/api/chat/rooms/", {"name": " My Chat Room\u2003", "participant_emails": ["BOB@example.org", ada.email, bob.email]})
    assert answer.status_code == 201
    room = answer.json()
    assert set(room) >= {"id", "name", "creator", "participants", "created_at", "updated_at"}
    assert room["name"] == "My Chat Room"
    assert set(room["creator"]) == PERSON and room["creator"]["id"] == ada.id
    assert {p["id"] for p in room["participants"]} == {ada.id, bob.id} and len(room["participants"]) == 2
    assert all(set(p) == PERSON for p in room["participants"])
    for who in (ada, bob):
        got = who.get(f"/api/chat/rooms/{room['id']}/").json()
        assert {**got, "participants": 0} == {**room, "participants": 0}


def test_unverified_users_may_be_added(server, people):
    other = server.person("unveri", verified=False)
    room = people[0].room(other)
    assert other.id in {p["id"] for p in room["participants"]}


CREATE_CASES = [
    ("nothing", {}, {"name": ["This field is required."]}),
    ("blank", {"name": "\t \u00a0"}, {"name": ["This field may not be blank."]}),
    ("null", {"name": None}, {"name": ["This field may not be null."]}),
    ("number", {"name": 5}, {"name": ["Not a valid string."]}),
    ("list", {"name": []}, {"name": ["Not a valid string."]}),
    ("long", {"name": "é" * 256}, {"name": ["Ensure this field has no more than 255 characters."]}),
    ("NUL", {"name": "a\0b"}, {"name": ["Null characters are not allowed."]}),
    ("unknown address", {"name": "x", "participant_emails": ["nobody@example.org"]},
     {"participant_emails": ["No user with the email nobody@example.org."]}),
    ("a text", {"name": "x", "participant_emails": "bob@example.org"},
     {"participant_emails": ["Expected a list of items but got type \"str\"."]}),
    ("an object", {"name": "x", "participant_emails": {}},
     {"participant_emails": ["Expected a list of items but got type \"dict\"."]}),
    ("null list", {"name": "x", "participant_emails": None}, {"participant_emails": ["This field may not be null."]}),
    ("bad element", {"name": "x", "participant_emails": ["bob@example.org", "bad"]},
     {"participant_emails": {"1": ["Enter a valid email address."]}}),
    ("both fields", {"name": "", "participant_emails": ["bad"]},
     {"name": ["This field may not be blank."], "participant_emails": {"0": ["Enter a valid email address."]}}),
]


@pytest.mark.parametrize("label,body,errors", CREATE_CASES, ids=[c[0] for c in CREATE_CASES])
def test_creation_is_refused(people, label, body, errors):
    ada = people[0]
    before = ada.get("/api/chat/rooms/").json()["count"]
    answer = ada.post("/api/chat/rooms/", body)
    assert (answer.status_code, answer.json()) == (400, errors)
    assert ada.get("/api/chat/rooms/").json()["count"] == before


def test_a_name_may_have_255_code_points(people):
    assert people[0].post("/api/chat/rooms/", {"name": "😀" * 255}).status_code == 201


def test_whoever_is_not_in_a_room_cannot_tell_that_it_exists(people):
    ada, _, eve = people
    room = ada.room()["id"]
    calls = [("GET", "", None), ("PUT", "", {"name": "x"}), ("PUT", "", {}), ("DELETE", "", None), ("GET", "messages/", None),
             ("POST", "send/", {"content": "x"}), ("POST", "send/", {}), ("POST", "participants/", {"email": eve.email}),
             ("POST", "participants/", {}), ("DELETE", f"participants/{eve.id}/", None), ("DELETE", f"participants/{ada.id}/", None)]
    for method, below, body in calls:
        real = eve.call(method, f"/api/chat/rooms/{room}/{below}", json=body)
        unknown = eve.call(method, f"/api/chat/rooms/{uuid.uuid4()}/{below}", json=body)
        assert real.status_code == unknown.status_code == 404, (method, below, real.text)
        assert real.json()["detail"] == unknown.json()["detail"] == NOT_FOUND
    text = eve.call("POST", f"/api/chat/rooms/{room}/send/", data="x", headers={"Content-Type": "text/plain"})
    assert text.status_code == 404
    with pytest.raises(Refused) as refused:
        eve.socket({"id": room})
    assert refused.value.status == 404
    assert room not in {r["id"] for r in eve.get("/api/chat/rooms/").json()["results"]}


def test_what_members_may_not(people):
    ada, bob, eve = people
    room = ada.room(bob)["id"]
    for method, below, body in [("PUT", "", {"name": "x"}), ("PUT", "", {}), ("DELETE", "", None),
                                ("POST", "participants/", {"email": eve.email}), ("POST", "participants/", {}),
                                ("DELETE", f"participants/{ada.id}/", None)]:
        answer = bob.call(method, f"/api/chat/rooms/{room}/{below}", json=body)
        assert answer.status_code == 403, (method, below, answer.text)
        assert answer.json()["detail"]
    assert ada.get(f"/api/chat/rooms/{room}/").json()["name"] == "Room"


def test_renaming(people):
    ada, bob, _ = people
    room = ada.room(bob)
    answer = ada.put(f"/api/chat/rooms/{room['id']}/", {"name": "New", "participant_emails": [], "creator": bob.id, "id": "x"})
    assert answer.status_code == 200
    renamed = answer.json()
    assert renamed["name"] == "New" and renamed["id"] == room["id"] and renamed["creator"]["id"] == ada.id
    assert len(renamed["participants"]) == 2
    assert renamed["updated_at"] > room["updated_at"] and renamed["created_at"] == room["created_at"]
    for body, errors in [({}, {"name": ["This field is required."]}),
                         ({"name": "x", "participant_emails": ["bad"]}, {"participant_emails": {"0": ["Enter a valid email address."]}}),
                         ({"name": "x", "participant_emails": ["nobody@example.org"]},
                          {"participant_emails": ["No user with the email nobody@example.org."]})]:
        answer = ada.put(f"/api/chat/rooms/{room['id']}/", body)
        assert (answer.status_code, answer.json()) == (400, errors)
    assert ada.call("PATCH", f"/api/chat/rooms/{room['id']}/", json={"name": "x"}).status_code == 405


def test_deleting_a_room_closes_its_sockets(people):
    ada, bob, _ = people
    room = ada.room(bob)
    ada.say(room, "gone soon")
    with bob.socket(room) as socket:
        assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
        assert socket.closed().code == 4404
    for who in (ada, bob):
        assert who.get(f"/api/chat/rooms/{room['id']}/").status_code == 404
        assert who.get(f"/api/chat/rooms/{room['id']}/messages/").status_code == 404
    with pytest.raises(Refused):
        bob.socket(room)


def test_adding_a_participant(people):
    ada, bob, eve = people
    room = ada.room()["id"]
    answer = ada.post(f"/api/chat/rooms/{room}/participants/", {"email": " BOB@Example.org "})
    assert answer.status_code == 201 and {p["id"] for p in answer.json()["participants"]} == {ada.id, bob.id}
    for body, errors in [({}, ["This field is required."]), ({"email": "bad"}, ["Enter a valid email address."]),
                         ({"email": "nobody@example.org"}, ["No user with the email nobody@example.org."]),
                         ({"email": bob.email}, ["This user is already a participant."]),
                         ({"email": ada.email}, ["This user is already a participant."])]:
        answer = ada.post(f"/api/chat/rooms/{room}/participants/", body)
        assert (answer.status_code, answer.json()) == (400, {"email": errors})


def test_removing_a_participant(people):
    ada, bob, eve = people
    room = ada.room(bob)
    bob.say(room, "I was here")
    with bob.socket(room) as socket:
        path = f"/api/chat/rooms/{room['id']}/participants/"
        assert ada.delete(path + f"{eve.id}/").status_code == 404
        answer = ada.delete(path + f"{ada.id}/")
        assert answer.status_code == 400 and answer.json()["detail"] == "The creator cannot be removed from the room."
        assert ada.delete(path + f"{bob.id}/").status_code == 204
        assert socket.closed().code == 4403
    assert bob.get(f"/api/chat/rooms/{room['id']}/").status_code == 404
    assert bob.post(f"/api/chat/rooms/{room['id']}/send/", {"content": "x"}).status_code == 404
    assert ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"][0]["sender"]["id"] == bob.id
    assert ada.delete(path + f"{bob.id}/").status_code == 404
    assert ada.post(path, {"email": bob.email}).status_code == 201
    assert bob.get(f"/api/chat/rooms/{room['id']}/messages/").json()["count"] == 1


def test_leaving(people):
    ada, bob, _ = people
    room = ada.room(bob)
    path = f"/api/chat/rooms/{room['id']}/participants/{bob.id}/"
    assert bob.delete(path).status_code == 204
    assert bob.delete(path).status_code == 404


@pytest.mark.parametrize("room_id", ["x", "123", "0" * 20, "%00", "'", "019A1B2C-0000-7000-8000-0000000000C3", "..", "%2e%2e", "a" * 36])
def test_ids_of_the_wrong_form_are_unknown_paths(server, people, room_id):
    for who in (people[0], server.anonymous()):
        answer = who.get(f"/api/chat/rooms/{room_id}/")
        assert answer.status_code == 404 and answer.json()["detail"] == NOT_FOUND


def test_list_is_paged_newest_first(server):
    person = server.person()
    made = [person.room(name=f"r{i}")["id"] for i in range(5)]
    page = person.get("/api/chat/rooms/").json()
    assert page["count"] == 5 and page["next"] is None and page["previous"] is None
    assert [r["id"] for r in page["results"]] == made[::-1]
    path = server.url + "/api/chat/rooms/"
    page = person.get("/api/chat/rooms/?limit=2&offset=2").json()
    assert [r["id"] for r in page["results"]] == [made[2], made[1]]
    assert page["next"] == path + "?limit=2&offset=4" and page["previous"] == path + "?limit=2"
    page = person.get("/api/chat/rooms/?limit=2&offset=4&x=1").json()
    assert page["next"] is None and re.fullmatch(re.escape(path) + r"\?limit=2&offset=2", page["previous"])
    for query in ("?limit=0", "?limit=-1", "?limit=x", "?offset=-1", "?offset=x", "?limit=", "?limit=1000", "?limit=99999999999999999999"):
        assert person.get("/api/chat/rooms/" + query).json()["count"] == 5, query
        assert len(person.get("/api/chat/rooms/" + query).json()["results"]) == 5, query
    page = person.get("/api/chat/rooms/?offset=9").json()
    assert page["results"] == [] and page["count"] == 5
    assert person.get("/api/chat/rooms/?limit=1").json()["next"] == path + "?limit=1&offset=1"
