"""Mails over SMTP, plain: to a server that takes them, and what the configuration refuses."""
import email.header
import re

import pytest
import requests

from parley import PATIENCE, Server
from smtp import Mailer, config_with_mail, register


@pytest.fixture
def mailer():
    with Mailer() as one:
        yield one


def test_register_and_verify(own_server, mailer):
    server = own_server(env={**mailer.env, "EMAIL_FROM": "Gr\u00fc\u00dfe, alle <chat@example.net>"})
    register(server)
    mail, = mailer.wait()
    assert (mail.sender, mail.to) == ("chat@example.net", ["ada@example.org"])
    assert mail.message["Subject"] == "Verify your email address"
    assert mail.message["From"].addresses[0].display_name == "Gr\u00fc\u00dfe, alle"
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.net>", mail.id)
    answer = requests.post(f"{server.url}/api/auth/verify-email/{mail.token}/", timeout=PATIENCE)
    assert answer.status_code == 200
    assert server.query("SELECT sealed IS NULL, sent_at IS NOT NULL, attempts FROM mail_queue") in ([["1", "1", "1"]], [["t", "t", "1"]])
    html = mail.message.get_body(("html",)).get_content()
    assert f'href="{server.url}/api/auth/verify-email/{mail.token}/"' in html
    assert all(len(line) <= 998 and max(line, default=0) < 128 for line in mail.raw.split(b"\r\n"))
    # No outbox beside it.
    assert requests.get(server.url + "/outbox/", timeout=PATIENCE).status_code == 404
    assert not (server.data / "outbox").exists()


@pytest.mark.parametrize("name", ["O'Brien, \"Ada\" \\ (x)", "\u5c71" * 80, "Ada: <ada>; @", "=?UTF-8?B?AAAA?=", "A" * 120, "a b " * 30 + "c"],
                         ids=["specials", "long", "address-like", "encoded-like", "one word", "many words"])
def test_any_name_of_the_sender(own_server, mailer, name):
    server = own_server(env={**mailer.env, "EMAIL_FROM": f"{name} <chat@example.net>"})
    register(server)
    mail, = mailer.wait()
    raw = email.message_from_bytes(mail.raw)["From"]  # Python's newer parser keeps the folds inside of a name
    shown, _, address = raw.replace("\r\n", "").rpartition(" ")
    assert (str(email.header.make_header(email.header.decode_header(shown.rstrip()))), address) == (name, "<chat@example.net>")
    assert mail.sender == "chat@example.net"
    assert all(len(line) <= 78 for line in mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))


def test_the_text_arrives_as_it_was_sent(own_server, mailer, tmp_path):
    """Dots at the beginning of a line are doubled on the way, and lines of any length pass."""
    lines = [".", "..", ".a", "", "x" * 2000, "Gr\u00fc\u00dfe", "trailing ", ".", "{{link}}"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "verify_email.txt").write_text("Subject: Willkommen, sch\u00f6n\n\n" + "\n".join(lines) + "\n")
    server = own_server(env=mailer.env, config=config_with_mail(templates=tmp_path / "own"))
    register(server)
    mail, = mailer.wait()
    assert mail.message["Subject"] == "Willkommen, sch\u00f6n"
    assert mail.message.get_content_type() == "text/plain"  # the shipped HTML would say something else
    assert mail.text.splitlines()[:-1] == lines[:-1]
    assert requests.post(f"{server.url}/api/auth/verify-email/{mail.token}/", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("files, words", [
    ({"verify_email.txt": "Subject: x\n\n{{lnk}}\n"}, "template verify_email of your own uses {{lnk}}, which has no value"),
    ({"verify_email.html": "<a href={{lnk}}>\n"}, "template verify_email of your own uses {{lnk}}, which has no value"),
    ({"verify_email.txt": "Hello\n"}, "verify_email.txt: the first line must be \"Subject: ...\""),
    ({"other.html": "x"}, "other.html has no text beside it: add other.txt"),
], ids=["variable", "variable in HTML", "no subject", "HTML alone"])
def test_refused_templates(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    server = Server(tmp_path / "server", config=config_with_mail(templates=tmp_path)).start(ready=False)
    server.wait_line(words)
    server.kill()


def test_one_template_of_ones_own(own_server, mailer, tmp_path):
    (tmp_path / "verify_email.html").write_text("<p><b>Ours</b> {{link}}</p>\n")
    (tmp_path / "other.txt").write_text("Subject: x\n\nx\n")
    server = own_server(env=mailer.env, config=config_with_mail(templates=tmp_path))
    server.wait_line("WARNING mail no template other came with the server")
    register(server)
    mail, = mailer.wait()
    assert "<b>Ours</b>" in mail.message.get_body(("html",)).get_content()
    assert "Somebody, probably you" in mail.text


@pytest.mark.parametrize("address", ["a@b.de, c@d.de", "a@b.de,c@d.de", "a@b.de\r\nBcc: c@d.de", "a@b.de\x00", "<a@b.de>", "\"a\"@b.de",
                                     "a@b.de c@d.de", "a@b.de>\r\nRCPT TO:<c@d.de", "\u00e4@b.de"])
def test_one_address_is_one_address(served, address):
    server, mailer = served
    fields = {"first_name": "F\r\nBcc: eve@example.org", "last_name": "L", "email": address, "username": "eve", "password":
              "correct horse battery", "password_confirm": "correct horse battery"}
    answer = requests.post(server.url + "/api/auth/register/", json=fields, timeout=PATIENCE)
    assert answer.status_code == 400 and "email" in answer.json()
    assert not mailer.seen and server.query("SELECT count(*) FROM mail_queue") == [["0"]]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Mailer() as one, Server(tmp_path_factory.mktemp("server"), env=one.env) as server:
        yield server, one


def test_one_connection_serves_many_mails(own_server, mailer):
    server = own_server(env=mailer.env)
    for i in range(6):
        register(server, f"u{i}")
        mailer.wait(i + 1)
    assert mailer.connections == 1
    server.end()
    assert mailer.seen[-1] == "QUIT"


@pytest.mark.parametrize("env, words", [
    ({"EMAIL_PORT": "25"}, r"port: is set \(EMAIL_PORT\), but host is not"),
    ({"EMAIL_USE_TLS": "True"}, r"use_tls: is set \(EMAIL_USE_TLS\), but host is not"),
    ({"EMAIL_USE_SSL": "True"}, r"use_ssl: is set \(EMAIL_USE_SSL\), but host is not"),
    ({"EMAIL_HOST_USER": "u"}, r"user: is set \(EMAIL_HOST_USER\), but host is not"),
    ({"EMAIL_HOST_PASSWORD": "p"}, r"password: is set \(EMAIL_HOST_PASSWORD\), but host is not"),
    ({"EMAIL_CA_FILE": "/x"}, r"ca_file: is set \(EMAIL_CA_FILE\), but host is not"),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "True", "EMAIL_USE_SSL": "True"}, "use_ssl: use_tls and use_ssl .* exclude each other"),
    ({"EMAIL_HOST": "h", "EMAIL_HOST_USER": "u"}, "user: is set without a password"),
    ({"EMAIL_HOST": "h", "EMAIL_HOST_PASSWORD": "sesame"}, "password: is set without a user"),
    ({"EMAIL_HOST": "h", "EMAIL_CA_FILE": "/x"}, "ca_file: is of no use without"),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "1"}, "use_tls: \"1\""),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "True", "EMAIL_CA_FILE": "/nonexistent"}, "ca_file: cannot be read"),
    ({"EMAIL_HOST": "smtp://h"}, "host: must be a name or an address alone"),
    ({"EMAIL_HOST": "h:25"}, "host: must be a name or an address alone"),
    ({"EMAIL_HOST": "h", "EMAIL_PORT": "70000"}, "port: 70000 is outside"),
    ({"EMAIL_HOST": "h", "EMAIL_FROM": "nobody"}, "from: must be an address"),
    ({"HOST": "0.0.0.0"}, "transport: the outbox shows live links .* set EMAIL_HOST"),
], ids=lambda v: "-".join(v) if isinstance(v, dict) else "")
def test_refused_configurations(tmp_path, env, words):
    server = Server(tmp_path, env=env).start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server.wait_line(words)
    assert "sesame" not in server.text()


def test_a_public_listener_may_send(own_server, mailer):
    server = own_server(env={**mailer.env, "HOST": "0.0.0.0"})
    register(server)
    mailer.wait()


def test_the_mail_server_comes_later(own_server):
    away = Mailer()
    server = own_server(env=away.env)
    register(server)
    server.wait_line("WARNING mail mails cannot be delivered, will try again: connecting: .*(refused|Couldn't connect)")
    register(server, "bob")
    with away:
        away.wait(2)
        server.wait_line("INFO mail mails are delivered again")
        assert sorted(m.to[0] for m in away.mails) == ["ada@example.org", "bob@example.org"]
        server.end()
