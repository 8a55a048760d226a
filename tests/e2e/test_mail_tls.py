"""Mails over SMTP with TLS and login: what is asked for is done, or no mail leaves."""
import pytest

from parley import Server
from smtp import PASSWORD, USER, Authority, Mailer, config_with_mail, register

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
LOGIN = {"EMAIL_HOST_USER": USER, "EMAIL_HOST_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def env_of(mailer, authority=None, **more):
    return {"EMAIL_HOST": "localhost", "EMAIL_PORT": str(mailer.port), **({"EMAIL_CA_FILE": str(authority.file)} if authority else {}),
            **more}


@pytest.mark.parametrize("how", ["EMAIL_USE_TLS", "EMAIL_USE_SSL"])
def test_encrypted_and_logged_in(own_server, authority, how):
    context = authority.context("localhost")
    with Mailer(auth=True, **{"starttls" if how == "EMAIL_USE_TLS" else "tls": context}) as mailer:
        server = own_server(env=env_of(mailer, authority, **{how: "True"}, **LOGIN))
        register(server)
        mail, = mailer.wait()
        assert mail.token and mailer.logins
        assert ("STARTTLS" in mailer.seen) == (how == "EMAIL_USE_TLS")
        server.end()
        assert PASSWORD not in server.text() and PASSWORD not in (server.logs / "parley.log").read_text()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_each_way_to_log_in(own_server, mechanism):
    with Mailer(auth=True, exclude={"PLAIN", "LOGIN"} - {mechanism}) as mailer:
        register(own_server(env=env_of(mailer, **LOGIN)))
        mailer.wait()
        assert mailer.logins == [mechanism]


@pytest.mark.parametrize("case, words", [
    ("wrong password", r"AUTH: 535"),
    ("no STARTTLS", r"(EHLO|STARTTLS): .*STARTTLS"),
    ("STARTTLS refused", r"STARTTLS: 454"),
    ("nobody vouches", r"certificate"),
    ("another name", r"(localhost|certificate|subject)"),
    ("TLS to a plain server", r"connecting: "),
])
def test_no_mail_leaves(own_server, authority, case, words):
    """and it is said why, nothing is lost, and all is well when the server is"""
    good = authority.context("localhost")
    made = {
        "wrong password": ({"auth": True}, {**LOGIN, "EMAIL_HOST_PASSWORD": "sesame"}, None),
        "no STARTTLS": ({}, {"EMAIL_USE_TLS": "True"}, authority),
        "STARTTLS refused": ({"starttls": good, "STARTTLS": "454 not now"}, {"EMAIL_USE_TLS": "True"}, authority),
        "nobody vouches": ({"starttls": good}, {"EMAIL_USE_TLS": "True"}, None),
        "another name": ({"tls": authority.context("mail.example.org")}, {"EMAIL_USE_SSL": "True"}, authority),
        "TLS to a plain server": ({}, {"EMAIL_USE_SSL": "True"}, authority),
    }
    more, env, ca = made[case]
    with Mailer(**more) as mailer:
        server = own_server(env=env_of(mailer, ca, **env))
        register(server)
        server.wait_line(f"WARNING mail mails cannot be delivered, will try again: .*{words}")
        assert not mailer.mails and "MAIL" not in mailer.seen
        (sealed, attempts, why), = server.query("SELECT sealed IS NOT NULL, attempts, last_error FROM mail_queue")
        assert sealed in ("1", "t") and "sesame" not in server.text() + why


def test_certificates_may_be_left_unchecked(own_server, authority):
    with Mailer(tls=authority.context("mail.example.org")) as mailer:
        server = own_server(env=env_of(mailer, EMAIL_USE_SSL="True"), config=config_with_mail(verify="false"))
        register(server)
        mailer.wait()
        server.wait_line("WARNING mail the certificate of the mail server is not looked at")


def test_a_login_that_nobody_asks_for_is_told(own_server):
    with Mailer() as mailer:
        server = own_server(env=env_of(mailer, **LOGIN))
        register(server)
        mailer.wait()
        server.wait_line("WARNING mail the mail server offers no login: EMAIL_HOST_USER and EMAIL_HOST_PASSWORD are not used")


def test_a_password_in_the_open_is_told(tmp_path):
    server = Server(tmp_path, env={"EMAIL_HOST": "mail.invalid", **LOGIN}).start()
    server.wait_line("WARNING mail the password of the mail server crosses the network unencrypted")
    register(server)
    server.wait_line("WARNING mail mails cannot be delivered, will try again: the name of the mail server, mail.invalid, has no address")
    server.end()
