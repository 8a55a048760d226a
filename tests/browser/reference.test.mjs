/* reference.test.mjs -- the API as a page at /api/docs/: all calls, sockets and schemas, found by word, opened by address, on a
 * phone, and by keyboard alone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, browserLaunch, pageOpen } from "./rig.mjs";

let server, browser, openapi, asyncapi;

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    openapi = await server.call("GET", "/api/schema/");
    asyncapi = await server.call("GET", "/api/schema/sockets/");
});

after(async () => {
    await browser.close();
    await server.end();
});

async function referenceOpen(address = "/api/docs/", more = {}) {
    const page = await pageOpen(browser, server, more);

    await page.goto(address);
    await page.getByRole("heading", { name: "The API of this server" }).waitFor();
    return page;
}

async function closeClean(page) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
}

/* The names of the entries that are shown. */
function shown(page) {
    return page.locator(".entry:visible").evaluateAll((all) => all.map((one) => one.id));
}

test("a browser that asks for the document sees all that is in it", async () => {
    const page = await referenceOpen("/api/schema/");
    const methods = ["get", "post", "put", "patch", "delete"];
    const calls = Object.values(openapi.paths).flatMap((item) => methods.filter((method) => item[method]).map((method) => item[method].operationId));
    const sockets = Object.keys(asyncapi.channels).map((name) => `socket-${name}`);
    const schemas = Object.keys({ ...openapi.components.schemas, ...asyncapi.components.schemas }).map((name) => `schema-${name}`);

    assert.equal(new URL(page.url()).pathname, "/api/docs/");
    assert.deepEqual((await shown(page)).sort(), [...calls, ...sockets, ...schemas].sort());
    const dead = await page.locator("a[href^='#']").evaluateAll((all) => all.map((one) => one.getAttribute("href"))
        .filter((href) => !document.getElementById(href.slice(1))));
    assert.deepEqual(dead, []);
    await closeClean(page);
});

test("what is looked for is found, and told to screen readers", async () => {
    const page = await referenceOpen();

    await page.getByLabel("Find").fill("reacts to a message");
    await page.locator("#announcer", { hasText: "1 found" }).waitFor();
    assert.deepEqual(await shown(page), ["add_reaction"]);
    await page.getByLabel("Find").fill("nothing-has-this");
    await page.locator("#announcer", { hasText: "0 found" }).waitFor();
    assert.deepEqual(await shown(page), []);
    await page.getByLabel("Find").fill("");
    await page.locator("#send_message").waitFor();
    await closeClean(page);
});

test("an address opens what it names, and a link in it the next", async () => {
    const page = await referenceOpen("/api/docs/#send_message");
    const call = page.locator("#send_message");

    await call.getByRole("heading", { name: "Answers" }).waitFor();
    await call.getByText("\"client_msg_id\"").waitFor();
    await call.getByRole("link", { name: "Tombstone" }).click();
    await page.locator("#schema-Tombstone").getByText("\"deleted_at\"").waitFor();
    await page.waitForFunction(() => document.activeElement.closest("details")?.id === "schema-Tombstone");
    await closeClean(page);
});

test("an address that names nothing opens nothing", async () => {
    const page = await referenceOpen("/api/docs/#%");

    await page.goto("/api/docs/#%e2%82");
    await page.goto("/api/docs/#%73end_message"); /* and this one something */
    await page.locator("#send_message").getByRole("heading", { name: "Answers" }).waitFor();
    assert.equal(await page.locator(".entry[open]").count(), 1);
    await closeClean(page);
});

test("by keyboard alone", async () => {
    const page = await referenceOpen();

    await page.keyboard.press("Tab");
    await page.waitForFunction(() => document.activeElement.className === "skip");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.id === "content");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => document.activeElement.tagName === "SUMMARY");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.parentElement.open);
    await closeClean(page);
});

for (const colorScheme of ["light", "dark"]) {
    test(`on a phone nothing is wider than the screen (${colorScheme})`, async () => {
        const page = await referenceOpen("/api/docs/#list_messages", { viewport: { width: 320, height: 640 }, colorScheme });

        await page.locator("#list_messages").getByRole("heading", { name: "Parameters" }).waitFor();
        assert.equal(await page.locator(".contents").evaluate((one) => one.open), false);
        await page.locator(".entry").evaluateAll((all) => all.forEach((one) => { one.open = true; }));
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
        await closeClean(page);
    });
}
