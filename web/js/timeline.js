/* timeline.js -- what is known of one room's messages: each once, in the order of the room.
 *
 * Messages come from three sides, in any order and more than once: pages over REST, frames of the socket, answers to what
 * was sent.  The id decides what is a repeat, `seq` the place.  What was sent and is not confirmed stands in `outgoing`.
 * No network, no page: it is tested by itself. */

/* Of a message that is on its way.  LOST: nobody knows whether it was stored. */
export const SENDING = "sending";
export const LOST = "lost";
export const REFUSED = "refused";

/* The place of `seq` in a rising list: the index of the first message behind it. */
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

export class Timeline {
    constructor(me) {
        this.me = me; /* id of the user */
        this.messages = []; /* by rising seq */
        this.byId = new Map();
        this.deleted = new Set(); /* ids: a page that was read earlier may still bring them */
        this.outgoing = []; /* {key, content, state, why, after}, in order of sending; states are below */
        this.hasAll = false; /* the first message of the room is here */
    }

    get oldestSeq() {
        return this.messages.length > 0 ? this.messages[0].seq : 0;
    }

    get newestSeq() {
        return this.messages.length > 0 ? this.messages[this.messages.length - 1].seq : 0;
    }

    /* Whether the message is new here. */
    add(message) {
        if (this.byId.has(message.id) || this.deleted.has(message.id)) {
            return false;
        }
        this.byId.set(message.id, message);
        this.messages.splice(placeOf(this.messages, message.seq), 0, message);
        this.settle(message);
        return true;
    }

    remove(id) {
        const message = this.byId.get(id);

        this.deleted.add(id);
        if (!message) {
            return false;
        }
        this.byId.delete(id);
        this.messages.splice(this.messages.indexOf(message), 1);
        return true;
    }

    /* Takes over one stretch of the room as the server has it: `results`, newest first, is all there is from `low` to `high`
     * (sequence numbers).  What is known of that stretch and not in it was deleted while nobody told us. */
    addStretch(results, low, high) {
        const ids = new Set(results.map((message) => message.id));
        const gone = this.messages.filter((m) => m.seq >= low && m.seq <= high && !ids.has(m.id));

        gone.forEach((message) => this.remove(message.id));
        results.forEach((message) => this.add(message));
    }

    /* Forgets what is older than `seq`: between it and the rest lies what nobody has read. */
    forgetBefore(seq) {
        this.messages.filter((message) => message.seq < seq).forEach((message) => this.byId.delete(message.id));
        this.messages = this.messages.filter((message) => message.seq >= seq);
        this.hasAll = false;
    }

    /* ---- what is on its way ---- */

    start(key, content) {
        const entry = { key, content, state: SENDING, why: "", after: this.newestSeq };

        this.outgoing.push(entry);
        return entry;
    }

    find(key) {
        return this.outgoing.find((entry) => entry.key === key);
    }

    fail(key, state, why) {
        const entry = this.find(key);

        if (entry) {
            entry.state = state;
            entry.why = why;
        }
    }

    drop(key) {
        this.outgoing = this.outgoing.filter((entry) => entry.key !== key);
    }

    /* Own words that come back confirm what was sent: by the key where the server repeats it, else by their content, if they
     * are newer than the moment of sending.  What was refused is not confirmed by the same words said again. */
    settle(message) {
        if (message.sender.id !== this.me) {
            return;
        }
        const entry = message.client_msg_id
            ? this.find(message.client_msg_id)
            : this.outgoing.find((one) => one.state !== REFUSED && one.content === message.content && message.seq > one.after);

        if (entry) {
            this.drop(entry.key);
        }
    }

    /* ---- unread ---- */

    unread(seenSeq) {
        return this.messages.filter((message) => message.seq > seenSeq && message.sender.id !== this.me).length;
    }
}
