/* parts.test.mjs -- parts of the page without a browser and without a server: what they make of answers that are rare. */
import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { Emitter } from "../../clients/js/src/emitter.js";

/* The server has the client beside the page, and says that scripts are modules; here somebody else must. */
const client = new URL("../../clients/js/src/index.js", import.meta.url).href;
const hooks = `
export const resolve = (name, context, next) => next(name === "../client/index.js" ? "${client}" : name, context);
export const load = (url, context, next) => next(url, url.includes("/web/js/") ? { ...context, format: "module" } : context);`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { api } = await import("../../web/js/api.js");
const { Room } = await import("../../web/js/room.js");
const { Search } = await import("../../web/js/search.js");

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
