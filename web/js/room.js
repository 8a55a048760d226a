/* room.js -- one room as this page knows it: its messages, who types, what was read. */
import { Timeline } from "../client/index.js";
import { Members } from "./members.js";

const TYPING_SHOWN_MS = 5000;
const TYPING_TOLD_MS = 2500;

export class Room {
    /* changed(what, message): "messages" (message: one that has just come), "typing", "state",
     * "members": who is there, or has read what; ended(code): the room is no
     * more, or the user no more in it */
    constructor(data, chat, changed, ended) {
        this.chat = chat;
        this.changed = changed;
        this.ended = ended;
        this.live = null; /* the client's room, once it is connected */
        this.timeline = null; /* and its messages */
        this.typing = new Map(); /* user id -> {name, timer} */
        this.others = new Map(); /* messages that are replied to, and not in the timeline; null: on its way */
        this.members = new Members(this, () => this.changed("members"));
        this.draft = "";
        this.readSeq = 0;
        this.toldTyping = 0;
        this.take(data);
    }

    take(data) {
        this.id = data.id;
        this.name = data.name;
        this.creator = data.creator;
        this.participants = data.participants;
        this.noticedAt ??= data.created_at; /* when something was last heard of it, unless its messages tell */
        this.counted = { unread: data.unread, seq: data.last_seq }; /* by the server, up to that seq */
        this.readSeq = Math.max(this.readSeq, data.read_seq);
    }

    get isMine() {
        return this.creator.id === this.chat.me.id;
    }

    get state() {
        return this.live?.state ?? "idle";
    }

    /* The newest messages have come at least once. */
    get isRead() {
        return this.timeline?.isRead ?? false;
    }

    get messages() {
        return this.timeline?.messages ?? [];
    }

    /* Messages of others. */
    countAfter(seq) {
        return this.messages.filter((message) => message.seq > seq && message.sender.id !== this.chat.me.id).length;
    }

    /* The server's number, and what came since; our own, as soon as all that is unread is here. */
    get unread() {
        const isAllHere = this.isRead && (this.timeline.hasAll || this.timeline.oldest?.seq <= this.readSeq);

        return isAllHere ? this.countAfter(this.readSeq) : this.counted.unread + this.countAfter(this.counted.seq);
    }

    get lastMessage() {
        return this.messages[this.messages.length - 1];
    }

    get activeAt() {
        return this.lastMessage?.created_at ?? this.noticedAt;
    }

    connect() {
        if (this.live) {
            return;
        }
        this.live = this.chat.client.room(this.id);
        this.timeline = new Timeline(this.live);
        this.timeline.on("change", () => this.changed("messages"));
        this.timeline.on("message", (message) => this.arrived(message));
        this.live.on("read", (place) => place.user.id === this.chat.me.id && this.readUpTo(place.read_seq));
        this.members.listen(this.live);
        this.live.on("room_updated", ({ name }) => {
            this.name = name;
            this.changed("messages");
        });
        ["member_added", "member_removed"].forEach((type) => this.live.on(type, () => this.chat.refresh(this)));
        this.live.on("typing", ({ user }) => this.typed(user));
        this.live.on("state", ({ state, code }) => {
            this.changed("state");
            if (state === "over" && code > 0) {
                this.ended(code);
            }
        });
    }

    end() {
        this.timeline?.end();
        this.members.end();
        this.live?.leave();
        this.typing.forEach((one) => clearTimeout(one.timer));
    }

    arrived(message) {
        this.stoppedTyping(message.sender.id);
        this.changed("messages", message);
    }

    /* Of a room that is not connected here the server tells no more. */
    noticed({ count, last_seq }) {
        this.counted = { unread: count, seq: last_seq };
        if (count > 0) {
            this.noticedAt = new Date().toISOString();
        }
        this.changed("messages");
    }

    /* Here, or in another window. */
    readUpTo(seq) {
        if (seq > this.readSeq) {
            this.readSeq = seq;
            this.changed("messages");
        }
    }

    /* Somebody has seen all that is here. */
    markSeen() {
        const seq = this.lastMessage?.seq ?? 0;

        if (seq > this.readSeq) {
            this.live.read(seq);
            this.readUpTo(seq);
        }
    }

    /* ---- typing ---- */

    typed(user) {
        clearTimeout(this.typing.get(user.id)?.timer);
        if (user.id !== this.chat.me.id) {
            const timer = setTimeout(() => this.stoppedTyping(user.id), TYPING_SHOWN_MS);
            const person = this.participants.find((one) => one.id === user.id);

            this.typing.set(user.id, { name: person?.first_name ?? user.username, timer });
            this.changed("typing");
        }
    }

    stoppedTyping(id) {
        clearTimeout(this.typing.get(id)?.timer);
        if (this.typing.delete(id)) {
            this.changed("typing");
        }
    }

    tellTyping(now) {
        if (now - this.toldTyping >= TYPING_TOLD_MS && this.live.typing()) {
            this.toldTyping = now;
        }
    }

    /* ---- what one says ---- */

    send(content, more) {
        this.toldTyping = 0;
        this.live.send(content, more);
    }

    /* The message of that id, for those that reply to it.  null: it is on its way; {}: there is none any more. */
    quoted(id) {
        const known = this.timeline.byId.get(id) ?? this.others.get(id);

        if (!known && id && !this.others.has(id)) {
            this.others.set(id, null);
            this.findOther(id);
        }
        return known ?? null;
    }

    async findOther(id) {
        try {
            this.others.set(id, await this.chat.client.api.message(id));
        } catch (error) {
            if (error.status !== 404) {
                this.others.delete(id); /* whoever draws next asks again */
                return;
            }
            this.others.set(id, {});
        }
        this.changed("messages");
    }

    /* The room tells all of what follows; here it is so at once. */

    async edit(message, content) {
        const { id: message_id, ...now } = await this.chat.client.api.editMessage(message.id, content);

        this.apply({ type: "message_edited", message_id, ...now });
    }

    /* There, or there no more. */
    async react(id, emoji) {
        const { api } = this.chat.client;
        const { reactions = [] } = this.timeline.byId.get(id);
        const isOwn = reactions.some((one) => one.emoji === emoji && one.own);

        await (isOwn ? api.unreact(id, emoji) : api.react(id, emoji));
    }

    async remove(message) {
        await this.chat.client.api.deleteMessage(message.id);
        this.apply({ type: "message_deleted", message_id: message.id });
    }

    apply(frame) {
        this.timeline.apply(frame);
        this.changed("messages");
    }
}
