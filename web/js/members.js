/* members.js -- what the server tells of the members of one room: who is there, and how far each has read.
 *
 * Asked once per connection, of a room that somebody looks at; from then on the room tells what changes.  Answers and
 * frames travel apart: what came while an answer was under way is newer.  Of large rooms nothing is told, and so nothing
 * is known. */
const TOLD_MOST = 100; /* members */
const AGAIN_MS = 60000; /* after questions that could not be answered */

export class Members {
    #question = null; /* the one that was asked on this connection: {since: what was told after it; null: it is answered} */
    #timer;

    constructor(room, changed) {
        this.room = room;
        this.changed = changed;
        this.statuses = null; /* user id -> "online", "away" or "offline"; null: not known */
        this.places = new Map(); /* user id -> {seq, since}: has read what was said from `since` on, up to that seq */
    }

    listen(live) {
        live.on("presence", (frame) => this.#present(frame));
        live.on("read", ({ user, read_seq }) => this.#hasRead(user.id, read_seq, 0) && this.changed());
        live.on("resync", () => this.places.clear());
        live.on("state", ({ state }) => state !== "open" && this.#lost());
        live.on("member_added", () => this.#question && this.#askAnew());
    }

    end() {
        clearTimeout(this.#timer);
        this.#question = null;
    }

    #lost() {
        this.end();
        this.statuses = null;
        this.changed();
    }

    /* ---- what is known ---- */

    get #isTold() {
        return this.room.participants.length <= TOLD_MOST;
    }

    /* null: not known. */
    statusOf(id) {
        return this.#isTold ? this.statuses?.get(id) ?? null : null;
    }

    /* Those of the others who have read that message.  Who was added after it has a place behind it without having read it. */
    whoHasSeen({ seq, created_at, sender }) {
        const hasSeen = ({ id }) => {
            const place = this.places.get(id);

            return id !== sender.id && place !== undefined && place.seq >= seq && place.since <= new Date(created_at).getTime();
        };

        return this.#isTold ? this.room.participants.filter(hasSeen) : [];
    }

    /* ---- what is told ---- */

    #present(frame) {
        this.#question?.since?.push(frame);
        if (this.statuses) {
            this.statuses.set(frame.user.id, frame.status);
            this.changed();
        }
    }

    /* Whether that is news. */
    #hasRead(id, seq, since) {
        const isNew = !(this.places.get(id)?.seq >= seq);

        if (isNew) {
            this.places.set(id, { seq, since });
        }
        return isNew;
    }

    /* ---- asking ---- */

    async ask() {
        if (this.#question || this.room.state !== "open" || !this.#isTold) {
            return;
        }
        const question = this.#question = { since: [] };
        const { api } = this.room.chat.client;
        const [there, reads] = await Promise.allSettled([api.presence(this.room.id, { limit: 200 }), api.reads(this.room.id, { limit: 200 })]);

        if (question !== this.#question) {
            return; /* another connection, or asked anew */
        }
        if (there.status === "fulfilled") {
            this.statuses = new Map([...there.value.results, ...question.since].map(({ user, status }) => [user.id, status]));
        }
        question.since = null;
        if (reads.status === "fulfilled") {
            reads.value.results.forEach(({ user, read_seq, joined_at }) => this.#hasRead(user.id, read_seq, new Date(joined_at).getTime()));
        }
        this.#askLater([there, reads].filter(({ status }) => status === "rejected").map(({ reason }) => reason));
        this.changed();
    }

    #askAnew() {
        this.end();
        this.ask();
    }

    #askLater(errors) {
        const restMs = errors.filter((error) => error.isAway || error.status === 429).map((error) => Math.max(AGAIN_MS, 1000 * error.retryAfter));

        if (restMs.length > 0) {
            this.#timer = setTimeout(() => this.#askAnew(), Math.max(...restMs));
        }
    }
}
