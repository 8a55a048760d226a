/* client.js -- one user at one server: the API, and rooms that stay connected. */
import { Api } from "./api.js";
import { Emitter } from "./emitter.js";
import { Feed } from "./feed.js";
import { Room } from "./room.js";

export class Client extends Emitter {
    #rooms = new Map();
    #transport;

    /* api: an Api; or what makes one:
     * url: of the server; "": that of this page.
     * token: from a login; null: login() gets one, or the cookie of this page will do.
     * onUnauthorized(): the session has ended.
     * fetch, WebSocket: where the platform has none, or another is wanted.
     * cursors: {load(roomId), save(roomId, place)} keeps how far each room was read, over restarts; load() gives what was
     *   saved, or null, both at once or as a promise.
     * readsResync: whether what was said while no resuming was possible is read and told as events. */
    constructor({ api = null, url, token, fetch, onUnauthorized, WebSocket = globalThis.WebSocket, cursors = null, readsResync = true } = {}) {
        super();
        if (!WebSocket) {
            throw new TypeError("There is no WebSocket here: give one, as new Client({WebSocket}); in Node older than 22 that of the package ws.");
        }
        this.api = api ?? new Api({ url, token, fetch, onUnauthorized });
        this.WebSocket = WebSocket;
        this.cursors = cursors ?? { load: () => null, save: () => {} };
        this.readsResync = readsResync;
        this.#transport = new Feed(this);
    }

    /* The room, connected from now on until leave() or the end.  place: {epoch, seq} to go on from; left out: what
     * `cursors` know; null: what comes from now on. */
    room(id, place) {
        if (!this.#rooms.has(id)) {
            const room = new Room(id, this, this.#transport, place ?? null);

            this.#rooms.set(id, room);
            this.#start(room, place);
        }
        return this.#rooms.get(id);
    }

    async #start(room, place) {
        if (place === undefined) {
            room.place = await this.cursors.load(room.id) ?? null;
        }
        if (this.#rooms.get(room.id) === room) {
            this.#transport.open(room);
        }
    }

    leave(room) {
        this.#transport.close(room);
        this.ended(room, 0);
    }

    /* After the event was told to all who listen: what is told twice is better than what is told never. */
    async saveCursor(room) {
        try {
            await this.cursors.save(room.id, room.place);
        } catch (error) {
            console.error(error);
        }
    }

    /* For transports: a room's socket will not come back. */
    ended(room, code) {
        if (this.#rooms.get(room.id) === room) { /* one may be in it again */
            this.#rooms.delete(room.id);
        }
        room.over(code);
    }

    /* For transports: where a socket connects to.  A token goes no further than REST: a ticket of it is good for one socket. */
    async socketAddress(path) {
        const base = (this.api.url || globalThis.location.origin).replace(/^http/, "ws");

        return `${base}${path}${this.api.token ? `?ticket=${await this.api.ticket()}` : ""}`;
    }

    /* Without a room, too, one is told of new rooms and of what is unread. */
    connect() {
        this.#transport.connect();
    }

    /* Takes part in presence from now on, "online" or "away": others are told, and so are we.  It is said again after each
     * reconnect. */
    present(status) {
        this.#transport.present(status);
    }

    /* The network is said to be back, or somebody looks again: no pause any more. */
    hurry() {
        this.#transport.hurry();
    }

    /* The network is said to be gone. */
    drop() {
        this.#transport.drop();
    }

    close() {
        [...this.#rooms.values()].forEach((room) => this.leave(room));
        this.#transport.end();
    }
}
