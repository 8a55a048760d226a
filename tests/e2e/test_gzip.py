"""Answers made smaller, for clients that say so."""
import gzip
import json

import pytest

from routes import ask

TEXT = "The tomatoes are in, and so are the beans. "


@pytest.fixture(scope="module")
def ada(server):
    return server.person()


@pytest.fixture(scope="module")
def page(ada):
    """a page of messages, a few kilobytes of it"""
    room = ada.room()
    for n in range(8):
        ada.say(room, f"{n} {TEXT * 10}")
    return f"/api/chat/rooms/{room['id']}/messages/"


def get(server, path, person=None, method="GET", **headers):
    return ask(server, method, path, token=person and person.token, **headers)


@pytest.mark.parametrize("accepts, packed", [
    ("gzip", True), ("gzip, deflate, br, zstd", True), ("br;q=1.0, gzip;q=0.8, *;q=0.1", True), ("GZIP", True), ("*", False),
    ("deflate, br", False), ("identity", False), ("gzip;q=0", False), ("gzip;q=0.000, *", False), ("", False), (",", False),
    ("gzipped", False)])
def test_who_asks_for_it_gets_it(server, ada, page, accepts, packed):
    plain = get(server, page, ada)
    assert plain.status_code == 200 and "Content-Encoding" not in plain.headers
    answer = get(server, page, ada, Accept_Encoding=accepts)
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Origin, Accept-Encoding"
    assert answer.headers["ETag"] == plain.headers["ETag"] and int(answer.headers["Content-Length"]) == len(answer.content)
    if packed:
        assert len(answer.content) < len(plain.content) / 4
    assert (gzip.decompress(answer.content) if packed else answer.content) == plain.content


def test_head_says_what_get_would(server, ada, page):
    got, head = (get(server, page, ada, method, Accept_Encoding="gzip") for method in ("GET", "HEAD"))
    assert head.content == b"" and head.headers["Content-Encoding"] == "gzip"
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_short_answers_and_those_to_post_stay_plain(server, ada, page):
    short = get(server, "/api/auth/profile/", ada, Accept_Encoding="gzip")
    long_post = ask(server, "POST", page.replace("messages/", "send/"), {"content": TEXT * 100}, ada.token, Accept_Encoding="gzip")
    for answer in (short, long_post):
        assert answer.status_code in (200, 201) and answer.headers["Vary"] == "Origin"
        assert "Content-Encoding" not in answer.headers and isinstance(json.loads(answer.content), dict)


def test_what_is_known_already_is_not_sent(server, ada, page):
    first = get(server, page, ada, Accept_Encoding="gzip")
    again = get(server, page, ada, Accept_Encoding="gzip", If_None_Match=first.headers["ETag"])
    assert again.headers["Vary"] == first.headers["Vary"]
    assert again.status_code == 304 and again.content == b"" and "Content-Encoding" not in again.headers


def test_the_files_of_the_page(server):
    plain, packed = get(server, "/web/js/talk.js"), get(server, "/web/js/talk.js", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.content) == plain.content
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert packed.headers["ETag"].startswith('W/"')
