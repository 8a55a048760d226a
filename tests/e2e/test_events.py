"""The log of a room by REST: events/?after_seq=, and messages/?after_seq= and ?before_seq=."""
import pytest


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def walk(person, path):
    """all results of a list whose next is followed, and its pages"""
    results, pages = [], []
    while path:
        answer = person.get(path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        results += pages[-1]["results"]
        path = pages[-1]["next"] and pages[-1]["next"].removeprefix(person.server.url)
    return results, pages


def test_events_are_the_frames(people):
    ada, bob = people
    room = ada.room()
    path = f"/api/chat/rooms/{room['id']}/"
    with ada.socket(room) as live:
        ada.post(path + "send/", {"content": "one", "client_msg_id": "a"})
        ada.post(path + "participants/", {"email": bob.email})
        gone = ada.say(room, "two")
        ada.put(path, {"name": "Renamed"})
        ada.delete(f"/api/chat/messages/{gone['id']}/")
        ada.delete(f"{path}participants/{bob.id}/")
        came = [live.read() for _ in range(6)]
        epoch = live.hello["epoch"]
    came[2] = {**came[4], "seq": 3, "at": came[2]["at"]}
    for limit in (1, 2, 5, 6, 200):
        results, pages = walk(ada, f"{path}events/?limit={limit}")
        assert results == came
        assert {(p["epoch"], p["head"]) for p in pages} == {(epoch, 6)} and len(pages) == -(-6 // limit)
        assert set(pages[0]) == {"epoch", "head", "results", "next"}
    assert walk(ada, f"{path}events/?after_seq=4")[0] == came[4:]
    for after in (6, 7, 10 ** 17):
        answer = ada.get(f"{path}events/?after_seq={after}").json()
        assert answer == {"epoch": epoch, "head": 6, "results": [], "next": None}


def test_messages_by_seq(people):
    ada, bob = people
    room = ada.room(bob)
    path = f"/api/chat/rooms/{room['id']}/"
    said = []
    for n in range(12):
        said.append(ada.say(room, str(n)))
        ada.put(path, {"name": f"Name {n}"})  # an event between, so that seqs are not dense
    ada.delete(f"/api/chat/messages/{said.pop(5)['id']}/")
    for limit in (1, 4, 11, 50):
        assert walk(bob, f"{path}messages/?after_seq=0&limit={limit}")[0] == said
        assert walk(bob, f"{path}messages/?before_seq=1000&limit={limit}")[0] == said[::-1]
    results, pages = walk(bob, f"{path}messages/?after_seq={said[3]['seq']}")
    assert results == said[4:] and set(pages[0]) == {"next", "results"}
    assert walk(bob, f"{path}messages/?before_seq={said[3]['seq']}")[0] == said[2::-1]
    newest = bob.get(f"{path}messages/?before_seq=1000&limit=3").json()
    ada.say(room, "does not move the pages")
    assert bob.get(newest["next"].removeprefix(bob.server.url)).json()["results"] == said[-4:-7:-1]


FAULTS = ["events/?after_seq=x", "events/?after_seq=-1", "events/?after_seq=", "events/?after_seq=1.0",
          "events/?after_seq=9999999999999999999", "messages/?after_seq=x", "messages/?before_seq=-1", "messages/?before_seq=",
          "messages/?after_seq=1&before_seq=x"]


@pytest.mark.parametrize("query", FAULTS)
def test_nonsense_and_strangers(people, query):
    ada, bob = people
    room = ada.room()
    answer = ada.get(f"/api/chat/rooms/{room['id']}/{query}")
    assert answer.status_code == 400 and set(answer.json()) < {"after_seq", "before_seq"}, answer.text
    for path in (query, query.split("=")[0] + "=1"):
        assert bob.get(f"/api/chat/rooms/{room['id']}/{path}").status_code == 404


def test_purged_events_are_no_page(server, people):
    ada = people[0]
    room = ada.room()
    for n in range(4):
        ada.say(room, str(n))
    key = server.query(f"SELECT id FROM rooms WHERE uid = '{room['id']}'")[0][0]
    server.query(f"DELETE FROM room_events WHERE room_id = {key} AND seq <= 2 RETURNING seq")
    path = f"/api/chat/rooms/{room['id']}/events/?after_seq="
    assert [ada.get(path + str(after)).status_code for after in (0, 1, 2, 3, 4)] == [410, 410, 200, 200, 200]
    assert ada.get(path + "0").json()["code"] == "purged"
