/* api.js -- the server's REST API.
 *
 * Who asks is said by a token (Node, other sites); without one by the session cookie of a page of the server's own site,
 * whose csrftoken cookie says that this page does. */

/* Statuses that are no answer of the API: the server could not be reached, or is not itself. */
const AWAY = new Set([0, 502, 503, 504]);

/* The texts of one field: a list, or lists by index. */
export function textsOf(value) {
    return Array.isArray(value) ? value : Object.values(value).flat();
}

function firstText(body) {
    return body && Object.values(body).map(textsOf).flat()[0];
}

export class ApiError extends Error {
    /* status 0: the server could not be reached.  fields: {name: [text]} of a body that was refused; retryAfter: seconds. */
    constructor(status, body, retryAfter) {
        super(body?.detail ?? firstText(body) ?? (status === 0 ? "The server cannot be reached." : `The server answered ${status}.`));
        this.name = "ApiError";
        this.status = status;
        this.code = body?.code ?? null;
        this.fields = status === 400 && body && !body.detail ? body : {};
        this.retryAfter = retryAfter;
    }

    get isAway() {
        return AWAY.has(this.status);
    }
}

function cookie(name) {
    const found = globalThis.document?.cookie.split("; ").find((one) => one.startsWith(`${name}=`));

    return found ? found.slice(name.length + 1) : "";
}

async function bodyOf(answer) {
    try {
        return answer.status === 204 ? null : await answer.json();
    } catch {
        return null; /* a proxy's page, or cut off */
    }
}

function query(values) {
    const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined)).toString();

    return text && `?${text}`;
}

const roomPath = (id) => `/api/chat/rooms/${id}/`;
const messagePath = (id) => `/api/chat/messages/${id}/`;

export class Api {
    /* url: of the server; "": that of this page.  onUnauthorized(): the session has ended, whatever call finds it out. */
    constructor({ url = "", token = null, fetch = null, onUnauthorized = () => {} } = {}) {
        this.url = url.replace(/\/+$/, "");
        this.token = token;
        this.fetch = fetch ?? ((...all) => globalThis.fetch(...all));
        this.onUnauthorized = onUnauthorized;
    }

    headers(method, body) {
        const headers = { Accept: "application/json" };

        if (body !== undefined) {
            headers["Content-Type"] = "application/json";
        }
        if (this.token) {
            headers.Authorization = `Token ${this.token}`;
        } else if (method !== "GET") {
            headers["X-CSRFToken"] = cookie("csrftoken");
        }
        return headers;
    }

    /* The answer's object (null: it has none).  Throws ApiError. */
    async call(method, path, body) {
        const text = body === undefined ? undefined : JSON.stringify(body);
        let answer;

        try {
            answer = await this.fetch(this.url + path, { method, headers: this.headers(method, body), body: text, cache: "no-store" });
        } catch {
            throw new ApiError(0, null, 0);
        }
        const parsed = await bodyOf(answer);

        if (answer.ok) {
            return parsed;
        }
        if (answer.status === 401) {
            this.onUnauthorized();
        }
        throw new ApiError(answer.status, parsed, Number(answer.headers.get("Retry-After")) || 0);
    }

    get(path) {
        return this.call("GET", path);
    }

    post(path, body = {}) {
        return this.call("POST", path, body);
    }

    put(path, body) {
        return this.call("PUT", path, body);
    }

    delete(path) {
        return this.call("DELETE", path);
    }

    /* All entries of a list, page by page.  One that moves between two pages while they are read is there once. */
    async all(path) {
        const found = new Map();
        let page;

        do {
            page = await this.get(`${path}?limit=200&offset=${found.size}`);
            page.results.forEach((one) => found.set(one.id, one));
        } while (page.next && page.results.length > 0);
        return [...found.values()];
    }

    /* The same of a list that knows cursors.  What goes while its pages are read makes the next page skip nothing. */
    async walk(path) {
        const found = [];
        let where = "?limit=200&order=desc";

        while (where) {
            const page = await this.get(path + where);

            found.push(...page.results);
            where = page.next && new URL(page.next, "http://any").search; /* the server may know itself by another name */
        }
        return found;
    }

    /* ---- who ---- */

    /* From here on the token says who asks. */
    async login(email, password) {
        const answer = await this.post("/api/auth/login/", { email, password });

        this.token = answer.token;
        return answer;
    }

    logout() {
        return this.post("/api/auth/logout/");
    }

    profile() {
        return this.get("/api/auth/profile/");
    }

    /* For one socket, to be opened within seconds. */
    async ticket() {
        return (await this.post("/api/auth/ws-ticket/")).ticket;
    }

    /* ---- rooms ---- */

    rooms() {
        return this.walk("/api/chat/rooms/");
    }

    room(id) {
        return this.get(roomPath(id));
    }

    createRoom(name, emails = []) {
        return this.post("/api/chat/rooms/", { name, participant_emails: emails });
    }

    renameRoom(id, name) {
        return this.put(roomPath(id), { name });
    }

    deleteRoom(id) {
        return this.delete(roomPath(id));
    }

    addMember(id, email) {
        return this.post(`${roomPath(id)}participants/`, { email });
    }

    removeMember(id, userId) {
        return this.delete(`${roomPath(id)}participants/${userId}/`);
    }

    /* ---- messages ---- */

    /* A page, {results, next}: the newest first; with before_seq those before it, newest first; with after_seq those after
     * it, oldest first. */
    messages(id, { before_seq, after_seq, limit } = {}) {
        return this.get(`${roomPath(id)}messages/${query({ before_seq, after_seq, limit })}`);
    }

    /* A page of the room's log, as the frames of its sockets: {epoch, head, results, next}. */
    events(id, { after_seq, limit } = {}) {
        return this.get(`${roomPath(id)}events/${query({ after_seq, limit })}`);
    }

    /* Stores one message; with a client_msg_id as often as one likes, and it is there once. */
    send(id, content, { client_msg_id } = {}) {
        return this.post(`${roomPath(id)}send/`, { content, client_msg_id });
    }

    /* How far each member has read: a page of {user, read_seq, delivered_seq, joined_at}. */
    reads(id, { limit, offset } = {}) {
        return this.get(`${roomPath(id)}read/${query({ limit, offset })}`);
    }

    /* Stored when it is answered. */
    read(id, seq) {
        return this.post(`${roomPath(id)}read/`, { read_seq: seq });
    }

    /* Who is there: a page of {user, status}, one per member; status: "online", "away" or "offline". */
    presence(id, { limit, offset } = {}) {
        return this.get(`${roomPath(id)}presence/${query({ limit, offset })}`);
    }

    /* A page, {results, next}: messages in which those words are, newest first, with `highlights`; only of one room, if given. */
    search(q, { room, before, limit } = {}) {
        return this.get(`/api/chat/search/${query({ q, room, before, limit })}`);
    }

    message(id) {
        return this.get(messagePath(id));
    }

    /* Its earlier contents: a page of {content, created_at}, newest first. */
    history(id, { limit, offset } = {}) {
        return this.get(`${messagePath(id)}history/${query({ limit, offset })}`);
    }

    editMessage(id, content) {
        return this.call("PATCH", messagePath(id), { content });
    }

    react(id, emoji) {
        return this.call("PUT", `${messagePath(id)}reactions/${encodeURIComponent(emoji)}/`);
    }

    unreact(id, emoji) {
        return this.delete(`${messagePath(id)}reactions/${encodeURIComponent(emoji)}/`);
    }

    deleteMessage(id) {
        return this.delete(messagePath(id));
    }
}
