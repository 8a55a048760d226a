/* access.test.mjs -- for everybody: by keyboard alone, for a screen reader, on a phone, light and dark. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { browserLaunch, pageOpen, PASSWORD, Server, shownIn, test, until, write } from "./rig.mjs";

const PHONE = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true };
let server, browser, ada, bob, room;

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    [ada, bob] = await Promise.all([server.person("ada"), server.person("bob")]);
    room = await ada.room("Garden", bob);
    await bob.say(room, "a word");
    await ada.say(room, "W".repeat(500));
});
after(async () => {
    await browser?.close();
    await server?.end();
});

const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());

async function press(page, ...keys) {
    for (const key of keys) {
        await page.keyboard.press(key);
    }
}

/* Tab until that control has the focus, as somebody without a mouse would. */
async function tabTo(page, name) {
    for (let i = 0; i < 40; i++) {
        if ((await focused(page)) === name) {
            return;
        }
        await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${name}`);
}

test("by keyboard alone", async () => {
    const page = await pageOpen(browser, server);

    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.keyboard.type(ada.email); /* the first field has the focus */
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Choose a room" }).waitFor();
    await tabTo(page, "New room");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Keys");
    await page.keyboard.press("Tab");
    await page.keyboard.type(bob.email);
    await tabTo(page, "Make room");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Keys" }).waitFor();
    await until("the focus to be where one writes", () => page.evaluate(() => document.activeElement.id === "composer"));
    await page.keyboard.type("first");
    await page.keyboard.press("Enter");
    await page.keyboard.type("second");
    await page.keyboard.press("Enter");
    await until("both to be stored", async () => (await page.locator(".message:not(.outgoing)").count()) === 2);

    /* Up into the messages, delete the older one, and back. */
    await press(page, "ArrowUp", "ArrowUp", "Delete");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Delete");
    await page.keyboard.press("Enter");
    await until("one to be left", async () => (await shownIn(page)).join() === "second");
    await until("the focus to be back", () => page.evaluate(() => document.activeElement.id === "composer"));
    await press(page, "ArrowUp", "Escape");
    assert.ok(await page.evaluate(() => document.activeElement.id === "composer"));

    /* A dialog keeps the focus, Escape closes it, and the focus is where it was. */
    await page.getByRole("button", { name: "Room details and members" }).focus();
    await page.keyboard.press("Enter");
    for (let i = 0; i < 12; i++) {
        await page.keyboard.press("Tab");
        assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null));
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(page), "Room details and members");

    /* The list by arrows; the first stop of Tab leads past it. */
    await page.getByRole("link", { name: /Keys/ }).focus();
    await press(page, "ArrowDown", "Enter");
    await page.getByRole("heading", { name: "Garden" }).waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await page.getByText("Skip to writing").focus();
    await page.keyboard.press("Enter");
    assert.ok(await page.evaluate(() => document.activeElement.id === "composer"));
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

/* As assistive technology sees it: [role, name, level] of all that is not ignored. */
async function tree(page) {
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");

    await session.detach();
    return nodes.filter((node) => !node.ignored).map((node) => ({ role: node.role?.value, name: node.name?.value ?? "" }));
}

const CONTROLS = new Set(["button", "link", "textbox", "combobox", "checkbox", "listbox", "dialog", "log", "navigation", "DisclosureTriangle"]);

async function assertNamed(page, where) {
    const nodes = await tree(page);
    const nameless = nodes.filter((node) => CONTROLS.has(node.role) && node.name.trim() === "");

    assert.ok(nodes.some((node) => CONTROLS.has(node.role)), where);
    assert.deepEqual(nameless, [], where);
    assert.equal(await page.locator("img:not([alt])").count(), 0, where);
    const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((one) => one.id));

    assert.equal(new Set(ids).size, ids.length, `${where}: an id is there twice`);
    return nodes;
}

test("every control has a name, and the page its landmarks", async () => {
    const out = await pageOpen(browser, server);

    for (const hash of ["#/login", "#/register", "#/forgot"]) {
        await out.goto(`/${hash}`);
        await out.locator("h1").waitFor();
        const nodes = await assertNamed(out, hash);

        assert.equal(nodes.filter((node) => node.role === "main").length, 1);
    }
    await out.context().close();
    const page = await pageOpen(browser, server, { person: ada, hash: `#/rooms/${room.id}` });

    await page.locator(".message").first().waitFor();
    const nodes = await assertNamed(page, "the chat");

    for (const role of ["main", "navigation", "log", "status"]) {
        assert.ok(nodes.some((node) => node.role === role), role);
    }
    const log = page.getByRole("log", { name: "Messages" });

    await until("the log to be told", async () => (await log.getAttribute("aria-busy")) === "false");
    await bob.say(room, "a new word");
    await log.getByText("a new word").waitFor();
    assert.equal(await log.getAttribute("aria-busy"), "false"); /* so it is read out */
    for (const name of ["Room details and members", "Account and settings"]) {
        await page.getByRole("button", { name }).click();
        await page.locator("dialog li").first().waitFor();
        await assertNamed(page, name);
        await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "New room" }).click();
    await assertNamed(page, "New room");
    await page.context().close();
});

/* Nothing sticks out to the side, and fingers meet what they aim at. */
async function assertFits(page, where) {
    const { wide, small } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        small: [...document.querySelectorAll("button, .button, input, select, textarea, .rooms a, a.icon")].map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && (box.height < 32 || box.width < 32 || box.right > innerWidth)).map(([text]) => text),
    }));

    assert.ok(wide <= 0, `${where} is ${wide} pixels too wide`);
    assert.deepEqual(small, [], where);
}

test("on a phone", async () => {
    await ada.room("W".repeat(255));
    const out = await pageOpen(browser, server, { ...PHONE, hash: "#/register" });

    await out.getByRole("button", { name: "Create account" }).tap();
    await out.getByText("This field").first().waitFor();
    await assertFits(out, "register");
    await out.context().close();
    const page = await pageOpen(browser, server, { ...PHONE, person: ada });

    await page.getByRole("link", { name: /Garden/ }).waitFor();
    assert.ok(await page.locator(".talk").isHidden());
    await assertFits(page, "the list");
    await page.getByRole("link", { name: /Garden/ }).tap();
    await page.getByText("a word", { exact: true }).waitFor();
    assert.ok(await page.locator(".side").isHidden());
    await assertFits(page, "a room");
    await write(page, "from the phone");
    await until("it to be stored", async () => (await page.locator(".message:not(.outgoing)").last().textContent()).includes("from the phone"));
    await page.getByRole("button", { name: "Room details and members" }).tap();
    await assertFits(page, "its details");
    await page.getByRole("button", { name: "Done" }).tap();
    await page.getByRole("link", { name: "Back to the list of rooms" }).tap();
    await page.getByRole("link", { name: /WWWW/ }).tap();
    await page.getByRole("heading", { name: /WWWW/ }).waitFor();
    await assertFits(page, "a long name");
    await page.getByRole("link", { name: "Back to the list of rooms" }).tap();
    await page.getByRole("button", { name: "Account and settings" }).tap();
    await page.locator("dialog li").first().waitFor();
    await assertFits(page, "the account");
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

/* Contrast of text on what it stands on (WCAG 2): 4.5 to 1 at least. */
function contrasts(page) {
    const pairs = [["text", "ground"], ["text", "surface"], ["text", "own"], ["text", "bad-ground"], ["quiet", "ground"], ["quiet", "surface"], ["quiet", "hover"],
        ["accent", "ground"], ["accent", "surface"], ["accent", "raised"], ["on-accent", "accent"], ["bad", "surface"], ["bad", "bad-ground"], ["bad", "ground"], ["here", "surface"], ["here", "raised"], ["warn", "warn-ground"]];

    return page.evaluate((all) => {
        const probe = document.body.appendChild(document.createElement("i"));
        const light = (name) => {
            probe.style.color = `var(--${name})`;
            const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));

            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };

        return all.map(([over, under]) => {
            const [low, high] = [light(over), light(under)].sort((a, b) => a - b);

            return [`${over} on ${under}`, (high + 0.05) / (low + 0.05)];
        });
    }, pairs);
}

const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test("light and dark, as the system has it or as one likes", async () => {
    const light = await pageOpen(browser, server, { colorScheme: "light" });
    const dark = await pageOpen(browser, server, { colorScheme: "dark", person: ada });

    assert.equal(await ground(light), "rgb(245, 246, 248)");
    await dark.getByRole("button", { name: "Account and settings" }).waitFor();
    assert.equal(await ground(dark), "rgb(18, 22, 28)");
    for (const page of [light, dark]) {
        assert.deepEqual((await contrasts(page)).filter(([, ratio]) => ratio < 4.5), []);
    }
    await dark.getByRole("button", { name: "Account and settings" }).click();
    await dark.getByLabel("Appearance").selectOption("Light");
    assert.equal(await ground(dark), await ground(light));
    await dark.reload();
    await dark.getByRole("button", { name: "Account and settings" }).waitFor();
    assert.equal(await ground(dark), await ground(light));
    assert.deepEqual([...light.faults, ...dark.faults], []);
    await light.context().close();
    await dark.context().close();
});

test("the policy is in force: what is not ours does not run", async () => {
    const page = await pageOpen(browser, server);

    await page.getByRole("heading", { name: "Log in" }).waitFor();
    const parsed = await page.evaluate(() => {
        try {
            document.getElementById("announcer").innerHTML = "<b>no</b>";
            return "parsed";
        } catch (error) {
            return error.name;
        }
    });

    assert.equal(parsed, "TypeError"); /* trusted types: no text is parsed as HTML */
    await until("the violation to be told", () => page.faults.some((text) => text.startsWith("require-trusted-types-for")));
    await page.evaluate(() => document.head.append(Object.assign(document.createElement("style"), { textContent: "body { color: red }" })));
    await until("the violation to be told", () => page.faults.some((text) => text.startsWith("style-src")));
    await assert.rejects(page.evaluate(() => fetch("http://127.0.0.1:1/")), /Failed to fetch|violates/);
    await until("the violation to be told", () => page.faults.some((text) => text.startsWith("connect-src")));
    await page.context().close();
});
