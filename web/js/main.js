/* main.js -- the start: who are we, and which page is asked for.
 *
 *   #/login  #/register  #/forgot     before the login
 *   #/rooms  #/rooms/<id>             the chat
 */
import { api } from "./api.js";
import { Chat } from "./chat.js";
import { showEntrance } from "./entrance.js";
import { ChatPage } from "./page.js";
import { themeApply } from "./theme.js";

const app = document.getElementById("app");
const entrances = { "#/login": "login", "#/register": "register", "#/forgot": "forgot" };
let page = null; /* of the chat; null: nobody is logged in */
let wanted = ""; /* where to go after the login */

function leave(notice) {
    if (!page) {
        return;
    }
    wanted = location.hash;
    page.end();
    page = null;
    history.replaceState(null, "", "#/login");
    showEntrance(app, "login", { onLogin, notice });
}

/* Shows the chat.  Throws what went wrong; where the session is over, the login is shown already. */
async function enter(me) {
    const chat = new Chat(me, () => leave("You have been logged out. Please log in again."));

    page?.end();
    page = new ChatPage(app, chat, { onLogout: () => leave("You are logged out.") });
    try {
        await page.start();
    } catch (error) {
        page?.end();
        page = null;
        if (error.status !== 401) {
            throw error;
        }
    }
}

/* Back to the page that was asked for: one that came with a link survives the login. */
async function onLogin(me) {
    const to = wanted.startsWith("#/rooms") ? wanted : "#/rooms";

    wanted = "";
    history.replaceState(null, "", to);
    await orAgain(() => enter(me));
}

function show() {
    if (page) {
        page.show(location.hash);
        return;
    }
    if (location.hash.startsWith("#/rooms")) {
        wanted = location.hash;
    }
    showEntrance(app, entrances[location.hash] ?? "login", { onLogin });
}

/* The csrftoken cookie lives as long as the session's, which no script can see. */
async function start() {
    if (!document.cookie.includes("csrftoken=")) {
        show();
        return;
    }
    let me;

    try {
        me = await api.profile();
    } catch (error) {
        if (error.status !== 401) {
            throw error;
        }
        show();
        return;
    }
    /* Anything else stays as it is: somebody may be on the way to a room. */
    if (location.hash in entrances) {
        history.replaceState(null, "", "#/rooms");
    }
    await enter(me);
}

/* A server that is away is tried again, by itself or by whoever presses the button. */
async function orAgain(fn) {
    try {
        await fn();
    } catch (error) {
        showEntrance(app, "away", { why: error.message, onAgain: () => orAgain(start) });
    }
}

themeApply();
/* What is still under way while one logs out is no news. */
api.onUnauthorized = () => page?.chat.isLeaving || leave("You have been logged out. Please log in again.");
window.addEventListener("hashchange", show);
orAgain(start);
