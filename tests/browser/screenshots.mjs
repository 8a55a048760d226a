/* screenshots.mjs -- draws docs/images anew: `node tests/browser/screenshots.mjs`, after `./dev build dev`. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { browserLaunch, pageOpen, ROOT, Server, until, write } from "./rig.mjs";

const images = join(ROOT, "docs/images");
const server = await Server.start();
const browser = await browserLaunch();

async function people() {
    const names = [["ada", "Marlow"], ["bob", "Keane"], ["mia", "Lindqvist"]];
    const found = {};

    for (const [username, last_name] of names) {
        found[username] = await server.person(username, { last_name });
    }
    return found;
}

async function stories({ ada, bob, mia }) {
    const garden = await ada.room("Garden club", bob, mia);
    const release = await bob.room("Release 0.1", ada);
    const lunch = await mia.room("Lunch", ada, bob);
    const said = [
        [bob, "The tomatoes are in. Who waters them while I am away next week?"],
        [mia, "I can do Monday and Tuesday."],
        [mia, "And Friday, if somebody leaves me the key to the shed."],
        [ada, "Wednesday and Thursday are mine then."],
        [bob, "Perfect. The key hangs behind the blue door. The hose leaks a little at the tap, so please turn it off fully when you leave."],
        [ada, "Shall we plant the beans on Saturday? I have three kinds:\n- runner beans\n- borlotti\n- yard-long"],
        [mia, "Yes, all three!"],
    ];

    for (const [person, text] of said) {
        await person.say(garden, text);
    }
    await bob.say(release, "The notes are ready for review.");
    return { garden, release, lunch };
}

/* The list is told of a room's messages by its sockets: they have to be open before somebody speaks. */
async function opened(page) {
    await page.locator(".message").first().waitFor();
    await until("all rooms to be read", async () => (await page.locator(".rooms .last").allTextContents()).every((text) => text !== ""));
}

const all = await people();
const { garden, release, lunch } = await stories(all);
const at = { hash: `#/rooms/${garden.id}` };
const wide = await pageOpen(browser, server, { ...at, person: all.ada, colorScheme: "light", viewport: { width: 1040, height: 680 } });
const phone = await pageOpen(browser, server, { ...at, person: all.bob, colorScheme: "dark", viewport: { width: 360, height: 680 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true });

await Promise.all([opened(wide), opened(phone)]);
await all.mia.say(lunch, "Soup or salad?");
await all.bob.say(lunch, "Soup.");
await all.bob.say(release, "Shall I tag it?");
await write(wide, "Good. Ten o'clock?");
await phone.getByText("Good. Ten o'clock?", { exact: true }).waitFor();
await wide.getByText("Seen by Bob").waitFor();
await wide.getByRole("img", { name: "online" }).nth(1).waitFor();
await phone.getByLabel("Your message").pressSequentially("I am in");
await wide.getByText("Bob is typing…").waitFor();
mkdirSync(images, { recursive: true });
await wide.screenshot({ path: join(images, "chat-light.png") });
await phone.screenshot({ path: join(images, "chat-dark-phone.png") });

/* The administrator's pages, while people talk. */
function raise(username) {
    execFileSync("python3", ["-c", "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); db.execute(sys.argv[2], [sys.argv[3]]); db.commit()",
        join(server.folder, "var/parley.db"), "UPDATE users SET is_staff = 1, is_superuser = 1 WHERE username = ?", username]);
}

raise("mia");
const figures = await pageOpen(browser, server, { person: all.mia, colorScheme: "light", viewport: { width: 1180, height: 700 } });
const users = await pageOpen(browser, server, { person: all.mia, colorScheme: "dark", viewport: { width: 360, height: 680 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true });

await Promise.all([figures.goto("/admin/"), users.goto("/admin/#/users")]);
await users.getByRole("row", { name: /bob/ }).waitFor();
const drawn = () => figures.locator(".figure .line").first().getAttribute("d");

await until("charts of half a minute", async () => {
    await all.ada.say(release, "Still here.");
    return ((await drawn()) ?? "").split("L").length > 30;
});
await figures.screenshot({ path: join(images, "admin-light.png") });
await users.screenshot({ path: join(images, "admin-dark-phone.png") });
await browser.close();
await server.end();
