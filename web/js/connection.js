/* connection.js -- one room's socket, kept open: it reconnects with growing pauses, and each time reads over REST what was
 * said meanwhile.
 *
 * The order makes it lossless: first the socket is open, so that all that is stored from now on comes by itself; then the
 * pages are read back to what is known already.  Both may bring the same message; the timeline keeps one.  `catchUp` is
 * given from outside, so that resuming by cursor (?after=&epoch=) can take its place. */
import { backoffMs } from "./backoff.js";

export const CLOSED_UNAUTHORIZED = 4401;
export const CLOSED_FORBIDDEN = 4403;
export const CLOSED_NOT_FOUND = 4404;

const IDLE_MS = 30000; /* without a frame for so long we ask whether the other side lives */
const ANSWER_MS = 10000; /* and wait so long for any frame */
const STEADY_MS = 10000; /* a socket that lives so long was no failure */

export class Connection {
    /* handlers: frame(object), catchUp(): a promise, state("connecting" | "open" | "waiting"), end(code): it will not
     * come back. */
    constructor(room, handlers) {
        this.room = room;
        this.on = handlers;
        this.tries = 0;
        this.socket = null;
        this.timers = {};
        this.isOver = false;
        this.open();
    }

    timer(name, ms, fn) {
        clearTimeout(this.timers[name]);
        this.timers[name] = setTimeout(fn, ms);
    }

    open() {
        const scheme = location.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(`${scheme}//${location.host}/ws/chat/${this.room}/`);

        clearTimeout(this.timers.retry);
        this.socket = socket;
        this.on.state("connecting");
        socket.onopen = () => this.opened(socket);
        socket.onmessage = (event) => this.heard(socket, event.data);
        socket.onclose = (event) => this.closed(socket, event.code);
        this.timer("life", IDLE_MS, () => this.lost(socket));
    }

    async opened(socket) {
        this.timer("steady", STEADY_MS, () => { this.tries = 0; });
        try {
            await this.on.catchUp();
        } catch {
            this.lost(socket);
            return;
        }
        if (socket === this.socket && socket.readyState === WebSocket.OPEN) {
            this.on.state("open");
        }
    }

    heard(socket, text) {
        if (socket !== this.socket) {
            return;
        }
        this.timer("life", IDLE_MS, () => this.ask(socket));
        let frame = null;

        try {
            frame = JSON.parse(text);
        } catch {
            return; /* not a frame of this protocol */
        }
        this.on.frame(frame);
    }

    /* A server that does not know pings answers with an error frame, which proves life as well. */
    ask(socket) {
        this.send({ type: "ping" });
        this.timer("life", ANSWER_MS, () => this.lost(socket));
    }

    /* The socket is given up without waiting for its close, which may be minutes away when the network is gone. */
    lost(socket) {
        if (socket !== this.socket) {
            return;
        }
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.closed(socket, 1006);
    }

    closed(socket, code) {
        if (socket !== this.socket) {
            return;
        }
        this.stopTimers();
        this.socket = null;
        if (this.isOver) {
            return;
        }
        /* 4400 to 4499: trying again would end the same way. */
        if (code >= 4400 && code < 4500) {
            this.isOver = true;
            this.on.end(code);
            return;
        }
        this.on.state("waiting");
        this.timer("retry", backoffMs(this.tries), () => this.open());
        this.tries++;
    }

    send(frame) {
        const isOpen = this.socket !== null && this.socket.readyState === WebSocket.OPEN;

        if (isOpen) {
            this.socket.send(JSON.stringify(frame));
        }
        return isOpen;
    }

    /* The network is said to be back, or somebody looks at the page again: no need to wait any longer. */
    hurry() {
        if (!this.isOver && this.socket === null) {
            this.tries = 0;
            this.open();
        }
    }

    /* The network is said to be gone. */
    drop() {
        if (this.socket !== null) {
            this.lost(this.socket);
        }
    }

    stopTimers() {
        Object.values(this.timers).forEach(clearTimeout);
    }

    end() {
        this.isOver = true;
        this.stopTimers();
        if (this.socket !== null) {
            this.socket.close(1000);
        }
    }
}
