"""Holds every answer and every frame that a test is given against the documents of the API (/api/schema/).

The documents come from the binary under test (`parley schema`).  watch() looks into http.client, on which requests and all
other clients of the suite stand; Socket (parley.py) brings its frames.  What does not hold is collected, and a fixture of
conftest.py fails the test in which it happened: nothing is raised in the middle of a test that expects an exception.

In the documents an object may have further fields, because clients ignore them.  Here it may not: what is not described is
found.
"""
import collections
import copy
import functools
import http.client
import json
import os
import re
import subprocess
import urllib.parse

import jsonschema
import websockets

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FORMATS = {
    "uuid": re.compile(UUID),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
    "uri": re.compile(r"https?://[^\s]+"),
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
}
# Of "default": refused by the network's side of the server before there was a route, or a plugin of a test has failed.
UNROUTED = {400, 408, 413, 414, 431, 500, 501, 503, 505}
SHAPES_KEPT = 20000

wrong = []  # what did not hold, until taken()
looked_at = collections.Counter()  # answers by (method, path, status), frames by (channel, type)
_ports = {}  # of servers that are described; value: the test's own Server


def describe(server):
    """Answers on its port count."""
    _ports[server.port] = server


def taken():
    """what did not hold since the last call"""
    found = list(dict.fromkeys(wrong))
    wrong.clear()
    return found


# ---- the documents ----

def _print(which):
    from parley import BUILD, ROOT  # needs this module
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run([BUILD / "parley", "schema", which, "--config", ROOT / "config" / "parley.yaml"], cwd=ROOT,
                          env={**env, "ASAN_OPTIONS": "detect_leaks=0"}, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "held the loop for" not in line]  # a busy machine
    assert done.returncode == 0 and not said, done.stderr
    return json.loads(done.stdout)


def close(node):
    """an object's fields are those that are described"""
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            close(value)
    elif isinstance(node, list):
        for value in node:
            close(value)
    return node


@functools.cache
def documents():
    """(OpenAPI, AsyncAPI) as the binary prints them"""
    return _print("openapi"), _print("sockets")


@functools.cache
def _closed():
    return tuple(close(copy.deepcopy(one)) for one in documents())


def _checker():
    checker = jsonschema.FormatChecker(formats=[])
    for name, pattern in FORMATS.items():
        checker.checks(name)(lambda value, pattern=pattern: not isinstance(value, str) or bool(pattern.fullmatch(value)))
    return checker


@functools.cache
def validator(text, of=0):
    """of a schema (as JSON text), in document 0 or 1"""
    schema = {**json.loads(text), "components": _closed()[of]["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=_checker())


def resolve(node, of=0):
    while "$ref" in node:
        at = _closed()[of]
        for part in node["$ref"].split("/")[1:]:
            at = at[part]
        node = at
    return node


# ---- values: what has the shape of something that was sound is sound ----

@functools.cache
def _chosen():
    """names of fields whose very text counts"""
    found = set()

    def walk(node):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
                if isinstance(field, dict) and ("const" in field or "enum" in field):
                    found.add(name)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for document in documents():
        walk(document)
    return frozenset(found)


def shape(value, name=None):
    if isinstance(value, dict):
        return tuple((key, shape(one, key)) for key, one in value.items())
    if isinstance(value, list):
        return frozenset(shape(one) for one in value)
    if isinstance(value, str):
        return (value,) if name in _chosen() else next((form for form, like in FORMATS.items() if like.fullmatch(value)), "")
    if isinstance(value, int) and not isinstance(value, bool):
        return (value > 0) - (value < 0) + (value > 100)
    return type(value).__name__


_sound = set()


def faults(schema, value, of=0):
    """what of the value is not as the schema says"""
    text = json.dumps(schema, sort_keys=True)
    seen = (of, text, shape(value))
    if seen in _sound:
        return []
    found = [f"{error.json_path}: {error.message[:300]}" for error in validator(text, of).iter_errors(value)]
    if not found and len(_sound) < SHAPES_KEPT:
        _sound.add(seen)
    return found


# ---- answers ----

def _pattern(path, item):
    kinds = {one["name"]: one["schema"].get("format") for operation in item.values() for one in operation["parameters"]
             if one["in"] == "path"}
    return re.compile(re.sub(r"\\\{(\w+)\\\}", lambda m: UUID if kinds[m.group(1)] == "uuid" else "[^/]+", re.escape(path)))


@functools.cache
def _paths():
    """(pattern, path, item), the ones without parameters first"""
    paths = _closed()[0]["paths"]
    return [(_pattern(path, paths[path]), path, paths[path]) for path in sorted(paths, key=lambda path: path.count("{"))]


def find(path):
    """(item, whether a slash is missing) of the path of a request; (None, False): nobody has described it"""
    for asked, missing in ((path, False), (path + "/", True)):
        for pattern, _, item in _paths():
            if pattern.fullmatch(asked):
                return item, missing
    return None, False


def _body_faults(content, headers, body):
    kind = headers.get("content-type", "").split(";")[0]
    if not content:
        return [f"a body, which is not described: {body[:200]!r}"] if body else []
    if kind not in content:
        return [f"the content type {kind!r}, not one of {sorted(content)}"]
    if kind != "application/json":
        return []
    return faults(content[kind]["schema"], json.loads(body))


def _header_faults(response, headers):
    return [f"no header {name}" for name, one in response.get("headers", {}).items()
            if one.get("required") and name.lower() not in headers]


ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _error_faults(headers, body, is_head):
    return [] if is_head or not body else _body_faults(ERROR, headers, body)


def answer_faults(method, path, status, headers, body):
    item, missing = find(path)
    is_head = method == "HEAD"
    if item is None:
        return _error_faults(headers, body, is_head) if status == 404 else []
    if missing and method in ("GET", "HEAD") and status == 301:
        return [] if "location" in headers else ["no Location"]
    if method == "OPTIONS":
        described = {"application/json": {"schema": {"required": ["name", "methods"]}}}
        return _body_faults(described, headers, body) if status == 200 else _error_faults(headers, body, False)
    operation = item.get("get" if is_head else method.lower())
    if operation is None:
        return _error_faults(headers, body, is_head) if status in UNROUTED | {401, 403, 404, 405, 406, 429} \
            else [f"the status {status} of a method that is not described"]
    listed = operation["responses"].get(str(status))
    if listed is None and status not in UNROUTED:
        return [f"the status {status}, not one of {', '.join(operation['responses'])}"]
    response = resolve(listed or operation["responses"]["default"])
    return _header_faults(response, headers) + ([] if is_head else _body_faults(response.get("content"), headers, body))


def _request_faults(method, path, status, sent):
    """An accepted body is as described, but for what is ignored: longer (white space) or with more fields."""
    item, _ = find(path)
    operation = item and item.get(method.lower())
    if not operation or "requestBody" not in operation or not 200 <= status < 300:
        return []
    try:
        value = json.loads(sent)
    except (TypeError, ValueError):
        return []  # a form, or a stream
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    schema = documents()[0]["components"]["schemas"][name]
    return [f"{field} was accepted without it" for field in schema["required"] if field not in value]


def _is_there(server, path):
    """Whether the plugin that has this path is in the server's configuration, as it is in the documents."""
    item, _ = find(path)
    tag = item and next(iter(item.values()))["tags"][0]
    return tag in (None, "core") or re.search(rf"^  - {tag}\b", server.config.read_text(), re.M)


def check_answer(port, method, target, sent, status, headers, body):
    path = target.split("?")[0].split("#")[0]
    if port not in _ports or (status == 404 and not _is_there(_ports[port], path)):
        return
    try:
        found = answer_faults(method, path, status, headers, body) + _request_faults(method, path, status, sent)
    except ValueError as error:
        found = [f"no JSON: {error}: {body[:200]!r}"]
    looked_at[(method, next((shown for pattern, shown, _ in _paths() if pattern.fullmatch(path)), None), status)] += 1
    wrong.extend(f"{method} {path} {status}: {one}" for one in found)


# ---- frames ----

@functools.cache
def _channels():
    """(pattern of the path, {type of a frame: its payload's schema})"""
    document = _closed()[1]
    found = []
    for name, channel in document["channels"].items():
        sent = document["operations"][f"{name}_sent"]["messages"]
        frames = {}
        for one in sent:
            message = resolve(resolve(one, 1), 1)
            frames[message["name"]] = message["payload"]
        found.append((re.compile(re.sub(r"\\\{\w+\\\}", UUID, re.escape(channel["address"]))), frames))
    return found


@functools.cache
def frames_of(path):
    """what a socket that was opened at this path may be sent, by type; None: nobody has described it"""
    return next((frames for pattern, frames in _channels() if pattern.fullmatch(path)), None)


def check_frame(target, payload):
    """A text frame of a server to a socket that was opened at `target`."""
    path = urllib.parse.unquote(target.split("?")[0])
    frames = frames_of(path if path.endswith("/") else path + "/")
    if frames is None:
        return
    try:
        frame = json.loads(payload)
    except ValueError as error:
        wrong.append(f"{path}: no JSON: {error}: {payload[:200]!r}")
        return
    kind = frame.get("type")
    looked_at[(path.split("/")[2] or "all", kind)] += 1
    found = faults(frames[kind], frame, 1) if kind in frames else ["a frame of this type is not described"]
    wrong.extend(f"{path} {kind}: {one}" for one in found)


# ---- all clients ----

def watch():
    """From now on what http.client and websockets are given is looked at."""
    watch_answers()
    watch_frames()


def watch_frames():
    recv = websockets.WebSocketClientProtocol.recv

    async def watched(self):
        server = self.remote_address or (None, None)
        got = await recv(self)
        if server[1] in _ports and isinstance(got, str):
            check_frame(self.path, got)
        return got

    websockets.WebSocketClientProtocol.recv = watched


def watch_answers():
    connection, response = http.client.HTTPConnection, http.client.HTTPResponse
    putrequest, endheaders, getresponse = connection.putrequest, connection.endheaders, connection.getresponse
    read, readinto = response.read, response.readinto

    def watched_putrequest(self, method, url, *args, **more):
        self.asked = [method, url, None]
        return putrequest(self, method, url, *args, **more)

    def watched_endheaders(self, message_body=None, **more):
        self.asked[2] = message_body
        return endheaders(self, message_body, **more)

    def watched_getresponse(self, *args, **more):
        got = getresponse(self, *args, **more)
        got.asked, got.seen = (self.port, *self.asked), b""
        return got

    def look(self, part):
        if not hasattr(self, "asked"):
            return
        self.seen += part
        if self.isclosed():
            asked = self.asked
            del self.asked
            headers = {name.lower(): value for name, value in self.getheaders()}
            if "content-encoding" not in headers:
                check_answer(*asked, self.status, headers, self.seen)

    def watched_read(self, *args, **more):
        part = read(self, *args, **more)
        look(self, part)
        return part

    def watched_readinto(self, into):
        n = readinto(self, into)
        look(self, bytes(into[:n]))
        return n

    connection.putrequest, connection.endheaders = watched_putrequest, watched_endheaders
    connection.getresponse = watched_getresponse
    response.read, response.readinto = watched_read, watched_readinto
