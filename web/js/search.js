/* search.js -- looks for words in the messages of all rooms; what is found stands in the place of the list of rooms. */
import { api } from "./api.js";
import { announce, element, reconcile } from "./dom.js";
import { fullTimeOf, shortTimeOf } from "./time.js";

const PAUSE_MS = 300; /* after the last letter */
const BEFORE = 30; /* characters of a text that are shown before what was found */

/* The text around its first highlight, all of them marked.  Places count code points. */
function excerpt({ content, highlights }) {
    const letters = [...content];
    const from = Math.max(0, (highlights[0]?.[0] ?? 0) - BEFORE);
    const parts = [from > 0 ? "…" : ""];
    let at = from;

    for (const [low, high] of highlights) {
        parts.push(letters.slice(at, low).join(""), element("mark", {}, letters.slice(low, high).join("")));
        at = high;
    }
    return [...parts, letters.slice(at).join("")];
}

function resultEntry(message, room, me) {
    const who = message.sender.id === me.id ? "You" : message.sender.first_name;

    return [message.id, () => element("li", {},
        element("a", { href: `#/rooms/${message.room}/${message.seq}` },
            element("span", { class: "name" }, `${who} in ${room?.name ?? "a room"}`),
            element("time", { datetime: message.created_at, title: fullTimeOf(message.created_at) }, shortTimeOf(message.created_at)),
            element("span", { class: "text", dir: "auto" }, ...excerpt(message)))), () => {}];
}

export class Search {
    /* side: where the form, the results and the rooms are */
    constructor(side, chat) {
        const part = (name) => side.querySelector(`[data-${name}]`);

        this.chat = chat;
        this.form = part("search");
        this.input = this.form.elements.q;
        this.results = part("results");
        this.list = part("found");
        this.more = part("more");
        this.rooms = part("rooms");
        this.note = part("found-note");
        this.found = [];
        this.next = null; /* where the list goes on */
        this.asked = 0; /* only the newest question's answer counts */
        this.input.addEventListener("input", () => this.later());
        this.input.addEventListener("keydown", (event) => event.key === "Escape" && this.clear());
        this.form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.look();
        });
        this.more.addEventListener("click", () => this.read(this.next));
        this.isUnsure = false; /* whether the server has a search */
        this.off = chat.client.on("open", () => this.isUnsure && this.offer());
        this.offer();
    }

    /* A server without the plugin has no such address; an empty question is refused by one that has it.  A server
     * that is too busy to say is asked again with the next connection. */
    async offer() {
        try {
            await api.search("");
        } catch (error) {
            this.form.hidden = error.status === 404;
            this.isUnsure = error.status !== 400 && error.status !== 404;
        }
    }

    end() {
        this.off();
        clearTimeout(this.timer);
        this.asked++;
    }

    later() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.look(), PAUSE_MS);
    }

    clear() {
        this.input.value = "";
        this.look();
    }

    look() {
        const q = this.input.value.trim();

        clearTimeout(this.timer);
        this.asked++;
        this.results.hidden = q === "";
        this.rooms.hidden = q !== "";
        this.found = [];
        this.next = null;
        this.draw("");
        if (q !== "") {
            this.read(null);
        }
    }

    /* A page may be empty and have a next one: then that is read, too. */
    async read(path) {
        const mine = ++this.asked;

        this.draw("Searching…");
        try {
            let page = await (path ? api.get(path) : api.search(this.input.value.trim()));

            while (mine === this.asked && page.results.length === 0 && page.next) {
                page = await api.get(new URL(page.next).pathname + new URL(page.next).search);
            }
            if (mine === this.asked) {
                this.found.push(...page.results);
                this.next = page.next && new URL(page.next).pathname + new URL(page.next).search;
                this.draw(this.found.length === 0 ? "Nothing was found." : "");
                announce(this.found.length === 0 ? "Nothing was found." : `${this.found.length} found`);
            }
        } catch (error) {
            if (mine === this.asked) {
                this.draw(error.message);
            }
        }
    }

    draw(note) {
        reconcile(this.list, this.found.map((message) => resultEntry(message, this.chat.rooms.get(message.room), this.chat.me)));
        this.note.textContent = note;
        this.more.hidden = !this.next;
    }
}
