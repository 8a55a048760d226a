/* admin.test.mjs -- the administrator's pages at /admin/: who gets in, what is found, what is done, and how it looks and
 * behaves without a mouse, on a phone, and when names hold markup. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before } from "node:test";
import { browserLaunch, pageOpen, PASSWORD, Server, test, until } from "./rig.mjs";

const MARKUP = "<img src=x onerror=\"document.title='hacked'\">";
let server, browser, boss, ada, bob;

/* A role as a person at the database would give it. */
function raise(person, role) {
    const sql = `UPDATE users SET is_staff = 1, is_superuser = ${Number(role === "superuser")} WHERE username = '${person.username}'`;

    execFileSync("python3", ["-c", "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); db.execute(sys.argv[2]); db.commit()",
        join(server.folder, "var/parley.db"), sql]);
}

before(async () => {
    [server, browser] = await Promise.all([Server.start(), browserLaunch()]);
    boss = await server.person("boss");
    ada = await server.person("ada", { first_name: MARKUP });
    bob = await server.person("bob");
    raise(boss, "superuser");
});

after(async () => {
    await browser.close();
    await server.end();
});

async function adminOpen(person, hash = "", more = {}) {
    const page = await pageOpen(browser, server, { person, ...more });

    await page.goto(`/admin/${hash}`);
    return page;
}

async function closeClean(page) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
}

test("a log-in that fails, one of a user, one of a superuser, and out again", async () => {
    const page = await adminOpen(null);

    await page.getByLabel("Email address").fill(bob.email);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Unable to log in with provided credentials.").waitFor();
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Not for this account" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Email address").fill(boss.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await closeClean(page);
});

test("figures move", async () => {
    const page = await adminOpen(boss);
    const number = page.locator(".figure", { hasText: "Messages stored" }).locator("p span");
    const room = await ada.room("Numbers");

    await until("a rate above 0", async () => {
        await ada.say(room, "one more");
        return Number(await number.textContent()) > 0;
    });
    assert.match(await page.locator(".figure .line").first().getAttribute("d"), /^M[\d.]+ [\d.]+L/);
    await closeClean(page);
});

test("a user is found, disabled after a question, and enabled, by keyboard alone", async () => {
    const page = await adminOpen(boss, "#/users");

    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.getByLabel("Search username, address or name").focus();
    await page.keyboard.type("bob@");
    await until("one row", async () => (await page.locator("tbody tr").count()) === 1);
    await page.getByRole("link", { name: "bob" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "bob" }).waitFor();
    await page.getByRole("button", { name: "Disable" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal((await boss.api("GET", `/api/admin/users/${bob.id}/`)).is_active, true);
    await page.getByRole("button", { name: "Disable" }).press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).press("Enter");
    await page.getByText("bob is disabled.").first().waitFor();
    assert.equal((await boss.api("GET", `/api/admin/users/${bob.id}/`)).is_active, false);
    await page.getByRole("button", { name: "Enable" }).press("Enter");
    await page.getByRole("button", { name: "Disable" }).waitFor();
    await page.getByLabel("Role").selectOption("staff");
    await page.getByText("bob is staff now.").first().waitFor();
    await page.getByLabel("Role").selectOption("user");
    await page.getByText("bob is user now.").first().waitFor();
    await closeClean(page);
});

test("the last superuser is told why he stays", async () => {
    const page = await adminOpen(boss, `#/users/${boss.id}`);

    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.getByText("The last superuser can be neither disabled nor demoted.").first().waitFor();
    await closeClean(page);
});

test("markup in every name is text, and a message is deleted", async () => {
    const room = await ada.room(MARKUP, boss);

    await ada.say(room, MARKUP);
    const page = await adminOpen(boss, `#/users/${ada.id}`);

    await page.getByText(`${MARKUP} Example`).waitFor();
    await page.goto(`/admin/#/rooms/${room.id}`);
    await page.getByRole("heading", { name: MARKUP }).waitFor();
    await page.getByRole("cell", { name: MARKUP }).waitFor();
    await page.getByRole("row", { name: /onerror/ }).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByText(MARKUP).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No message was found.").waitFor();
    await until("the keyboard to be at the heading, as the button is gone", () => page.evaluate(() => document.activeElement?.tagName === "H1"));
    assert.equal(await page.locator("main img").count(), 0);
    assert.notEqual(await page.title(), "hacked");
    await closeClean(page);
});

test("every page shows, also on a phone, and nothing is wider than it", async () => {
    const page = await adminOpen(boss, "", { viewport: { width: 360, height: 740 }, colorScheme: "dark" });

    for (const title of ["Overview", "Users", "Rooms", "Messages", "Mail", "Sessions", "Audit log", "Server"]) {
        await page.getByRole("navigation").getByRole("link", { name: title }).click();
        await page.getByRole("heading", { name: title, exact: true, level: 1 }).waitFor();
        await until("the list to be there", async () => (await page.locator("[aria-busy]").count()) === 0);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${title} is wider than the phone`);
    }
    await closeClean(page);
});

test("who is no longer staff is out at once", async () => {
    const grace = await server.person("grace");

    raise(grace, "staff");
    const page = await adminOpen(grace);

    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await until("a figure", async () => (await page.locator(".figure p span").first().textContent()) !== "–");
    await boss.api("POST", `/api/admin/users/${grace.id}/role/`, { role: "user" });
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await closeClean(page);
});
