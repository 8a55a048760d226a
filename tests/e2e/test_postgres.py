"""On PostgreSQL: every statement of every plugin is taken, what PostgreSQL is stricter about is no error, TLS is checked.

The whole suite runs on PostgreSQL with PARLEY_DB=postgres."""
import subprocess

import pytest
import requests

import postgres
from parley import PASSWORD, PATIENCE, ROOT, Server

pytestmark = pytest.mark.one_database("PostgreSQL")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server"), db="postgres") as server:
        yield server


def test_every_statement_of_every_plugin_is_prepared(served):
    # Connecting has prepared them all: a refused one is in the log and in /readyz.
    assert served.anonymous().get("/readyz").status_code == 200
    assert "refuses a statement" not in served.text()
    folders = {f.name for f in (ROOT / "sql/sqlite").iterdir()}
    assert folders == {f.name for f in (ROOT / "sql/postgres").iterdir()}
    for folder in folders:
        numbers = [{f.name.split("_")[0] for f in (ROOT / "sql" / dialect / folder).glob("*.sql")} for dialect in ("sqlite", "postgres")]
        assert numbers[0] == numbers[1]


def test_the_same_path_as_on_sqlite(served):
    ada, bob = served.person(), served.person()
    room = ada.room(bob)
    with bob.socket(room) as socket:
        sent = ada.say(room, "hello")
        assert socket.message()["id"] == sent["id"]
    page = ada.get(f"/api/chat/rooms/{room['id']}/messages/").json()
    assert [m["content"] for m in page["results"]] == ["hello"]


@pytest.mark.parametrize("uid", ["-" * 36, "0" * 36, "0191c2a4-5b6c-7d8e-9f01-23456789abc-", "0191c2a45-b6c-7d8e-9f01-23456789abcd"])
def test_ids_that_are_none_are_not_found(served, uid):
    ada = served.person()
    assert ada.get(f"/api/chat/rooms/{uid}/").status_code == 404
    assert ada.get(f"/api/chat/rooms/{uid}/messages/").status_code == 404


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "\ufffe", "\U0010ffff"])
def test_text_that_postgresql_cannot_hold(served, text):
    ada = served.person()
    room = ada.room()
    assert ada.post("/api/auth/login/", {"email": f"{text}@example.org", "password": PASSWORD}).status_code == 400
    assert ada.post(f"/api/chat/rooms/{room['id']}/send/", {"content": text}).status_code in (201, 400)
    assert ada.post("/api/chat/rooms/", {"name": text, "participant_emails": []}).status_code in (201, 400)


def test_a_user_agent_that_is_not_text(served):
    ada = served.person()
    answer = requests.post(served.url + "/api/auth/login/", json={"email": ada.email, "password": PASSWORD},
                           headers={"User-Agent": b"\xff\xfe\x80"}, timeout=PATIENCE)
    assert answer.status_code == 200


def test_a_name_that_is_taken_is_named(served):
    ada = served.person()
    fields = {"first_name": "A", "last_name": "B", "username": "somebody_else", "email": ada.email.upper(), "password": PASSWORD,
              "password_confirm": PASSWORD}
    answer = served.anonymous().post("/api/auth/register/", fields)
    assert answer.status_code == 400 and list(answer.json()) == ["email"]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """a PostgreSQL server with a certificate for localhost; the certificate's file"""
    made = postgres.Postgres()
    key, certificate = made.data / "server.key", made.data / "server.crt"
    subprocess.run(
        [*made.as_user, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o600)
    with open(made.data / "postgresql.auto.conf", "a") as conf:
        conf.write("ssl = on\n")
    (made.data / "pg_hba.conf").write_text("local all all trust\nhostssl all all all scram-sha-256\n")
    readable = tmp_path_factory.mktemp("tls") / "ca.crt"
    readable.write_bytes(certificate.read_bytes())
    yield made.start(), readable
    made.end()


def test_tls_is_verified(encrypted, tmp_path):
    database, certificate = encrypted
    url = database.database().replace("127.0.0.1", "localhost")
    with Server(tmp_path / "good", db=f"{url}?sslmode=verify-full&sslrootcert={certificate}") as server:
        server.person()
        name = url.rsplit("/", 1)[1]
        assert set(map(tuple, database.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                             f" WHERE datname = '{name}' AND application_name = 'parley'"))) == {("t",)}


@pytest.mark.parametrize("change, words", [
    (lambda url, ca: f"{url}?sslmode=verify-full", "certificate verify failed|root certificate file"),
    (lambda url, ca: url.replace("localhost", "127.0.0.1") + f"?sslmode=verify-full&sslrootcert={ca}", "does not match host name"),
], ids=["unknown certificate", "another name"])
def test_tls_that_cannot_be_verified_is_not_used(encrypted, tmp_path, change, words):
    database, certificate = encrypted
    url = change(database.database().replace("127.0.0.1", "localhost"), certificate)
    server = Server(tmp_path / "bad", db=url).start(ready=False)
    server.wait_line(f"the database is away: .*({words})")
    server.kill()
