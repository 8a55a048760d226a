"""parley mail list, retry and doctor: what waits, try it now, and what is wrong with the way to the mail server."""
import re

import pytest

from command import command
from parley import Server, free_port
from smtp import PASSWORD, USER, Authority, Mailer, config_with_mail, register

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
LOGIN = {"EMAIL_HOST_USER": USER, "EMAIL_HOST_PASSWORD": PASSWORD}


def test_list_and_retry(own_server):
    with Mailer() as mailer:
        mailer.refused["ada@example.org"] = "550 5.1.1 no such user"
        server = own_server(env=mailer.env, config=config_with_mail(poll="100ms"))
        assert command(server, "mail", "list").stderr.strip() == "no mail waits"
        register(server)
        server.wait_line("is given up")
        listed = command(server, "mail", "list")
        assert listed.returncode == 0 and len(listed.stdout.splitlines()) == 2
        line = listed.stdout.splitlines()[1]
        assert re.fullmatch(r"[0-9a-f-]{36}  given up +1  ada@example.org +RCPT TO: 550 5.1.1 no such user", line)
        uid = line.split()[0]
        mailer.refused.clear()
        again = command(server, "mail", "retry", uid)
        assert (again.returncode, again.stdout) == (0, "1 mail will be tried now\n"), again.stderr
        mail, = mailer.wait()
        assert uid in mail.id and mail.token
        server.wait_line(f"mail {uid} is delivered")
        over = command(server, "mail", "retry", uid)
        assert over.returncode == 1 and "no such mail waits" in over.stderr
        assert re.search(rf"{uid}  sent +1  - ", command(server, "mail", "list", "--all").stdout)


@pytest.mark.parametrize("args, words", [
    ((), "name the mails by their ids"),
    (("--all", "0" * 8 + "-0000-0000-0000-" + "0" * 12), "name the mails by their ids"),
    (("nonsense",), "\"nonsense\" is no id of a mail"),
])
def test_retry_refuses(own_server, args, words):
    server = own_server()
    done = command(server, "mail", "retry", *args)
    assert done.returncode == 2 and words in done.stderr


def test_retry_all_does_not_wait(own_server):
    """The mail server was away for long; the operator does not want to wait for the next attempt."""
    mailer = Mailer()
    server = own_server(env=mailer.env)
    register(server)
    server.wait_line("mails cannot be delivered")
    assert re.search(r"ada@example.org +connecting: ", command(server, "mail", "list").stdout)
    with mailer:
        assert command(server, "mail", "retry", "--all").returncode == 0
        mailer.wait()
        server.end()


def test_doctor_and_a_way_that_is_good(tmp_path):
    authority = Authority(tmp_path)
    with Mailer(auth=True, starttls=authority.context("localhost")) as mailer:
        env = {"EMAIL_HOST": "localhost", "EMAIL_PORT": str(mailer.port), "EMAIL_USE_TLS": "True",
               "EMAIL_CA_FILE": str(authority.file), **LOGIN}
        with Server(tmp_path / "server", env=env) as server:
            done = command(server, "mail", "doctor")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "ok    logged in" in done.stdout and "ok    TLS, and the certificate is good" in done.stdout
            assert not mailer.mails
            done = command(server, "mail", "doctor", "--to", "ada@example.org")
            assert done.returncode == 0 and "a mail to ada@example.org was taken" in done.stdout
            assert mailer.wait()[0].text.startswith("Somebody typed")


def test_doctor_works_without_a_server(own_server):
    with Mailer() as mailer:
        server = own_server(env=mailer.env)
        server.end()
        done = command(server, "mail", "doctor")
        assert done.returncode == 0 and "note  nothing is encrypted" in done.stdout, done.stdout + done.stderr


def test_doctor_and_the_outbox(own_server):
    server = own_server()
    done = command(server, "mail", "doctor")
    assert done.returncode == 0 and "no mail leaves this machine" in done.stdout
    done = command(server, "mail", "doctor", "--to", "ada@example.org")
    assert done.returncode == 1 and "set EMAIL_HOST" in done.stderr


@pytest.mark.parametrize("more, env, wrong, advice", [
    (None, {}, "connecting: ", "check EMAIL_HOST and EMAIL_PORT"),
    ({}, {"EMAIL_HOST": "mail.invalid"}, "the name mail.invalid has no address", "check EMAIL_HOST"),
    ({}, {"EMAIL_USE_TLS": "True"}, "EHLO: ", "must offer STARTTLS"),
    ({"starttls": "localhost"}, {"EMAIL_USE_TLS": "True"}, "STARTTLS: .*certificate", "EMAIL_CA_FILE names somebody else"),
    ({"auth": True}, {**LOGIN, "EMAIL_HOST_PASSWORD": "sesame"}, "AUTH: 535", "check EMAIL_HOST_USER and EMAIL_HOST_PASSWORD"),
    ({"MAIL": "553 not you"}, {}, "MAIL FROM: 553 not you", "does not take mails from EMAIL_FROM"),
    ({"RCPT": "550 who"}, {}, "RCPT TO: 550 who", "does not take mails for this recipient"),
    ({"DATA": "554 spam"}, {}, "the end of the text: 554 spam", "its answer says why"),
    ({"GREETING": "hang"}, {}, "connecting: .*timed out", "check EMAIL_HOST and EMAIL_PORT"),
], ids=["nobody there", "no address", "no STARTTLS", "nobody vouches", "wrong password", "sender", "recipient", "text", "silence"])
def test_doctor_says_what_is_wrong(own_server, tmp_path, more, env, wrong, advice):
    if more and "starttls" in more:
        more = {"starttls": Authority(tmp_path).context("localhost")}
    mailer = Mailer(**(more or {}))
    if more is not None:
        mailer.start()
    try:
        base = {"EMAIL_HOST": "localhost", "EMAIL_PORT": str(mailer.port or free_port())}
        server = own_server(env={**base, **env}, config=config_with_mail(timeout="2s"))
        done = command(server, "mail", "doctor", "--to", "ada@example.org")
        assert done.returncode == 1
        assert re.search(f"^WRONG {wrong}", done.stdout, re.M), done.stdout
        assert advice in done.stderr and "sesame" not in done.stdout + done.stderr
    finally:
        if more is not None:
            mailer.stop()
