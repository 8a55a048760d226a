"""The conversation of the original application's README, word for word, with curl and a WebSocket client; then a restart
after which the history is still there."""
import asyncio
import json
import subprocess

import pytest
import websockets

from parley import PATIENCE, wait_until

REGISTER = """curl -X POST http://localhost:8000/api/auth/register/ \\
  -H "Content-Type: application/json" \\
  -d '{
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@example.com",
    "username": "johndoe",
    "password": "securepassword123",
    "password_confirm": "securepassword123"
  }'"""
LOGIN = """curl -X POST http://localhost:8000/api/auth/login/ \\
  -H "Content-Type: application/json" \\
  -d '{
    "email": "john@example.com",
    "password": "securepassword123"
  }'"""
CREATE_ROOM = """curl -X POST http://localhost:8000/api/chat/rooms/ \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Token <your-token>" \\
  -d '{
    "name": "My Chat Room",
    "participant_emails": ["user2@example.com"]
  }'"""
SEND = """curl -X POST http://localhost:8000/api/chat/rooms/<room-id>/send/ \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Token <your-token>" \\
  -d '{
    "content": "Hello, World!"
  }'"""


@pytest.fixture
def server(own_server):
    return own_server()


def shell(server, line, **words):
    """Runs a line of the README with its <words> filled in; the JSON that came back."""
    line = line.replace("http://localhost:8000", server.url)
    for word, value in words.items():
        line = line.replace(f"<{word.replace('_', '-')}>", value)
    done = subprocess.run(["sh", "-c", line + " --silent --show-error --fail-with-body"], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def join(server, register=REGISTER, login=LOGIN, address="john@example.com"):
    """register, click the link of the mail, log in"""
    assert shell(server, register)["user"]["is_verified"] is False
    token = server.token_of(address)
    shell(server, "curl -X POST http://localhost:8000/api/auth/verify-email/<token>/", token=token)
    return shell(server, login)["token"]


async def listen_and_talk(server, room, john, second):
    """Both sockets get what either says; typing reaches the other one only."""
    address = f"ws://127.0.0.1:{server.port}/ws/chat/{room}/"
    async with websockets.connect(address, extra_headers={"Authorization": f"Token {john}"}) as one, \
            websockets.connect(address, extra_headers={"Authorization": f"Token {second}"}) as two:
        sent = await asyncio.to_thread(shell, server, SEND, room_id=room, your_token=john)
        for socket in (one, two):
            got = await read(socket, "chat_message")
            assert got["content"] == "Hello, World!" and got["id"] == sent["id"]
        await two.send(json.dumps({"type": "typing"}))
        assert (await read(one, "typing"))["user"]["username"] == "user2"
        await two.send(json.dumps({"type": "chat_message", "content": "Hello from WebSocket!"}))
        for socket in (one, two):
            got = await read(socket, "chat_message")
            assert got["content"] == "Hello from WebSocket!" and got["sender"]["username"] == "user2"


async def read(socket, kind):
    while True:
        got = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if got["type"] == kind:
            return got


def history(server, room, token):
    page = shell(server, 'curl http://localhost:8000/api/chat/rooms/<room-id>/messages/ -H "Authorization: Token <your-token>"',
                 room_id=room, your_token=token)
    return [(m["sender"]["username"], m["content"]) for m in page["results"]]


def test_conversation_of_the_original_readme(server):
    john = join(server)
    second = join(server, REGISTER.replace("john@example.com", "user2@example.com").replace("johndoe", "user2"),
                  LOGIN.replace("john@example.com", "user2@example.com"), "user2@example.com")
    room = shell(server, CREATE_ROOM, your_token=john)
    assert room["name"] == "My Chat Room"
    assert {p["email"] for p in room["participants"]} == {"john@example.com", "user2@example.com"}
    asyncio.run(listen_and_talk(server, room["id"], john, second))
    said = [("user2", "Hello from WebSocket!"), ("johndoe", "Hello, World!")]
    assert history(server, room["id"], second) == said

    server.end()
    server.start()
    assert history(server, room["id"], john) == said
    last = f"method=GET path='/api/chat/rooms/{room['id']}/messages/' user=john@example.com"
    log = wait_until("the last line", lambda: last in (text := (server.logs / "api.log").read_text()) and text)
    assert "method=POST path='/api/auth/register/' user=anonymous" in log
    for secret in (john, second, "securepassword123", "Hello, World!"):
        assert secret not in log
