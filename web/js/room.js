/* room.js -- one room as this page knows it: its messages, its socket, who types, what was read. */
import { del, post } from "./api.js";
import { Connection } from "./connection.js";
import { catchUp, readOlder } from "./history.js";
import { LOST, REFUSED, SENDING, Timeline } from "./timeline.js";

const TYPING_SHOWN_MS = 5000;
const TYPING_TOLD_MS = 2500;

function sendFailure(error) {
    if (error.status === 429) {
        return `You are sending very fast. Try again in ${Math.max(1, error.retryAfter)} seconds.`;
    }
    if (error.isAway) {
        return "Not sent: no connection to the server.";
    }
    return error.message;
}

export class Room {
    /* changed(what): "messages", "typing", "state"; ended(code): the room is no more, or the user no more in it */
    constructor(data, me, changed, ended) {
        this.timeline = new Timeline(me.id);
        this.me = me;
        this.changed = changed;
        this.ended = ended;
        this.typing = new Map(); /* user id -> {name, timer} */
        this.state = "idle";
        this.isRead = false; /* the newest messages have come at least once */
        this.draft = "";
        this.seen = 0;
        this.sending = Promise.resolve();
        this.toldTyping = 0;
        this.take(data);
    }

    take(data) {
        this.id = data.id;
        this.name = data.name;
        this.creator = data.creator;
        this.participants = data.participants;
        this.createdAt = data.created_at;
    }

    get isMine() {
        return this.creator.id === this.me.id;
    }

    get unread() {
        return this.timeline.unread(this.seen);
    }

    get lastMessage() {
        return this.timeline.messages[this.timeline.messages.length - 1];
    }

    get activeAt() {
        return this.lastMessage?.created_at ?? this.createdAt;
    }

    /* ---- the socket ---- */

    connect() {
        if (this.connection) {
            return;
        }
        this.connection = new Connection(this.id, {
            frame: (frame) => this.heard(frame),
            catchUp: () => this.catchUp(),
            state: (state) => {
                this.state = state;
                this.changed("state");
            },
            end: (code) => this.ended(code),
        });
    }

    end() {
        this.connection?.end();
        this.typing.forEach((one) => clearTimeout(one.timer));
    }

    async catchUp() {
        await catchUp(this.id, this.timeline);
        this.isRead = true;
        this.changed("messages");
    }

    async readOlder() {
        await readOlder(this.id, this.timeline);
        this.changed("messages");
    }

    /* Types that are not here are for newer pages than this one. */
    heard(frame) {
        const kinds = {
            chat_message: () => this.arrived(frame),
            message_deleted: () => this.timeline.remove(frame.message_id) && this.changed("messages"),
            typing: () => this.typed(frame.user),
        };

        if (Object.hasOwn(kinds, frame?.type)) {
            kinds[frame.type]();
        }
    }

    arrived(message) {
        this.stoppedTyping(message.sender.id);
        if (this.timeline.add(message)) {
            this.changed("messages", message);
        }
    }

    typed(user) {
        clearTimeout(this.typing.get(user.id)?.timer);
        if (user.id !== this.me.id) {
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
        if (now - this.toldTyping >= TYPING_TOLD_MS && this.connection?.send({ type: "typing" })) {
            this.toldTyping = now;
        }
    }

    /* ---- sending ---- */

    send(content) {
        this.deliver(this.timeline.start(crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, content));
    }

    retry(key) {
        const entry = this.timeline.find(key);

        if (entry) {
            this.deliver(entry);
        }
    }

    discard(key) {
        this.timeline.drop(key);
        this.changed("messages");
    }

    /* One after the other, so that they are stored in the order in which they were typed. */
    deliver(entry) {
        this.toldTyping = 0;
        this.sending = this.sending.then(() => this.deliverNow(entry));
        this.changed("messages");
    }

    async deliverNow(entry) {
        const isAgain = entry.state === LOST;

        entry.state = SENDING;
        try {
            /* The first try may have been stored and only its answer lost: reading the room tells. */
            if (isAgain) {
                await this.catchUp();
            }
            if (!this.timeline.find(entry.key)) {
                return;
            }
            const message = await post(`/api/chat/rooms/${this.id}/send/`, { content: entry.content, client_msg_id: entry.key });

            this.timeline.drop(entry.key);
            this.timeline.add(message);
        } catch (error) {
            this.timeline.fail(entry.key, error.isAway ? LOST : REFUSED, sendFailure(error));
        }
        this.changed("messages");
    }

    async remove(message) {
        await del(`/api/chat/messages/${message.id}/`);
        this.timeline.remove(message.id);
        this.changed("messages");
    }
}
