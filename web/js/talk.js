/* talk.js -- the open room: its messages, and where one writes. */
import { confirmed, detailsDialog } from "./dialogs.js";
import { element, fromTemplate, reconcile } from "./dom.js";
import { messageMenu } from "./menu.js";
import { messageEntry, outgoingEntry } from "./message.js";
import { fullName, presenceDot, seenText } from "./names.js";
import { dayKey, dayName } from "./time.js";

const GROUP_MS = 5 * 60000; /* messages of one person within so long stand together */
const BOTTOM_PX = 80; /* so near to the end one is at the end */
const CONTENT_MOST = 5000; /* characters, as the server counts them */

function isGrouped(message, before) {
    return before && before.sender.id === message.sender.id && dayKey(before.created_at) === dayKey(message.created_at) &&
        new Date(message.created_at) - new Date(before.created_at) < GROUP_MS;
}

function typingText(names) {
    if (names.length === 0) {
        return "";
    }
    return names.length > 2 ? "Several people are typing…" : `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing…`;
}

export class Talk {
    constructor(main, chat, room) {
        this.main = main;
        this.chat = chat;
        this.room = room;
        this.listening = new AbortController();
        this.onMessage = { menu: (id, button) => this.menu(id, button), react: (id, emoji) => this.react(id, emoji), show: (id) => this.showMessage(id),
            retry: (id) => this.room.timeline.retry(id), discard: (id) => this.room.timeline.discard(id) };
        main.replaceChildren(fromTemplate("room"));
        this.find = (name) => main.querySelector(`[data-${name}]`);
        this.scroll = this.find("scroll");
        this.log = this.find("log");
        this.list = this.find("messages");
        this.input = main.querySelector("textarea");
        this.isAtEnd = true;
        this.editing = null; /* the message that is being edited */
        this.answering = null; /* the one that is being replied to */
        this.isReading = false; /* older messages are on their way */
        this.firstUnread = room.unread > 0 ? room.readSeq : null; /* the line "new" stands behind it, as long as the room is open */
        room.connect();
        this.listen();
        this.updateHead();
        this.updateState();
        this.updateTyping();
        this.input.value = room.draft;
        this.update();
        room.members.ask();
        /* On a phone the keyboard would cover the messages one has come to read. */
        (matchMedia("(pointer: coarse)").matches ? this.find("name") : this.input).focus();
    }

    listen() {
        const { signal } = this.listening;
        const mine = (fn) => ({ detail }) => detail.room === this.room && fn(detail);

        this.chat.addEventListener("messages", mine(() => this.update()), { signal });
        this.chat.addEventListener("state", mine(() => {
            this.updateState();
            this.update();
            this.room.members.ask();
        }), { signal });
        this.chat.addEventListener("members", mine(() => {
            this.updateHead();
            this.update();
        }), { signal });
        this.chat.addEventListener("typing", mine(() => this.updateTyping()), { signal });
        this.scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
        this.find("older").firstElementChild.addEventListener("click", () => this.readOlder());
        this.find("jump").addEventListener("click", () => this.toEnd());
        this.find("details").addEventListener("click", () => detailsDialog(this.chat, this.room));
        this.find("composer").addEventListener("submit", (event) => {
            event.preventDefault();
            this.send();
        });
        this.input.addEventListener("keydown", (event) => this.keyInInput(event));
        this.input.addEventListener("input", () => this.typed());
        this.find("cancel").addEventListener("click", () => this.writeAnew());
        this.log.addEventListener("keydown", (event) => this.keyInLog(event));
        this.resized = new ResizeObserver(() => this.isAtEnd && this.toEnd());
        this.resized.observe(this.scroll);
    }

    end() {
        clearTimeout(this.stateTimer);
        this.listening.abort();
        this.resized.disconnect();
    }

    /* ---- what is shown ---- */

    updateHead() {
        const { room } = this;
        const n = room.participants.length;

        this.find("name").textContent = room.name;
        this.find("people").replaceChildren(...(n === 1 ? ["Only you"] : [`${n} people: `, ...room.participants.flatMap((person, i) =>
            [i > 0 ? ", " : "", fullName(person), presenceDot(room.members.statusOf(person.id))])]));
    }

    /* A connection that is made at once is not worth a word. */
    updateState() {
        const place = this.find("connection");
        const { state } = this.room;

        clearTimeout(this.stateTimer);
        if (state === "connecting" && place.hidden) {
            this.stateTimer = setTimeout(() => this.tellState("Connecting…"), 1000);
        } else if (state === "waiting") {
            this.tellState("No connection. What you missed comes as soon as it is back; trying again…");
        } else if (state === "open") {
            this.tellState("");
        }
    }

    tellState(text) {
        const place = this.find("connection");

        place.textContent = text;
        place.hidden = text === "";
    }

    updateTyping() {
        this.find("typing").textContent = typingText([...this.room.typing.values()].map((one) => one.name));
    }

    /* The log is busy while it is filled from the past, so that a screen reader does not read it all out. */
    update() {
        const { isRead, timeline } = this.room;
        const wasEmpty = this.list.childElementCount === 0;

        this.log.setAttribute("aria-busy", String(this.isReading || wasEmpty));
        reconcile(this.list, this.entries());
        this.find("older").hidden = !isRead || timeline.hasAll || timeline.messages.length === 0;
        this.find("beginning").hidden = !isRead || !timeline.hasAll;
        this.find("beginning").textContent = timeline.messages.length + timeline.outgoing.length === 0
            ? "Nothing has been said here yet. Write the first message."
            : `This is the beginning of ${this.room.name}.`;
        if (this.isAtEnd) {
            this.toEnd();
        } else {
            this.updateJump();
        }
        requestAnimationFrame(() => this.log.setAttribute("aria-busy", "false"));
        this.look();
    }

    entries() {
        const { messages, outgoing } = this.room.timeline;
        const found = [];
        const newest = messages.findLast((message) => this.isMine(message));
        let before = null;
        let isNewShown = this.firstUnread === null;

        for (const message of messages) {
            if (!before || dayKey(before.created_at) !== dayKey(message.created_at)) {
                found.push([`day ${message.id}`, () => element("li", { class: "day" }, element("span", {})),
                    (entry) => { entry.firstChild.textContent = dayName(message.created_at); }]);
            }
            if (!isNewShown && message.seq > this.firstUnread && message.sender.id !== this.chat.me.id) {
                isNewShown = true;
                found.push(["new", () => element("li", { class: "new" }, element("span", {}, "New")), () => {}]);
            }
            found.push(messageEntry(message, { isOwn: this.isMine(message), isForMe: this.isForMe(message), isGrouped: isGrouped(message, before),
                quoted: this.room.quoted(message.reply_to), seen: message === newest ? this.seen(message) : null, on: this.onMessage }));
            before = message;
        }
        outgoing.forEach((entry) => found.push(outgoingEntry(entry, { isOpen: this.room.state === "open", quoted: this.room.quoted(entry.more.reply_to), on: this.onMessage })));
        return found;
    }

    /* By whom, of the others: [text, all their names]; null: by none, or nobody knows. */
    seen(message) {
        const { members, participants } = this.room;

        return seenText(members.whoHasSeen(message), participants.length - 1);
    }

    /* ---- scrolling ---- */

    toEnd() {
        this.scroll.scrollTop = this.scroll.scrollHeight;
        this.isAtEnd = true;
        this.updateJump();
    }

    scrolled() {
        const { scrollHeight, scrollTop, clientHeight } = this.scroll;

        this.isAtEnd = scrollHeight - scrollTop - clientHeight < BOTTOM_PX;
        this.updateJump();
        this.look();
        if (scrollTop < 200 && !this.find("older").hidden && scrollHeight > clientHeight) {
            this.readOlder();
        }
    }

    updateJump() {
        const { unread } = this.room;

        this.find("jump").hidden = this.isAtEnd;
        this.find("jump-text").textContent = unread > 0 ? `${unread} new` : "To the latest";
    }

    async readOlder() {
        if (this.isReading) {
            return;
        }
        this.isReading = true;
        try {
            const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop;
            const wasAtEnd = this.isAtEnd;

            this.isAtEnd = false;
            await this.room.timeline.older();
            this.isAtEnd = wasAtEnd;
            this.scroll.scrollTop = this.scroll.scrollHeight - fromEnd;
        } catch {
            /* the button stays: whoever scrolls or presses it asks again */
        }
        this.isReading = false;
    }

    /* Read is what stood at the end of a page that somebody looks at. */
    look() {
        if (this.isAtEnd && this.room.isRead && document.visibilityState === "visible" && document.hasFocus()) {
            this.room.markSeen();
        }
    }

    /* ---- writing ---- */

    typed() {
        if (!this.editing) {
            this.room.draft = this.input.value;
        }
        this.find("composer-error").textContent = "";
        if (this.input.value.trim() !== "") {
            this.room.tellTyping(Date.now());
        }
    }

    /* Enter sends, with Shift it is a new line; a word that is still being composed (Japanese, Chinese...) takes its own. */
    keyInInput(event) {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            this.send();
        }
        if (event.key === "Escape" && (this.editing || this.answering)) {
            this.writeAnew();
        }
        if (event.key === "ArrowUp" && this.input.value === "") {
            event.preventDefault();
            this.focusMessage(this.list.lastElementChild);
        }
    }

    send() {
        const content = this.input.value.trim();
        const n = [...content].length;

        if (n > CONTENT_MOST) {
            this.find("composer-error").textContent = `That is ${n - CONTENT_MOST} characters too long; a message has at most ${CONTENT_MOST}.`;
        } else if (this.editing) {
            this.saveEdit(content);
        } else if (n > 0) {
            this.input.value = "";
            this.room.draft = "";
            this.firstUnread = null;
            this.isAtEnd = true;
            this.room.send(content, this.answering ? { reply_to: this.answering.id } : {});
            this.writeAnew();
        }
    }

    focusMessage(entry) {
        entry?.focus();
        entry?.scrollIntoView({ block: "nearest" });
    }

    /* Arrows walk through the messages, Enter offers what one can do, r replies, e edits, Delete deletes, Escape goes back to writing. */
    keyInLog(event) {
        const entries = [...this.log.querySelectorAll(".message")];
        const at = entries.indexOf(event.target.closest(".message"));
        const last = entries.length - 1;
        const message = this.room.timeline.byId.get(entries[at]?.dataset.key);
        const to = { ArrowUp: at < 0 ? last : Math.max(0, at - 1), ArrowDown: at < 0 ? last : Math.min(last, at + 1), Home: 0, End: last }[event.key];

        if (to !== undefined && last >= 0) {
            event.preventDefault();
            this.focusMessage(entries[to]);
        } else if (event.key === "Escape") {
            this.input.focus();
        } else if (event.key === "Delete" && message && this.mayRemove(message)) {
            this.remove(message);
        } else if (event.key === "r" && message) {
            event.preventDefault();
            this.reply(message);
        } else if (event.key === "e" && message && this.isMine(message)) {
            event.preventDefault();
            this.edit(message);
        } else if (event.key === "Enter" && event.target === entries[at]) {
            entries[at].querySelector("[data-menu]")?.click();
        }
    }

    /* ---- what one does with a message ---- */

    isMine(message) {
        return message.sender.id === this.chat.me.id;
    }

    /* Somebody else has called me by name. */
    isForMe(message) {
        return !this.isMine(message) && (message.mentions ?? []).some(({ id }) => id === this.chat.me.id);
    }

    mayRemove(message) {
        return this.isMine(message) || this.room.isMine;
    }

    menu(id, button) {
        const message = this.room.timeline.byId.get(id);

        if (message) {
            messageMenu(button, message, {
                react: (emoji) => this.react(id, emoji),
                reply: () => this.reply(message),
                edit: this.isMine(message) ? () => this.edit(message) : null,
                remove: this.mayRemove(message) ? () => this.remove(message) : null,
            });
        }
    }

    async react(id, emoji) {
        try {
            await this.room.react(id, emoji);
        } catch (error) {
            this.chat.tell("fault", { text: error.message });
        }
    }

    /* What one writes is: an edit of a message, an answer to one, or (null, null) itself. */
    #write(editing, answering) {
        const aim = this.find("aim");

        this.editing = editing;
        this.answering = answering;
        aim.hidden = !editing && !answering;
        this.find("aim-text").textContent = editing ? "You are editing a message." : answering ? `In reply to ${fullName(answering.sender)}: ${answering.content}` : "";
        this.find("composer-error").textContent = "";
        this.input.value = editing ? editing.content : this.room.draft;
        this.input.focus();
    }

    edit(message) {
        this.#write(message, null);
    }

    reply(message) {
        this.#write(null, message);
    }

    writeAnew() {
        this.#write(null, null);
    }

    /* The message of that seq, however long ago it was said (almost); `wanted` while it is on its way. */
    async showPlace(seq) {
        this.wanted = seq;
        try {
            await this.room.timeline.reach(seq);
        } catch (error) {
            this.chat.tell("fault", { text: error.message });
            return;
        }
        if (this.wanted === seq && !this.listening.signal.aborted) {
            const message = this.room.messages.find((one) => one.seq === seq);

            this.wanted = null;
            if (message) {
                this.isAtEnd = false;
                this.showMessage(message.id);
                this.list.querySelector(".found")?.classList.remove("found");
                document.activeElement.classList.add("found");
            } else {
                this.chat.tell("fault", { text: "That message is there no more, or too far back." });
            }
        }
    }

    /* If it is among those that were read so far. */
    showMessage(id) {
        this.focusMessage([...this.list.children].find((entry) => entry.dataset.key === id));
    }

    async saveEdit(content) {
        const { editing } = this;

        try {
            if (content !== editing.content) {
                await this.room.edit(editing, content);
            }
            if (this.editing === editing) {
                this.writeAnew();
            }
        } catch (error) {
            this.find("composer-error").textContent = error.message;
        }
    }

    async remove(message) {
        if (await confirmed("Delete this message?", message.content, "Delete", () => this.room.remove(message))) {
            this.input.focus();
        }
    }
}
