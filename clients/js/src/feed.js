/* feed.js -- one socket for all rooms: /ws/.
 *
 * After its hello each room is subscribed to, from its place on if it has one.  What the server says of a room goes to that
 * room; of rooms that are not open here it tells what is new and unread: that goes to whoever listens to the client. */
import { backoffMs } from "./backoff.js";
import { Link, UNAUTHORIZED } from "./link.js";

const REFUSALS = { invalid: 4400, not_found: 4404, too_many: 4409 }; /* of one room, and the codes that would close its socket */
const ROOMS_OF_FRAME = 200; /* a frame has at most 64 KiB */
const LEFT = 1000; /* the room was unsubscribed from, as we wanted */

export class Feed {
    #link = null;
    #user = null; /* of the hello; null: there was none on this socket */
    #presence = null; /* "online" or "away", once somebody has said so */
    #rooms = new Map(); /* by id */
    #again = new Map(); /* room -> the timer of its next subscribe */

    constructor(client) {
        this.client = client;
    }

    connect() {
        this.#link ??= new Link(this.client.WebSocket, {
            address: () => this.client.socketAddress("/ws/"),
            refused: () => this.#refused(),
            connecting: () => this.#rooms.forEach((room) => room.connecting()),
            open: () => {},
            waiting: () => this.#lost(),
            frame: (frame) => this.#heard(frame),
            end: (code) => this.#ended(code),
        });
    }

    end() {
        this.#link?.end();
        this.#lost();
        this.#link = null;
    }

    hurry() {
        this.#link?.hurry();
    }

    drop() {
        this.#link?.drop();
    }

    /* ---- rooms ---- */

    open(room) {
        this.#rooms.set(room.id, room);
        this.connect();
        this.#subscribe([room]);
    }

    close(room) {
        clearTimeout(this.#again.get(room));
        this.#again.delete(room);
        if (this.#rooms.get(room.id) !== room) {
            return; /* one may be in it again */
        }
        this.#rooms.delete(room.id);
        if (this.#user) {
            this.#link.send({ type: "unsubscribe", rooms: [room.id] });
        }
    }

    send(room, frame) {
        return this.#user !== null && this.#link.send({ ...frame, room: room.id });
    }

    present(status) {
        this.#presence = status;
        this.#tellPresence();
    }

    #tellPresence() {
        if (this.#user && this.#presence) {
            this.#link.send({ type: "presence", status: this.#presence });
        }
    }

    /* What came is not what follows the room's place: ask for that. */
    again(room) {
        this.#subscribe([room]);
    }

    /* What the room needs to go on could not be read over REST. */
    failed(room) {
        this.#later(room);
    }

    #subscribe(rooms) {
        if (!this.#user) {
            return;
        }
        rooms.forEach((room) => room.greeted(this.#user));
        for (let i = 0; i < rooms.length; i += ROOMS_OF_FRAME) {
            const places = rooms.slice(i, i + ROOMS_OF_FRAME).map(({ id, place }) => [id, place ? { after: place.seq, epoch: place.epoch } : {}]);

            this.#link.send({ type: "subscribe", rooms: Object.fromEntries(places) });
        }
    }

    /* One room could not be subscribed to, or is not any more. */
    #later(room) {
        room.waiting();
        clearTimeout(this.#again.get(room));
        this.#again.set(room, setTimeout(() => {
            if (room.state === "waiting") {
                room.connecting();
                this.#subscribe([room]);
            }
        }, backoffMs(room.tries++, this.#link.reconnect)));
    }

    /* ---- the socket ---- */

    /* Outside a browser a handshake may be refused with a status that no script can see: REST says the same. */
    async #refused() {
        try {
            await this.client.api.profile();
            return 0;
        } catch (error) {
            return error.status === 401 ? UNAUTHORIZED : 0;
        }
    }

    #lost() {
        this.#user = null;
        this.#again.forEach((timer) => clearTimeout(timer));
        this.#again.clear();
        this.#rooms.forEach((room) => room.waiting());
    }

    #ended(code) {
        this.#link = this.#user = null;
        [...this.#rooms.values()].forEach((room) => this.#close(room, code));
        this.client.emit("end", { code });
    }

    #close(room, code) {
        this.#rooms.delete(room.id);
        this.client.ended(room, code);
    }

    #heard(frame) {
        const room = this.#rooms.get(frame.room);

        if (frame.type === "hello") {
            this.#user = frame.user;
            this.#tellPresence(); /* before the rooms: who is told that one is open is told who is there */
            this.#subscribe([...this.#rooms.values()]);
            this.client.emit("open", { user: frame.user });
        } else if (!room) {
            this.client.emit(frame.type, frame);
        } else if (frame.type === "unsubscribed") {
            this.#unsubscribed(room, frame.code);
        } else if (frame.type === "error" && !frame.client_msg_id && room.state !== "open") {
            this.#unsubscribed(room, REFUSALS[frame.code] ?? 0);
        } else {
            room.heard(frame);
        }
    }

    #unsubscribed(room, code) {
        if (code >= 4400 && code < 4500) {
            this.#close(room, code);
        } else if (code !== LEFT) {
            this.#later(room);
        }
    }
}
