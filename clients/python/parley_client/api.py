"""The server's REST API.  Blocking; Client.call() is the same for coroutines."""
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

AWAY = (0, 502, 503, 504)  # no answers of the API: the server could not be reached, or is not itself
TIMEOUT = 30  # seconds


class ApiError(Exception):
    """What the server refused.  status 0: it could not be reached; body: the answer's object, or None."""

    def __init__(self, status, body=None, retry_after=0):
        super().__init__(status, body)
        self.status, self.body, self.retry_after = status, body, retry_after

    @property
    def is_away(self):
        """the same may work later"""
        return self.status in AWAY


def _object(data):
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None  # a proxy's page, or cut off


class Api:
    """url: of the server; token: from a login, or login() gets one."""

    def __init__(self, url, token=None):
        self.url, self.token = url.rstrip("/"), token

    def headers(self):
        return {"Authorization": f"Token {self.token}"} if self.token else {}

    def call(self, method, path, body=None, **query):
        """The answer's object (None: it has none).  query: what is None is left out."""
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        request = urllib.request.Request(f"{self.url}{path}{'?' if query else ''}{query}", method=method,
                                         headers={"Accept": "application/json", **self.headers()})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return _object(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(error.code, _object(error.read()), int(error.headers.get("Retry-After") or 0)) from None
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0) from error

    def all(self, path):
        """All entries of a list, page by page.  One that moves between two pages while they are read is there once."""
        found = {}
        while True:
            page = self.call("GET", path, limit=200, offset=len(found))
            found.update((one["id"], one) for one in page["results"])
            if not page["next"] or not page["results"]:
                return list(found.values())

    def walk(self, path):
        """The same of a list that knows cursors.  What goes while its pages are read makes the next page skip nothing."""
        found, where = [], {"order": "desc"}
        while where:
            page = self.call("GET", path, limit=200, **where)
            found += page["results"]
            cursor = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"] or "").query).get("cursor")
            where = {"cursor": cursor[0]} if cursor else None
        return found

    def login(self, email, password):
        """From here on the token says who asks."""
        answer = self.call("POST", "/api/auth/login/", {"email": email, "password": password})
        self.token = answer["token"]
        return answer

    def rooms(self):
        return self.walk("/api/chat/rooms/")

    def create_room(self, name, emails=()):
        return self.call("POST", "/api/chat/rooms/", {"name": name, "participant_emails": list(emails)})

    def messages(self, room, after_seq=None, before_seq=None, limit=None):
        """A page: the newest first; behind after_seq the oldest first."""
        return self.call("GET", f"/api/chat/rooms/{room}/messages/", after_seq=after_seq, before_seq=before_seq, limit=limit)

    def events(self, room, after_seq=None, limit=None):
        """A page of the room's log, as the frames of its sockets."""
        return self.call("GET", f"/api/chat/rooms/{room}/events/", after_seq=after_seq, limit=limit)

    def reads(self, room, limit=None, offset=None):
        """How far each member has read: a page of {"user", "read_seq", "delivered_seq", "joined_at"}."""
        return self.call("GET", f"/api/chat/rooms/{room}/read/", limit=limit, offset=offset)

    def presence(self, room, limit=None, offset=None):
        """Who is there: a page of {"user", "status"}, one per member."""
        return self.call("GET", f"/api/chat/rooms/{room}/presence/", limit=limit, offset=offset)

    def send(self, room, content, client_msg_id=None):
        """Stores one message; with a client_msg_id as often as one likes, and it is there once."""
        named = {"client_msg_id": client_msg_id} if client_msg_id else {}
        return self.call("POST", f"/api/chat/rooms/{room}/send/", {"content": content, **named})
