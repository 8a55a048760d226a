/* entrance.test.mjs -- the ways in and out: an account, the mail, the login, a forgotten password, the end of a session. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { browserLaunch, drawn, loginIn, pageOpen, PASSWORD, Server, test, toasted, until } from "./rig.mjs";

let server, browser, ada;

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    ada = await server.person("ada");
});
after(async () => {
    await browser?.close();
    await server?.end();
});

async function fill(page, fields) {
    for (const [label, value] of Object.entries(fields)) {
        await page.getByLabel(label, { exact: true }).fill(value);
    }
}

async function login(page, email, password) {
    await fill(page, { "Email address": email, Password: password });
    await page.getByRole("button", { name: "Log in" }).click();
}

const PROFILE = "**/api/auth/profile/";
const AGAIN_MOST_MS = 6000; /* as web/js/entrance.js has it */

/* From the next document on its timers wait for page.clock.runFor(). */
async function timeStands(page) {
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60000);
}

const heading = (page, name) => page.getByRole("heading", { name }).waitFor();

test("from nothing to the first room", async () => {
    const page = await pageOpen(browser, server);

    await page.getByRole("link", { name: "Create an account" }).click();
    await fill(page, { "First name": "Bob", "Last name": "Example", Username: "bob", "Email address": "bob@example.org", Password: PASSWORD,
        "Password, once more": "something else" });
    await page.getByRole("button", { name: "Create account" }).click();
    const field = page.getByLabel("Password, once more");

    await page.getByText("Passwords do not match.").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.equal(await field.evaluate((one) => document.getElementById(one.getAttribute("aria-describedby")).textContent), "Passwords do not match.");
    assert.ok(await field.evaluate((one) => one === document.activeElement));
    await field.fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await heading(page, "Check your mail");
    await page.getByText("bob@example.org").waitFor();

    /* Not yet: the login says why, and offers the mail again. */
    await page.getByRole("link", { name: "Log in" }).click();
    await login(page, "bob@example.org", PASSWORD);
    await page.getByText("Email address is not verified.").waitFor();
    await page.getByRole("button", { name: "Send the verification mail again" }).click();
    await page.getByText("a mail is on its way").waitFor();

    /* The mail's page, as whoever clicks the link in it sees it. */
    await server.linkTo("bob@example.org", 2);
    await page.goto("/outbox/");
    await drawn(page);
    await page.locator("article", { hasText: "bob@example.org" }).first().getByRole("link").click();
    await heading(page, "Verify your email address");
    await drawn(page);
    await page.getByRole("button", { name: "Verify" }).click();
    await heading(page, "Email verified");
    await drawn(page);
    await page.getByRole("link", { name: "Go on to the login" }).click();
    await heading(page, "Log in");
    await login(page, "bob@example.org", PASSWORD);
    await page.getByText("You are in no room yet.").waitFor();
    await page.getByRole("button", { name: "Make the first one" }).click();
    await fill(page, { Name: "Plans", "Who else?": "nobody@example.org" });
    await page.getByRole("button", { name: "Make room" }).click();
    await page.getByText("No user with the email nobody@example.org.").waitFor();
    await page.getByLabel("Who else?").fill("Ada@example.org;\nbob@example.org");
    await page.getByRole("button", { name: "Make room" }).click();
    await heading(page, "Plans");
    await page.getByText(/^2 people: (Bob Example, Ada Example|Ada Example, Bob Example)$/).waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("the outbox is offered where it is", async () => {
    const page = await pageOpen(browser, server, { hash: "#/forgot" });

    await fill(page, { "Email address": "nobody@example.org" });
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("link", { name: "Outbox" }).waitFor();
    await page.context().close();
});

test("a forgotten password", async () => {
    const cyd = await server.person("cyd");
    const page = await pageOpen(browser, server, { hash: "#/login" });

    await login(page, cyd.email, "not the password");
    await page.getByText("Unable to log in with provided credentials.").waitFor();
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await fill(page, { "Email address": cyd.email });
    await page.getByRole("button", { name: "Send the link" }).click();
    await server.linkTo(cyd.email, 2);
    await page.goto("/outbox/");
    await drawn(page);
    await page.locator("article", { hasText: "reset-password" }).first().getByRole("link").click();
    await heading(page, "Set a new password");
    await drawn(page);
    await page.locator("input[name=password]").fill("another battery staple");
    await page.locator("input[name=password_confirm]").fill("another battery staple");
    await page.getByRole("button").click();
    await heading(page, "Password changed");
    await page.goto("/");
    await login(page, cyd.email, "another battery staple");
    await page.getByText("You are in no room yet.").waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("a link to a room survives the login", async () => {
    const room = await ada.room("Deep");
    const page = await pageOpen(browser, server, { hash: `#/rooms/${room.id}` });

    await login(page, ada.email, PASSWORD);
    await heading(page, "Deep");
    await page.reload();
    await heading(page, "Deep");
    await toasted(page, "That room is not there, or you are not in it.", () => page.goto("/#/rooms/019a1b2c-0000-7000-8000-0000000000c3"));
    await heading(page, "Choose a room");
    await page.context().close();
});

test("a link to a room is not lost while the server is away", async () => {
    const near = await ada.room("Near");
    const page = await pageOpen(browser, server, { person: ada });
    const rooms = "**/api/chat/rooms/**";
    const lost = [];

    await heading(page, "Choose a room");
    await until("the list to be read, at the start and as the socket opens", () => page.evaluate(() =>
        performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/chat/rooms/?")).length >= 2));
    await page.route(rooms, (route) => {
        const address = route.request().url();

        if (address.includes(near.id)) {
            return route.continue();
        }
        lost.push(address);
        return route.abort();
    });
    const room = await ada.room("Far");

    await toasted(page, "The server cannot be reached.", () => page.goto(`/#/rooms/${room.id}`));
    for (const text of ["one", "two", "three"]) {
        await ada.say(near, text);
        await page.getByText(`You: ${text}`).waitFor();
    }
    assert.equal(lost.filter((address) => address.includes(room.id)).length, 1); /* what is said elsewhere is no reason to ask again */
    await page.unroute(rooms);
    assert.match(page.url(), new RegExp(room.id));
    await page.evaluate(() => window.dispatchEvent(new Event("online"))); /* the list is read again */
    await heading(page, "Far");
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("a server that is away at the start is tried again by itself", async () => {
    const page = await pageOpen(browser, server);

    await loginIn(page.context(), ada);
    await timeStands(page);
    await page.route(PROFILE, (route) => route.abort());
    await page.reload();
    await heading(page, "No connection");
    await page.getByText("Trying again in a few seconds").waitFor();
    await page.unroute(PROFILE);
    await page.clock.runFor(AGAIN_MOST_MS);
    await heading(page, "Choose a room");
    await page.route("**/api/chat/rooms/?*", (route) => route.abort());
    await page.reload();
    await heading(page, "No connection");
    await page.unroute("**/api/chat/rooms/?*");
    await page.getByRole("button", { name: "Try again" }).click(); /* no need to wait: time stands */
    await heading(page, "Choose a room");
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("a server that is away is not tried again once another page is shown", async () => {
    const page = await pageOpen(browser, server);
    let asked = 0;

    await loginIn(page.context(), ada);
    await timeStands(page);
    await page.route(PROFILE, (route) => {
        asked++;
        return route.abort();
    });
    await page.reload();
    await heading(page, "No connection");
    await page.goto("/#/login");
    await heading(page, "Log in");
    await page.clock.runFor(AGAIN_MOST_MS);
    await page.evaluate((address) => fetch(address).catch(() => {}), "/api/auth/profile/"); /* comes behind what the page has asked */
    assert.equal(asked, 2);
    await heading(page, "Log in");
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("logging out, and being logged out", async () => {
    const [one, two] = await Promise.all([pageOpen(browser, server, { person: ada }), pageOpen(browser, server, { person: ada })]);
    const room = await ada.room("Out");

    await two.goto(`/#/rooms/${room.id}`);
    await two.reload();
    await heading(two, "Out");
    await one.getByRole("button", { name: "Account and settings" }).click();
    await one.getByText("this browser").waitFor();
    await one.getByRole("button", { name: "End the session of node" }).click(); /* the test's own token */
    await one.getByRole("button", { name: "End the session of node" }).waitFor({ state: "detached" });
    await one.getByRole("button", { name: /End the session of Chrom/ }).first().click();
    await two.getByText("You have been logged out.").waitFor(); /* its socket was closed with 4401 */
    await one.getByRole("button", { name: "Log out" }).click();
    await one.getByText("You are logged out.").waitFor();
    assert.deepEqual((await one.context().cookies()).filter((cookie) => cookie.value), []);
    await one.reload();
    await heading(one, "Log in");
    assert.deepEqual([...one.faults, ...two.faults], []);
    await one.context().close();
    await two.context().close();
});

test("a new password ends all other sessions", async () => {
    const dan = await server.person("dan");
    const page = await pageOpen(browser, server, { person: dan });

    await page.getByRole("button", { name: "Account and settings" }).click();
    await page.getByText("Change password").first().click();
    await fill(page, { "Current password": "wrong", "New password": "yet another staple", "New password, once more": "yet another staple" });
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Wrong password.").waitFor();
    await fill(page, { "Current password": PASSWORD });
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Your password is changed").waitFor();
    await assert.rejects(dan.api("GET", "/api/auth/profile/"), /401/);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});
