/* outbox.js -- what is sent to one room: kept until the server says that it is stored, and stored once.
 *
 * Each message gets its client_msg_id before the first try and keeps it, so that a repeat is told from a new one.  One is on
 * its way at a time: they are stored in the order in which they were given.  An entry is
 *
 *   pending   waits for its turn, for a connection, for its ack, or (retryAt) until the server takes it
 *   acked     stored: `message` is {id, seq, epoch}
 *   failed    refused, or never sent since it cannot be: `error` is {code, detail, errors}; retry() or discard()
 *
 * and says so by events of the room: "pending", "sent", "failed". */
const ACK_MS = 30000; /* the server answers sooner, or has lost it */
const AGAIN_MS = 1000; /* after "unavailable": the server is not itself */
const FRAME_MOST = 60 * 1024; /* bytes; more than 64 KiB, with the room's id, would cost us the socket, again and again */
const LONE = /\p{Surrogate}/u; /* half a character: no JSON that a server takes */

const CLOSED = { code: "closed", detail: "The room is closed." };
const BROKEN = { code: "invalid", detail: "The message holds half a character (a lone surrogate)." };
const TOO_LONG = { code: "invalid", detail: `The message is too long to be sent: more than ${FRAME_MOST} bytes.` };

function newId() {
    if (globalThis.crypto?.randomUUID) {
        return globalThis.crypto.randomUUID();
    }
    /* Pages of plain http, and old Nodes: as many random bits. */
    const part = () => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");

    return part() + part() + part() + part();
}

class Entry {
    constructor(content, { client_msg_id = newId(), ...more }) {
        this.id = client_msg_id;
        this.content = content;
        this.more = more;
        this.renew();
    }

    renew() {
        this.state = "pending";
        this.error = null;
        this.message = null;
        this.retryAt = 0;
        /* {id, seq, epoch}, or an Error with `code`.  Whoever only shows entries need not look at it. */
        this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
        this.done.catch(() => {});
    }

    get frame() {
        return { type: "chat_message", content: this.content, client_msg_id: this.id, ...this.more };
    }

    /* Why it need not be sent, or null.  The server would have no answer that says which message it was. */
    get fault() {
        if (LONE.test(this.content)) {
            return BROKEN;
        }
        return new TextEncoder().encode(JSON.stringify(this.frame)).length > FRAME_MOST ? TOO_LONG : null;
    }
}

export class Outbox {
    #send;
    #tell;
    #timer = null;
    #sent = null; /* the entry that is on its way */
    #isUp = false;
    #end = null; /* the close code, once there is no room any more */

    constructor(send, tell) {
        this.entries = [];
        this.userId = null;
        this.#send = send;
        this.#tell = tell;
    }

    find(id) {
        return this.entries.find((entry) => entry.id === id);
    }

    /* more: client_msg_id, if it has one already; and other fields of the frame: reply_to. */
    add(content, more = {}) {
        const entry = new Entry(content, more);

        this.entries.push(entry);
        this.#added(entry);
        return entry;
    }

    #added(entry) {
        const fault = this.#end === null ? entry.fault : CLOSED;

        this.#tell("pending", { entry });
        if (fault) {
            this.#fail(entry, fault);
        }
        this.#pump();
    }

    /* One that failed is tried again, behind all others. */
    retry(id) {
        const entry = this.find(id);

        if (entry?.state === "failed" && this.#end === null) {
            this.entries = [...this.entries.filter((one) => one !== entry), entry];
            entry.renew();
            this.#added(entry);
        }
    }

    /* Forgets it; what is on its way may be stored all the same. */
    discard(id) {
        const entry = this.find(id);

        if (entry) {
            this.#settle(entry);
            entry.reject(new Error("discarded"));
            this.#pump();
        }
    }

    /* ---- the connection ---- */

    start() {
        this.#isUp = true;
        this.#pump();
    }

    stop() {
        this.#isUp = false;
        this.#sent = null;
        clearTimeout(this.#timer);
    }

    end(code) {
        this.stop();
        this.#end = code;
        this.entries.filter((entry) => entry.state === "pending").forEach((entry) => this.#fail(entry, CLOSED));
    }

    #wait(ms) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
            this.#sent = null;
            this.#pump();
        }, ms);
    }

    #pump() {
        const next = this.entries.find((entry) => entry.state === "pending");

        if (!this.#isUp || this.#sent || !next) {
            return;
        }
        const restMs = next.retryAt - Date.now();

        if (restMs > 0) {
            this.#wait(restMs);
        } else if (this.#send(next.frame)) {
            this.#sent = next;
            this.#wait(ACK_MS);
        }
    }

    /* ---- what the server says ---- */

    acked({ client_msg_id, id, seq, epoch }) {
        const entry = this.find(client_msg_id);

        if (entry) {
            entry.state = "acked";
            entry.message = { id, seq, epoch };
            this.#settle(entry);
            entry.resolve(entry.message);
            this.#tell("sent", { entry });
            this.#pump();
        }
    }

    /* One's own words among those of the room: the ack was lost, or is about to come. */
    seen({ client_msg_id, id, seq, epoch, sender }) {
        if (client_msg_id && sender.id === this.userId) {
            this.acked({ client_msg_id, id, seq, epoch });
        }
    }

    /* Whether the error is about a message of ours. */
    refused(frame) {
        const entry = frame.client_msg_id ? this.find(frame.client_msg_id) : undefined;

        if (!entry) {
            return false;
        }
        if (frame.code === "throttled" || frame.code === "unavailable") {
            entry.retryAt = Date.now() + (frame.code === "throttled" ? 1000 * (frame.retry_after ?? 1) : AGAIN_MS);
            this.#tell("pending", { entry });
        } else {
            this.#fail(entry, { code: frame.code, detail: frame.detail, errors: frame.errors });
        }
        this.#sent = this.#sent === entry ? null : this.#sent;
        this.#pump();
        return true;
    }

    #fail(entry, error) {
        entry.state = "failed";
        entry.error = error;
        entry.reject(Object.assign(new Error(error.detail), error));
        this.#tell("failed", { entry });
    }

    #settle(entry) {
        this.entries = this.entries.filter((one) => one !== entry);
        if (this.#sent === entry) {
            this.#sent = null;
            clearTimeout(this.#timer);
        }
    }
}
