/* main.js -- who is there, and which page is shown: "#/users/<id>". */
import { element, fromTemplate } from "./dom.js";
import { get, login, logout } from "./api.js";
import { figuresView } from "./charts.js";
import * as pages from "./pages.js";

const app = document.getElementById("app");
let me = null;
let shown = 0;

/* address -> title in the navigation (absent: none), and what it shows */
const ROUTES = [
    [/^overview$/, "overview", "Overview", () => [pages.head("Overview", element("small", {}, "This machine, now.")), figuresView(begin)]],
    [/^users$/, "users", "Users", pages.users],
    [/^users\/([0-9a-f-]{36})$/, "users", null, pages.user],
    [/^rooms$/, "rooms", "Rooms", pages.rooms],
    [/^rooms\/([0-9a-f-]{36})$/, "rooms", null, pages.room],
    [/^messages$/, "messages", "Messages", pages.messages],
    [/^mail$/, "mail", "Mail", pages.mails],
    [/^sessions$/, "sessions", "Sessions", pages.allSessions],
    [/^audit$/, "audit", "Audit log", pages.auditLog],
    [/^server$/, "server", "Server", pages.server],
];

function contentReplace(...children) {
    const content = document.getElementById("content");

    content.querySelectorAll("*").forEach((one) => one.dispatchEvent(new Event("leave")));
    content.replaceChildren(...children);
}

async function show() {
    const place = location.hash.replace(/^#\/?/, "") || "overview";
    const [pattern, name, , page] = ROUTES.find(([one]) => one.test(place)) ?? ROUTES[0];
    const mine = ++shown;

    for (const link of document.querySelectorAll("nav a")) {
        if (link.dataset.name === name) {
            link.setAttribute("aria-current", "page");
            link.scrollIntoView({ block: "nearest", inline: "nearest" });
        } else {
            link.removeAttribute("aria-current");
        }
    }
    try {
        const made = await page(pattern.exec(place)?.[1], me);

        if (mine === shown) {
            contentReplace(...made);
        }
    } catch (error) {
        if (error.status === 401 || error.status === 403) {
            begin();
            return;
        }
        contentReplace(element("p", { class: "notice", role: "alert" }, error.message));
    }
    if (mine === shown) {
        document.querySelector("#content h1")?.focus();
    }
}

function frame() {
    app.replaceChildren(fromTemplate("frame"));
    app.querySelector("nav ul").append(...ROUTES.filter(([, , title]) => title).map(([, name, title]) => element("li", {}, element("a", { href: `#/${name}`, "data-name": name }, title))));
    app.querySelector(".me span").textContent = me.username;
    app.querySelector(".me button").addEventListener("click", leave);
    app.querySelector(".skip").addEventListener("click", (event) => {
        event.preventDefault();
        document.getElementById("content").focus();
    });
    show();
}

async function leave() {
    await logout().catch(() => {});
    begin();
}

function entrance() {
    app.replaceChildren(fromTemplate("login"));
    const form = app.querySelector("form");
    const note = form.querySelector(".note");

    app.querySelector("h1").focus();
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button");

        button.disabled = true;
        note.textContent = "";
        try {
            await login(form.elements.email.value, form.elements.password.value);
            await begin();
        } catch (error) {
            note.textContent = error.message;
        } finally {
            button.disabled = false;
        }
    });
}

function stranger() {
    app.replaceChildren(fromTemplate("stranger"));
    app.querySelector("button").addEventListener("click", leave);
    app.querySelector("h1").focus();
}

async function begin() {
    me = null;
    shown++;
    try {
        me = await get("me/");
        frame();
    } catch (error) {
        if (error.status === 401) {
            entrance();
        } else if (error.status === 403) {
            stranger();
        } else {
            app.replaceChildren(element("main", { class: "entrance" }, element("p", { class: "notice", role: "alert" }, error.message),
                element("button", { type: "button", class: "primary", onclick: begin }, "Try again")));
        }
    }
}

addEventListener("hashchange", () => me && show());
begin();
