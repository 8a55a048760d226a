"""docs/SCHEMA.md: the documents of the API, made of the tables that the server runs on; the page that shows them; and the check
that holds every answer of these tests against them (described.py)."""
import copy
import functools
import json
import os
import re
import subprocess

import jsonschema
import pytest
import requests

import described
from parley import BUILD, PATIENCE, ROOT
from routes import ID
from test_web import POLICY

pytestmark = pytest.mark.one_database("plugins/schema: no tables")

METHODS = ("get", "post", "put", "patch", "delete")
NO_CALL = {"any-type", "ops"}  # flags of routes that are no calls of the API, unless they say what they are

PLUGIN = """
#include <parley/plugin.h>

static const size_t most = 7;
static const parley_schema note = PARLEY_SCHEMA("Note", "A note.",
    PARLEY_FIELD_UP_TO("text", "string", "what it says", 1, &most),
    PARLEY_FIELD("tags?", "['red'|'green']", NULL));
static const parley_doc doc = PARLEY_DOC(.name = "create_note", .summary = "Makes a note", .body = "Note",
                                .answers = "201 Note +Location");

static int answer(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx, (void)ud;
    parley->reply(req, 204, NULL, PARLEY_S(""));
    return PARLEY_DONE;
}

static int load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    int err = parley->schema(ctx, &note);
    if (err == 0)
        err = parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "POST", .path = "/notes/", .fn = answer, .doc = &doc });
    if (err == 0)
        err = parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET", .path = "/notes/:id(uuid)/", .fn = answer });
    return err;
}

PARLEY_PLUGIN(.name = "notes", .version = "1.0.0", .about = "notes", .load = load)
"""


def get(server, path, **headers):
    return requests.get(server.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=PATIENCE, allow_redirects=False)


def walk(node, path="#"):
    """every (object, where it stands) of a document"""
    if isinstance(node, dict):
        yield node, path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from walk(value, f"{path}/{key}")


def calls(document):
    return [(method, path, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item]


# ---- serving ----

@pytest.mark.parametrize("path, of", [("/api/schema/", 0), ("/api/schema/sockets/", 1)])
def test_it_is_served_as_it_is_printed(server, path, of):
    answer = get(server, path)
    expected = copy.deepcopy(described.documents()[of])
    if of == 1:
        expected["servers"]["here"]["host"] = server.url.split("//")[1]
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json" and answer.json() == expected
    assert get(server, path, If_None_Match=answer.headers["ETag"]).status_code == 304


@pytest.mark.parametrize("path", ["/api/schema/", "/api/schema/sockets/"])
@pytest.mark.parametrize("accept, status", [("text/html,application/xhtml+xml,*/*;q=0.8", 302), ("*/*", 200), ("application/json", 200)])
def test_a_browser_is_sent_to_the_page(server, path, accept, status):
    answer = get(server, path, Accept=accept)
    assert answer.status_code == status and answer.headers.get("Location") == ("/api/docs/" if status == 302 else None)


def test_the_page_and_all_it_names(server):
    page = get(server, "/api/docs/", Accept="text/html")
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == POLICY.format(socket=server.url.replace("http", "ws"))
    todo, seen = set(re.findall(r'"(/api/docs/[^"]+)"', page.text)), set()
    while todo:
        path = todo.pop()
        seen.add(path)
        answer = get(server, path)
        assert answer.status_code == 200, path
        todo |= {f"{path.rpartition('/')[0]}/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)} - seen
    on_disk = {f"/api/docs/{file.relative_to(ROOT / 'reference')}" for file in (ROOT / "reference").rglob("*") if file.is_file()}
    assert on_disk - seen == {"/api/docs/index.html"}


def test_reading_it_counts_in_no_limit(own_server):
    server = own_server(env={"THROTTLE_ANON": "1/hour"})
    for path in ("/api/schema/", "/api/schema/sockets/", "/api/docs/", "/api/schema/"):
        assert get(server, path).status_code == 200
    assert get(server, "/api/").status_code == 200 and get(server, "/api/").status_code == 429


# ---- what is in it ----

def parley(*args):
    return subprocess.run([BUILD / "parley", *args], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
                          env={k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")})


@functools.cache
def routes():
    done = parley("routes", "--json", "--config", ROOT / "config" / "parley.yaml")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_route_is_described_and_nothing_else():
    openapi, asyncapi = described.documents()
    flat = lambda path: re.sub(r":(\w+)(\(uuid\))?", r"{\1}", path)  # noqa: E731
    http = {(one["method"].lower(), flat(one["path"])) for one in routes() if one["method"] not in ("WS", "EVENT")
            and not (NO_CALL & set(one["flags"]) and not one["path"].startswith("/api/schema/"))}
    assert {(method, path) for method, path, _ in calls(openapi)} == http
    sockets = {flat(one["path"]) for one in routes() if one["method"] == "WS"}
    assert {channel["address"] for channel in asyncapi["channels"].values()} == sockets
    events = {(flat(one["endpoint"]), one["path"]) for one in routes() if one["method"] == "EVENT"}
    address = {f"#/channels/{name}": channel["address"] for name, channel in asyncapi["channels"].items()}
    said = {(address[one["channel"]["$ref"]], described.resolve(described.resolve(ref, 1), 1)["name"])
            for one in asyncapi["operations"].values() if one["action"] == "receive" for ref in one["messages"]}
    assert said == events


def test_who_may_call_what():
    users = {(one["method"].lower(), re.sub(r":(\w+)(\(uuid\))?", r"{\1}", one["path"])): "user" in one["flags"] for one in routes()}
    for method, path, call in calls(described.documents()[0]):
        assert bool(call["security"]) == users[method, path] == ("401" in call["responses"]), (method, path)


def test_each_call_says_what_it_is_for():
    """of our own plugins"""
    openapi, asyncapi = described.documents()
    ids = [call["operationId"] for _, _, call in calls(openapi)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[a-z][a-z_]*", one) for one in ids)
    assert all(call["summary"] and re.search("'[23]..'", str(list(call["responses"]))) for _, _, call in calls(openapi))
    assert all(one["summary"] for one in asyncapi["operations"].values())
    assert {tag for _, _, call in calls(openapi) for tag in call["tags"]} == {tag["name"] for tag in openapi["tags"]}


@pytest.mark.parametrize("of", [0, 1])
def test_every_reference_leads_somewhere_and_every_part_is_used(of):
    document = described.documents()[of]
    names = {node["$ref"] for node, _ in walk(document) if "$ref" in node}
    for name in names:
        at = document
        for part in name.split("/")[1:]:
            at = at[part]
    for kind in ("schemas", "responses", "messages"):
        for name in document["components"].get(kind, {}):
            assert f"#/components/{kind}/{name}" in names


@pytest.mark.parametrize("of", [0, 1])
def test_every_schema_is_one(of):
    for name, schema in described.documents()[of]["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert set(schema["required"]) <= set(schema["properties"]), name


def test_every_parameter_of_a_path_is_described():
    for _, path, call in calls(described.documents()[0]):
        named = [(one["name"], one["in"]) for one in call["parameters"]]
        assert len(set(named)) == len(named)
        assert {name for name, where in named if where == "path"} == set(re.findall(r"\{(\w+)\}", path))


def test_it_holds_no_secret(own_server):
    server = own_server(env={"SECRET_KEY": "a-secret-of-this-very-test-0123456789"})
    assert "a-secret" not in get(server, "/api/schema/").text + get(server, "/api/schema/sockets/").text


# ---- it follows the configuration ----

def edited(pattern, by):
    text = (ROOT / "config" / "parley.yaml").read_text()
    assert re.search(pattern, text, re.M)
    return re.sub(pattern, by, text, count=1, flags=re.M)


def test_an_option_is_a_bound(own_server):
    server = own_server(config=edited(r"^  - chat\n", "  - chat:\n      max_text: 77\n"))
    schemas = get(server, "/api/schema/").json()["components"]["schemas"]
    assert schemas["MessageBody"]["properties"]["content"]["maxLength"] == 77


def test_a_plugin_that_is_left_out_is_not_in_it(own_server):
    server = own_server(config=edited(r"^  - search\b.*\n", ""))
    document = get(server, "/api/schema/").json()
    assert "/api/chat/search/" not in document["paths"] and "SearchPage" not in document["components"]["schemas"]


def test_without_the_plugin_there_is_nothing(own_server):
    server = own_server(config=edited(r"^  - schema\b.*\n", ""))
    for path in ("/api/schema/", "/api/schema/sockets/", "/api/docs/"):
        assert get(server, path).status_code == 404


def test_a_plugin_of_somebody_else(own_server, modules):
    module = modules("notes", PLUGIN)
    server = own_server(config=edited(r"^  - schema\b.*\n", f"  - schema\n  - notes:\n      path: {module}\n"))
    document = get(server, "/api/schema/").json()
    made = document["paths"]["/notes/"]["post"]
    assert made["operationId"] == "create_note" and made["summary"] == "Makes a note" and made["tags"] == ["notes"]
    assert document["components"]["schemas"]["Note"] == {
        "type": "object", "description": "A note.", "required": ["text"],
        "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 7, "description": "what it says"},
                       "tags": {"type": "array", "items": {"type": "string", "enum": ["red", "green"]}}}}
    shown = document["paths"]["/notes/{id}/"]["get"]  # which says nothing of itself
    assert shown["operationId"] == "get_notes_id" and "404" in shown["responses"] and "summary" not in shown


@pytest.mark.parametrize("wrong, says", [
    ('PARLEY_SCHEMA("Room"', 'plugin "notes": schema Room is already registered by plugin "chat"'),
    ('PARLEY_SCHEMA("note"', 'plugin "notes": the schema note is none: it needs a name that begins with a capital'),
])
def test_a_schema_that_is_refused(modules, tmp_path, wrong, says):
    module = modules("notes", PLUGIN.replace('PARLEY_SCHEMA("Note"', wrong))
    config = tmp_path / "parley.yaml"
    config.write_text(edited(r"^  - schema\b.*\n", f"  - schema\n  - notes:\n      path: {module}\n"))
    done = parley("check", "--config", config)
    assert done.returncode == 78 and says in done.stderr


def test_a_type_that_is_none_is_told_and_left_out(own_server, modules):
    module = modules("notes", PLUGIN.replace('"[\'red\'|\'green\']"', '"[\'red\'"'))
    server = own_server(config=edited(r"^  - schema\b.*\n", f"  - schema\n  - notes:\n      path: {module}\n"))
    assert get(server, "/api/schema/").json()["components"]["schemas"]["Note"]["properties"]["tags"] == {}
    server.wait_line(r'plugin "notes": schema Note: type of the field tags\?: "\[\'red\'" is none')


# ---- the check itself finds what it is there for ----

PERSON = {"id": ID, "username": "ada", "first_name": "Ada", "last_name": "Example"}
MESSAGE = {"id": ID, "room": ID, "sender": PERSON, "content": "x", "created_at": "2025-01-31T12:00:00.123456Z", "seq": 1}
SEND = f"/api/chat/rooms/{ID}/send/"
JSON = {"content-type": "application/json"}

ANSWERS = [
    ("as described", "POST", SEND, 201, JSON, MESSAGE, None),
    ("another field", "POST", SEND, 201, JSON, {**MESSAGE, "colour": "red"}, "'colour' was unexpected"),
    ("another field inside", "POST", SEND, 201, JSON, {**MESSAGE, "sender": {**PERSON, "email": "a@example.org"}}, "'email' was unexpected"),
    ("a field is missing", "POST", SEND, 201, JSON, {k: v for k, v in MESSAGE.items() if k != "seq"}, "'seq' is a required property"),
    ("a number as text", "POST", SEND, 201, JSON, {**MESSAGE, "seq": "1"}, "is not of type 'integer'"),
    ("null", "POST", SEND, 201, JSON, {**MESSAGE, "content": None}, "is not of type 'string'"),
    ("no UUID", "POST", SEND, 201, JSON, {**MESSAGE, "id": "7"}, "is not a 'uuid'"),
    ("a time without microseconds", "POST", SEND, 201, JSON, {**MESSAGE, "created_at": "2025-01-31T12:00:00Z"}, "is not a 'date-time'"),
    ("another status", "POST", SEND, 202, JSON, MESSAGE, "the status 202"),
    ("another content type", "POST", SEND, 201, {"content-type": "text/plain"}, MESSAGE, "the content type 'text/plain'"),
    ("an error as described", "POST", SEND, 404, JSON, {"detail": "Not found.", "code": "not_found"}, None),
    ("an error of another form", "POST", SEND, 404, JSON, {"error": "Not found."}, "'detail' is a required property"),
    ("a throttle", "POST", SEND, 429, JSON, {"detail": "x"}, None),
    ("faults of fields", "POST", SEND, 400, JSON, {"content": ["x"]}, None),
    ("faults of fields of another form", "POST", SEND, 400, JSON, {"content": "x"}, "is not valid under any"),
    ("nothing has changed", "GET", f"/api/chat/rooms/{ID}/", 304, {}, None, None),
    ("a body where there is none", "DELETE", f"/api/chat/rooms/{ID}/", 204, JSON, {}, "a body, which is not described"),
    ("an unknown method", "PATCH", SEND, 405, JSON, {"detail": "x"}, None),
    ("an unknown method that works", "PATCH", SEND, 200, JSON, {}, "the status 200 of a method that is not described"),
    ("no Location", "POST", "/api/chat/rooms/", 201, JSON, {}, "no header Location"),
    ("HEAD", "HEAD", "/api/", 200, JSON, None, None),
    ("an unknown path", "GET", "/nope/", 404, JSON, {"detail": "Not found."}, None),
    ("an unknown path of another form", "GET", "/nope/", 404, JSON, ["Not found."], "is not of type 'object'"),
]


@pytest.mark.parametrize("what, method, path, status, headers, body, fault", ANSWERS, ids=[row[0] for row in ANSWERS])
def test_a_deviation_is_found(what, method, path, status, headers, body, fault):
    text = b"" if body is None else json.dumps(body).encode()
    found = " ".join(described.answer_faults(method, path, status, headers, text))
    assert fault in found if fault else not found


FRAMES = [
    ("pong", {"type": "pong"}, None),
    ("with more", {"type": "pong", "at": 1}, "'at' was unexpected"),
    ("of an unknown type", {"type": "hint"}, "a frame of this type is not described"),
    ("without a type", {"a": 1}, "a frame of this type is not described"),
    ("typing", {"type": "typing", "room": ID, "user": {"id": ID, "username": "ada"}, "expires_in_ms": 5000}, None),
    ("typing that never ends", {"type": "typing", "room": ID, "user": {"id": ID, "username": "ada"}, "expires_in_ms": 0}, "less than the minimum"),
    ("another reason", {"type": "resync", "room": ID, "seq": 1, "epoch": "x", "reason": "tired"}, "is not one of"),
]


@pytest.mark.parametrize("what, frame, fault", FRAMES, ids=[row[0] for row in FRAMES])
def test_a_frame_that_deviates_is_found(what, frame, fault):
    described.check_frame(f"/ws/chat/{ID}/?ticket=x", json.dumps(frame).encode())
    found = " ".join(described.taken())
    assert fault in found if fault else not found


def test_what_clients_get_is_looked_at(server):
    """by requests, and by a bare socket"""
    person = server.person()
    room = person.room()
    before = described.looked_at.copy()
    person.get(f"/api/chat/rooms/{room['id']}/")
    with person.socket(room) as socket:
        socket.say("x")
        socket.message()
    new = described.looked_at - before
    assert new["GET", "/api/chat/rooms/{id}/", 200] == 1 and new["chat", "hello"] == 1 and new["chat", "chat_message"] == 1
    assert not described.taken()
