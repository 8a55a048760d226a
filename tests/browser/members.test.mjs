/* members.test.mjs -- who is there, and who has read what, in two browsers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browserLaunch, pageOpen, Server, until, write } from "./rig.mjs";

let server, browser, ada, bob, mia;

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    [ada, bob, mia] = await Promise.all(["ada", "bob", "mia"].map((name) => server.person(name)));
});
after(async () => {
    await browser?.close();
    await server?.end();
});

/* Beside whose names a dot is, in the room's head. */
const there = (page) => page.evaluate(() => [...document.querySelectorAll(".bar [data-people] .dot")]
    .map((dot) => `${dot.previousSibling.textContent.split(" ")[0]} ${dot.getAttribute("aria-label")}`).join(", "));
const isThere = (page, text) => until(`"${text}"`, async () => (await there(page)) === text);
const seen = async (page) => (await page.locator(".seen").allTextContents()).filter(Boolean).join(" | ");
const isSeen = (page, text) => until(`"${text}"`, async () => (await seen(page)) === text);

/* What a page does when somebody looks at another one. */
const lookAway = (page, state) => page.evaluate((value) => {
    Object.defineProperty(document, "visibilityState", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}, state);

test("who is there has a dot, here and away and gone", async () => {
    const room = await ada.room("There", bob, mia);
    const one = await pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` });

    await isThere(one, "Ada online");
    assert.equal(await one.locator(".bar [data-people]").textContent(), "3 people: Ada Example, Bob Example, Mia Example");
    const two = await pageOpen(browser, server, { person: bob, hash: `#/rooms/${room.id}` });

    await Promise.all([one, two].map((page) => isThere(page, "Ada online, Bob online")));
    await lookAway(two, "hidden");
    await isThere(one, "Ada online, Bob away");
    await one.getByRole("button", { name: "Room details and members" }).click();
    const statuses = one.getByRole("dialog").locator("[data-status]");

    await until("all statuses", async () => (await statuses.allTextContents()).join() === " online, away, offline");
    await lookAway(two, "visible");
    await until("all statuses", async () => (await statuses.allTextContents()).join() === " online, online, offline");
    await one.getByRole("button", { name: "Done" }).click();

    /* Who has no connection knows of nobody, and of all of them again as soon as there is one. */
    await one.context().setOffline(true);
    await isThere(one, "");
    await isThere(two, "Bob online");
    await one.context().setOffline(false);
    await Promise.all([one, two].map((page) => isThere(page, "Ada online, Bob online")));
    assert.deepEqual([...one.faults, ...two.faults], []);
    await two.context().close();
    await isThere(one, "Ada online");
    await one.context().close();
});

test("below the newest of one's own is who has seen it", async () => {
    const room = await ada.room("Seen", bob, mia);
    const one = await pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` });
    const readBy = (person, { seq }) => person.api("POST", `/api/chat/rooms/${room.id}/read/`, { read_seq: seq });

    await one.getByText("Nothing has been said here yet.").waitFor();
    await write(one, "first");
    await until("it to be stored", async () => (await one.locator(".message:not(.outgoing)").count()) === 1);
    assert.equal(await seen(one), "");
    const two = await pageOpen(browser, server, { person: bob, hash: `#/rooms/${room.id}` });

    await two.bringToFront();
    await isSeen(one, "Seen by Bob");
    assert.equal(await one.locator(".seen").getAttribute("aria-live"), "off");
    const [first] = (await ada.api("GET", `/api/chat/rooms/${room.id}/messages/`)).results;

    await readBy(mia, first);
    await isSeen(one, "Seen by everybody");

    /* Who was not there then is none of them, though his place is behind it; also to who comes anew. */
    const eve = await server.person("eve");

    await ada.api("POST", `/api/chat/rooms/${room.id}/participants/`, { email: eve.email });
    await isSeen(one, "Seen by Bob and Mia");
    await one.reload();
    await isSeen(one, "Seen by Bob and Mia");

    /* Only the newest tells; and an answer leaves it there. */
    await two.context().close();
    await write(one, "second");
    await until("it to be stored", async () => (await one.locator(".message:not(.outgoing)").count()) === 2);
    await readBy(mia, await mia.say(room, "an answer"));
    await isSeen(one, "Seen by Mia");
    assert.equal(await one.locator(".message", { hasText: "second" }).locator(".seen").textContent(), "Seen by Mia");
    assert.deepEqual(one.faults, []);
    await one.context().close();
});
