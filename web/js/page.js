/* page.js -- the chat's page: the list of rooms beside the open one. */
import { CLOSED_FORBIDDEN, CLOSED_NOT_FOUND } from "./chat.js";
import { accountDialog, newRoomDialog } from "./dialogs.js";
import { announce, element, fromTemplate, reconcile } from "./dom.js";
import { hueOf, initialOf } from "./names.js";
import { Search } from "./search.js";
import { Talk } from "./talk.js";
import { fullTimeOf, shortTimeOf } from "./time.js";

const BADGE_MOST = 99;
const NOT_THERE = new Set([400, 403, 404]); /* how the server says that there is no such room for us */

function roomEntry(id) {
    return element(
        "li", {},
        element("a", { href: `#/rooms/${id}` },
            element("span", { class: "initial", "aria-hidden": "true" }),
            element("span", { class: "name" }),
            element("time", {}),
            element("span", { class: "last" }),
            element("span", { class: "badge", hidden: true })),
    );
}

function lastWords(room, me) {
    const message = room.lastMessage;

    if (!message) {
        return room.isRead ? "Nothing said yet" : "";
    }
    return `${message.sender.id === me.id ? "You" : message.sender.first_name}: ${message.content}`;
}

function roomUpdate(entry, room, chat, isOpen) {
    const link = entry.firstElementChild;
    const [initial, name, time, last, badge] = link.children;
    const { unread } = room;

    initial.textContent = initialOf(room.name);
    initial.className = `initial ${hueOf(room.id)}`;
    name.textContent = room.name;
    time.textContent = shortTimeOf(room.activeAt);
    time.dateTime = room.activeAt;
    time.title = fullTimeOf(room.activeAt);
    last.textContent = lastWords(room, chat.me);
    badge.hidden = unread === 0;
    badge.textContent = unread > BADGE_MOST ? `${BADGE_MOST}+` : unread;
    badge.setAttribute("aria-label", `${unread} unread`);
    if (isOpen) {
        link.setAttribute("aria-current", "page");
    } else {
        link.removeAttribute("aria-current");
    }
}

export class ChatPage {
    constructor(app, chat, { onLogout }) {
        this.app = app;
        this.chat = chat;
        this.talk = null;
        this.missed = null; /* the link to a room that could not be looked for */
        this.hasEnded = false;
        app.replaceChildren(fromTemplate("chat"));
        this.frame = app.querySelector(".chat");
        this.rooms = app.querySelector("[data-rooms]");
        this.main = app.querySelector("[data-talk]");
        this.search = new Search(app.querySelector(".side"), chat);
        app.querySelectorAll("[data-new-room]").forEach((button) => button.addEventListener("click", () => newRoomDialog(chat)));
        app.querySelector("[data-account]").addEventListener("click", () => accountDialog(chat, onLogout));
        app.querySelector("[data-skip]").addEventListener("click", (event) => {
            event.preventDefault();
            document.getElementById("composer")?.focus();
        });
        this.rooms.addEventListener("keydown", (event) => this.moveInList(event));
        chat.addEventListener("rooms", ({ detail }) => (detail.isAnew ? this.roomsCame() : this.update()));
        chat.addEventListener("messages", ({ detail }) => this.tellElsewhere(detail));
        chat.addEventListener("fault", ({ detail }) => this.tell(detail.text));
        chat.addEventListener("gone", ({ detail }) => this.roomGone(detail));
        this.onFocus = () => this.talk?.look();
        window.addEventListener("focus", this.onFocus);
    }

    async start() {
        await this.chat.start();
        this.show(location.hash);
    }

    end() {
        this.hasEnded = true;
        window.removeEventListener("focus", this.onFocus);
        document.querySelectorAll("dialog").forEach((dialog) => dialog.remove());
        this.talk?.end();
        this.search.end();
        this.chat.end();
    }

    show(hash) {
        const [, id, seq] = hash.match(/^#\/rooms\/([0-9a-f-]{36})(?:\/(\d{1,15}))?$/) ?? [];
        const room = this.chat.rooms.get(id);

        if (id && !room) {
            this.lookFor(id, hash);
            return;
        }
        if (!room || room !== this.talk?.room) {
            this.open(room);
        }
        this.update();
        if (room && seq) {
            this.talk.showPlace(Number(seq));
        }
    }

    open(room) {
        this.talk?.end();
        this.talk = null;
        this.frame.classList.toggle("is-talking", Boolean(room));
        if (room) {
            this.talk = new Talk(this.main, this.chat, room);
        } else {
            this.main.replaceChildren(fromTemplate("nothing-open"));
        }
    }

    /* A link to a room that is not in the list.  While the server is away the link stays, until the list comes. */
    async lookFor(id, hash) {
        let fault = null;

        try {
            await this.chat.find(id);
        } catch (error) {
            fault = error;
        }
        if (this.hasEnded || location.hash !== hash) {
            return;
        }
        if (fault && !NOT_THERE.has(fault.status)) {
            this.missed = hash;
            this.tell(fault.message);
            return;
        }
        if (fault) {
            history.replaceState(null, "", "#/rooms");
            this.tell("That room is not there, or you are not in it.");
        }
        this.show(location.hash);
    }

    /* The list has come: so the server is there, perhaps with the room that was missed. */
    roomsCame() {
        const { missed } = this;

        this.missed = null;
        if (missed && missed === location.hash) {
            this.show(missed);
        } else {
            this.update();
        }
    }

    update() {
        const { chat } = this;
        const { unread } = chat;
        const list = chat.list;

        reconcile(this.rooms, list.map((room) => [room.id, () => roomEntry(room.id), (entry) => roomUpdate(entry, room, chat, room === this.talk?.room)]));
        this.app.querySelector("[data-no-rooms]").hidden = !chat.isLoaded || list.length > 0;
        this.talk?.updateHead();
        document.title = `${unread > 0 ? `(${unread}) ` : ""}${this.talk ? `${this.talk.room.name} - ` : ""}Parley`;
    }

    /* Arrows walk through the list, as Tab does. */
    moveInList(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const links = [...this.rooms.querySelectorAll("a")];
        const at = links.indexOf(document.activeElement);

        if (step && at >= 0) {
            event.preventDefault();
            links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
        }
    }

    /* The open room's log speaks for itself. */
    tellElsewhere({ room, message }) {
        if (message && room !== this.talk?.room && message.sender.id !== this.chat.me.id) {
            announce(`${message.sender.first_name} in ${room.name}: ${message.content}`);
        }
    }

    roomGone({ room, code }) {
        const why = { [CLOSED_FORBIDDEN]: "You are no longer in", [CLOSED_NOT_FOUND]: "The room is no more:" }[code];

        if (room === this.talk?.room) {
            location.hash = "#/rooms";
            this.show("#/rooms");
        }
        if (why) {
            this.tell(`${why} ${room.name}`);
        }
    }

    /* To those who look and to those who listen. */
    tell(text) {
        announce(text);
        const shown = element("p", { class: "toast", "aria-hidden": "true" }, text);

        this.app.append(shown);
        setTimeout(() => shown.remove(), 6000);
    }
}
