/* chat.js -- all rooms of the user.  Views listen to its events:
 *
 *   rooms            the list, its order or a badge has changed; detail.isAnew: the server's list has been read
 *   messages, typing, state, members   of one room (detail.room); messages: detail.message is one that has just come
 *   fault            something was not done (detail.text)
 *   gone             a room is no more here (detail.room, detail.code)
 */
import { Client } from "../client/index.js";
import { api } from "./api.js";
import { Room } from "./room.js";

export const CLOSED_UNAUTHORIZED = 4401;
export const CLOSED_FORBIDDEN = 4403;
export const CLOSED_NOT_FOUND = 4404;

const LIVE_ROOMS = 20; /* of so many the messages are at hand; of older ones, when they are opened */
const LIST_MS = 300000; /* how often to ask for what the socket does not tell: new names of those older ones */

export class Chat extends EventTarget {
    constructor(me, onUnauthorized) {
        super();
        this.me = me;
        this.client = new Client({ api, readsResync: false });
        this.rooms = new Map();
        this.onUnauthorized = onUnauthorized;
        this.isLoaded = false;
        this.isLeaving = false;
        this.listening = new AbortController();
    }

    tell(type, detail = {}) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    get list() {
        return [...this.rooms.values()].sort((a, b) => (a.activeAt < b.activeAt ? 1 : -1));
    }

    get unread() {
        return this.list.reduce((sum, room) => sum + room.unread, 0);
    }

    async start() {
        const { signal } = this.listening;

        this.client.on("open", () => this.loadQuietly());
        this.client.on("room_added", () => this.loadQuietly());
        this.client.on("unread", (notice) => this.rooms.get(notice.room)?.noticed(notice));
        this.client.on("end", ({ code }) => code === CLOSED_UNAUTHORIZED && this.sessionEnded());
        this.sayPresence();
        this.client.connect();
        await this.load();
        this.timer = setInterval(() => this.loadQuietly(), LIST_MS);
        window.addEventListener("online", () => this.hurry(), { signal });
        window.addEventListener("offline", () => this.client.drop(), { signal });
        document.addEventListener("visibilitychange", () => this.looked(), { signal });
    }

    end() {
        clearInterval(this.timer);
        this.listening.abort();
        this.rooms.forEach((room) => room.end());
        this.rooms.clear();
        this.client.close();
    }

    looked() {
        this.sayPresence();
        if (document.visibilityState === "visible") {
            this.hurry();
        }
    }

    /* Who looks at another page is away. */
    sayPresence() {
        this.client.present(document.visibilityState === "visible" ? "online" : "away");
    }

    hurry() {
        this.client.hurry();
        this.loadQuietly();
    }

    async loadQuietly() {
        try {
            await this.load();
        } catch {
            /* the sockets tell that there is no connection; the next round asks again */
        }
    }

    async load() {
        const before = [...this.rooms.keys()]; /* a room made while the list travels is not in it, and not lost */
        const found = await api.rooms();
        const ids = new Set(found.map((data) => data.id));

        found.forEach((data) => this.take(data));
        this.isLoaded = true;
        this.list.slice(0, LIVE_ROOMS).forEach((room) => room.connect());
        this.tell("rooms", { isAnew: true });
        for (const id of before.filter((one) => !ids.has(one))) {
            await this.lookAfter(id);
        }
    }

    /* A room that is not in the list: lost is what the server says is not there. */
    async lookAfter(id) {
        try {
            const data = await api.room(id);

            this.rooms.get(id)?.take(data);
        } catch (error) {
            if (error.status === 404 || error.status === 403) {
                this.lose(id, 0);
            }
        }
    }

    /* What the server says of a room; it may be new here. */
    take(data) {
        const known = this.rooms.get(data.id);

        if (known) {
            known.take(data);
            return known;
        }
        const room = new Room(data, this, (what, message) => this.changed(room, what, message), (code) => this.ended(room, code));

        this.rooms.set(data.id, room);
        return room;
    }

    /* One that is not in the list: perhaps somebody has added us since it was read.  Throws ApiError. */
    async find(id) {
        const room = this.take(await api.room(id));

        this.tell("rooms");
        return room;
    }

    changed(room, what, message) {
        if (what === "messages") {
            this.tell("rooms");
        }
        this.tell(what, { room, message });
    }

    ended(room, code) {
        if (code !== CLOSED_UNAUTHORIZED) {
            this.lose(room.id, code);
        }
    }

    sessionEnded() {
        if (!this.isLeaving) {
            this.onUnauthorized();
        }
    }

    /* Who is in it has changed. */
    async refresh(room) {
        try {
            room.take(await api.room(room.id));
            this.tell("rooms");
            this.tell("members", { room });
        } catch {
            /* gone, or away: the room's own end tells, or the next event */
        }
    }

    /* The server closes the sockets of a session that ends, sometimes before it answers: no news to whoever ended it. */
    async logout() {
        this.isLeaving = true;
        try {
            await api.logout();
        } finally {
            this.isLeaving = false;
        }
    }

    lose(id, code) {
        const room = this.rooms.get(id);

        if (room) {
            room.end();
            this.rooms.delete(id);
            this.tell("gone", { room, code });
            this.tell("rooms");
        }
    }

    /* ---- what people do with rooms ---- */

    async create(name, emails) {
        const room = this.take(await api.createRoom(name, emails));

        room.connect();
        this.tell("rooms");
        return room;
    }

    async rename(room, name) {
        room.take(await api.renameRoom(room.id, name));
        this.tell("rooms");
    }

    async invite(room, email) {
        room.take(await api.addMember(room.id, email));
        this.tell("rooms");
    }

    async removeMember(room, userId) {
        await api.removeMember(room.id, userId);
        if (userId === this.me.id) {
            this.lose(room.id, 0);
            return;
        }
        room.participants = room.participants.filter((person) => person.id !== userId);
        this.tell("rooms");
    }

    async remove(room) {
        await api.deleteRoom(room.id);
        this.lose(room.id, 0);
    }
}
