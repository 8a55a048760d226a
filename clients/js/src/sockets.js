/* sockets.js -- a socket for each room: /ws/chat/<id>/. */
import { Link, UNAUTHORIZED } from "./link.js";

const NOT_FOUND = 4404;

export class RoomSockets {
    #links = new Map(); /* room -> Link */

    constructor(client) {
        this.client = client;
    }

    open(room) {
        this.#links.set(room, new Link(this.client.WebSocket, {
            address: () => this.client.socketAddress(`/ws/chat/${room.id}/`, room.place ? { after: room.place.seq, epoch: room.place.epoch } : {}),
            refused: () => this.#refused(room),
            connecting: () => room.connecting(),
            open: () => {},
            waiting: () => room.waiting(),
            frame: (frame) => room.heard(frame),
            end: (code) => this.#ended(room, code),
        }));
    }

    /* Outside a browser a handshake may be refused with a status that no script can see: REST says the same. */
    async #refused(room) {
        try {
            await this.client.api.room(room.id);
            return 0;
        } catch (error) {
            return { 401: UNAUTHORIZED, 404: NOT_FOUND }[error.status] ?? 0;
        }
    }

    #ended(room, code) {
        this.#links.delete(room);
        this.client.ended(room, code);
    }

    close(room) {
        this.#links.get(room)?.end();
        this.#links.delete(room);
    }

    send(room, frame) {
        return this.#links.get(room)?.send(frame) ?? false;
    }

    /* What came is not what follows the room's place: ask for that. */
    again(room) {
        this.#links.get(room)?.drop();
    }

    hurry() {
        this.#links.forEach((link) => link.hurry());
    }

    drop() {
        this.#links.forEach((link) => link.drop());
    }
}
