/* timeline.test.mjs -- the messages of a room without a server: what is kept, in which order, whoever comes first. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Timeline } from "../../clients/js/src/index.js";
import { Room } from "../../clients/js/src/room.js";

const ME = { id: "me" };
const message = (seq, more = {}) => ({ id: `id${seq}`, seq, content: `m${seq}`, sender: { id: "other" }, ...more });
const said = (seq, more = {}) => ({ ...message(seq, more), type: "chat_message", epoch: "e" });
const deleted = (seq, of) => ({ type: "message_deleted", seq, epoch: "e", message_id: `id${of}` });

/* What waits for its ack has a timer, and a process that has one does not end: also after a test that failed. */
const rooms = [];

afterEach(() => rooms.splice(0).forEach(({ room, timeline }) => {
    timeline.end();
    room.over(1000);
}));

/* A room that is open at `seq`, and a server whose pages come when the test lets them. */
function opened(seq) {
    const asked = [];
    const client = {
        emit: () => {}, saveCursor: () => {},
        api: { messages: (id, which) => new Promise((resolve, reject) => asked.push({ which, answer: (results, next = null) => resolve({ results, next }), fail: reject })) },
    };
    const sent = [];
    const room = new Room("r", client, { send: (_, frame) => sent.push(frame), again: () => assert.fail("a gap") }, null);
    const timeline = new Timeline(room);
    let changes = 0;

    rooms.push({ room, timeline });
    timeline.on("change", () => changes++);
    room.greeted(ME);
    room.heard({ type: "subscribed", epoch: "e", seq });
    return { asked, sent, room, timeline, seqs: () => timeline.messages.map((one) => one.seq), changes: () => changes };
}

const settled = () => new Promise(setImmediate);

test("each once, in order, whether the page or the event comes first", async () => {
    const { asked, room, seqs, timeline } = opened(3);

    assert.deepEqual(asked.map(({ which }) => which), [{ limit: 50 }]);
    room.heard(said(4));
    room.heard(said(5));
    asked[0].answer([message(4), message(3), message(1)]); /* 2 was deleted long ago; 5 is younger than the page */
    await settled();
    assert.deepEqual([seqs(), timeline.hasAll], [[1, 3, 4, 5], true]);
    room.heard(said(5));
    room.heard(said(6));
    assert.deepEqual(seqs(), [1, 3, 4, 5, 6]);
});

test("what happens while a page is under way holds, though the page is older", async () => {
    const { asked, room, seqs } = opened(3);

    room.heard(deleted(4, 2)); /* not known yet */
    room.heard(said(5));
    room.heard(deleted(6, 5));
    asked[0].answer([message(3), message(2), message(1)]);
    await settled();
    assert.deepEqual(seqs(), [1, 3]);
});

test("edits and reactions: the newest holds, though the page is older", async () => {
    const { asked, room, timeline } = opened(3);
    const edited = (seq, content) => ({ type: "message_edited", seq, epoch: "e", message_id: "id2", content, edited_at: `at ${seq}`, actor: { id: "other" } });
    const reacted = (seq, emoji, count, actor, more = "added") => ({ type: `reaction_${more}`, seq, epoch: "e", message_id: "id2", emoji, count, actor });
    const state = () => {
        const { content, edited_at, reactions } = timeline.byId.get("id2");

        return [content, edited_at, (reactions ?? []).map(({ emoji, count, own }) => `${emoji}${count}${own ? "!" : ""}`).join()];
    };

    room.heard(edited(4, "two"));
    room.heard(reacted(5, "a", 2, ME));
    asked[0].answer([message(2, { reactions: [{ emoji: "a", count: 1, own: false }] })]);
    await settled();
    const first = timeline.byId.get("id2");

    assert.deepEqual(state(), ["two", "at 4", "a2!"]);
    room.heard(reacted(6, "b", 1, { id: "other" }));
    room.heard(reacted(7, "a", 1, { id: "other" }, "removed"));
    assert.deepEqual(state(), ["two", "at 4", "a1!,b1"]);
    room.heard(reacted(8, "a", 0, ME, "removed"));
    room.heard(edited(9, "three"));
    assert.deepEqual(state(), ["three", "at 9", "b1"]);
    assert.notEqual(timeline.byId.get("id2"), first); /* whoever draws can tell */
    assert.equal(timeline.messages[0], timeline.byId.get("id2"));
    assert.equal(timeline.apply({ ...edited(10, "x"), message_id: "unknown" }), false);
});

test("older pages, one at a time", async () => {
    const { asked, room, seqs, timeline } = opened(9);

    asked[0].answer([message(9), message(8)], "more");
    await settled();
    const both = [timeline.older(), timeline.older()];

    assert.deepEqual(asked[1].which, { limit: 50, before_seq: 8 });
    room.heard(deleted(10, 7));
    asked[1].answer([message(7), message(6)]);
    await Promise.all(both);
    assert.deepEqual([asked.length, seqs(), timeline.hasAll], [2, [6, 8, 9], true]);
    const failing = timeline.older();

    asked[2].fail(new Error("away"));
    await assert.rejects(failing, /away/);
    const again = timeline.older();

    asked[3].answer([]);
    await again;
    assert.deepEqual(seqs(), [6, 8, 9]);
});

test("back to a message of long ago, page by page, but not for ever", async () => {
    const { asked, timeline, seqs } = opened(5000);
    let isThere = false;
    const page = (to, n) => Array.from({ length: n }, (_, i) => message(to - i));
    const reaching = timeline.reach(4700).then(() => { isThere = true; });

    await settled();
    assert.equal(asked.length, 1); /* the newest page comes first */
    asked[0].answer(page(5000, 50), "more");
    await settled();
    assert.deepEqual(asked[1].which, { limit: 200, before_seq: 4951 });
    asked[1].answer(page(4950, 200), "more");
    await settled();
    assert.equal(isThere, false);
    asked[2].answer(page(4750, 200), "more");
    await reaching;
    assert.deepEqual([asked.length, seqs().length], [3, 450]);
    await timeline.reach(4800); /* it is there already */
    const far = timeline.reach(1);

    for (let n = 3; n < 11; n++) {
        await settled();
        asked[n].answer(page(timeline.oldest.seq - 1, 200), "more");
    }
    await far;
    assert.deepEqual([asked.length, seqs().length], [11, 2050]);
});

test("another log: forgotten, and a page of the old one does not count", async () => {
    const { asked, room, seqs, timeline } = opened(2);

    asked[0].answer([message(2), message(1)], "more");
    await settled();
    const older = timeline.older();

    room.client.readsResync = false;
    room.greeted(ME);
    room.heard({ type: "resync", reason: "epoch_changed", epoch: "f", seq: 7 });
    assert.deepEqual([seqs(), timeline.isRead], [[], false]);
    asked[1].answer([message(0)]);
    await older;
    asked[2].answer([message(7)]);
    await settled();
    assert.deepEqual([seqs(), timeline.isRead, room.place], [[7], true, { epoch: "f", seq: 7 }]);
});

test("while a room catches up nothing is drawn, and then once", async () => {
    const { asked, room, seqs, changes } = opened(0);

    asked[0].answer([]);
    await settled();
    const before = changes();

    room.waiting();
    room.connecting();
    room.greeted(ME);
    for (let seq = 1; seq <= 1000; seq++) {
        room.heard(said(seq));
    }
    assert.equal(changes(), before);
    room.heard({ type: "resumed" });
    assert.deepEqual([changes(), seqs().length], [before + 1, 1000]);
});

test("own words: shown at once, confirmed by their id and nothing else, sent again until then", async () => {
    const { asked, room, sent, timeline } = opened(0);
    const ids = () => timeline.outgoing.map((one) => one.id);
    const [a, b] = [room.send("hi"), room.send("hi")];

    asked[0].answer([]);
    await settled();
    assert.deepEqual([ids(), sent.map((frame) => frame.client_msg_id)], [[a.id, b.id], [a.id]]);
    room.heard(said(1, { sender: ME, content: "hi" }));
    room.heard(said(2, { sender: ME, content: "hi", client_msg_id: "of another browser" }));
    room.heard(said(3, { content: "hi", client_msg_id: a.id })); /* somebody else's */
    assert.deepEqual(ids(), [a.id, b.id]);
    room.heard({ type: "ack", client_msg_id: a.id, id: "id4", seq: 4, epoch: "e" });
    assert.deepEqual([ids(), sent[1].client_msg_id], [[a.id, b.id], b.id]); /* stored; it comes by its place */
    room.heard(said(4, { sender: ME, content: "hi", client_msg_id: a.id }));
    assert.deepEqual(ids(), [b.id]);
    room.waiting();
    room.connecting();
    room.greeted(ME);
    room.heard(said(5, { sender: ME, content: "hi", client_msg_id: b.id })); /* its ack was lost */
    room.heard({ type: "resumed" });
    assert.deepEqual([ids(), sent.length], [[], 2]);
    assert.deepEqual(await b.done, { id: "id5", seq: 5, epoch: "e" });

    /* Stored before, and seen long ago. */
    const c = room.send("hi", { client_msg_id: b.id });

    room.heard({ type: "ack", client_msg_id: c.id, id: "id5", seq: 5, epoch: "e" });
    assert.deepEqual(ids(), []);
});

test("own words that were stored, and deleted before they came, are on their way no more", async () => {
    const { asked, room, timeline } = opened(0);
    const ids = () => timeline.outgoing.map((one) => one.id);
    const acked = (entry, seq) => room.heard({ type: "ack", client_msg_id: entry.id, id: `id${seq}`, seq, epoch: room.place.epoch });
    const back = (...frames) => {
        room.waiting();
        room.connecting();
        room.greeted(ME);
        frames.forEach((frame) => room.heard(frame));
    };

    asked[0].answer([]);
    const [a, b] = [room.send("a"), room.send("b")];

    acked(a, 1);
    assert.deepEqual(ids(), [a.id, b.id]);
    back(deleted(1, 1), { type: "resumed" });
    assert.deepEqual(ids(), [b.id]);
    acked(b, 2);
    const c = room.send("c");

    room.client.readsResync = false;
    back({ type: "resync", reason: "purged", epoch: "e", seq: 2 });
    assert.deepEqual(ids(), [c.id]);
    acked(c, 4);
    back({ type: "resumed" }); /* 3 and 4 are about to come */
    assert.deepEqual(ids(), [c.id]);
    back({ type: "resync", reason: "epoch_changed", epoch: "f", seq: 1 });
    assert.deepEqual(ids(), []);
});

test("a room that is open already is read at once", async () => {
    const { asked, room, timeline } = opened(1);
    const second = new Timeline(room);

    assert.equal(asked.length, 2);
    asked[1].answer([message(1)]);
    await second.reach(1);
    assert.deepEqual([second.messages.length, timeline.messages.length], [1, 0]);
    room.waiting();
    const third = new Timeline(room);

    assert.equal(asked.length, 2); /* when it is back */
    [second, third].forEach((one) => one.end());
});

test("a room that is open already has words under way: they are shown, and confirmed, here too", async () => {
    const { room, sent } = opened(0);
    const refused = (entry) => room.heard({ type: "error", code: "invalid", detail: "no", client_msg_id: entry.id });
    const [stored, bad, a, b] = ["stored", "bad", "a", "b"].map((text) => room.send(text));

    room.heard({ type: "ack", client_msg_id: stored.id, id: "id1", seq: 1, epoch: "e" });
    refused(bad);
    const second = new Timeline(room);
    const ids = () => second.outgoing.map((one) => one.id);

    assert.deepEqual(ids(), [bad.id, a.id, b.id]);
    assert.deepEqual(sent.map((frame) => frame.content), ["stored", "bad", "a"]);
    room.heard(said(1, { sender: ME, content: "stored", client_msg_id: stored.id }));
    room.heard(said(2, { sender: ME, content: "a", client_msg_id: a.id })); /* its ack is on its way */
    assert.deepEqual([ids(), sent[3].content], [[bad.id, b.id], "b"]);
    second.retry(bad.id);
    assert.deepEqual([ids(), bad.state], [[bad.id, b.id], "pending"]);
    second.discard(bad.id);
    assert.deepEqual(ids(), [b.id]);
    second.end();
});
