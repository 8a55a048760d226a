"""GET /api/chat/search/: words and phrases in the messages one may see, newest first; an index that follows by itself."""
import json
import re
import uuid

import pytest

from parley import ROOT, wait_until

EMPTY = {"next": None, "results": []}


@pytest.fixture(scope="module")
def people(server):
    return server.person(), server.person()


def search(person, q, **more):
    answer = person.get("/api/chat/search/", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(person, q, **more):
    return [message["content"] for message in search(person, q, **more)["results"]]


def indexed(server):
    """waits until the index has caught up: the newest message is in it, and nothing is left to do"""
    def is_through():
        rows = server.query("SELECT (SELECT COALESCE(MAX(id), 0) FROM messages) - at_id,"
                            " (SELECT COUNT(*) FROM derived_search_todo) FROM derived_search_state")
        return rows == [["0", "0"]]

    wait_until("the index to catch up", is_through)


def word():
    """one that nobody else uses"""
    return "w" + uuid.uuid4().hex[:12]


def holds(server, text):
    """messages whose entry in the index has that token"""
    if server.database_url:
        return [row[0] for row in server.query(f"SELECT id FROM derived_search WHERE tokens @@ CAST('''{text}''' AS tsquery)")]
    return [row[0] for row in server.query(f"SELECT rowid FROM derived_search WHERE derived_search MATCH '\"{text}\"'")]


CASES = [
    # what was said, what is found with it, what is not; highlights of the first question
    ("The Quick brown fox", ["quick", "QUICK", "fox the", '"quick brown"', "quick-brown", "\u201cbrown fox\u201d"],
     ["quic", '"brown quick"', "foxes", "quick dog"], ["Quick"]),
    ("Stra\u00dfe in M\u00fcnchen", ["STRASSE", "mu\u0308nchen", "stra\u00dfe M\u00dcNCHEN"], ["munchen", "strass"], ["Stra\u00dfe"]),
    ("\uff26\uff35\uff2c\uff2c\uff37\uff29\uff24\uff34\uff28 \ufb01ne", ["fullwidth", "fine"], ["full"], ["\uff26\uff35\uff2c\uff2c\uff37\uff29\uff24\uff34\uff28"]),
    ("\u79c1\u306f\u6771\u4eac\u90fd\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059", ["\u6771\u4eac\u90fd", "\u6771\u4eac", "\u4eac\u90fd", "\u6771", "\u3059", "\u4f4f\u3093\u3067 \u6771\u4eac"],
     ["\u4eac\u6771", "\u5927\u962a", "\u6771\u90fd"], ["\u6771\u4eac\u90fd"]),
    ("\u4e2d\u6587\u641c\u7d22 works", ["\u641c\u7d22", "\u4e2d\u6587 works", "\u641c\u7d22works", '"\u641c\u7d22 works"'], ["\u6587\u4e2d", '"works \u641c\u7d22"'], ["\u641c\u7d22"]),
    ("\ud55c\uad6d\uc5b4\ub97c \ubc30\uc6cc\uc694", ["\ud55c\uad6d\uc5b4", "\ubc30\uc6cc"], ["\uc77c\ubcf8\uc5b4"], ["\ud55c\uad6d\uc5b4"]),
    ("\uff76\uff9e\uff77\uff9e half width kana", ["\u30ac\u30ae", "\u30ac"], ["\u30ab"], ["\uff76\uff9e\uff77\uff9e"]),
    ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a", ["\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35"], ["\u0e04\u0e38\u0e13"], ["\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35"]),
    ("\u041f\u0440\u0438\u0432\u0435\u0442, \u041c\u0418\u0420", ["\u043c\u0438\u0440", "\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440"], ["\u043c\u0438"], ["\u041c\u0418\u0420"]),
    ("party \U0001f389 time", ["\U0001f389", "party \U0001f389"], ["\U0001f388"], ["\U0001f389"]),
    ("it's v2.1_beta at 10:30", ["it's", "v2.1_beta", "beta v2", "10:30"], ["v2.2", '"30 10"'], ["it's"]),
    ("to be OR not to be AND so on NEAR me", ["or", "AND not", "near", '"to be and"'], ["xor"], ["OR"]),
]


@pytest.mark.parametrize("said, questions, misses, marked", CASES, ids=[case[0] for case in CASES])
def test_words_of_all_scripts(server, people, said, questions, misses, marked):
    ada, bob = people
    room = ada.room(bob)
    ada.say(room, said)
    ada.say(room, "something else entirely")
    indexed(server)
    for question in questions:
        assert found(bob, question, room=room["id"]) == [said], question
    for miss in misses:
        assert found(bob, miss, room=room["id"]) == [], miss
    message = search(ada, questions[0], room=room["id"])["results"][0]
    assert [message["content"][a:b] for a, b in message["highlights"]] == marked


def test_a_result_is_the_message_and_where_it_was_found(server, people):
    ada, bob = people
    room = ada.room(bob)
    rare = word()
    first = ada.say(room, "first")
    sent = ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": f"{rare} \U0001f600 and {rare.upper()} for @{bob.username}",
                                                            "client_msg_id": "one", "reply_to": first["id"]}).json()
    indexed(server)
    history = bob.get(f"/api/chat/rooms/{room['id']}/messages/").json()["results"][0]
    answer = search(bob, rare)
    n = len(rare)
    assert answer["next"] is None
    assert answer["results"] == [{**history, "highlights": [[0, n], [n + 7, 2 * n + 7]]}]
    assert history["id"] == sent["id"] and history["reply_to"] == first["id"] and history["mentions"][0]["id"] == bob.id


def test_nobody_sees_what_is_not_theirs(server, people):
    ada, bob = people
    eve = server.person()
    rare = word()
    room, other = ada.room(bob), ada.room()
    ada.say(room, f"{rare} for two")
    ada.say(other, f"{rare} for one")
    indexed(server)
    assert found(ada, rare) == [f"{rare} for one", f"{rare} for two"]
    assert found(bob, rare) == [f"{rare} for two"]
    assert search(eve, rare) == EMPTY
    for stranger in (other["id"], str(uuid.uuid4())):
        assert bob.get("/api/chat/search/", params={"q": rare, "room": stranger}).status_code == 404
    assert server.anonymous().get("/api/chat/search/", params={"q": rare}).status_code == 401
    # in and out again: at once
    assert ada.post(f"/api/chat/rooms/{room['id']}/participants/", {"email": eve.email}).status_code == 201
    assert found(eve, rare) == [f"{rare} for two"]
    assert ada.delete(f"/api/chat/rooms/{room['id']}/participants/{eve.id}/").status_code == 204
    assert search(eve, rare) == EMPTY
    assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
    assert search(bob, rare) == EMPTY and found(ada, rare) == [f"{rare} for one"]


def test_what_is_deleted_is_found_no_more_and_leaves_the_index(server, people):
    ada, bob = people
    room = ada.room(bob)
    rare = word()
    one, two = ada.say(room, f"{rare} one"), ada.say(room, f"{rare} two")
    indexed(server)
    assert len(holds(server, rare)) == 2
    assert ada.delete(f"/api/chat/messages/{one['id']}/").status_code == 204
    assert found(bob, rare) == [two["content"]]  # whether the index knows it or not
    indexed(server)
    assert len(holds(server, rare)) == 1
    assert ada.delete(f"/api/chat/rooms/{room['id']}/").status_code == 204
    wait_until("the index to lose the room", lambda: holds(server, rare) == [])
    assert search(ada, rare) == EMPTY


def test_an_edited_text_is_found_and_the_old_one_is_not(server, people):
    ada, bob = people
    room = ada.room(bob)
    old, new = word(), word()
    sent = ada.say(room, f"{old} stays the same")
    indexed(server)
    assert ada.call("PATCH", f"/api/chat/messages/{sent['id']}/", json={"content": f"{new} stays the same"}).status_code == 200
    assert search(bob, old) == EMPTY  # the index may still have it
    indexed(server)
    assert holds(server, old) == [] and len(holds(server, new)) == 1
    assert found(bob, new) == [f"{new} stays the same"] and search(bob, old) == EMPTY
    assert "edited_at" in search(bob, new)["results"][0]


def test_pages_go_down_without_a_gap_or_a_repeat(server, people):
    ada, bob = people
    rooms = [ada.room(bob) for _ in range(3)]
    rare = word()
    said = [ada.say(rooms[n % 3], f"{rare} {n}")["content"] for n in range(11)][::-1]
    indexed(server)
    for limit in (1, 3, 10, 11, 50):
        path, seen, pages = f"/api/chat/search/?q={rare}&limit={limit}", [], 0
        while path:
            answer = bob.get(path)
            assert answer.status_code == 200
            page = answer.json()
            assert len(page["results"]) <= limit
            seen += [message["content"] for message in page["results"]]
            pages += 1
            path = page["next"] and page["next"].removeprefix(server.url)
            if pages == 1:
                ada.say(rooms[0], "a newer one does not move the next page")
        assert seen == said and pages == -(-11 // limit)
    # one room alone, and a question that the address must carry
    page = search(bob, f'"{rare} 9" & %', room=rooms[0]["id"], limit=1)
    assert [m["content"] for m in page["results"]] == [f"{rare} 9"]
    first = search(bob, f'"{rare}" & \u6771?', limit=1)
    assert first == EMPTY
    first = search(bob, f'"{rare}" &%+', room=rooms[0]["id"], limit=1)
    second = bob.get(first["next"].removeprefix(server.url)).json()
    assert [m["content"] for m in first["results"] + second["results"]] == [f"{rare} 9", f"{rare} 6"]


def test_a_page_that_is_gone_in_part_goes_on(server, people):
    ada, bob = people
    room = ada.room(bob)
    rare = word()
    sent = [ada.say(room, f"{rare} {n}") for n in range(4)]
    indexed(server)
    first = search(bob, rare, limit=2)
    for message in sent[1:3]:
        assert ada.delete(f"/api/chat/messages/{message['id']}/").status_code == 204
    second = bob.get(first["next"].removeprefix(server.url)).json()
    assert [m["content"] for m in second["results"]] == [f"{rare} 0"] and second["next"] is None


HOSTILE = ['"', '""', "*", "a*", "^a", "a AND", "AND", "NOT a", "a NOT b", "NEAR(a b, 2)", "tokens: a", "{tokens}: a", "-tokens:a", "a + b", "(", "(a", ")))",
           "a:b", "'", "'a' & | !", "a <-> b", "!a", "a | b", "a:*", "\\", "a\\", "''", "a'b", "; DROP TABLE messages; --", "%", "_", "a" * 256,
           '"' * 256, "( " * 100, "\u6771" * 256, "\ufdfa" * 256, "e" + "\u0301" * 255, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\ue000" + "1", "\ue0011", "\u200b", "\u202e",
           "\ufffe", "1 2 3 4 5 6 7 8 9", "a b " * 64]


@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_questions_find_what_they_say_or_nothing(server, people, q):
    ada, _ = people
    room = ada.room()
    for content in (q.strip(), "ordinary"):
        ada.say(room, content)
    indexed(server)
    has_words = re.search(r"[^\W_]|[\U0001f000-\U0001ffff]", q) is not None
    assert found(ada, q, room=room["id"]) == ([q.strip()] if has_words else [])


PUNCTUATION = ["!?.,;", '"..."', "- - -", "\u3001\u3002", "()"]


def test_only_punctuation_finds_nothing(people):
    for q in PUNCTUATION:
        assert search(people[0], q) == EMPTY


FAULTS = [
    ("", {"q": ["This field is required."]}),
    ("q=", {"q": ["This field may not be blank."]}),
    ("q=%20%E3%80%80", {"q": ["This field may not be blank."]}),
    ("q=a%00b", {"q": ["Null characters are not allowed."]}),
    ("q=%ff%fe", {"q": ["This field is required."]}),  # ill-formed: the server knows no such text
    ("q=%ed%a0%80", {"q": ["This field is required."]}),
    ("q=" + "a" * 257, {"q": ["Ensure this field has no more than 256 characters."]}),
    ("q=" + "%22" * 1000, {"q": ["Ensure this field has no more than 256 characters."]}),
    ("q=a&room=1", {"room": ["Must be a valid UUID."]}),
    ("q=a&room=", {"room": ["Must be a valid UUID."]}),
    ("q=a&room=%00", {"room": ["Must be a valid UUID."]}),
    ("q=a&before=1", {"before": ["Invalid cursor."]}),
    ("q=a&before=" + "A" * 67, {"before": ["Invalid cursor."]}),
    ("room=x&before=x", {"q": ["This field is required."], "room": ["Must be a valid UUID."], "before": ["Invalid cursor."]}),
]


@pytest.mark.parametrize("query, errors", FAULTS, ids=[query[:20] for query, _ in FAULTS])
def test_faults_of_the_fields_are_named(people, query, errors):
    answer = people[0].get("/api/chat/search/?" + query)
    assert answer.status_code == 400 and answer.json() == errors


def test_a_question_of_ten_kilobytes_is_refused(people):
    assert people[0].get("/api/chat/search/?q=" + "a" * 10240).status_code in (400, 414)


def test_a_cursor_of_another_list_is_refused(people):
    ada, bob = people
    ada.room(bob), ada.room(bob)
    cursor = re.search(r"cursor=([\w-]+)", ada.get("/api/chat/rooms/?cursor=&limit=1").json()["next"]).group(1)
    assert ada.get(f"/api/chat/search/?q=a&before={cursor}").json() == {"before": ["Invalid cursor."]}


def test_someone_in_many_rooms(server):
    """more rooms than a question to the index names"""
    ada, bob = server.person(), server.person()
    rare = word()
    rooms = [ada.room(name=f"Room {n}") for n in range(260)]
    alone = bob.room()
    for n in (0, 130, 259):
        ada.say(rooms[n], f"{rare} {n}")
    bob.say(alone, f"{rare} not hers")
    indexed(server)
    assert found(ada, rare) == [f"{rare} 259", f"{rare} 130", f"{rare} 0"]
    assert found(ada, rare, room=rooms[130]["id"]) == [f"{rare} 130"]
    assert found(bob, rare) == [f"{rare} not hers"]


# ---- the index as it comes and goes ----


def without_search():
    text = (ROOT / "config" / "parley.yaml").read_text()
    left = re.sub(r"^  - search\b.*\n", "", text, flags=re.M)
    assert left != text
    return left


def test_messages_from_before_are_indexed_and_it_goes_on_after_a_restart(own_server):
    server = own_server(start=False, config=without_search())
    with server:
        ada, bob = server.person(), server.person()
        room = ada.room(bob)
        rare = word()
        for n in range(3):
            ada.say(room, f"{rare} {n}")
        assert ada.get("/api/chat/search/?q=a").status_code == 404
    server.config.write_text(server.config.read_text().replace("  - chat\n", "  - chat\n  - search\n"))
    with server:
        indexed(server)
        assert found(bob, rare) == [f"{rare} {n}" for n in (2, 1, 0)]
        ada.say(room, f"{rare} 3")
    with server:
        indexed(server)
        assert len(holds(server, rare)) == 4 and len(found(bob, rare)) == 4


def test_many_from_before_are_told_of_in_the_log(own_server):
    server = own_server(start=False, config=without_search())
    with server:
        ada = server.person()
        room = ada.room()
        first = ada.say(room, "first")
        copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        uid = "CAST(gen_random_uuid() AS uuid)" if server.database_url else "'00000000-0000-7000-8000-' || printf('%012d', i)"
        server.query(f"{copies} INSERT INTO messages (uid, room_id, seq, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,"
                     f" content, created_at) SELECT {uid}, room_id, seq + i, sender_id, sender_uid, sender_username, sender_first_name, sender_last_name,"
                     f" 'copy ' || i, created_at FROM messages CROSS JOIN n WHERE messages.uid = '{first['id']}' RETURNING id")
    server.config.write_text(server.config.read_text().replace("  - chat\n", "  - chat\n  - search\n"))
    with server:
        server.wait_line(r"indexed 400 messages for the search, about 2101 to go")
        server.wait_line(r"all messages can be searched, 2501 were indexed")
        indexed(server)
        assert found(ada, "copy 2500") == ["copy 2500"]
        # a common word: pages of what is there, all of it, once
        path, seen = "/api/chat/search/?q=copy&limit=200", set()
        while path:
            page = ada.get(path).json()
            seen |= {m["content"] for m in page["results"]}
            path = page["next"] and page["next"].removeprefix(server.url)
        assert len(seen) == 2500


def test_one_of_many_indexes(own_server):
    """a worker that has the lease keeps the others out; one that is gone does not"""
    server = own_server(start=False)
    with server:
        ada = server.person()
        room = ada.room()
        indexed(server)
        held = server.query("UPDATE derived_search_state SET owner = 'another', lease_until = 9000000000000000 RETURNING at_id")
        rare = word()
        ada.say(room, rare)
        assert search(ada, rare) == EMPTY and holds(server, rare) == []
        assert server.query("SELECT owner, at_id FROM derived_search_state") == [["another", held[0][0]]]
        server.query("UPDATE derived_search_state SET lease_until = 1 RETURNING id")
        indexed(server)
        assert found(ada, rare) == [rare]
        assert server.query("SELECT owner FROM derived_search_state") != [["another"]]


def test_an_id_that_comes_late_or_again_is_indexed(own_server):
    """PostgreSQL may commit a lower id after a higher one; SQLite may give the id of the newest message again"""
    server = own_server(start=False)
    with server:
        ada = server.person()
        room = ada.room()
        rare = word()
        sent = [ada.say(room, f"{rare} {n}") for n in range(2)]
        indexed(server)
        if server.database_url:
            # as if the first one had not been there yet when the second one was indexed
            server.query("DELETE FROM derived_search WHERE id = (SELECT MIN(id) FROM messages) RETURNING id")
            server.query("UPDATE derived_search_state SET again_id = 0, mark_id = 0 RETURNING id")
            wait_until("the second look", lambda: len(found(ada, rare)) == 2)
            assert found(ada, rare) == [f"{rare} 1", f"{rare} 0"]
        else:
            server.query("DELETE FROM room_events WHERE kind = 1 RETURNING seq")
            assert server.query("DELETE FROM messages RETURNING id") == [["1"], ["2"]]
            ada.say(room, f"{rare} again")
            indexed(server)
            assert server.query("SELECT id FROM messages") == [["1"]] and sent[0]["id"] != sent[1]["id"]
            assert found(ada, rare) == [f"{rare} again"]


def test_nothing_walks_through_all_messages(server, people):
    """the plan of the statement as it stands in the sources, on tables that are worth an index"""
    texts = {name: re.search(r'SQL_FIND - SQL_OWN\] =\n((?:\s+".*"\n?)+)', (ROOT / "plugins" / "search" / name).read_text()).group(1)
             for name in ("sql_sqlite.c", "sql_postgres.c")}
    sql = "".join(json.loads(part) for part in re.findall(r'"[^\n]*"', texts["sql_postgres.c" if server.database_url else "sql_sqlite.c"]))
    for number, value in (("$1", "1"), ("$2", "'\"a\"'" if not server.database_url else "'''a'''"), ("$3", "0"), ("$4", "100"), ("$5", "10")):
        sql = sql.replace(number, value)
    if server.database_url:
        plan = "\n".join(row[0] for row in server.query("SET enable_seqscan = off; EXPLAIN " + sql) if row)
        assert "derived_search_tokens" in plan and "Seq Scan" not in plan, plan
    else:
        plan = "\n".join(row[-1] for row in server.query("EXPLAIN QUERY PLAN " + sql))
        assert re.search(r"SCAN derived_search VIRTUAL TABLE INDEX \d+:M\d", plan) and plan.count("SCAN") == 1, plan
        assert plan.count("SEARCH") == 3 and "TEMP B-TREE" not in plan, plan
