/* timeline.test.mjs -- the page's logic without a page: what is kept, in which order, and when to try again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../web/js/backoff.js";
import { LOST, REFUSED, Timeline } from "../../web/js/timeline.js";

const ME = "me";
const message = (seq, content = `m${seq}`, sender = "other", more = {}) => ({ id: `id${seq}`, seq, content, sender: { id: sender }, ...more });
const seqs = (timeline) => timeline.messages.map((one) => one.seq);
const filled = (...numbers) => {
    const timeline = new Timeline(ME);

    numbers.forEach((seq) => timeline.add(message(seq)));
    return timeline;
};

test("each once, in the order of the room, however they come", () => {
    for (const order of [[1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2], [2, 2, 4, 1, 3, 3, 1]]) {
        assert.deepEqual(seqs(filled(...order)), [1, 2, 3, 4]);
    }
    assert.equal(filled(1).add(message(1)), false);
    assert.equal(filled(1).add(message(2)), true);
});

test("what was deleted stays away, even if its deletion comes first", () => {
    const timeline = filled(1, 2);

    assert.equal(timeline.remove("id1"), true);
    assert.equal(timeline.remove("id3"), false);
    assert.equal(timeline.add(message(3)), false);
    assert.equal(timeline.add(message(1)), false);
    assert.deepEqual(seqs(timeline), [2]);
});

test("a stretch of the room brings what is missing and takes what is gone", () => {
    const cases = [
        /* known, the stretch from low to high, what remains */
        [[1, 2, 3], [5, 4, 3], 3, 3, [1, 2, 3, 4, 5]],
        [[1, 2, 3, 4], [4, 2], 2, 4, [1, 2, 4]],
        [[1, 2, 3], [], 0, 3, []],
        [[1, 2, 6], [5, 2], 2, 5, [1, 2, 5, 6]], /* 6 came by the socket while the page was on its way */
        [[], [2, 1], 0, 0, [1, 2]],
    ];

    for (const [known, stretch, low, high, remain] of cases) {
        const timeline = filled(...known);

        timeline.addStretch(stretch.map((seq) => message(seq)), low, high);
        assert.deepEqual(seqs(timeline), remain);
    }
});

test("what lies before a gap is forgotten, and may come again", () => {
    const timeline = filled(1, 2, 8, 9);

    timeline.hasAll = true;
    timeline.forgetBefore(8);
    assert.deepEqual([seqs(timeline), timeline.hasAll], [[8, 9], false]);
    assert.equal(timeline.add(message(2)), true);
});

test("own words confirm what was sent, once", () => {
    const timeline = filled(1);

    timeline.start("a", "hi");
    timeline.start("b", "hi");
    timeline.add(message(2, "hi", "other"));
    assert.equal(timeline.outgoing.length, 2);
    timeline.add(message(3, "hi", ME));
    timeline.add(message(3, "hi", ME));
    assert.deepEqual(timeline.outgoing.map((one) => one.key), ["b"]);
});

test("a key that comes back decides, not the content", () => {
    const timeline = filled();

    timeline.start("a", "hi");
    timeline.start("b", "hi");
    timeline.add(message(1, "hi", ME, { client_msg_id: "b" }));
    assert.deepEqual(timeline.outgoing.map((one) => one.key), ["a"]);
    timeline.add(message(2, "hi", ME, { client_msg_id: "of another browser" }));
    assert.deepEqual(timeline.outgoing.map((one) => one.key), ["a"]);
});

test("older words of one's own confirm nothing, nor does a refused message count as said", () => {
    const timeline = filled(5);

    timeline.start("a", "hi");
    timeline.add(message(4, "hi", ME));
    assert.equal(timeline.outgoing.length, 1);
    timeline.fail("a", REFUSED, "why");
    timeline.add(message(6, "hi", ME));
    assert.equal(timeline.outgoing.length, 1);
    timeline.fail("a", LOST, "why");
    timeline.add(message(7, "hi", ME));
    assert.equal(timeline.outgoing.length, 0);
});

test("unread is what others have said since", () => {
    const timeline = filled(1, 2, 3);

    timeline.add(message(4, "mine", ME));
    assert.deepEqual([0, 2, 3, 4, Infinity].map((seen) => timeline.unread(seen)), [3, 1, 0, 0, 0]);
});

test("pauses grow, are never none, and differ", () => {
    for (const [tries, low, high] of [[0, 50, 500], [1, 100, 1000], [3, 400, 4000], [6, 3000, 30000], [100, 3000, 30000]]) {
        assert.equal(backoffMs(tries, 0), low);
        assert.equal(backoffMs(tries, 1), high);
    }
    assert.notEqual(backoffMs(9), backoffMs(9));
});
