/* timeline.js -- the messages of one room, for whoever shows them: the newest page, older ones on demand, and then what the
 * room tells; each once, in the order of the room.  What is on its way stands in `outgoing`.
 *
 * A page over REST and the events of the room travel apart.  Those that come while a page is under way are applied at once,
 * and once more when it is there: the page may be older than they are, and they change the same thing only once.
 *
 * Events: "change" (anything to be drawn anew), "message" (one that has just come, live). */
import { Emitter } from "./emitter.js";

export const FIRST_PAGE = 50;
const BIG_PAGE = 200;
const FAR = 2000; /* messages: nobody wants to have more of them read just to see one */
const AGAIN_MS = 2000; /* after a first page that could not be read, with the socket open */

/* The place of `seq` in a rising list: the index of the first message that is not before it. */
function placeOf(list, seq) {
    let low = 0;
    let high = list.length;

    while (low < high) {
        const middle = (low + high) >> 1;

        if (list[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

export class Timeline extends Emitter {
    #since = new Set(); /* lists of events that came while a page was under way */
    #reading = null;
    #whenRead; /* a promise: the first page is there */
    #nowRead;
    #timer = null;
    #ends = [];

    constructor(room) {
        super();
        this.#whenRead = new Promise((resolve) => { this.#nowRead = resolve; });
        this.room = room;
        this.messages = []; /* by rising seq */
        this.byId = new Map();
        this.outgoing = [...room.outbox.entries]; /* what is sent, and not among the messages yet */
        this.isRead = false; /* the newest messages are here */
        this.hasAll = false; /* the first message of the room is, too */
        this.#listen();
        if (room.state === "open") {
            this.#first(); /* nobody will say so again */
        }
    }

    #listen() {
        const { room } = this;
        const heard = {
            event: (frame) => this.#heard(frame),
            resync: () => this.reset(),
            state: ({ state }) => this.#state(state),
            pending: ({ entry }) => this.#pending(entry),
            sent: ({ entry }) => this.#sent(entry),
            failed: () => this.emit("change"),
        };

        this.#ends = Object.entries(heard).map(([type, fn]) => room.on(type, fn));
    }

    end() {
        this.#ends.forEach((off) => off());
        clearTimeout(this.#timer);
    }

    get oldest() {
        return this.messages[0];
    }

    get newest() {
        return this.messages[this.messages.length - 1];
    }

    /* ---- pages ---- */

    /* Everything known is forgotten, and read anew as soon as the room is open. */
    reset() {
        this.messages = [];
        this.byId.clear();
        this.isRead = this.hasAll = false;
        this.#since.clear();
        this.#reading = null;
        this.emit("change");
    }

    #state(state) {
        clearTimeout(this.#timer);
        if (state !== "open") {
            return;
        }
        this.outgoing = this.outgoing.filter((entry) => !this.#isBehind(entry)); /* deleted meanwhile, or in a page to be read */
        if (this.isRead) {
            this.emit("change"); /* what came while the room was catching up */
        } else {
            this.#first();
        }
    }

    async #first() {
        try {
            await this.#read({ limit: FIRST_PAGE });
        } catch (error) {
            if (!error.isAway && error.status !== 429) {
                return; /* it will not get better; the room's socket tells why */
            }
            this.#timer = setTimeout(() => this.#first(), Math.max(AGAIN_MS, 1000 * error.retryAfter));
        }
    }

    /* One page of what is older than all that is known. */
    older() {
        return this.#read({ limit: FIRST_PAGE, before_seq: this.oldest?.seq });
    }

    /* Resolves when the room was read back to that seq, or as far as is sensible; at once, or when its newest page is there. */
    async reach(seq) {
        await this.#whenRead;
        while (!this.hasAll && this.oldest?.seq > seq && this.messages.length < FAR) {
            await this.#read({ limit: BIG_PAGE, before_seq: this.oldest.seq });
        }
    }

    /* One page at a time; whoever asks meanwhile gets the same. */
    async #read(which) {
        this.#reading ??= this.#readNow(which);
        const reading = this.#reading;

        try {
            await reading;
        } finally {
            if (this.#reading === reading) {
                this.#reading = null;
            }
        }
    }

    async #readNow(which) {
        const since = [];

        this.#since.add(since);
        try {
            const page = await this.room.client.api.messages(this.room.id, which);

            if (!this.#since.has(since)) {
                return; /* reset() while it was under way */
            }
            page.results.forEach((message) => this.#put(message));
            this.isRead = true;
            this.#nowRead();
            this.hasAll = !page.next;
            since.forEach((frame) => this.apply(frame));
            this.emit("change");
        } finally {
            this.#since.delete(since);
        }
    }

    /* ---- events ---- */

    #heard(frame) {
        this.#since.forEach((list) => list.push(frame));
        const isChanged = this.apply(frame);

        if (isChanged && this.room.state === "open") {
            this.emit("change");
            if (frame.type === "chat_message") {
                this.emit("message", frame);
            }
        }
    }

    /* Whether it changed something.  Applied again it changes nothing. */
    apply(frame) {
        const kinds = {
            chat_message: () => !this.byId.has(frame.id) && this.#put(frame),
            message_edited: () => this.#change(frame.message_id, { content: frame.content, edited_at: frame.edited_at, mentions: frame.mentions }),
            message_deleted: () => this.#remove(frame.message_id),
            reaction_added: () => this.#react(frame, true),
            reaction_removed: () => this.#react(frame, false),
        };

        return Object.hasOwn(kinds, frame.type) && kinds[frame.type]();
    }

    #put(message) {
        const at = placeOf(this.messages, message.seq);
        const isThere = this.messages[at]?.seq === message.seq;

        this.messages.splice(at, isThere ? 1 : 0, message);
        this.byId.set(message.id, message);
        if (message.sender.id === this.room.user?.id) {
            this.#forget(message.client_msg_id);
        }
        return true;
    }

    /* A message that has changed is a new object: whoever draws can tell. */
    #change(id, fields) {
        const message = this.byId.get(id);

        return message !== undefined && this.#put({ ...message, ...fields });
    }

    /* The event says how many there are; whose it was tells whether one's own is among them. */
    #react({ message_id, emoji, count, actor }, isOwn) {
        const { reactions = [] } = this.byId.get(message_id) ?? {};
        const own = actor.id === this.room.user?.id ? isOwn : reactions.find((one) => one.emoji === emoji)?.own ?? false;
        const now = { emoji, count, own };
        const others = reactions.some((one) => one.emoji === emoji) ? reactions.map((one) => (one.emoji === emoji ? now : one)) : [...reactions, now];

        return this.#change(message_id, { reactions: others.filter((one) => one.count > 0) });
    }

    #remove(id) {
        const message = this.byId.get(id);

        if (message) {
            this.byId.delete(id);
            this.messages.splice(placeOf(this.messages, message.seq), 1);
        }
        return message !== undefined;
    }

    /* ---- what is on its way ---- */

    #forget(clientId) {
        if (clientId) {
            this.outgoing = this.outgoing.filter((entry) => entry.id !== clientId);
        }
    }

    #pending(entry) {
        if (!this.outgoing.includes(entry)) {
            this.outgoing.push(entry);
        }
        this.emit("change");
    }

    #isBehind({ state, message }) {
        const { epoch, seq } = this.room.place;

        return state === "acked" && (message.epoch !== epoch || message.seq <= seq);
    }

    /* Its message is here, or comes by its place; one whose place is behind us has been here. */
    #sent(entry) {
        if (this.#isBehind(entry)) {
            this.#forget(entry.id);
        }
        this.emit("change");
    }

    retry(id) {
        this.room.outbox.retry(id);
    }

    discard(id) {
        this.room.outbox.discard(id);
        this.#forget(id);
        this.emit("change");
    }
}
