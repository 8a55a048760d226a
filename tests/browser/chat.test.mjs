/* chat.test.mjs -- people talk: two browsers, one of them cut off now and then, and nothing is lost or doubled. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { browserLaunch, loginIn, pageOpen, Server, shownIn, test, toasted, until, write } from "./rig.mjs";

let server, browser, ada, bob;

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    [ada, bob] = await Promise.all([server.person("ada"), server.person("bob")]);
});
after(async () => {
    await browser?.close();
    await server?.end();
});

/* Pages of both in one new room, and what has to hold at their ends. */
async function together(name, fn) {
    const room = await ada.room(name, bob);
    const pages = await Promise.all([ada, bob].map((person) => pageOpen(browser, server, { person, hash: `#/rooms/${room.id}` })));

    await Promise.all(pages.map((page) => page.getByText("Nothing has been said here yet.").waitFor()));
    await fn(...pages, room);
    for (const page of pages) {
        assert.deepEqual(page.faults, []);
        await page.context().close();
    }
}

const shows = (page, texts) => until(`${JSON.stringify(texts).slice(0, 200)} to be shown`, async () => JSON.stringify(await shownIn(page)) === JSON.stringify(texts));
const numbers = (from, to, word = "message") => Array.from({ length: to - from }, (_, i) => `${word} ${from + i}`);

async function stored(room) {
    const { results } = await ada.api("GET", `/api/chat/rooms/${room.id}/messages/?limit=200`);

    return results.map((one) => one.content).reverse();
}

test("two talk", async () => {
    await together("Talk", async (one, two, room) => {
        await write(one, "Hello, Bob");
        await shows(two, ["Hello, Bob"]);
        await two.getByLabel("Your message").pressSequentially("Hi");
        await one.getByText("Bob is typing…").waitFor();
        await two.keyboard.press("Shift+Enter");
        await two.keyboard.type("Ada");
        await two.keyboard.press("Enter");
        await shows(one, ["Hello, Bob", "Hi\nAda"]);
        await until("the typing to end", async () => (await one.locator("[data-typing]").textContent()) === "");
        assert.deepEqual(await one.locator(".message").evaluateAll((all) => all.map((each) => each.classList.contains("own"))), [true, false]);
        await one.getByText("Today").waitFor();

        /* Deleting takes it from both. */
        await one.locator(".message").first().hover();
        await one.getByRole("button", { name: "Options of message: Hello, Bob" }).click();
        await one.getByRole("button", { name: "Delete" }).click();
        await one.getByText("Delete this message?").waitFor();
        await one.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await shows(two, ["Hi\nAda"]);
        await shows(one, ["Hi\nAda"]);
        assert.deepEqual(await stored(room), ["Hi\nAda"]);
    });
});

test("messages are edited and reacted to, by whoever may, and seen by all", async () => {
    await together("Changes", async (one, two, room) => {
        await write(one, "Helo");
        await shows(two, ["Helo"]);
        const menu = async (page, fn) => {
            await page.locator(".message").first().hover();
            await page.getByRole("button", { name: /^Options of message/ }).click();
            await fn(page.getByRole("dialog"));
            await page.getByRole("dialog").waitFor({ state: "detached" });
        };

        await menu(two, async (dialog) => {
            assert.deepEqual(await Promise.all(["Edit", "Delete"].map((name) => dialog.getByRole("button", { name }).isVisible())), [false, false]);
            await dialog.getByRole("button", { name: "Heart" }).click();
        });
        await one.getByRole("button", { name: "❤️: 1 person" }).click();
        await two.getByRole("button", { name: "❤️: 2 people, you among them" }).click();
        const mine = one.getByRole("button", { name: "❤️: 1 person, you among them" });

        await mine.waitFor();
        assert.equal(await mine.getAttribute("aria-pressed"), "true");

        /* What one was about to write is still there after an edit. */
        await one.getByLabel("Your message").fill("not yet");
        await menu(one, (dialog) => dialog.getByRole("button", { name: "Edit" }).click());
        assert.equal(await one.getByLabel("Your message").inputValue(), "Helo");
        await write(one, "Hello");
        await shows(two, ["Hello"]);
        await shows(one, ["Hello"]);
        await Promise.all([one, two].map((page) => page.getByText("edited", { exact: true }).waitFor()));
        await until("the draft to be back", async () => (await one.getByLabel("Your message").inputValue()) === "not yet");
        await menu(one, (dialog) => dialog.getByRole("button", { name: "Edit" }).click());
        await one.keyboard.press("Escape");
        assert.equal(await one.getByLabel("Your message").inputValue(), "not yet");
        assert.ok(await one.locator("[data-aim]").isHidden());

        /* And whoever comes later, or comes back, sees the same. */
        await two.context().setOffline(true);
        await two.getByText("No connection.").waitFor();
        await mine.click();
        await mine.waitFor({ state: "detached" });
        await ada.api("PATCH", `/api/chat/messages/${(await bob.api("GET", `/api/chat/rooms/${room.id}/messages/`)).results[0].id}/`, { content: "Hello, Bob" });
        await two.context().setOffline(false);
        await shows(two, ["Hello, Bob"]);
        await until("no reaction", async () => (await two.locator(".message .reaction").count()) === 0);
        await one.reload();
        await shows(one, ["Hello, Bob"]);
        await one.getByText("edited", { exact: true }).waitFor();
    });
});

test("replies quote, mentions stand out", async () => {
    await together("Replies", async (one, two, room) => {
        const question = await bob.say(room, "Tea or coffee?");

        await shows(one, ["Tea or coffee?"]);
        await one.locator(".message").first().focus();
        await one.keyboard.press("r");
        await one.getByText("In reply to Bob Example: Tea or coffee?").waitFor();
        await one.keyboard.press("Escape");
        assert.ok(await one.locator("[data-aim]").isHidden());
        await one.locator(".message").first().hover();
        await one.getByRole("button", { name: /^Options of message/ }).click();
        await one.getByRole("button", { name: "Reply" }).click();
        await write(one, "Tea, @bob");
        await shows(two, ["Tea or coffee?", "Tea, @bob"]);
        assert.ok(await one.locator("[data-aim]").isHidden());
        await until("one message to be for Bob", async () => (await two.locator(".message.for-me .content").allTextContents()).join() === "Tea, @bob");
        assert.equal(await one.locator(".message.for-me").count(), 0);
        await two.getByRole("button", { name: /Bob Example.*Tea or coffee\?/ }).click();
        assert.ok(await two.locator(".message").first().evaluate((entry) => entry === document.activeElement));

        /* The quote follows what becomes of the message, also where that is not among those that were read. */
        await bob.api("PATCH", `/api/chat/messages/${question.id}/`, { content: "Tea?" });
        await Promise.all([one, two].map((page) => page.getByRole("button", { name: /Bob Example.*Tea\?/ }).waitFor()));
        for (const text of numbers(0, 55)) {
            await bob.say(room, text);
        }
        const last = await ada.api("POST", `/api/chat/rooms/${room.id}/send/`, { content: "Late answer", reply_to: question.id });

        await until("it to be there", async () => (await shownIn(one)).at(-1) === last.content);
        await one.reload();
        await one.getByRole("button", { name: /Bob Example.*Tea\?/ }).waitFor();
        assert.equal((await shownIn(one)).length, 50);
        await bob.api("DELETE", `/api/chat/messages/${question.id}/`);
        await one.reload();
        await one.getByRole("button", { name: "This message was deleted." }).waitFor();
    });
});

test("whoever was cut off gets all of it, once, and no longer what was deleted", async () => {
    await together("Offline", async (one, two, room) => {
        const first = await bob.say(room, "first");

        await bob.say(room, "second");
        await shows(one, ["first", "second"]);
        await one.context().setOffline(true);
        await one.getByText("No connection.").waitFor();
        await bob.api("DELETE", `/api/chat/messages/${first.id}/`);
        const missed = numbers(0, 230); /* more than one page */

        for (const text of missed) {
            await bob.say(room, text);
        }
        await one.context().setOffline(false);
        await shows(one, ["second", ...missed]);
        await one.getByText("No connection.").waitFor({ state: "hidden" });
        await write(one, "I am back");
        await shows(two, ["second", ...missed, "I am back"]);
    });
});

test("workers are killed while people talk", async () => {
    await together("Killed", async (one, two, room) => {
        const texts = numbers(0, 30);

        for (const [i, text] of texts.entries()) {
            if (i % 10 === 5) {
                server.killWorkers();
            }
            /* Stored, or not: where the answer is missing, the list tells. */
            await until(`${text} to be stored`, async () => {
                try {
                    return (await stored(room)).includes(text) || await bob.say(room, text);
                } catch {
                    return false;
                }
            });
        }
        await shows(one, texts);
        await shows(two, texts);
        await one.getByText("No connection.").waitFor({ state: "hidden" });
        await write(one, "still here");
        await shows(two, [...texts, "still here"]);
        assert.deepEqual(await stored(room), [...texts, "still here"]);
    });
});

/* A page of Ada's in a new room of both, whose socket goes through the test: toServer(frame, pass, socket) and toPage, if given,
 * decide what becomes of each frame. */
async function between(name, { toServer = (frame, pass) => pass(), toPage = (frame, pass) => pass() }, fn) {
    await together(name, async (one, two, room) => {
        await one.routeWebSocket(/\/ws\//, (socket) => {
            const server = socket.connectToServer();

            socket.onMessage((text) => toServer(JSON.parse(text), () => server.send(text), socket));
            server.onMessage((text) => toPage(JSON.parse(text), () => socket.send(text), socket));
        });
        await one.reload();
        await one.getByText("Nothing has been said here yet.").waitFor();
        await fn(one, two, room);
    });
}

test("what is sent is shown at once, and confirmed", async () => {
    const held = [];
    const toServer = (frame, pass) => (frame.type === "chat_message" && held.push(pass) === 1 ? null : pass());

    await between("Sending", { toServer }, async (one, two) => {
        await write(one, "slow");
        await write(one, "slower");
        await shows(one, ["slow", "slower"]);
        assert.deepEqual(await one.locator(".fate").allTextContents(), ["Sending…", "Sending…"]);
        await until("the first to be on its way", () => held.length === 1);
        held[0]();
        await shows(two, ["slow", "slower"]);
        await until("both to be confirmed", async () => (await one.locator(".outgoing").count()) === 0);
        await shows(one, ["slow", "slower"]);
    });
});

test("what cannot be sent waits for the connection, and is there once", async () => {
    await together("Waiting", async (one, two, room) => {
        await one.context().setOffline(true);
        await one.getByText("No connection.").waitFor();
        await write(one, "later");
        await write(one, "never mind");
        await until("both to wait", async () => (await one.locator(".outgoing").getByText("It is sent as soon as there is a connection.").count()) === 2);
        await one.locator(".outgoing", { hasText: "never mind" }).getByRole("button", { name: "Discard" }).click();
        await one.context().setOffline(false);
        await shows(two, ["later"]);
        await until("it to be confirmed", async () => (await one.locator(".outgoing").count()) === 0);
        assert.deepEqual(await stored(room), ["later"]);
    });
});

test("what is stored, and its confirmation lost, is there once", async () => {
    let lost = 0;
    const toPage = (frame, pass, socket) => (["ack", "chat_message"].includes(frame.type) && lost++ === 0 ? socket.close({ code: 4000 }) : pass());

    await between("Once", { toPage }, async (one, two, room) => {
        await write(one, "stored");
        await shows(two, ["stored"]);
        await until("it to be confirmed", async () => lost > 1 && (await one.locator(".outgoing").count()) === 0);
        await shows(one, ["stored"]);
        assert.deepEqual(await stored(room), ["stored"]);
    });
});

test("what the server refuses says why, and can be sent again or discarded", async () => {
    let refusals = 0;
    const toServer = ({ type, room, client_msg_id }, pass, socket) => (type === "chat_message" && refusals++ < 2
        ? socket.send(JSON.stringify({ type: "error", code: "invalid", detail: "Invalid message.", errors: { content: ["Not today."] }, room, client_msg_id })) : pass());

    await between("Refused", { toServer }, async (one, two) => {
        await write(one, "again");
        await write(one, "no more");
        await until("both to be refused", async () => (await one.locator(".failed").getByText("Not today.").count()) === 2);
        await one.locator(".failed", { hasText: "no more" }).getByRole("button", { name: "Discard" }).click();
        await one.getByRole("button", { name: "Try again" }).click();
        await shows(two, ["again"]);
        await until("it to be confirmed", async () => (await one.locator(".outgoing").count()) === 0);
    });
});

test("a long story is read backwards, piece by piece", async () => {
    const room = await ada.room("Long");
    const texts = numbers(0, 130);

    for (const text of texts) {
        await ada.say(room, text);
    }
    const page = await pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` });

    await shows(page, texts.slice(80));
    const scroll = page.locator("[data-scroll]");
    const isAtEnd = await scroll.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 2);

    assert.ok(isAtEnd);
    await until("the beginning", async () => {
        await scroll.evaluate((one) => one.scrollTo(0, 0));
        return (await shownIn(page)).length === texts.length;
    });
    await shows(page, texts);
    await page.getByText("This is the beginning of Long.").waitFor();

    /* What comes meanwhile does not move the page away from what one reads. */
    await scroll.evaluate((one) => one.scrollTo(0, 0));
    await ada.say(room, "news");
    await shows(page, [...texts, "news"]);
    assert.equal(await scroll.evaluate((one) => one.scrollTop), 0);
    await page.getByRole("button", { name: "To the latest" }).click();
    await until("the end", () => scroll.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 2));
    await page.context().close();
});

test("words are looked for in all rooms, and lead to where they were said", async () => {
    const [old, other] = [await ada.room("Old talk", bob), await ada.room("Other talk", bob)];

    await bob.say(old, "The zephyr blows <b>here</b>, says the song about the Zephyr");
    for (const text of numbers(0, 120)) {
        await ada.say(old, text);
    }
    await ada.say(other, "No zephyr today");
    await ada.say(other, "なんでもない日");
    const page = await pageOpen(browser, server, { person: ada });
    const box = page.getByRole("searchbox", { name: "Search messages" });
    const found = page.locator("[data-found] a");

    /* What was said is found about a second later: the question is asked again until then. */
    await until("both to be found", async () => (await ada.api("GET", "/api/chat/search/?q=zephyr")).results.length === 2);
    await box.fill("zephyr");
    await until("both to be shown", async () => (await found.count()) === 2);
    assert.deepEqual(await found.locator(".name").allTextContents(), ["You in Other talk", "Bob in Old talk"]);
    assert.deepEqual(await found.last().locator("mark").allTextContents(), ["zephyr", "Zephyr"]);
    assert.ok(await page.locator("[data-rooms]").isHidden());
    await found.last().click();
    await page.getByRole("heading", { name: "Old talk" }).waitFor();
    await page.locator(".message.found", { hasText: "The zephyr blows <b>here</b>" }).waitFor();
    assert.ok(await page.locator(".message.found").evaluate((entry) => {
        const { top, bottom } = entry.getBoundingClientRect();

        return entry === document.activeElement && top >= 0 && bottom <= innerHeight;
    }));
    await box.fill("でもない");
    await until("one to be found", async () => (await found.locator("mark").allTextContents()).join() === "でもない");
    await found.click();
    await page.locator(".message.found", { hasText: "なんでもない日" }).waitFor();
    await box.fill("nowhere to be found");
    await page.getByText("Nothing was found.").first().waitFor();
    await box.press("Escape");
    await page.getByRole("link", { name: /Old talk/ }).waitFor();
    assert.ok(await page.locator("[data-results]").isHidden());
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("markup in every name is shown as text", async () => {
    const names = { first_name: "<img src=x onerror=alert(1)>", last_name: "<b>Bold</b>" };
    const eve = await server.person("eve", names);
    const room = await eve.room("<script>alert(2)</script>&amp;", ada);
    const text = "<svg onload=alert(3)> & \"quotes\" &lt;i&gt;";
    const page = await pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` });
    let dialogs = 0;

    page.on("dialog", (dialog) => {
        dialogs++;
        dialog.dismiss();
    });
    await eve.say(room, text);
    await shows(page, [text]);
    await page.getByRole("heading", { name: "<script>alert(2)</script>&amp;" }).waitFor();
    assert.equal(await page.locator(".message .who").textContent(), `${names.first_name} ${names.last_name}`);
    assert.match(await page.locator(".bar [data-people]").textContent(), /<img src=x onerror=alert\(1\)> <b>Bold<\/b>/);
    await page.getByRole("button", { name: "Room details and members" }).click();
    await page.getByRole("dialog").getByText(names.first_name).waitFor();
    assert.equal(await page.locator("img[src=x], b, svg, script:not([src])").count(), 0);
    assert.equal(dialogs, 0);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("members come and go", async () => {
    const room = await ada.room("Guests");
    const [one, two] = await Promise.all([pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` }), pageOpen(browser, server, { person: bob })]);

    await two.getByRole("heading", { name: "Choose a room" }).waitFor(); /* its list is there, without the room */
    await one.getByRole("button", { name: "Room details and members" }).click();
    const dialog = one.getByRole("dialog");

    await dialog.getByLabel("Add somebody").fill("nobody@example.org");
    await dialog.getByRole("button", { name: "Add" }).click();
    await dialog.getByText("No user with the email nobody@example.org.").waitFor();
    await dialog.getByLabel("Add somebody").fill(bob.email);
    await dialog.getByRole("button", { name: "Add" }).click();
    await dialog.getByText("bob@example.org is a member now.").waitFor();
    await dialog.getByLabel("Name").fill("Renamed");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await one.locator(".bar").getByText("Renamed").waitFor();

    await two.getByRole("link", { name: /Renamed|Guests/ }).click();
    await two.getByRole("heading", { name: "Renamed" }).waitFor();
    await two.getByText("Nothing has been said here yet.").waitFor(); /* so its socket is open */
    await write(two, "in");
    await shows(one, ["in"]);
    await ada.api("PUT", `/api/chat/rooms/${room.id}/`, { name: "Guest room" });
    await Promise.all([one, two].map((page) => page.locator(".bar").getByText("Guest room").waitFor()));
    await ada.api("POST", `/api/chat/rooms/${room.id}/participants/`, { email: (await server.person("fay")).email });
    await Promise.all([one, two].map((page) => page.locator(".bar").getByText(/^3 people: .*Fay Example/).waitFor()));
    await toasted(two, "You are no longer in Guest room", () => dialog.getByRole("button", { name: "Remove Bob Example" }).click());
    await two.getByRole("heading", { name: "Choose a room" }).waitFor();
    assert.equal(await two.getByRole("link", { name: /Guest room/ }).count(), 0);

    /* Leaving, and the end of a room. */
    await ada.api("POST", `/api/chat/rooms/${room.id}/participants/`, { email: bob.email });
    await two.goto(`/#/rooms/${room.id}`); /* the list of this page does not have it yet */
    await two.getByRole("button", { name: "Room details and members" }).click();
    await two.getByRole("button", { name: "Leave room" }).click();
    await two.getByRole("button", { name: "Leave", exact: true }).click();
    await two.getByRole("heading", { name: "Choose a room" }).waitFor();
    await dialog.getByRole("button", { name: "Delete room" }).click();
    await one.getByRole("button", { name: "Delete", exact: true }).click();
    await one.getByRole("heading", { name: "Choose a room" }).waitFor();
    await assert.rejects(ada.api("GET", `/api/chat/rooms/${room.id}/`), /404/);
    assert.deepEqual([...one.faults, ...two.faults], []);
    await one.context().close();
    await two.context().close();
});

test("whoever is in many rooms has one socket, and hears of all of them", async () => {
    const gus = await server.person("gus");
    const rooms = [];

    for (const name of numbers(0, 30, "Room")) {
        rooms.push(await gus.room(name, bob));
    }
    const page = await pageOpen(browser, server, { hash: "#/login" });
    const sockets = [];

    page.on("websocket", (socket) => sockets.push(new URL(socket.url()).pathname));
    await loginIn(page.context(), gus);
    await page.goto("/");
    const badge = (name) => page.getByRole("link", { name: new RegExp(`${name}( |$)`) }).locator(".badge");

    await page.getByRole("heading", { name: "Choose a room" }).waitFor();
    await page.locator(".rooms").getByText("Nothing said yet").nth(19).waitFor();
    await bob.say(rooms[0], "in an old one");
    await bob.say(rooms[29], "in a new one");
    await until("both to be counted", async () => (await badge("Room 0").textContent()) === "1" && (await badge("Room 29").textContent()) === "1");
    assert.deepEqual(await page.locator(".rooms .name").evaluateAll((all) => all.slice(0, 2).map((one) => one.textContent).sort()), ["Room 0", "Room 29"]);
    await page.getByRole("link", { name: /Room 0 / }).click();
    await shows(page, ["in an old one"]);
    await badge("Room 0").waitFor({ state: "hidden" });
    assert.deepEqual(sockets, ["/ws/"]);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("what is unread is counted, also over a reload, until it is read", async () => {
    const ivy = await server.person("ivy"); /* who is in no other room */
    const [here, there] = [await ivy.room("Here", bob), await ivy.room("There", bob)];
    const page = await pageOpen(browser, server, { person: ivy, hash: `#/rooms/${here.id}` });
    const entry = page.getByRole("link", { name: /There/ });
    const badge = entry.locator(".badge");

    await page.getByRole("heading", { name: "Here" }).waitFor();
    await bob.say(there, "psst");
    await entry.getByText("Bob: psst").waitFor();
    await bob.say(there, "are you there?");
    await until("two unread", async () => (await badge.textContent()) === "2");
    assert.match(await page.title(), /^\(2\) Here - Parley$/);
    assert.equal(await page.locator("#announcer").textContent(), "Bob in There: are you there?");
    await page.reload();
    await until("two unread", async () => (await badge.textContent()) === "2");
    const other = await pageOpen(browser, server, { person: ivy, hash: `#/rooms/${here.id}` }); /* another device */
    const same = other.getByRole("link", { name: /There/ }).locator(".badge");

    await until("two unread", async () => (await same.textContent()) === "2");
    await entry.click();
    await page.locator(".new", { hasText: "New" }).waitFor();
    await badge.waitFor({ state: "hidden" });
    assert.equal(await page.title(), "There - Parley");
    await same.waitFor({ state: "hidden" });
    await other.reload();
    await other.getByRole("heading", { name: "Here" }).waitFor();
    assert.ok(await same.isHidden());
    await other.context().close();
    await page.context().close();
});

test("whoever is too fast is told, and what was said goes out by itself", async () => {
    let refusals = 0;
    const toServer = ({ type, room, client_msg_id }, pass, socket) => (type === "chat_message" && refusals++ === 0
        ? socket.send(JSON.stringify({ type: "error", code: "throttled", detail: "Request was throttled.", retry_after: 2, room, client_msg_id })) : pass());

    await between("Fast", { toServer }, async (one) => {
        const told = one.getByText(/You are sending very fast\. It is sent in [12] seconds\./).waitFor();

        await write(one, "too fast");
        await told;
        await until("it to be confirmed", async () => (await one.locator(".outgoing").count()) === 0);
        await shows(one, ["too fast"]);
        await one.getByLabel("Your message").fill("x".repeat(5001));
        await one.keyboard.press("Enter");
        await one.getByText("That is 1 characters too long").waitFor();
    });
});
