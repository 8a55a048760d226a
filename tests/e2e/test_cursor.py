"""Lists that stay right while they grow: ?cursor=, ?order=, ?after_seq= and ?before_seq= of messages, ?cursor= and ?order= of rooms."""
import base64

import pytest


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def page(person, path):
    answer = person.get(path.removeprefix(person.server.url))
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(person, path, way="next"):
    """the pages of a list, from path on"""
    pages = []
    while path:
        pages.append(page(person, path))
        path = pages[-1][way]
    return pages


def ids(pages):
    return [item["id"] for one in pages for item in one["results"]]


@pytest.fixture(scope="module")
def talk(people):
    """a room of ada's with 11 messages, an event between any two and one deleted; its path, and the ids, oldest first"""
    ada, bob = people
    room = ada.room(bob)
    path = f"/api/chat/rooms/{room['id']}/"
    said = []
    for n in range(12):
        said.append(ada.say(room, str(n))["id"])
        ada.put(path, {"name": f"Name {n}"})
    ada.delete(f"/api/chat/messages/{said.pop(5)}/")
    return path + "messages/", said


@pytest.fixture(scope="module")
def halls(server):
    """somebody in 7 rooms, and their ids, oldest first"""
    cyd = server.person()
    return cyd, [cyd.room(name=f"Hall {n}")["id"] for n in range(7)]


@pytest.mark.parametrize("limit", [1, 3, 4, 11, 200])
@pytest.mark.parametrize("query, turned", [("cursor=", True), ("order=desc", True), ("order=asc", False), ("cursor=&order=asc", False)])
def test_messages_by_cursor_both_ways(people, talk, limit, query, turned):
    path, said = talk
    wanted = said[::-1] if turned else said
    pages = walk(people[1], f"{path}?limit={limit}&{query}")
    assert ids(pages) == wanted and len(pages) == -(-len(said) // limit)
    assert all(set(one) == {"next", "previous", "results"} for one in pages)
    assert pages[0]["previous"] is None and pages[-1]["next"] is None
    back = walk(people[1], pages[-1]["previous"], "previous") if len(pages) > 1 else []
    assert ids(back[::-1]) == wanted[:len(ids(pages[:-1]))]
    for one, again in zip(pages[:-1][::-1], back):
        if limit in (1, 11):  # whole pages come back as they were
            assert one["results"] == again["results"]
        assert page(people[1], again["next"])["results"]


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
@pytest.mark.parametrize("query, turned", [("cursor=", True), ("order=asc", False)])
def test_rooms_by_cursor_both_ways(halls, limit, query, turned):
    cyd, made = halls
    wanted = made[::-1] if turned else made
    pages = walk(cyd, f"/api/chat/rooms/?limit={limit}&{query}")
    assert ids(pages) == wanted and len(pages) == -(-len(made) // limit)
    assert all(room == page(cyd, f"/api/chat/rooms/{room['id']}/") for one in pages for room in one["results"])
    back = walk(cyd, pages[-1]["previous"], "previous") if len(pages) > 1 else []
    assert ids(back[::-1]) == wanted[:len(ids(pages[:-1]))]


def test_people_stand_in_their_own_rooms(server):
    ada, others = server.person(), [server.person() for _ in range(3)]
    rooms = [ada.room(*others[:n]) for n in range(4)]
    for query in ("order=asc", "cursor="):
        pages = walk(ada, f"/api/chat/rooms/?limit=2&{query}")
        back = walk(ada, pages[1]["previous"], "previous")
        for room in (room for one in pages + back for room in one["results"]):
            made = next(r for r in rooms if r["id"] == room["id"])
            assert sorted(p["id"] for p in room["participants"]) == sorted(p["id"] for p in made["participants"])


def test_the_list_grows_and_shrinks_meanwhile(people):
    ada, _ = people
    room = ada.room()
    path = f"/api/chat/rooms/{room['id']}/messages/"
    said = [ada.say(room, str(n))["id"] for n in range(9)]
    first = page(ada, f"{path}?cursor=&limit=3")
    later = [ada.say(room, f"later {n}")["id"] for n in range(4)]
    for gone in (said.pop(7), said.pop(4)):  # one that was shown, one that was not
        assert ada.delete(f"/api/chat/messages/{gone}/").status_code == 204
    rest = walk(ada, first["next"])
    assert ids(rest) == [said[i] for i in (4, 3, 2, 1, 0)]
    newer = walk(ada, rest[0]["previous"], "previous")
    assert ids(newer[::-1]) == later[::-1] + [said[6], said[5]]


def test_a_page_that_has_become_empty_leads_back(people):
    ada, _ = people
    room = ada.room()
    path = f"/api/chat/rooms/{room['id']}/messages/"
    said = [ada.say(room, str(n))["id"] for n in range(4)]
    first = page(ada, f"{path}?order=asc&limit=2")
    for gone in said[2:]:
        ada.delete(f"/api/chat/messages/{gone}/")
    empty = page(ada, first["next"])
    assert empty["results"] == [] and empty["next"] is None
    assert ids([page(ada, empty["previous"])]) == said[:2]
    assert page(ada, f"/api/chat/rooms/{ada.room()['id']}/messages/?cursor=") == {"next": None, "previous": None, "results": []}


def test_seq_as_a_range_in_either_order(people, talk):
    path, said = talk
    bob = people[1]
    everything = page(bob, path + "?after_seq=0&limit=200")["results"]
    seqs = [m["seq"] for m in everything]
    assert [m["id"] for m in everything] == said
    for limit in (1, 3, 200):
        for after, before in ((seqs[2], seqs[8]), (0, seqs[8]), (seqs[2], 10 ** 6), (seqs[8], seqs[2])):
            between = [m["id"] for m in everything if after < m["seq"] < before]
            query = f"{path}?after_seq={after}&before_seq={before}&limit={limit}"
            assert ids(walk(bob, query)) == between[::-1]
            assert ids(walk(bob, query + "&order=desc")) == between[::-1]
            assert ids(walk(bob, query + "&order=asc")) == between
        assert ids(walk(bob, f"{path}?after_seq={seqs[3]}&order=desc&limit={limit}")) == said[:3:-1]
        assert ids(walk(bob, f"{path}?before_seq={seqs[3]}&order=asc&limit={limit}")) == said[:3]
    assert set(page(bob, path + "?after_seq=0&order=desc")) == {"next", "results"}


def test_a_cursor_says_nothing_and_fits_its_list_only(server, people, talk, halls):
    path, _ = talk
    cyd, _ = halls
    of_messages = page(people[0], path + "?cursor=&limit=1")["next"].split("cursor=")[1]
    of_rooms = page(cyd, "/api/chat/rooms/?cursor=&limit=1")["next"].split("cursor=")[1]
    turned = ("B" if of_messages[0] == "A" else "A") + of_messages[1:]
    for list_path, person, cursors in ((path, people[0], (of_rooms, turned)), ("/api/chat/rooms/", cyd, (of_messages, turned))):
        for cursor in (*cursors, "x", "%00", "MTIz", "=" * 60, "A" * 67, of_messages + "A", "é", "9" * 5000):
            answer = person.get(f"{list_path}?cursor={cursor}")
            assert (answer.status_code, answer.json()) == (400, {"cursor": ["Invalid cursor."]}), cursor
    key = server.query("SELECT MAX(id) FROM rooms")[0][0]
    assert key.encode() not in base64.urlsafe_b64decode(of_rooms + "==")


FAULTS = [("?order=up", "order"), ("?order=", "order"), ("?order=asc&offset=1", "offset"), ("?cursor=&offset=0", "offset")]
OF_MESSAGES = [("?cursor=&after_seq=1", "cursor"), ("?cursor=&before_seq=1", "cursor"), ("?order=asc&after_seq=x", "after_seq"),
               ("?after_seq=1&before_seq=x", "before_seq")]


@pytest.mark.parametrize("query, field", FAULTS + OF_MESSAGES)
def test_faulty_queries(people, query, field):
    ada, bob = people
    path = f"/api/chat/rooms/{ada.room()['id']}/messages/"
    answer = ada.get(path + query)
    assert answer.status_code == 400 and list(answer.json()) == [field], answer.text
    assert bob.get(path + query).status_code == 404
    if (query, field) in FAULTS:
        answer = ada.get("/api/chat/rooms/" + query)
        assert answer.status_code == 400 and list(answer.json()) == [field], answer.text
