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

/* Whatever goes wrong here, one can try again; where the session is over, the login is shown already. */
async function enter(me) {
    const chat = new Chat(me, () => leave("You have been logged out. Please log in again."));

    page = new ChatPage(app, chat, { onLogout: () => leave("You are logged out.") });
    try {
        await page.start();
    } catch (error) {
        page?.end();
        page = null;
        if (error.status !== 401) {
            showEntrance(app, "away", { why: error.message, onAgain: start });
        }
    }
}

/* Back to the page that was asked for: one that came with a link survives the login. */
async function onLogin(me) {
    const to = wanted.startsWith("#/rooms") ? wanted : "#/rooms";

    wanted = "";
    history.replaceState(null, "", to);
    await enter(me);
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

async function start() {
    /* The csrftoken cookie lives as long as the session's, which no script can see. */
    if (!document.cookie.includes("csrftoken=")) {
        show();
        return;
    }
    let me;

    try {
        me = await api.profile();
    } catch (error) {
        if (error.status === 401) {
            show();
        } else {
            showEntrance(app, "away", { why: error.message, onAgain: start });
        }
        return;
    }
    if (!location.hash.startsWith("#/rooms")) {
        history.replaceState(null, "", "#/rooms");
    }
    await enter(me);
}

themeApply();
/* What is still under way while one logs out is no news. */
api.onUnauthorized = () => page?.chat.isLeaving || leave("You have been logged out. Please log in again.");
window.addEventListener("hashchange", show);
start();
