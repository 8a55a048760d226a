"""The plugin redis: exact limits in one Redis for several servers, logging in, doing without it and coming back."""
import concurrent.futures
import re
import subprocess
import time

import pytest
import requests

from parley import BUILD, PATIENCE, wait_until
from redis import Redis, config_with_redis

pytestmark = pytest.mark.one_database("plugin redis")

AWAY = r"Redis 127\.0\.0\.1:\d+/0 is away: "
THERE = r"Redis 127\.0\.0\.1:\d+/0 is there"


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def servers(own_server, redis):
    """servers(env) -> a server on `redis` that is connected with it"""
    def make(env=None, there=True, workers=1, url=None, **options):
        server = own_server(config=config_with_redis(workers, **options), env={"REDIS_URL": url or redis.url, **(env or {})})
        if there:
            wait_until("both to be connected", lambda: len([l for l in server.output if re.search(THERE, l)]) == workers)
        return server
    return make


def api(server):
    return requests.get(server.url + "/api/", timeout=PATIENCE)


def race(servers, n):
    """n anonymous requests at once, spread over the servers: how many passed"""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda i: api(servers[i % len(servers)]).status_code, range(n)))
    assert set(statuses) <= {200, 429}, statuses
    return statuses.count(200)


def test_two_servers_share_exact_limits(servers, redis):
    env = {"THROTTLE_ANON": "20/hour"}
    one, two = servers(env), servers(env)
    assert race([one, two], 100) == 20
    refused = api(two)
    assert refused.status_code == 429
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    keys = redis.command("KEYS", "parley:l:*")
    assert len(keys) == 1 and keys[0].startswith(b"parley:l:throttle:anonymous:"), keys
    assert redis.command("LLEN", keys[0]) == 20
    assert 3500_000 < redis.command("PTTL", keys[0]) <= 3600_002


def test_the_workers_of_one_server_share_limits(servers):
    assert race([servers({"THROTTLE_ANON": "15/hour"}, workers=2)], 60) == 15


def test_a_refusal_counts_in_the_other_limits(servers, redis):
    server = servers({"THROTTLE_USER": "6/hour", "THROTTLE_MESSAGE": "2/hour"})
    ada = server.person()
    room = ada.room()  # 1 of 6
    path = f"/api/chat/rooms/{room['id']}/send/"
    answers = [ada.post(path, {"content": "x"}) for _ in range(6)]
    assert [a.status_code for a in answers] == [201, 201, 429, 429, 429, 429]
    assert [a.headers["RateLimit"].split(";")[1] for a in answers] == [f"r={n}" for n in (4, 3, 2, 1, 0, 0)]
    assert sorted(redis.command("LLEN", k) for k in redis.command("KEYS", "parley:l:*")) == [2, 6]


def test_the_window_slides(servers, redis):
    server = servers({"THROTTLE_ANON": "3/second"})
    passed = []
    end = time.monotonic() + 3
    while time.monotonic() < end:
        before = time.monotonic()
        if api(server).status_code == 200:
            passed.append((before, time.monotonic()))
    assert len(passed) >= 6
    for i in range(len(passed) - 3):  # four passes need more than the window, however they lie
        assert passed[i + 3][1] - passed[i][0] > 1


def seed(redis, *seconds):
    """the passes of 127.0.0.1, so many seconds from now"""
    now, micro = map(int, redis.command("TIME"))
    for one in seconds:
        redis.command("RPUSH", "parley:l:throttle:anonymous::127.0.0.1", (now + one) * 1000000 + micro)


def test_a_limit_that_was_lowered(servers, redis):
    server = servers({"THROTTLE_ANON": "4/minute"})
    seed(redis, -61, -50, -45, -40, -35, -30, -25)
    answer = api(server)  # three remain when the one of -40 has left
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) in (19, 20)
    assert int(answer.headers["X-RateLimit-Reset"]) in (9, 10)


def test_a_clock_that_was_set_back(servers, redis):
    server = servers({"THROTTLE_ANON": "3/minute"})
    seed(redis, -70, 30)
    assert [api(server).status_code for _ in range(3)] == [200, 200, 429]
    assert int(api(server).headers["Retry-After"]) in (59, 60)  # time stands still until it is there again


def test_a_forgotten_script_is_sent_again(servers, redis):
    server = servers({"THROTTLE_ANON": "5/hour"})
    assert api(server).status_code == 200
    redis.command("SCRIPT", "FLUSH")
    assert api(server).status_code == 200
    assert redis.command("LLEN", redis.command("KEYS", "parley:l:*")[0]) == 2
    assert "is away" not in server.text() and "does not count" not in server.text()


@pytest.mark.parametrize("lines,login,url", [
    (["requirepass se:cr@t"], ["AUTH", "se:cr@t"], "redis://:se:cr%40t@127.0.0.1:{}/0"),
    (["user parley on >s3cret ~parley:* &parley:* +@all -@dangerous"], [], "redis://parley:s3cret@127.0.0.1:{}/0"),
    (["user parley on >s3cret ~parley:* &parley:* +@scripting +@list +@string +@pubsub +@connection +@keyspace +time -script"], [],
     "redis://parley:s3cret@localhost:{}/0"),
    ([], [], "redis://127.0.0.1:{}/3"),
])
def test_logging_in(own_server, tmp_path, lines, login, url):
    with Redis(tmp_path / "redis", *lines) as redis:
        redis.login = login
        server = own_server(config=config_with_redis(), env={"REDIS_URL": url.format(redis.port), "THROTTLE_ANON": "2/hour"})
        server.wait_line(r"Redis \S+ is there")
        assert [api(server).status_code for _ in range(3)] == [200, 200, 429]
        assert "does not count" not in server.text()
        assert redis.command("INFO", "keyspace").count(b"db") == 1
        assert (b"db3:" in redis.command("INFO", "keyspace")) == url.endswith("/3")


def test_a_wrong_password_is_told_and_never_shown(own_server, tmp_path):
    with Redis(tmp_path / "redis", "requirepass s3same") as redis:
        redis.login = ["AUTH", "s3same"]
        server = own_server(config=config_with_redis(), env={"REDIS_URL": f"redis://:hunter2@127.0.0.1:{redis.port}",
                                                             "THROTTLE_ANON": "2/hour"})
        server.wait_line(AWAY + "WRONGPASS")
        assert [api(server).status_code for _ in range(3)] == [200, 200, 429]
        redis.command("CONFIG", "SET", "requirepass", "hunter2")
        server.wait_line(r"is there again; 3 times limits were counted without it")
        assert api(server).status_code == 200  # Redis has counted none of them
        assert "hunter2" not in server.text() and "s3same" not in server.text()


@pytest.mark.parametrize("url,why", [
    ("rediss://127.0.0.1", "TLS"), ("http://127.0.0.1", "redis://"), ("redis://127.0.0.1:99999", "port"),
    ("redis://user@127.0.0.1", "password"), ("redis://a,redis://a:6379/0", "twice"), ("redis://a/x?ssl=1", "options"),
])
def test_wrong_urls(tmp_path, url, why):
    file = tmp_path / "parley.yaml"
    file.write_text(config_with_redis())
    done = subprocess.run([BUILD / "parley", "check", "--config", file], capture_output=True, text=True,
                          env={"REDIS_URL": url, "PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path / "var")})
    assert done.returncode == 78 and why in done.stderr and re.search(r":\d+:.*plugins\.redis\.urls", done.stderr), done.stderr


def test_without_redis_and_back(servers, redis):
    server = servers({"THROTTLE_ANON": "4/hour"})
    assert [api(server).status_code for _ in range(2)] == [200, 200]
    redis.stop()
    server.wait_line(AWAY)
    assert [api(server).status_code for _ in range(5)] == [200, 200, 200, 200, 429]  # the worker's own count
    assert requests.get(server.url + "/readyz", timeout=PATIENCE).status_code == 200
    redis.start()
    server.wait_line(THERE + " again; 5 times")
    assert [api(server).status_code for _ in range(5)] == [200, 200, 200, 200, 429]  # a fresh Redis
    assert len([l for l in server.output if re.search(AWAY, l)]) == 1


def test_a_server_that_starts_without_redis(servers, redis):
    redis.stop()
    server = servers({"THROTTLE_ANON": "2/hour"}, there=False)
    server.wait_line(AWAY + "Connection refused")
    assert [api(server).status_code for _ in range(3)] == [200, 200, 429]
    redis.start()
    server.wait_line(THERE)
    assert [api(server).status_code for _ in range(3)] == [200, 200, 429]


def test_a_frozen_redis_delays_but_loses_nothing(servers, redis):
    server = servers({"THROTTLE_ANON": "30/hour"})
    redis.freeze()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: api(server).status_code, range(10)))
    assert statuses == [200] * 10
    server.wait_line(AWAY + "it does not answer in time")
    begin = time.monotonic()
    assert api(server).status_code == 200
    assert time.monotonic() - begin < 0.9  # nobody waits for it any more
    redis.thaw()
    server.wait_line(THERE + " again; 11 times")
    assert api(server).status_code == 200


def test_a_redis_that_will_not_count(servers, redis):
    server = servers({"THROTTLE_ANON": "3/hour"})
    redis.command("CONFIG", "SET", "maxmemory", "1")
    assert [api(server).status_code for _ in range(4)] == [200, 200, 200, 429]
    server.wait_line(r"does not count limits: (-)?OOM|does not count limits: ERR .*OOM")
    redis.command("CONFIG", "SET", "maxmemory", "0")
    assert api(server).status_code == 200
    server.wait_line(r"counts limits again; 4 times")


def test_keys_are_spread_over_several(own_server, tmp_path):
    with Redis(tmp_path / "a") as a, Redis(tmp_path / "b") as b:
        server = own_server(config=config_with_redis(), env={"REDIS_URL": f"{a.url},{b.url}", "THROTTLE_ANON": "2/hour",
                                                             "TRUSTED_PROXIES": "127.0.0.0/8"})
        wait_until("both", lambda: len([l for l in server.output if re.search(THERE, l)]) == 2)

        def get(i):
            return requests.get(server.url + "/api/", headers={"X-Forwarded-For": f"10.0.0.{i}"}, timeout=PATIENCE).status_code
        assert [get(i) for i in range(40) for _ in range(3)] == [200, 200, 429] * 40
        counts = [one.command("DBSIZE") for one in (a, b)]
        assert sum(counts) == 40 and min(counts) >= 5, counts
        b.stop()  # its keys are counted by the worker, the others still in Redis
        server.wait_line(AWAY)
        assert [get(i) for i in range(40) for _ in range(3)].count(200) == 2 * counts[1]
