/* parts.test.mjs -- parts of the page without a browser and without a server: what they make of answers that are rare. */
import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Api, ApiError } from "../../clients/js/src/api.js";
import { Emitter } from "../../clients/js/src/emitter.js";

globalThis.WebSocket ??= class {}; /* older Nodes have none, and nothing connects here */
/* The server has the client beside the page, and says that scripts are modules; here somebody else must. */
const client = new URL("../../clients/js/src/index.js", import.meta.url).href;
const hooks = `
export const resolve = (name, context, next) => next(name === "../client/index.js" ? "${client}" : name, context);
export const load = (url, context, next) => next(url, url.includes("/web/js/") ? { ...context, format: "module" } : context);`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { api } = await import("../../web/js/api.js");
const { Chat } = await import("../../web/js/chat.js");
const { Members } = await import("../../web/js/members.js");
const { seenText } = await import("../../web/js/names.js");
const { Room } = await import("../../web/js/room.js");
const { Search } = await import("../../web/js/search.js");

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");
const settled = () => new Promise(setImmediate);

test("unread: the server's number, when all messages that were here have been deleted", () => {
    const data = { id: "r", name: "R", creator: { id: "me" }, participants: [], created_at: "", unread: 3, last_seq: 60, read_seq: 5 };
    const room = new Room(data, { me: { id: "me" } }, () => {}, () => {});

    room.timeline = { isRead: true, hasAll: false, messages: [], oldest: undefined };
    assert.equal(room.unread, 3);
    room.timeline.hasAll = true;
    assert.equal(room.unread, 0);
});

/* The place of a search in the page; each probe is answered with the next status. */
async function searching(...statuses) {
    const part = () => ({ hidden: true, addEventListener: () => {}, elements: { q: { addEventListener: () => {} } } });
    const chat = { client: new Emitter() };
    const asked = { n: 0 };

    api.search = () => {
        const status = statuses[asked.n++];

        return status === 200 ? Promise.resolve({ results: [] }) : Promise.reject(Object.assign(new Error(), { status }));
    };
    const search = new Search({ querySelector: part }, chat);
    const opens = async () => {
        chat.client.emit("open", {});
        await settled();
        return [search.form.hidden, asked.n];
    };

    await settled();
    return { search, opens, first: search.form.hidden };
}

test("search is hidden where there is none, and not where the server was busy", async () => {
    for (const [status, isHidden] of [[400, false], [404, true]]) {
        const { first, opens } = await searching(status);

        assert.deepEqual([first, await opens()], [isHidden, [isHidden, 1]]); /* that is known now */
    }
    for (const status of [0, 429, 503]) {
        const { first, opens } = await searching(status, 503, 404);

        assert.deepEqual([first, await opens(), await opens(), await opens()], [false, [false, 2], [true, 3], [true, 3]]);
    }
    const { search, opens } = await searching(503);

    search.end();
    assert.deepEqual(await opens(), [false, 1]);
});

/* ---- the list of rooms ---- */

test("a list is walked by the cursors of its pages, whatever the server calls itself", async () => {
    const asked = [];
    const pages = { "?limit=200&order=desc": { results: [{ id: "c" }, { id: "b" }], next: "https://chat.example:8443/api/chat/rooms/?limit=200&cursor=x%3D" },
        "?limit=200&cursor=x%3D": { results: [{ id: "a" }], next: null } };
    const get = (address) => {
        asked.push(address);
        return Promise.resolve({ ok: true, status: 200, json: () => Promise.resolve(pages[new URL(address).search]) });
    };

    assert.deepEqual((await new Api({ url: "http://here", fetch: get }).rooms()).map(({ id }) => id), ["c", "b", "a"]);
    assert.deepEqual(asked, Object.keys(pages).map((query) => `http://here/api/chat/rooms/${query}`));
});

test("a room that the list does not have is lost when the server says so, and only then", async (t) => {
    const data = (id) => ({ id, name: id, creator: { id: "me" }, participants: [], created_at: "2026", unread: 0, last_seq: 0, read_seq: 0 });
    const chat = new Chat({ id: "me" }, () => {}, () => {});
    const lost = [];
    const real = { rooms: api.rooms, room: api.room };

    t.after(() => Object.assign(api, real));
    chat.client = { room: () => Object.assign(new Emitter(), { state: "connecting", outbox: { entries: [] }, leave: () => {} }) };
    chat.addEventListener("gone", ({ detail }) => lost.push(detail.room.id));
    api.rooms = () => Promise.resolve(["a", "b", "c", "d", "e"].map(data));
    await chat.load();
    const statuses = { b: 404, c: 503, d: 403 };

    api.rooms = () => Promise.resolve([data("a")]);
    api.room = (id) => (statuses[id] ? Promise.reject(new ApiError(statuses[id], null, 0)) : Promise.resolve({ ...data(id), name: "renamed" }));
    await chat.load();
    assert.deepEqual([lost, [...chat.rooms.keys()], chat.rooms.get("e").name], [["b", "d"], ["a", "c", "e"], "renamed"]);
    statuses.c = 404;
    await chat.load();
    assert.deepEqual(lost, ["b", "d", "c"]);
});

/* ---- members ---- */

const user = (id) => ({ user: { id } });

/* A room of `n`, open, whose questions are answered when the test says so. */
function asking(n = 2) {
    const asked = [];
    const ask = (what) => () => new Promise((resolve, reject) => asked.push({ what, answer: (...results) => resolve({ results }), fail: reject }));
    const live = new Emitter();
    const room = { id: "r", state: "open", participants: Array.from({ length: n }, (_, i) => ({ id: `u${i}` })), chat: { client: { api: { presence: ask("presence"), reads: ask("reads") } } } };
    let changes = 0;
    const members = new Members(room, () => changes++);

    members.listen(live);
    return { asked, live, room, members, changes: () => changes };
}

const message = { seq: 5, created_at: "2026-01-01T00:00:05Z", sender: { id: "u0" } };

test("what is told while the answer is under way is newer", async (t) => {
    const { asked, live, room, members } = asking(3);

    t.after(() => members.end());
    members.ask();
    members.ask();
    assert.deepEqual(asked.map(({ what }) => what), ["presence", "reads"]);
    live.emit("presence", { ...user("u1"), status: "online" });
    live.emit("read", { ...user("u1"), read_seq: 5 });
    assert.equal(members.statusOf("u1"), null);
    asked[0].answer({ ...user("u0"), status: "online" }, { ...user("u1"), status: "offline" }, { ...user("u2"), status: "away" });
    asked[1].answer({ ...user("u0"), read_seq: 5, joined_at: "2026-01-01T00:00:00Z" }, { ...user("u1"), read_seq: 2, joined_at: "2026-01-01T00:00:00Z" },
        { ...user("u2"), read_seq: 7, joined_at: "2026-01-01T00:00:06Z" });
    await settled();
    assert.deepEqual(["u0", "u1", "u2"].map((id) => members.statusOf(id)), ["online", "online", "away"]);
    assert.deepEqual(members.whoHasSeen(message).map(({ id }) => id), ["u1"]); /* u2 came later */
    live.emit("read", { ...user("u2"), read_seq: 8 }); /* and has read by now */
    assert.deepEqual(members.whoHasSeen(message).map(({ id }) => id), ["u1", "u2"]);
    live.emit("read", { ...user("u2"), read_seq: 1 });
    assert.equal(members.whoHasSeen(message).length, 2);

    /* Another connection knows nothing of who is there, and an answer of the one before does not count. */
    live.emit("member_added", {});
    assert.equal(asked.length, 4);
    room.state = "waiting";
    live.emit("state", { state: "waiting" });
    asked[2].answer({ ...user("u1"), status: "online" });
    asked[3].answer();
    await settled();
    assert.deepEqual([members.statusOf("u1"), members.whoHasSeen(message).length], [null, 2]);
    members.ask();
    assert.equal(asked.length, 4);
    live.emit("resync", {}); /* the places are those of another log */
    assert.deepEqual(members.whoHasSeen(message), []);
});

test("what is told after the answer is not kept", async (t) => {
    const { asked, live, members } = asking();
    const told = (status) => {
        const frame = { ...user("u1"), status };

        live.emit("presence", frame);
        return new WeakRef(frame);
    };

    t.after(() => members.end());
    members.ask();
    const frames = [told("online")];

    asked.forEach(({ answer }) => answer());
    await settled();
    frames.push(told("away"));
    await settled();
    collectGarbage();
    assert.deepEqual([members.statusOf("u1"), ...frames.map((frame) => frame.deref())], ["away", undefined, undefined]);
    members.ask();
    assert.equal(asked.length, 2); /* that was asked, and is known */
});

test("of a room of more than 100 nothing is asked, shown or known", async (t) => {
    const { asked, live, members } = asking(101);

    t.after(() => members.end());
    members.ask();
    live.emit("presence", { ...user("u1"), status: "online" });
    live.emit("read", { ...user("u1"), read_seq: 9 });
    assert.deepEqual([asked.length, members.statusOf("u1"), members.whoHasSeen(message)], [0, null, []]);
});

test("what cannot be answered is asked again later, and the rest is shown", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { asked, members, changes } = asking();

    t.after(() => members.end());
    members.ask();
    asked[0].fail(new ApiError(503, null, 0));
    asked[1].answer({ ...user("u1"), read_seq: 5, joined_at: "2026-01-01T00:00:00Z" });
    await settled();
    assert.deepEqual([members.statusOf("u1"), members.whoHasSeen(message).length, changes()], [null, 1, 1]);
    t.mock.timers.tick(60000);
    assert.equal(asked.length, 4);
    asked[2].fail(new ApiError(429, null, 90));
    asked[3].fail(new ApiError(404, null, 0));
    await settled();
    t.mock.timers.tick(89999);
    assert.equal(asked.length, 4);
    t.mock.timers.tick(1);
    assert.equal(asked.length, 6);
});

test("names are told, up to three", () => {
    const people = (...names) => names.map((first_name) => ({ first_name, last_name: "X" }));

    assert.equal(seenText([], 3), null);
    assert.deepEqual(seenText(people("A"), 1), ["Seen by A", "A X"]);
    assert.deepEqual(seenText(people("A", "B"), 3), ["Seen by A and B", "A X, B X"]);
    assert.deepEqual(seenText(people("A", "B"), 2), ["Seen by everybody", "A X, B X"]);
    assert.equal(seenText(people("A", "B", "C"), 9)[0], "Seen by A, B and C");
    assert.equal(seenText(people("A", "B", "C", "D"), 9)[0], "Seen by A, B and 2 others");
});
