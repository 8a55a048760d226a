/* room.js -- one room: its log in order, each event once, over any number of sockets; and what is sent to it.
 *
 * The place in the log is (epoch, seq).  The server shows what follows a place, without holes, so whatever is not the next
 * event is a repeat (dropped) or means that this socket missed something (a new one is told the place).  When a place is
 * none of the log any more the server says `resync`, and what was said since is read over REST.
 *
 * Events, which client.on(type) hears of all rooms, with the room as second argument:
 *   each frame of the log by its type (chat_message, message_deleted, member_added, ...), and all of them as "event"
 *   what has no place in it: typing, presence, read; "refused": an error about something that was no message
 *   state        "connecting", "catching up", "open", "waiting", "over"; "over" with `code`, the close code
 *   resync       {reason, from, epoch, seq}: what is known of the room may be outdated
 *   pending, sent, failed    of what is sent: outbox.js */
import { Emitter } from "./emitter.js";
import { Outbox } from "./outbox.js";

const PAGE = 200;

export class Room extends Emitter {
    #transport;
    #held = null; /* frames that wait until what was said before them has been read */
    #read = { seq: 0, told: 0 }; /* up to where somebody has read, and what the server knows of it */
    #reread = null; /* {epoch, seq}: so far a resync has been read */

    /* place: {epoch, seq} to go on from; null: what comes from now on.  client: {api, cursors, readsResync} */
    constructor(id, client, transport, place) {
        super();
        this.id = id;
        this.client = client;
        this.place = place;
        this.user = null; /* who we are here: the hello says it */
        this.state = "connecting";
        this.tries = 0; /* to subscribe, that have failed in a row */
        this.#transport = transport;
        this.outbox = new Outbox((frame) => transport.send(this, frame), (type, entry) => this.tell(type, entry));
    }

    tell(type, detail) {
        this.emit(type, detail);
        this.client.emit(type, detail, this);
    }

    /* ---- what one does with it ---- */

    /* Stores a message as soon as possible, once, behind those sent before it; outbox.js tells what comes back. */
    send(content, more) {
        return this.outbox.add(content, more);
    }

    /* Whether it was told: typing is of no use later. */
    typing() {
        return this.state === "open" && this.#transport.send(this, { type: "typing" });
    }

    /* Somebody has read up to that event; the furthest counts, and is told as soon as possible. */
    read(seq) {
        this.#read.seq = Math.max(this.#read.seq, seq);
        this.#tellRead();
    }

    #tellRead() {
        const { seq, told } = this.#read;

        if (this.state === "open" && seq > told && this.#transport.send(this, { type: "read", read_seq: seq })) {
            this.#read.told = seq;
        }
    }

    leave() {
        this.client.leave(this);
    }

    /* ---- what the transport tells ---- */

    connecting() {
        this.#setState("connecting");
    }

    /* The socket is there, and asked for what follows the place. */
    greeted(user) {
        this.user = user;
        this.outbox.userId = user.id;
        if (this.place) {
            this.#setState("catching up");
        }
    }

    waiting() {
        this.#read.told = 0; /* the last moment of a server that ends may be lost */
        this.outbox.stop();
        this.#held = null;
        this.#setState("waiting");
    }

    over(code) {
        if (this.state !== "over") {
            this.outbox.end(code);
            this.#setState("over", code);
        }
    }

    heard(frame) {
        const kinds = {
            subscribed: () => this.#subscribed(frame),
            resumed: () => this.#opened(),
            resync: () => this.#resync(frame),
            ack: () => this.outbox.acked(frame),
            error: () => this.outbox.refused(frame) || this.tell("refused", frame),
            pong: () => {},
        };

        if (Object.hasOwn(kinds, frame.type)) {
            kinds[frame.type]();
        } else if (!Number.isInteger(frame.seq)) {
            this.tell(frame.type, frame);
        } else if (this.#held) {
            this.#held.push(frame);
        } else {
            this.#event(frame);
        }
    }

    /* ---- the log ---- */

    #setState(state, code) {
        if (state !== this.state) {
            this.state = state;
            this.tell("state", { state, code });
        }
    }

    #opened() {
        this.#reread = null;
        this.tries = 0;
        this.#setState("open");
        this.#tellRead();
        this.outbox.start();
    }

    #subscribed({ epoch, seq }) {
        this.#goTo(epoch, seq);
        this.#opened();
    }

    #goTo(epoch, seq) {
        this.place = { epoch, seq };
        this.client.saveCursor(this);
    }

    #event(frame) {
        const isOfThisLog = frame.epoch === this.place?.epoch;

        if (isOfThisLog && frame.seq <= this.place.seq) {
            return;
        }
        if (!isOfThisLog || frame.seq > this.place.seq + 1) {
            this.#missed();
            return;
        }
        this.#deliver(frame);
        this.#goTo(frame.epoch, frame.seq);
    }

    /* While the room catches up, live events may come before what is older; they come again in their turn. */
    #missed() {
        if (this.state === "open") {
            this.outbox.stop();
            this.#transport.again(this);
        }
    }

    #deliver(frame) {
        this.tell("event", frame);
        this.tell(frame.type, frame);
        if (frame.type === "chat_message") {
            this.outbox.seen(frame);
        }
    }

    /* ---- when the place is none of the log ---- */

    async #resync({ reason, epoch, seq }) {
        const from = this.place;

        this.tell("resync", { reason, from, epoch, seq });
        if (this.client.readsResync) {
            const held = this.#held = [];

            try {
                await this.#readUpTo(reason, epoch, seq, held);
            } catch {
                if (held === this.#held) {
                    this.#transport.failed(this);
                }
                return;
            }
            if (held !== this.#held) {
                return; /* the socket is gone: the next one says resync again */
            }
        }
        const held = this.#held ?? [];

        this.#held = null;
        this.#goTo(epoch, seq);
        held.forEach((frame) => this.heard(frame));
        this.#opened();
    }

    /* The messages up to that seq, as events without a place of their own (`recovered`).  In the same log they follow the
     * place that is known; in another one that place says nothing. */
    async #readUpTo(reason, epoch, seq, held) {
        if (this.#reread?.epoch !== epoch) {
            this.#reread = { epoch, seq: reason === "purged" ? this.place.seq : 0 };
        }
        let page;

        do {
            page = await this.client.api.messages(this.id, { after_seq: this.#reread.seq, limit: PAGE });
            for (const message of page.results) {
                if (held !== this.#held || message.seq > seq) {
                    return;
                }
                this.#deliver({ ...message, type: "chat_message", epoch, at: message.created_at, recovered: true });
                this.#reread.seq = message.seq;
            }
        } while (page.next);
    }
}
