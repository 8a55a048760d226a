"""The page at /: files from memory, a strict policy, and nothing of the API in their way.  What the page does is tested in
tests/browser/."""
import posixpath
import re

import pytest
import requests

from parley import PATIENCE, ROOT
from routes import ask

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {socket}; base-uri 'none'; form-action 'self'; "
          "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")

FOLDERS = {"web": "/web/", "clients/js/src": "/web/client/"}


def fetch(server, path="/", method="GET", **headers):
    return requests.request(method, server.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=PATIENCE, allow_redirects=False)


def test_the_page_and_all_it_names(server):
    page = fetch(server)
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == POLICY.format(socket=server.url.replace("http", "ws"))
    assert page.headers["X-Content-Type-Options"] == "nosniff" and page.headers["Referrer-Policy"] == "same-origin"
    todo, seen = set(re.findall(r'"(/web/[^"]+)"', page.text)), set()
    while todo:
        path = todo.pop()
        seen.add(path)
        answer = fetch(server, path)
        assert answer.status_code == 200, path
        folder = path.rpartition("/")[0]
        found = {posixpath.normpath(f"{folder}/{name}") for name in re.findall(r'from "(\.[^"]+)"', answer.text)} | set(re.findall(r'url\("([^"]+)"\)', answer.text))
        todo |= found - seen
    on_disk = {at + str(file.relative_to(ROOT / folder)) for folder, at in FOLDERS.items() for file in (ROOT / folder).rglob("*") if file.is_file()}
    assert on_disk - seen == {"/web/index.html"}  # and nothing lies there that nobody uses


@pytest.mark.parametrize("accept", ["text/html", "text/css", "image/png", "*/*", "application/json"])
def test_whatever_is_accepted(server, accept):
    assert fetch(server, Accept=accept).status_code == 200 and fetch(server, "/web/css/base.css", Accept=accept).status_code == 200


def test_a_file_that_is_known_is_not_sent_again(server):
    first = fetch(server, "/web/js/main.js")
    assert first.headers["Cache-Control"] == "no-cache" and re.fullmatch(r'W/"[\w-]{22}"', first.headers["ETag"])
    again = fetch(server, "/web/js/main.js", If_None_Match=first.headers["ETag"])
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == first.headers["ETag"]
    first, head = (fetch(server, "/web/js/main.js", method, Accept_Encoding="identity") for method in ("GET", "HEAD"))
    assert head.status_code == 200 and head.headers["Content-Length"] == str(len(first.content))


def test_other_methods(server):
    for path in ("/", "/web/js/main.js"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = fetch(server, path, method)
            assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/web/", "/web", "/web/index.html", "/web/js/", "/web/js", "/web/js/main.js/x", "/web/../sql/", "/web/js/../../config/parley.yaml", "/web/%2e%2e/parley.db",
                                  "/web/..%2fparley.db", "/web/js%2fmain.js", "/web//js/main.js", "/WEB/js/main.js", "/web/js/main.js%00", "/favicon.ico", "/index.html"])
def test_there_is_nothing_else(server, path):
    answer = ask(server, "GET", path)
    assert answer.status_code == 404 and answer.json() == {"detail": "Not found.", "code": "not_found"}


def test_the_address_of_the_socket_is_the_one_that_was_asked(server):
    answer = ask(server, "GET", "/", host=f"localhost:{server.port}")
    assert f"connect-src 'self' ws://localhost:{server.port};" in answer.headers["Content-Security-Policy"]
    assert ask(server, "GET", "/", host="evil.example; script-src *").status_code == 400


def test_files_count_in_no_limit_and_fill_no_log(own_server):
    server = own_server(env={"THROTTLE_ANON": "3/hour"})
    for _ in range(4):
        answer = fetch(server, "/web/js/main.js")
        assert answer.status_code == 200 and "RateLimit" not in answer.headers
        assert fetch(server).status_code == 200
    assert fetch(server, "/api/").status_code == 200
    server.end()
    log = (server.logs / "api.log").read_text()
    assert log.count("path='/'") == 4 and "main.js" not in log


def test_without_the_plugin_there_is_no_page(own_server):
    config = re.sub(r"^  - web\b.*\n", "", (ROOT / "config/parley.yaml").read_text(), flags=re.M)
    server = own_server(config=config)
    for path in ("/", "/web/js/main.js"):
        assert (fetch(server, path).status_code, fetch(server, path).json()["code"]) == (404, "not_found")
    assert fetch(server, "/api/").status_code == 200
