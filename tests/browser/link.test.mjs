/* link.test.mjs -- a socket that is kept open, by a clock and a WebSocket of the test's own: pauses, life signs, and what
 * the server never does but the network may. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { backoffMs, Client } from "../../clients/js/src/index.js";

const clock = { now: 0, timers: new Map(), n: 0 };
const real = { setTimeout, clearTimeout, random: Math.random, now: Date.now };
let sockets;

class FakeSocket {
    constructor(url) {
        this.url = url;
        this.readyState = 0;
        this.sent = [];
        sockets.push(this);
    }

    send(text) {
        this.sent.push(JSON.parse(text));
    }

    close() {
        this.readyState = 3;
    }

    open(...frames) {
        this.readyState = 1;
        this.onopen();
        this.tell(...frames);
    }

    tell(...frames) {
        frames.forEach((frame) => this.onmessage?.({ data: JSON.stringify(frame) }));
    }

    end(code) {
        this.readyState = 3;
        this.onclose({ code });
    }
}

beforeEach(() => {
    sockets = [];
    clock.timers.clear();
    globalThis.setTimeout = (fn, ms) => {
        clock.timers.set(++clock.n, { at: clock.now + ms, fn });
        return clock.n;
    };
    globalThis.clearTimeout = (id) => clock.timers.delete(id);
    Math.random = () => 0.999;
    Date.now = () => clock.now;
});
afterEach(() => {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Math.random = real.random;
    Date.now = real.now;
});

const settled = () => new Promise(setImmediate);

async function pass(ms) {
    clock.now += ms;
    for (const [id, { at, fn }] of [...clock.timers]) {
        if (at <= clock.now && clock.timers.delete(id)) {
            fn();
        }
    }
    await settled();
}

const hello = { type: "hello", user: { id: "me" } };
const subscribed = (seq) => ({ type: "subscribed", room: "r", epoch: "e", seq });
const resumed = { type: "resumed", room: "r" };
const event = (seq) => ({ type: "chat_message", room: "r", id: `id${seq}`, seq, epoch: "e", sender: { id: "other" }, content: `m${seq}` });

async function started(more = {}) {
    const client = new Client({ url: "http://chat.example", WebSocket: FakeSocket, fetch: () => Promise.reject(new TypeError("away")), ...more });
    const room = client.room("r");
    const heard = [];

    room.on("event", ({ seq }) => heard.push(seq));
    await settled();
    return { client, room, heard };
}

test("pauses: anything up to a bound that doubles", () => {
    for (const [tries, most] of [[0, 500], [1, 1000], [3, 4000], [6, 30000], [1000, 30000]]) {
        assert.deepEqual([backoffMs(tries, undefined, 0), backoffMs(tries, undefined, 0.5), backoffMs(tries, undefined, 1)], [0, most / 2, most]);
    }
    assert.equal(backoffMs(2, { min_ms: 10, max_ms: 35 }, 1), 35);
});

test("the server's hello says how long they are; a steady socket makes them short again", async () => {
    const { room } = await started();
    const pauses = [];
    const lose = async () => {
        sockets[sockets.length - 1].end(1006);
        await settled();
        const n = sockets.length;
        let ms = 0;

        for (; sockets.length === n; ms += 100) {
            await pass(100);
        }
        pauses.push(ms);
    };
    const open = (then) => sockets[sockets.length - 1].open({ ...hello, reconnect: { min_ms: 2000, max_ms: 5000, jitter: "full" } }, then);

    await lose(); /* before any hello: ours */
    open(subscribed(0));
    assert.equal(room.state, "open");
    await lose();
    open(resumed);
    await lose();
    open(resumed);
    await pass(11000);
    await lose();
    assert.deepEqual(pauses, [500, 4000, 5000, 2000]);
});

test("the code of the close says whether to come back", async () => {
    for (const [code, isOver] of [[1000, false], [1001, false], [1006, false], [1011, false], [4000, false], [4001, false], [4399, false],
        [4400, true], [4401, true], [4403, true], [4404, true], [4499, true], [4500, false]]) {
        const { room } = await started();

        sockets[sockets.length - 1].open(hello, subscribed(0));
        sockets[sockets.length - 1].end(code);
        await settled();
        assert.equal(room.state, isOver ? "over" : "waiting", String(code));
    }
});

test("a silent socket is asked, and given up if it does not answer", async () => {
    const { room } = await started();
    const [socket] = sockets;

    socket.open(hello, subscribed(0));
    socket.sent = [];
    await pass(30000);
    assert.deepEqual(socket.sent, [{ type: "ping" }]);
    socket.tell({ type: "pong" });
    await pass(29000);
    assert.equal(socket.sent.length, 1);
    await pass(1000);
    assert.equal(socket.sent.length, 2);
    await pass(10000);
    assert.deepEqual([room.state, socket.readyState], ["waiting", 3]);
});

test("a server that goes and does not close is left", async () => {
    const { room } = await started();

    sockets[0].open(hello, subscribed(0), { type: "going_away", in_ms: 3000 });
    await pass(12000);
    assert.equal(room.state, "open");
    await pass(1000);
    assert.equal(room.state, "waiting");
});

test("repeats are dropped; a hole is asked for, not jumped over", async () => {
    const { room, heard } = await started();

    const [socket] = sockets;

    socket.open(hello, subscribed(3), event(4), event(4), event(3), event(5), event(7), event(8));
    const asked = { type: "subscribe", rooms: { r: { after: 5, epoch: "e" } } };

    assert.deepEqual([heard, room.state, socket.sent], [[4, 5], "catching up", [{ type: "subscribe", rooms: { r: {} } }, asked]]);
    socket.tell(event(9), event(6), event(7), event(8), event(9), resumed, event(9), event(10));
    assert.deepEqual([heard, room.state, room.place], [[4, 5, 6, 7, 8, 9, 10], "open", { epoch: "e", seq: 10 }]);
    socket.tell({ ...event(11), epoch: "f" }); /* of a log that we do not know */
    assert.deepEqual([heard.length, room.state, socket.sent.length], [7, "catching up", 3]);
});

test("a room that the socket cannot have now is asked for again; one that ends does not take the socket along", async () => {
    const { client, room, heard } = await started();
    const other = client.room("s");
    const ends = [];
    const [socket] = sockets;
    const last = () => socket.sent[socket.sent.length - 1];

    client.on("state", ({ state, code }, { id }) => state === "over" && ends.push([id, code]));
    await settled();
    socket.open(hello, subscribed(1), { type: "error", room: "s", code: "unavailable", detail: "Later." });
    assert.deepEqual([room.state, other.state, Object.keys(socket.sent[0].rooms)], ["open", "waiting", ["r", "s"]]);
    await pass(500);
    assert.deepEqual([last(), other.state], [{ type: "subscribe", rooms: { s: {} } }, "connecting"]);
    socket.tell({ ...subscribed(0), room: "s" }, event(2), { type: "unsubscribed", room: "r", code: 4004, reason: "resync_required" });
    assert.deepEqual([room.state, other.state], ["waiting", "open"]);
    await pass(500);
    assert.deepEqual(last(), { type: "subscribe", rooms: { r: { after: 2, epoch: "e" } } });
    socket.tell(event(3), resumed, { type: "unsubscribed", room: "s", code: 4403, reason: "removed" });
    await settled();
    assert.deepEqual([heard, room.state, other.state, ends], [[2, 3], "open", "over", [["s", 4403]]]);
    const again = client.room("s");

    await settled();
    other.leave(); /* it is over: that does not end its successor */
    socket.tell({ ...subscribed(7), room: "s" });
    assert.deepEqual([again.state, client.room("s") === again], ["open", true]);
    again.leave();
    ends.pop();
    socket.onmessage({ data: "null" });
    socket.onmessage({ data: "no JSON" });
    room.leave();
    assert.deepEqual([last(), sockets.length], [{ type: "unsubscribe", rooms: ["r"] }, 1]);
    socket.tell({ type: "unsubscribed", room: "r", code: 1000, reason: "unsubscribed" });
    socket.end(4401);
    await settled();
    assert.deepEqual(ends, [["s", 4403], ["r", 0]]);
    client.close();
});

test("many rooms are asked for in frames that are not too long", async () => {
    const { client } = await started();

    Array.from({ length: 449 }, (_, i) => client.room(`r${i}`, { epoch: "0123456789abcdef", seq: 2 ** 52 }));
    await settled();
    sockets[0].open(hello);
    assert.deepEqual(sockets[0].sent.map(({ rooms }) => Object.keys(rooms).length), [200, 200, 50]);
    client.close();
});

test("a message whose ack does not come is sent again, with the same id", async () => {
    const { room } = await started();
    const entry = room.send("hi");

    assert.deepEqual(sockets[0].sent, []);
    sockets[0].open(hello, subscribed(0));
    sockets[0].sent.shift();
    await pass(29000);
    sockets[0].tell(event(1));
    await pass(1000);
    const wanted = { type: "chat_message", room: "r", content: "hi", client_msg_id: entry.id };

    assert.deepEqual(sockets[0].sent, [wanted, wanted]);
    sockets[0].tell({ type: "error", code: "unavailable", detail: "Try again.", room: "r", client_msg_id: entry.id });
    await pass(999);
    assert.equal(sockets[0].sent.length, 2);
    await pass(1);
    assert.equal(sockets[0].sent.length, 3);
    sockets[0].tell({ type: "ack", room: "r", client_msg_id: entry.id, id: "id2", seq: 2, epoch: "e", replayed: false });
    assert.equal((await entry.done).id, "id2");
});

test("what no server could answer is not sent, and holds up nothing", async () => {
    const { room } = await started();
    const told = [];
    const most = 60 * 1024 - JSON.stringify({ type: "chat_message", content: "", client_msg_id: "fits" }).length;

    room.on("failed", ({ entry }) => told.push(entry.content));
    sockets[0].open(hello, subscribed(0));
    sockets[0].sent.shift();
    for (const [content, why] of [["x".repeat(most + 1), /too long/], ["é".repeat(most / 2 + 1), /too long/], ["\n".repeat(most / 2 + 1), /too long/],
        ["a\ud83d", /surrogate/], ["\ude00b", /surrogate/]]) {
        const entry = room.send(content, { client_msg_id: "fits" });

        assert.deepEqual([entry.state, entry.error.code, told.pop()], ["failed", "invalid", content]);
        await assert.rejects(entry.done, why);
        room.outbox.retry(entry.id);
        assert.deepEqual([entry.state, told.pop(), sockets[0].sent], ["failed", content, []]);
        room.outbox.discard(entry.id);
    }
    for (const content of ["x".repeat(most), "é".repeat(most / 2), "😀"]) {
        const entry = room.send(content, { client_msg_id: "fits" });

        assert.deepEqual([entry.state, sockets[0].sent.pop().content === content], ["pending", true]);
        sockets[0].tell({ type: "ack", room: "r", client_msg_id: "fits", id: "id1", seq: 1, epoch: "e", replayed: false });
        await entry.done;
    }
    assert.deepEqual(told, []);
});

test("cursors are asked before the first socket, and told after each event; one that fails breaks nothing", async () => {
    const saved = [];
    const cursors = {
        load: async () => ({ epoch: "e", seq: 1 }),
        save: (id, { seq }) => {
            saved.push([id, seq]);
            throw new Error("disk full");
        },
    };
    const told = [];
    const { error } = console;

    console.error = (what) => told.push(what.message);
    const { heard } = await started({ cursors });

    assert.equal(sockets[0].url, "ws://chat.example/ws/");
    sockets[0].open(hello, event(2), event(3));
    assert.deepEqual(sockets[0].sent, [{ type: "subscribe", rooms: { r: { after: 1, epoch: "e" } } }]);
    await settled();
    console.error = error;
    assert.deepEqual([heard, saved, told], [[2, 3], [["r", 2], ["r", 3]], ["disk full", "disk full"]]);
});

test("whoever listens may throw", async () => {
    const { error } = console;
    const told = [];
    const { room, heard } = await started();

    console.error = (what) => told.push(what.message);
    room.on("event", () => { throw new Error("theirs"); });
    sockets[0].open(hello, subscribed(0), event(1), event(2));
    console.error = error;
    assert.deepEqual([heard, room.place.seq, told], [[1, 2], 2, ["theirs", "theirs"]]);
});
