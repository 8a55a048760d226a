/* client.test.mjs -- clients/js in Node against the server: sockets are cut, workers die, sessions end, and what was sent is
 * there once, in order, and told once to everybody. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { ApiError, Client, Timeline } from "../../clients/js/src/index.js";
import { PASSWORD, Server, until } from "./rig.mjs";

let server, ada, bob;

before(async () => {
    server = await Server.start();
    [ada, bob] = await Promise.all([server.person("ada"), server.person("bob")]);
});
after(() => server?.end());

const numbers = (n, word) => Array.from({ length: n }, (_, i) => `${word} ${i}`);
const isOpen = (room) => until(`${room.id} to be open`, () => room.state === "open");

/* Sockets that break: after each `every`-th frame out (it has arrived, its ack has not) and each `every`-th frame in (it is
 * lost). */
function breaking(every) {
    return class extends WebSocket {
        static out = 0;
        static in = 0;
        static cuts = 0;

        cut() {
            this.constructor.cuts++;
            this.terminate();
        }

        send(text) {
            super.send(text, () => ++this.constructor.out % every === 0 && this.cut());
        }

        set onmessage(fn) {
            super.onmessage = fn && ((event) => (++this.constructor.in % every === 0 ? this.cut() : fn(event)));
        }
    };
}

function clientOf(person, more = {}) {
    const client = new Client({ url: server.url, token: person.token, WebSocket, ...more });

    client.heard = [];
    client.on("event", (frame) => client.heard.push(frame));
    return client;
}

/* Pauses are for servers that are not well. */
function impatient(client) {
    client.on("state", ({ state }) => state === "waiting" && setImmediate(() => client.hurry()));
    return client;
}

async function logOf(person, room) {
    const found = [];
    let page;

    do {
        page = await person.api("GET", `/api/chat/rooms/${room.id}/events/?limit=200&after_seq=${found.length}`);
        found.push(...page.results);
    } while (page.next);
    return found;
}

async function assertSame(room, ...clients) {
    const log = await logOf(ada, room);

    assert.deepEqual(log.map((frame) => frame.seq), log.map((_, i) => i + 1));
    for (const client of clients) {
        await until("all of the log", () => client.heard.length >= log.length);
        assert.deepEqual(client.heard, log);
        client.close();
    }
    return log.filter((frame) => frame.type === "chat_message");
}

test("sockets break all the time: each message is there once, in order, and told once", async () => {
    const room = await ada.room("Cut", bob);
    const people = [ada, bob].map((person) => {
        const client = impatient(clientOf(person, { WebSocket: breaking(person === ada ? 7 : 5) }));

        return { person, client, room: client.room(room.id) };
    });

    await Promise.all(people.map((one) => isOpen(one.room)));
    const sent = await Promise.all(people.map((one) => Promise.all(numbers(100, one.person.username).map((text) => one.room.send(text).done))));
    const messages = await assertSame(room, ...people.map((one) => one.client));

    assert.equal(messages.length, 200);
    people.forEach(({ person, client }, i) => {
        const own = messages.filter((one) => one.sender.id === person.id);

        assert.deepEqual(own.map((one) => one.content), numbers(100, person.username));
        assert.deepEqual(own.map((one) => [one.id, one.seq]), sent[i].map((one) => [one.id, one.seq]));
        assert.ok(client.WebSocket.cuts >= 20, `${client.WebSocket.cuts} cuts`);
    });
});

test("workers are killed while somebody sends", async () => {
    const room = await ada.room("Killed", bob);
    const clients = [clientOf(ada), clientOf(bob)].map(impatient);
    const [from, to] = clients.map((client) => client.room(room.id));

    await Promise.all([isOpen(from), isOpen(to)]);
    for (let round = 0; round < 4; round++) {
        const entries = numbers(20, `round ${round}`).map((text) => from.send(text));

        await entries[5].done;
        server.killWorkers();
        await Promise.all(entries.map((entry) => entry.done));
    }
    const messages = await assertSame(room, ...clients);

    assert.deepEqual(messages.map((one) => one.content), [0, 1, 2, 3].flatMap((round) => numbers(20, `round ${round}`)));
});

/* A room with so many messages, said over REST, `ways` at a time. */
async function filled(name, n, ways = 10) {
    const room = await ada.room(name, bob);
    const say = async (way) => {
        for (let i = way; i < n; i += ways) {
            await ada.say(room, `message ${i}`);
        }
    };

    await Promise.all(Array.from({ length: ways }, (_, way) => say(way)));
    return room;
}

/* cursors as an application would keep them */
function kept(places = new Map()) {
    return { places, load: async (id) => places.get(id) ?? null, save: (id, place) => places.set(id, place) };
}

test("whoever was away for a thousand messages goes on where he was, also in another process", async () => {
    const cursors = kept();
    const first = clientOf(bob, { cursors });
    const room = await ada.room("Away", bob);

    await isOpen(first.room(room.id));
    await ada.say(room, "the last one heard");
    await until("it to be heard", () => first.heard.length === 1);
    first.close();
    for (let way = 0; way < 1200; way += 12) {
        await Promise.all(numbers(12, way).map((text) => ada.say(room, text)));
    }
    const doomed = await ada.say(room, "not for long");

    await ada.api("DELETE", `/api/chat/messages/${doomed.id}/`);
    const second = clientOf(bob, { cursors });

    await isOpen(second.room(room.id));
    const log = await logOf(ada, room);

    assert.equal(log.length, 1203);
    assert.deepEqual(second.heard, log.slice(1));
    assert.deepEqual(cursors.places.get(room.id), { epoch: log[0].epoch, seq: 1203 });
    second.close();
});

test("a place that is none of the log: what was said is read, once, even if the reading is cut off", async () => {
    const room = await filled("Resync", 450);
    const wanted = numbers(450, "message").sort();
    let pages = 0;
    const broken = (url, options) => (url.includes("after_seq") && ++pages === 2 ? Promise.reject(new TypeError("cut off")) : fetch(url, options));
    const client = impatient(clientOf(bob, { fetch: broken }));
    const told = [];

    client.on("resync", (detail) => told.push(detail));
    const one = client.room(room.id, { epoch: "0123456789abcdef", seq: 5 });

    await isOpen(one);
    assert.deepEqual(client.heard.map((frame) => frame.content).sort(), wanted);
    assert.deepEqual(client.heard.map((frame) => frame.seq), wanted.map((_, i) => i + 1));
    assert.ok(client.heard.every((frame) => frame.recovered));
    assert.equal(pages, 4); /* one was lost, and none was read twice */
    assert.deepEqual(told.map(({ reason, from, seq }) => [reason, from.seq, seq]), [["epoch_changed", 5, 450], ["epoch_changed", 5, 450]]);
    await ada.say(room, "live again");
    await until("it to be heard", () => client.heard[450]?.content === "live again" && !client.heard[450].recovered);
    client.close();

    /* Whoever reads for himself is told, and no more. */
    const other = clientOf(bob, { readsResync: false });
    const ahead = other.room(room.id, { ...one.place, seq: 1000 });

    await isOpen(ahead);
    assert.deepEqual([other.heard, ahead.place], [[], one.place]);
    other.close();
});

test("what ends a room for good", async () => {
    const [gone, left, open] = [await ada.room("Gone", bob), await ada.room("Left", bob), await ada.room("Open", bob)];
    let refusals = 0;
    const session = await new Client({ url: server.url, WebSocket }).api.login(bob.email, PASSWORD);
    const client = clientOf(session, { onUnauthorized: () => refusals++ });
    const ends = new Map();
    const rooms = [gone, left, open, { id: "019a1b2c-0000-7000-8000-0000000000c3" }].map((room) => client.room(room.id));

    client.on("state", ({ state, code }, room) => state === "over" && ends.set(room, code));
    await Promise.all(rooms.slice(0, 3).map(isOpen));
    await until("the unknown one to end", () => ends.get(rooms[3]) === 4404);
    await ada.api("DELETE", `/api/chat/rooms/${gone.id}/`);
    await ada.api("DELETE", `/api/chat/rooms/${left.id}/participants/${bob.id}/`);
    await until("both to end", () => ends.get(rooms[0]) === 4404 && ends.get(rooms[1]) === 4403);
    await assert.rejects(rooms[1].send("too late").done, { code: "closed" });
    await client.api.logout();
    await until("the session to end", () => ends.get(rooms[2]) === 4401);
    await assert.rejects(client.api.profile(), (error) => error instanceof ApiError && error.status === 401);
    assert.equal(refusals, 1);
    const again = client.room(open.id);

    await until("it not to begin", () => ends.get(again) === 4401);
    client.close();
});

test("what the server refuses fails, and what comes behind it does not", async () => {
    const room = await ada.room("Refused");
    const client = clientOf(ada);
    const one = client.room(room.id);
    const failed = [];

    client.on("failed", ({ entry }) => failed.push(entry));
    const entries = ["fine", "x".repeat(5001), " ", "fine, too"].map((text) => one.send(text));

    assert.deepEqual((await Promise.allSettled(entries.map((entry) => entry.done))).map((end) => end.status), ["fulfilled", "rejected", "rejected", "fulfilled"]);
    assert.deepEqual(failed, [entries[1], entries[2]]);
    assert.deepEqual(entries[1].error, { code: "invalid", detail: "Invalid message.", errors: { content: ["Ensure this field has no more than 5000 characters."] } });
    entries[1].content = "short";
    one.outbox.retry(entries[1].id);
    one.outbox.discard(entries[2].id);
    await entries[1].done;

    /* The same id for other words is no repeat. */
    await assert.rejects(one.send("other words", { client_msg_id: entries[0].id }).done, { code: "idempotency_mismatch" });
    assert.equal((await one.send("fine", { client_msg_id: entries[3].id }).done.catch((error) => error)).code, "idempotency_mismatch");
    assert.equal((await one.send("fine", { client_msg_id: entries[0].id }).done).id, entries[0].message.id);
    assert.deepEqual(client.heard.map((frame) => frame.content), ["fine", "fine, too", "short"]);
    client.close();
});

test("whoever is too fast waits, and loses nothing", async () => {
    const strict = await Server.start({ THROTTLE_MESSAGE: "2/second" });
    const eve = await strict.person("eve");
    const room = await eve.room("Fast");
    const client = clientOf(eve, { url: strict.url });
    const waited = new Set();

    client.on("pending", ({ entry }) => entry.retryAt > 0 && waited.add(entry.id));
    await Promise.all(numbers(5, "word").map((text) => client.room(room.id).send(text).done));
    assert.deepEqual(client.heard.map((frame) => frame.content), numbers(5, "word"));
    assert.ok(waited.size >= 1);
    client.close();
    await strict.end();
});

test("a timeline: the newest page, older ones, what comes and goes", async () => {
    const room = await filled("Timeline", 120);
    const client = clientOf(bob, { readsResync: false });
    const one = client.room(room.id);
    const timeline = new Timeline(one);
    const seqs = () => timeline.messages.map((message) => message.seq);
    const from = (low, high) => Array.from({ length: high - low }, (_, i) => low + i);

    await until("the newest page", () => timeline.isRead);
    assert.deepEqual([seqs(), timeline.hasAll], [from(71, 121), false]);
    await timeline.older();
    const sent = one.send("mine");

    assert.deepEqual(timeline.outgoing, [sent]);
    await ada.api("DELETE", `/api/chat/messages/${timeline.newest.id}/`);
    await timeline.older();
    await sent.done;
    await until("all of it", () => timeline.newest.content === "mine" && seqs().length === 120);
    assert.deepEqual([seqs(), timeline.outgoing, timeline.hasAll], [[...from(1, 120), timeline.newest.seq], [], true]);

    /* The log is another one: forgotten, and read anew. */
    one.place = { ...one.place, epoch: "0123456789abcdef" };
    client.drop();
    client.hurry();
    await until("it to be forgotten and read", () => timeline.isRead && !timeline.hasAll);
    assert.equal(timeline.newest.content, "mine");
    timeline.end();
    client.close();
});
