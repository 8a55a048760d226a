/* rig.mjs -- what the tests of the page need: a server of their own, people, and browsers.
 *
 * The server is the real binary with a private port and private folders; PARLEY_BUILD names another build than build/dev.
 * Each test file has one Chromium with a profile of its own; each person has a context in it: cookies and storage apart. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test as bareTest } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

export const ROOT = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const BUILD = resolve(process.env.PARLEY_BUILD ?? join(ROOT, "build/dev"));
export const PASSWORD = "correct horse battery";
export const PATIENCE = 60000; /* until a test gives up waiting; a sanitized server on a busy machine is slow */
const LIFTED = { THROTTLE_ANON: "", THROTTLE_USER: "", THROTTLE_MESSAGE: "", THROTTLE_LOGIN: "", THROTTLE_ACCOUNT: "" };
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];

async function freePort() {
    const probe = createServer().listen(0, "127.0.0.1");

    await once(probe, "listening");
    const { port } = probe.address();
    probe.close();
    await once(probe, "close");
    return port;
}

/* fn() until it gives something true; that is returned. */
export async function until(what, fn) {
    const end = Date.now() + PATIENCE;

    for (;;) {
        const found = await fn();

        if (found) {
            return found;
        }
        assert.ok(Date.now() < end, `waited ${PATIENCE} ms for ${what}`);
        await pause(20);
    }
}

export class Server {
    /* env: variables of the configuration; port: one that is known already, of a server that ended */
    static async start(env = {}) {
        const server = new Server();

        server.folder = mkdtempSync(join(tmpdir(), "parley-browser-"));
        server.port = await freePort();
        server.url = `http://127.0.0.1:${server.port}`;
        server.env = { ...process.env, HOST: "127.0.0.1", PORT: String(server.port), OPS: "none", DATA_DIR: join(server.folder, "var"),
            LOG_DIR: join(server.folder, "logs"), SITE_URL: server.url, ...LIFTED, ...env };
        await server.run();
        return server;
    }

    async run() {
        const user = process.getuid() === 0 ? ["--user", "root"] : []; /* root is refused unless it says so */

        this.text = "";
        this.process = spawn(join(BUILD, "parley"), ["serve", "--config", join(ROOT, "config/parley.yaml"), ...user],
            { cwd: ROOT, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
        this.ended = once(this.process, "exit");
        process.once("exit", () => this.process.kill("SIGTERM")); /* whatever a test died of */
        for (const stream of [this.process.stdout, this.process.stderr]) {
            stream.on("data", (bytes) => { this.text += bytes; });
        }
        await until("the server to listen", () => {
            assert.equal(this.process.exitCode, null, this.text);
            return this.text.includes("is listening on");
        });
    }

    /* Its workers die as by a crash; the supervisor starts new ones. */
    killWorkers() {
        const pids = execFileSync("pgrep", ["-P", String(this.process.pid)], { encoding: "utf8" }).trim().split("\n").map(Number);

        pids.forEach((pid) => process.kill(pid, "SIGKILL"));
    }

    async stop() {
        this.process.kill("SIGTERM");
        const [code] = await this.ended;

        assert.equal(code, 0, this.text);
        assert.doesNotMatch(this.text, /AddressSanitizer|runtime error:/);
    }

    async end() {
        await this.stop();
        rmSync(this.folder, { recursive: true });
    }

    /* ---- people, over the API ---- */

    async call(method, path, body, token) {
        const headers = { Accept: "application/json", ...(token ? { Authorization: `Token ${token}` } : {}), ...(body ? { "Content-Type": "application/json" } : {}) };
        const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
        const text = await answer.text();

        assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
        return text ? JSON.parse(text) : null;
    }

    /* The link of the newest mail to that address, once there are `count`. */
    async linkTo(email, count = 1) {
        return until(`mail ${count} to ${email}`, async () => {
            const { results } = await this.call("GET", "/outbox/");
            const mails = results.filter((one) => one.to === email);

            return mails.length >= count && mails[0].text.match(/https?:\/\/\S+/)[0];
        });
    }

    async person(username, names = {}) {
        const email = `${username}@example.org`;
        const person = { username, email, first_name: username[0].toUpperCase() + username.slice(1), last_name: "Example", ...names };

        await this.call("POST", "/api/auth/register/", { ...person, password: PASSWORD, password_confirm: PASSWORD });
        await this.call("POST", new URL(await this.linkTo(email)).pathname);
        const { token, user } = await this.call("POST", "/api/auth/login/", { email, password: PASSWORD });

        return Object.assign(person, {
            id: user.id, token,
            api: (method, path, body) => this.call(method, path, body, token),
            room: (name, ...others) => this.call("POST", "/api/chat/rooms/", { name, participant_emails: others.map((one) => one.email) }, token),
            say: (room, content) => this.call("POST", `/api/chat/rooms/${room.id}/send/`, { content }, token),
        });
    }
}

export function browserLaunch() {
    return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS, timeout: PATIENCE });
}

/* A busy server may say "later" (503); then it is asked again. */
export async function loginIn(context, { email }) {
    await until(`${email} to be logged in`, async () => {
        const answer = await context.request.post("/api/auth/login/", { data: { email, password: PASSWORD } });

        assert.ok(answer.ok() || answer.status() === 503, `${answer.status()} ${await answer.text()}`);
        return answer.ok();
    });
}

const opened = new Set(); /* the pages of the test that runs */

/* As node:test's; a test that fails tells what its pages showed in that moment. */
export function test(name, fn) {
    bareTest(name, async (t) => {
        opened.clear();
        try {
            await fn(t);
        } catch (error) {
            for (const page of opened) {
                const text = page.isClosed() ? "(closed)" : await page.evaluate(() => document.body.innerText).catch(String);

                error.message += `\n--- ${page.url()} ${page.faults.join("; ")}\n${text.slice(0, 2000)}`;
            }
            throw error;
        }
    });
}

/* A page in a context of its own.  What it does against its own policy, and what its scripts throw, is in `page.faults`. */
export async function pageOpen(browser, server, { person, viewport = { width: 1100, height: 720 }, hash = "", ...more } = {}) {
    const context = await browser.newContext({ viewport, baseURL: server.url, locale: "en-GB", timezoneId: "UTC", ...more });
    const page = await context.newPage();

    context.setDefaultTimeout(PATIENCE);
    page.faults = [];
    opened.add(page);
    await page.exposeFunction("tellViolation", (text) => page.faults.push(text));
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
        window.tellViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (message) => {
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource") && !message.text().startsWith("WebSocket connection")) {
            page.faults.push(message.text());
        }
    });
    if (person) {
        await loginIn(context, person);
    }
    await page.goto(`/${hash}`);
    return page;
}

/* A page that has just come may not take clicks before it is drawn. */
export function drawn(page) {
    return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
}

/* The texts of the open room's messages, in their order. */
export function shownIn(page) {
    return page.locator(".message .content").allTextContents();
}

/* A toast goes by itself: the page looks out for it from before fn() on. */
export async function toasted(page, text, fn) {
    await Promise.all([page.locator(".toast", { hasText: text }).waitFor(), fn()]);
}

export async function write(page, text) {
    await page.getByLabel("Your message").fill(text);
    await page.keyboard.press("Enter");
}
