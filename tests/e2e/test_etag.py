"""Conditional requests: ETag and If-None-Match (304), If-Match of PUT (412), Cache-Control."""
import re
import threading

import pytest

from parley import PASSWORD
import requests

UNKNOWN = 'W/"AAAAAAAAAAAAAAAAAAAAAA"'


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def tag_of(answer):
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(r'W/"[\w-]{22}(\.[\w-]{22})?"', answer.headers["ETag"])
    assert answer.headers["Cache-Control"] == "private, no-cache"
    return answer.headers["ETag"]


def ask(person, path, tag):
    return person.get(path, headers={"If-None-Match": tag})


def check_known(person, path):
    """304 without a body to whoever has it, 200 to whoever has something else; the tag"""
    first = person.get(path)
    tag = tag_of(first)
    for known in (tag, tag.removeprefix("W/"), "*", f'{UNKNOWN}, {tag}, "x"'):
        answer = ask(person, path, known)
        assert (answer.status_code, answer.content) == (304, b""), known
        assert answer.headers["ETag"] == tag and answer.headers["Cache-Control"] == "private, no-cache"
        assert "Content-Type" not in answer.headers and answer.headers["Vary"].startswith("Origin")
        assert person.call("HEAD", path, headers={"If-None-Match": known}).status_code == 304
    for other in (UNKNOWN, tag[:-2] + '"', tag.replace('W/"', 'W/"x'), "", "x", tag.strip('W/"')):
        answer = ask(person, path, other)
        assert answer.status_code == 200 and answer.json() == first.json() and tag_of(answer) == tag, other
    assert person.call("HEAD", path).headers["ETag"] == tag
    return tag


PAGES = ["", "?limit=1", "?limit=1&offset=1", "?offset=100", "?after_seq=0", "?before_seq=100", "?after_seq=1&before_seq=5", "?cursor=", "?order=asc",
         "?order=asc&limit=1"]


def test_what_does_not_change_is_not_sent_again(people):
    ada, bob = people
    room = ada.room(bob)
    base = f"/api/chat/rooms/{room['id']}/"
    check_known(ada, base)
    check_known(ada, "/api/auth/profile/")
    for query in ("", "?limit=1", "?cursor=", "?order=asc&limit=1"):
        check_known(ada, "/api/chat/rooms/" + query)
    for count in (0, 3):
        for n in range(count):
            ada.say(room, str(n))
        assert len({check_known(ada, base + "messages/" + query) for query in PAGES}) == len(PAGES)


def test_whatever_happens_in_a_room_is_another_page(people):
    ada, bob = people
    room = ada.room()
    base = f"/api/chat/rooms/{room['id']}/"
    pages = [base + "messages/" + query for query in PAGES]
    said = []

    def say():
        said.append(ada.say(room, "x")["id"])

    changes = [say, say, say, lambda: ada.post(base + "participants/", {"email": bob.email}),
               lambda: ada.delete(f"/api/chat/messages/{said[0]}/"), lambda: ada.put(base, {"name": "New"}),
               lambda: ada.delete(f"{base}participants/{bob.id}/")]
    seen = [set() for _ in pages]
    for n, change in enumerate(changes):
        tags = [tag_of(ada.get(path)) for path in pages]
        change()
        for i, (path, tag) in enumerate(zip(pages, tags)):
            answer = ask(ada, path, tag)
            assert tag_of(answer) != tag and answer.json() == ada.get(path).json()
            seen[i].add(tag)
            assert len(seen[i]) == n + 1


def test_a_room_is_another_one_when_it_says_something_else(people):
    ada, bob = people
    room = ada.room()
    base = f"/api/chat/rooms/{room['id']}/"
    list_path = "/api/chat/rooms/?limit=1"
    changes = [lambda: ada.put(base, {"name": "New"}), lambda: ada.post(base + "participants/", {"email": bob.email}),
               lambda: ada.delete(f"{base}participants/{bob.id}/")]
    for change in changes:
        tag, list_tag = tag_of(ada.get(base)), tag_of(ada.get(list_path))
        assert ask(ada, base, tag).status_code == 304
        change()
        assert tag_of(ask(ada, base, tag)) != tag and tag_of(ask(ada, list_path, list_tag)) != list_tag


def test_nothing_is_told_to_strangers(people):
    ada, bob = people
    room = ada.room()
    base = f"/api/chat/rooms/{room['id']}/"
    for path in (base, base + "messages/", base + "messages/?cursor="):
        tag = tag_of(ada.get(path))
        for known in (tag, "*", UNKNOWN):
            assert ask(bob, path, known).status_code == 404
            assert requests.get(bob.server.url + path, headers={"If-None-Match": known}, timeout=30).status_code == 401
    gone = tag_of(ada.get(base + "messages/"))
    ada.delete(base)
    assert ask(ada, base + "messages/", gone).status_code == 404 and ask(ada, base, "*").status_code == 404


def test_a_page_belongs_to_the_address_it_was_asked_at(people):
    """next and previous begin with it"""
    ada, _ = people
    room = ada.room()
    path = f"/api/chat/rooms/{room['id']}/messages/?limit=1"
    ada.say(room, "a"), ada.say(room, "b")
    tag = tag_of(ada.get(path))
    other = f"localhost:{ada.server.port}"
    answer = ada.get(path, headers={"If-None-Match": tag, "Host": other})
    assert tag_of(answer) != tag and answer.json()["next"].startswith(f"http://{other}/")


@pytest.mark.parametrize("query", ["", "?cursor=", "?after_seq=0"])
def test_a_restored_backup_is_another_history(own_server, query):
    """the same head of the log, another epoch"""
    server = own_server()
    ada = server.person()
    room = ada.room()
    ada.say(room, "x")
    path = f"/api/chat/rooms/{room['id']}/messages/{query}"
    tag = tag_of(ada.get(path))
    server.end()
    server.query("UPDATE rooms SET epoch = 'another' RETURNING id")
    server.start()
    assert tag_of(ask(ada, path, tag)) != tag


def test_what_lets_people_in_is_not_kept(server):
    ada = server.person()
    answer = ada.post("/api/auth/login/", {"email": ada.email, "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    for path in ("/api/auth/sessions/", "/api/chat/rooms/nope/"):
        assert ada.get(path).headers["Cache-Control"] == "no-store"


# ---- If-Match ----

def rename(person, room, name, tag):
    return person.put(f"/api/chat/rooms/{room['id']}/", {"name": name}, headers={"If-Match": tag})


def test_a_room_is_renamed_as_it_was_seen(people):
    ada, bob = people
    room = ada.room(bob)
    base = f"/api/chat/rooms/{room['id']}/"
    tag = tag_of(ada.get(base))
    ada.say(room, "a message changes nothing of it")
    first = rename(ada, room, "First", tag)
    assert first.status_code == 200 and first.json()["name"] == "First"
    assert first.headers["ETag"] == tag_of(ada.get(base)) != tag
    stale = rename(ada, room, "Second", tag)
    assert stale.status_code == 412 and stale.json()["code"] == "precondition_failed"
    assert ada.get(base).json() == first.json()
    for good in (f"{tag}, {first.headers['ETag']}", "*"):
        assert rename(ada, room, f"Good {len(good)}", good).status_code == 200
        first = ada.get(base)
    ada.delete(f"{base}participants/{bob.id}/")
    assert rename(ada, room, "Third", first.headers["ETag"]).status_code == 412
    assert rename(ada, room, "Third", UNKNOWN).status_code == 412
    assert ada.put(base, {"name": "Without"}).status_code == 200


def test_the_order_of_refusals(people):
    ada, bob = people
    room, foreign = ada.room(bob), ada.room()
    assert rename(bob, room, "x", UNKNOWN).status_code == 403
    assert rename(bob, foreign, "x", "*").status_code == 404
    assert rename(ada, room, "", UNKNOWN).status_code == 400
    assert ada.get(f"/api/chat/rooms/{room['id']}/").json() == room


def test_of_renamings_that_race_one_wins(people):
    """and the refused ones leave nothing in the log"""
    ada, _ = people
    room = ada.room()
    base = f"/api/chat/rooms/{room['id']}/"
    for turn in range(5):
        tag = tag_of(ada.get(base))
        answers = [None] * 6
        gate = threading.Barrier(len(answers))

        def one(i, tag=tag, turn=turn, answers=answers, gate=gate):
            gate.wait()
            answers[i] = requests.put(ada.server.url + base, json={"name": f"{turn} {i}"}, timeout=30,
                                      headers={"Authorization": f"Token {ada.token}", "If-Match": tag})

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(answers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(a.status_code for a in answers) == [200] + [412] * 5
        assert ada.get(base).json()["name"] == next(a for a in answers if a.status_code == 200).json()["name"]
        log = ada.get(base + "events/").json()
        assert log["head"] == turn + 1 and [e["seq"] for e in log["results"]] == list(range(1, turn + 2))


def test_other_origins_may_read_the_tag(own_server):
    server = own_server(env={"CORS_ORIGINS": "https://app.example.org"})
    ada = server.person()
    answer = ada.get("/api/chat/rooms/", headers={"Origin": "https://app.example.org"})
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"].split(", ")
    answer = ask(ada, "/api/chat/rooms/", answer.headers["ETag"])
    assert answer.status_code == 304
    asked = requests.options(server.url + "/api/chat/rooms/", timeout=30, headers={
        "Origin": "https://app.example.org", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"})
    assert {"if-match", "if-none-match"} <= set(asked.headers["Access-Control-Allow-Headers"].split(", "))
