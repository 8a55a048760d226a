"""contract.md section 2: registration, verification, login, profile."""
import concurrent.futures
import re

import pytest
import requests

from parley import PASSWORD, PATIENCE, Person

PROFILE = {"id", "username", "email", "first_name", "last_name", "is_verified", "date_joined"}
REQUIRED = ["This field is required."]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def fields(name, **changes):
    body = {"first_name": "Ada", "last_name": "Example", "email": f"{name}@example.org", "username": name,
            "password": PASSWORD, "password_confirm": PASSWORD}
    body.update(changes)
    return {k: v for k, v in body.items() if v is not ...}


def register(server, body):
    return requests.post(server.url + "/api/auth/register/", json=body, timeout=PATIENCE)


# ---- register ----
def test_registration_answers_the_profile_and_mails_a_link(server):
    answer = register(server, fields("reg1", email="Reg1@Example.ORG"))
    assert answer.status_code == 201
    assert answer.json()["message"] == "Registration successful. Please check your email to verify your account."
    user = answer.json()["user"]
    assert set(user) == PROFILE
    assert user["email"] == "reg1@example.org" and user["username"] == "reg1" and user["is_verified"] is False
    assert UUID.fullmatch(user["id"]) and TIME.fullmatch(user["date_joined"])
    mail = server.wait_mail("reg1@example.org")
    assert mail["Subject"] == "Verify your email address"
    assert mail.get_content_type() == "multipart/alternative" and mail.get_body(("plain",))
    token = server.token_of("reg1@example.org")
    assert len(token) == 43
    assert token not in answer.text


A = "a"
CASES = [
    ("nothing at all", {}, {k: REQUIRED for k in ("first_name", "last_name", "email", "username", "password", "password_confirm")}),
    ("email is no address", fields("x1", email="nobody"), {"email": ["Enter a valid email address."]}),
    ("email without a dot in the domain", fields("x1", email="a@b"), {"email": ["Enter a valid email address."]}),
    ("email is a number", fields("x1", email=5), {"email": ["Enter a valid email address."]}),
    ("email is a list", fields("x1", email=[]), {"email": ["Enter a valid email address."]}),
    ("email with a line break", fields("x1", email="a@example.org\r\nBcc: b@example.org"), {"email": ["Enter a valid email address."]}),
    ("two addresses", fields("x1", email="a@example.org,b@example.org"), {"email": ["Enter a valid email address."]}),
    ("email too long", fields("x1", email="a" * 64 + "@" + ".".join(["b" * 60] * 4) + ".org"),
     {"email": ["Ensure this field has no more than 254 characters."]}),
    ("email null", fields("x1", email=None), {"email": ["This field may not be null."]}),
    ("email blank", fields("x1", email=" "), {"email": ["This field may not be blank."]}),
    ("username with a space", fields("x1", username="a b"),
     {"username": ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."]}),
    ("username too long", fields("x1", username="a" * 151), {"username": ["Ensure this field has no more than 150 characters."]}),
    ("username blank", fields("x1", username="\u3000"), {"username": ["This field may not be blank."]}),
    ("username boolean", fields("x1", username=True), {"username": ["Not a valid string."]}),
    ("first name null", fields("x1", first_name=None), {"first_name": ["This field may not be null."]}),
    ("first name a number", fields("x1", first_name=1), {"first_name": ["Not a valid string."]}),
    ("first name too long", fields("x1", first_name="é" * 151), {"first_name": ["Ensure this field has no more than 150 characters."]}),
    ("last name with NUL", fields("x1", last_name="a\0b"), {"last_name": ["Null characters are not allowed."]}),
    ("no confirmation", fields("x1", password_confirm=...), {"password_confirm": REQUIRED}),
    ("confirmation differs", fields("x1", password_confirm="other battery"), {"password_confirm": ["Passwords do not match."]}),
    ("mismatch before strength", fields("x1", password="short", password_confirm="other"), {"password_confirm": ["Passwords do not match."]}),
    ("short and common", fields("x1", password="qwerty", password_confirm="qwerty"),
     {"password": ["This password is too short. It must contain at least 8 characters.", "This password is too common."]}),
    ("all digits", fields("x1", password="8364519273", password_confirm="8364519273"), {"password": ["This password is entirely numeric."]}),
    ("common", fields("x1", password="password123", password_confirm="password123"), {"password": ["This password is too common."]}),
    ("like the username", fields("rosalind", password="rosalind1", password_confirm="rosalind1", email="q@example.net"),
     {"password": ["The password is too similar to the username."]}),
    ("password too long", fields("x1", password="p" * 129, password_confirm="p" * 129),
     {"password": ["Ensure this field has no more than 128 characters."], "password_confirm": ["Ensure this field has no more than 128 characters."]}),
    ("strength is not looked at while a field is faulty", fields("x1", password="short", password_confirm="short", email="no"),
     {"email": ["Enter a valid email address."]}),
]


@pytest.mark.parametrize("label,body,errors", CASES, ids=[c[0] for c in CASES])
def test_registration_is_refused(server, label, body, errors):
    answer = register(server, body)
    assert answer.status_code == 400, answer.text
    if label == "password too long":
        assert answer.json()["password"] == errors["password"]
    else:
        assert answer.json() == errors


def test_address_and_name_are_unique_whatever_their_case(server):
    assert register(server, fields("uniq", username="UniqueOne")).status_code == 201
    answer = register(server, fields("uniq2", email="UNIQ@example.org", username="uniqueONE"))
    assert answer.status_code == 400
    assert answer.json() == {"email": ["A user with that email already exists."],
                             "username": ["A user with that username already exists."]}


def test_names_of_any_script_come_back_as_sent(server):
    body = fields("scripts", username="Żółw_東京.1+2-3@x", first_name="<b>Ann</b> \u202e", last_name="  O'Brien\u00a0")
    answer = register(server, body)
    assert answer.status_code == 201, answer.text
    user = answer.json()["user"]
    assert user["username"] == "Żółw_東京.1+2-3@x" and user["first_name"] == "<b>Ann</b> \u202e" and user["last_name"] == "O'Brien"
    assert "東京" in answer.content.decode() and "\\u" not in answer.content.decode()


def test_fields_that_nobody_may_set_have_no_effect(server):
    answer = register(server, fields("mass", is_verified=True, is_staff=True, is_superuser=True, id="x"))
    assert answer.status_code == 201 and answer.json()["user"]["is_verified"] is False


def test_of_racing_registrations_one_wins(server):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: register(server, fields("racer", username=f"racer{i}")), range(8)))
    assert sorted(a.status_code for a in answers) == [201] + [400] * 7
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json() == {"email": ["A user with that email already exists."]}


# ---- verify ----
INVALID = {"detail": "Invalid or expired verification token."}


def verify(server, token, **more):
    return requests.post(f"{server.url}/api/auth/verify-email/{token}/", timeout=PATIENCE, **more)


def test_a_token_verifies_once(server):
    person = server.person("veri1", verified=False)
    token = server.token_of(person.email)
    first = verify(server, token, data=b"\x00not json", headers={"Content-Type": "text/plain"})
    assert (first.status_code, first.json()) == (200, {"message": "Email verified."})
    second = verify(server, token)
    assert second.status_code == 400 and second.json()["detail"] == INVALID["detail"]
    assert person.login().get("/api/auth/profile/").json()["is_verified"] is True


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "%0d%0a", "'", "a" * 3000, "..", "%ff", "1 OR 1=1"])
def test_other_tokens_are_invalid(server, token):
    answer = verify(server, token)
    assert answer.status_code in ((400,) if token != ".." else (400, 404))


def test_of_racing_uses_one_succeeds(server):
    person = server.person("verirace", verified=False)
    token = server.token_of(person.email)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(a.status_code for a in pool.map(lambda _: verify(server, token), range(16)))
    assert statuses == [200] + [400] * 15


def test_the_link_opens_a_page_that_verifies_nothing_until_its_button_is_pressed(server):
    person = server.person("page1", verified=False)
    path = f"/api/auth/verify-email/{server.token_of(person.email)}/"
    page = requests.get(server.url + path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, timeout=PATIENCE)
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
    assert "<form" in page.text and "post" in page.text.lower()
    other = requests.get(server.url + path, timeout=PATIENCE)
    assert other.status_code == 405 and other.headers["Allow"] == "POST, OPTIONS"
    done = requests.post(server.url + path, headers={"Accept": "text/html"}, timeout=PATIENCE)
    assert done.status_code == 200 and done.headers["Content-Type"].startswith("text/html")
    assert person.login().token


def test_an_expired_token_is_invalid(own_server):
    server = own_server(env={"VERIFY_TOKEN_TTL": "1s"})
    person = server.person("late", verified=False)
    token = server.token_of(person.email)
    import time
    time.sleep(1.2)  # the point of the case is that time passes
    answer = verify(server, token)
    assert answer.status_code == 400 and answer.json()["detail"] == INVALID["detail"]


# ---- resend ----
SENT = {"message": "If that address belongs to an unverified account, a mail is on its way."}


def resend(server, body):
    return requests.post(server.url + "/api/auth/resend-verification/", json=body, timeout=PATIENCE)


def test_a_new_token_replaces_the_old_one(server):
    person = server.person("again", verified=False)
    old = server.token_of(person.email)
    answer = resend(server, {"email": "AGAIN@example.org"})
    assert (answer.status_code, answer.json()) == (200, SENT)
    new = server.token_of(person.email, 2)
    assert new != old
    assert verify(server, old).status_code == 400
    assert verify(server, new).status_code == 200


def test_resend_tells_nobody_who_is_registered(server):
    verified = server.person("known")
    for address in ("nobody-here@example.org", verified.email):
        answer = resend(server, {"email": address})
        assert (answer.status_code, answer.json()) == (200, SENT)
    probe = server.person("probe", verified=False)  # its mail comes after those that must not come
    server.wait_mail(probe.email)
    assert len(server.mails("nobody-here@example.org")) == 0
    assert len(server.mails(verified.email)) == 1


@pytest.mark.parametrize("body,text", [({}, "This field is required."), ({"email": "x"}, "Enter a valid email address."),
                                       ({"email": None}, "This field may not be null."), ({"email": ""}, "This field may not be blank.")])
def test_resend_is_refused(server, body, text):
    answer = resend(server, body)
    assert (answer.status_code, answer.json()) == (400, {"email": [text]})


# ---- login ----
def login(server, **body):
    return requests.post(server.url + "/api/auth/login/", json=body, timeout=PATIENCE)


def test_login_gives_a_new_key_each_time(server):
    person = server.person("log1")
    answer = login(server, email="LOG1@Example.org", password=PASSWORD)
    assert answer.status_code == 200
    assert re.fullmatch(r"ply_[A-Za-z0-9_-]{43}", answer.json()["token"])
    assert set(answer.json()["user"]) == PROFILE and answer.json()["user"]["id"] == person.id
    assert answer.json()["token"] != person.token
    assert person.get("/api/auth/profile/").status_code == 200


LOGIN_CASES = [
    ("nothing", {}, 400, {"email": REQUIRED, "password": REQUIRED}),
    ("no address", {"email": "x", "password": "y"}, 400, {"email": ["Enter a valid email address."]}),
    ("unknown", {"email": "unknown@example.org", "password": PASSWORD}, 400,
     {"non_field_errors": ["Unable to log in with provided credentials."]}),
]


@pytest.mark.parametrize("label,body,status,errors", LOGIN_CASES, ids=[c[0] for c in LOGIN_CASES])
def test_login_is_refused(server, label, body, status, errors):
    answer = login(server, **body)
    assert (answer.status_code, answer.json()) == (status, errors)


def test_wrong_password_and_unverified(server):
    person = server.person("log2", verified=False)
    wrong = login(server, email=person.email, password="wrong horse battery")
    assert (wrong.status_code, wrong.json()) == (400, {"non_field_errors": ["Unable to log in with provided credentials."]})
    right = login(server, email=person.email, password=PASSWORD)
    assert right.status_code == 403 and right.json()["detail"] == "Email address is not verified."


def test_passwords_are_not_trimmed(server):
    answer = register(server, fields("spaces", password=" spaced battery ", password_confirm=" spaced battery "))
    assert answer.status_code == 201
    verify(server, server.token_of("spaces@example.org"))
    assert login(server, email="spaces@example.org", password="spaced battery").status_code == 400
    assert login(server, email="spaces@example.org", password=" spaced battery ").status_code == 200


def test_a_huge_password_is_refused_before_hashing(server):
    answer = login(server, email="a@example.org", password="p" * 900_000)
    assert answer.status_code == 400


# ---- profile and keys ----
def test_profile_is_the_object_itself(server):
    person = server.person("prof")
    answer = person.get("/api/auth/profile/")
    assert answer.status_code == 200 and answer.json() == {**person.user, "is_verified": True}


KEYS = [
    (None, "Authentication credentials were not provided."),
    ("Basic x", "Authentication credentials were not provided."),
    ("Token", "Invalid token header. No credentials provided."),
    ("Token a b", "Invalid token header. Token string should not contain spaces."),
    ("Token \u00e9\u00e9", "Invalid token header. Token string should not contain invalid characters."),
    ("Token nope", "Invalid token."),
    ("Bearer nope", "Invalid token."),
    ("Token ply_" + "A" * 43, "Invalid token."),
]


@pytest.mark.parametrize("header,text", KEYS, ids=[str(k[0]) for k in KEYS])
def test_keys_that_open_nothing(server, header, text):
    headers = {"Authorization": header.encode("utf-8")} if header else {}
    answer = requests.get(server.url + "/api/auth/profile/", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 401 and answer.json()["detail"] == text
    assert answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Bearer", "bearer"])
def test_schemes(server, scheme):
    person = server.person()
    answer = requests.get(server.url + "/api/auth/profile/", headers={"Authorization": f"{scheme} {person.token}"}, timeout=PATIENCE)
    assert answer.status_code == 200


def test_open_routes_ignore_the_header(server):
    assert requests.get(server.url + "/api/", headers={"Authorization": "Token nope"}, timeout=PATIENCE).status_code == 200
    answer = requests.post(server.url + "/api/auth/login/", json={}, headers={"Authorization": "Token nope"}, timeout=PATIENCE)
    assert answer.status_code == 400


def test_a_key_in_the_query_does_not_count(server):
    person = server.person()
    assert server.anonymous().get(f"/api/auth/profile/?token={person.token}").status_code == 401


def test_outbox_page_shows_the_mail_to_people_on_this_machine_only(server):
    person = server.person("outb", verified=False)
    server.wait_mail(person.email)
    page = requests.get(server.url + "/outbox/", headers={"Accept": "text/html"}, timeout=PATIENCE)
    assert page.status_code == 200 and "Verify your email address" in page.text and person.email in page.text
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "example.org"}):
        assert requests.get(server.url + "/outbox/", headers=headers, timeout=PATIENCE).status_code in (400, 404)
