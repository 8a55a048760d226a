"""All routes of contract.md within reach of a client, and a request that no library tidies up."""
import http.client
import json

from parley import PATIENCE

OPEN, TOKEN = False, True
ID = "019a1b2c-0000-7000-8000-0000000000c3"  # well-formed, nobody's
ROOM = f"/api/chat/rooms/{ID}/"

# (path, what it allows, needs a token); without logout and ws-ticket, which never do nothing
ROUTES = [
    ("/api/", "GET, HEAD, OPTIONS", OPEN),
    ("/api/auth/register/", "POST, OPTIONS", OPEN),
    ("/api/auth/login/", "POST, OPTIONS", OPEN),
    ("/api/auth/resend-verification/", "POST, OPTIONS", OPEN),
    ("/api/auth/verify-email/nope/", "GET, POST, HEAD, OPTIONS", OPEN),
    ("/api/auth/reset-password/", "POST, OPTIONS", OPEN),
    ("/api/auth/reset-password/nope/", "GET, POST, HEAD, OPTIONS", OPEN),
    ("/api/auth/profile/", "GET, HEAD, OPTIONS", TOKEN),
    ("/api/auth/sessions/", "GET, HEAD, OPTIONS", TOKEN),
    (f"/api/auth/sessions/{ID}/", "DELETE, OPTIONS", TOKEN),
    ("/api/auth/change-password/", "POST, OPTIONS", TOKEN),
    ("/api/chat/rooms/", "GET, POST, HEAD, OPTIONS", TOKEN),
    (ROOM, "GET, PUT, DELETE, HEAD, OPTIONS", TOKEN),
    (ROOM + "messages/", "GET, HEAD, OPTIONS", TOKEN),
    (ROOM + "events/", "GET, HEAD, OPTIONS", TOKEN),
    (ROOM + "read/", "GET, POST, HEAD, OPTIONS", TOKEN),
    (ROOM + "presence/", "GET, HEAD, OPTIONS", TOKEN),
    (ROOM + "send/", "POST, OPTIONS", TOKEN),
    (ROOM + "participants/", "POST, OPTIONS", TOKEN),
    (ROOM + f"participants/{ID}/", "DELETE, OPTIONS", TOKEN),
    (f"/api/chat/messages/{ID}/", "GET, PATCH, DELETE, HEAD, OPTIONS", TOKEN),
    (f"/api/chat/messages/{ID}/history/", "GET, HEAD, OPTIONS", TOKEN),
    (f"/api/chat/messages/{ID}/reactions/%F0%9F%91%8D/", "PUT, DELETE, OPTIONS", TOKEN),
    ("/api/chat/search/", "GET, HEAD, OPTIONS", TOKEN),
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Answer:
    def __init__(self, status, headers, content):
        self.status_code, self.headers, self.content = status, headers, content

    @property
    def text(self):
        return self.content.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.content)


def ask(server, method, target, body=None, token=None, host=None, **headers):
    """One request, sent as it stands.  headers: Content_Type="..." is Content-Type; body: bytes, or what becomes JSON"""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    link.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    link.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        fields.setdefault("Content-Type", "application/json")
    if token:
        fields["Authorization"] = f"Token {token}"
    if body is not None:
        fields["Content-Length"] = str(len(body))
    for name, value in fields.items():
        if value is not None:
            link.putheader(name, value)
    link.endheaders(body)
    got = link.getresponse()
    answer = Answer(got.status, {name: value for name, value in got.getheaders()}, got.read())
    link.close()
    return answer
