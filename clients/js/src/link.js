/* link.js -- one WebSocket, kept open: it asks for signs of life, and comes back with growing pauses after it was lost.
 *
 * What the server means by closing is in the code: 4400 to 4499 say that trying again would end the same way, all others
 * that it would not. */
import { backoffMs, RECONNECT } from "./backoff.js";

export const LOST = 1006; /* no close was heard */
export const UNAUTHORIZED = 4401;

const IDLE_MS = 30000; /* without a frame for so long we ask whether the other side lives */
const ANSWER_MS = 10000; /* and wait so long for any frame */
const STEADY_MS = 10000; /* a socket that lives so long was no failure */
const OPEN = 1; /* WebSocket.OPEN */

export class Link {
    /* WebSocket: the class.  on: what it calls:
     *   address()    a promise of where to connect to; an error with status 401 ends the link, any other is a failed try
     *   connecting(), open(), waiting()
     *   frame(object)
     *   refused()    a promise of the code that would have closed the socket, had it been let in; 0: nobody knows
     *   end(code)    it will not come back */
    constructor(WebSocket, on) {
        this.WebSocket = WebSocket;
        this.on = on;
        this.reconnect = RECONNECT;
        this.tries = 0;
        this.socket = null;
        this.timers = {};
        this.isStarting = false;
        this.isOver = false;
        this.start();
    }

    timer(name, ms, fn) {
        clearTimeout(this.timers[name]);
        this.timers[name] = setTimeout(fn, ms);
    }

    async start() {
        clearTimeout(this.timers.retry);
        this.isStarting = true;
        this.on.connecting();
        try {
            const address = await this.on.address();

            if (!this.isOver) {
                this.open(address);
            }
        } catch (error) {
            this.failed(error.status === 401 ? UNAUTHORIZED : LOST);
        }
        this.isStarting = false;
    }

    open(address) {
        const socket = new this.WebSocket(address);

        this.socket = socket;
        this.wasOpen = false;
        socket.onopen = () => this.opened(socket);
        socket.onmessage = (event) => this.heard(socket, event.data);
        socket.onclose = (event) => this.closed(socket, event.code);
        socket.onerror = () => {}; /* its close follows */
        this.timer("life", IDLE_MS, () => this.lost(socket));
    }

    opened(socket) {
        if (socket === this.socket) {
            this.wasOpen = true;
            this.timer("steady", STEADY_MS, () => { this.tries = 0; });
            this.on.open();
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
            /* told below */
        }
        if (frame === null || typeof frame !== "object") {
            return; /* not a frame of this protocol */
        }
        if (frame.type === "hello") {
            this.reconnect = { ...RECONNECT, ...frame.reconnect };
        } else if (frame.type === "going_away") {
            this.timer("life", (frame.in_ms ?? 0) + ANSWER_MS, () => this.lost(socket)); /* it closes the socket itself */
        }
        this.on.frame(frame);
    }

    ask(socket) {
        this.send({ type: "ping" });
        this.timer("life", ANSWER_MS, () => this.lost(socket));
    }

    /* The socket is given up without waiting for its close, which may be minutes away when the network is gone. */
    lost(socket) {
        if (socket === this.socket && socket !== null) {
            socket.onopen = socket.onmessage = socket.onclose = null;
            socket.close();
            this.closed(socket, LOST);
        }
    }

    async closed(socket, code) {
        if (socket !== this.socket) {
            return;
        }
        const wasRefused = !this.wasOpen && code === LOST;

        this.socket = null;
        this.stopTimers();
        if (this.isOver) {
            return;
        }
        if (wasRefused) {
            this.isStarting = true;
            code = (await this.on.refused()) || code;
            this.isStarting = false;
        }
        this.failed(code);
    }

    failed(code) {
        if (this.isOver) {
            return;
        }
        if (code >= 4400 && code < 4500) {
            this.end();
            this.on.end(code);
            return;
        }
        this.on.waiting();
        this.timer("retry", backoffMs(this.tries, this.reconnect), () => this.start());
        this.tries++;
    }

    send(frame) {
        const isOpen = this.socket !== null && this.socket.readyState === OPEN;

        if (isOpen) {
            this.socket.send(JSON.stringify(frame));
        }
        return isOpen;
    }

    /* The network is said to be back, or somebody looks at the page again: no need to wait any longer. */
    hurry() {
        if (!this.isOver && this.socket === null && !this.isStarting) {
            this.tries = 0;
            this.start();
        }
    }

    /* The network is said to be gone, or what came by this socket cannot be all. */
    drop() {
        this.lost(this.socket);
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
