/* api.js -- the server's REST API for a page of its own site: the session cookie says who asks, the csrftoken cookie that
 * this page does. */

/* Statuses that are no answer of the API: the server could not be reached, or is not itself. */
const AWAY = new Set([0, 502, 503, 504]);

export class ApiError extends Error {
    constructor(status, body, retryAfter) {
        super(body?.detail ?? ApiError.firstText(body) ?? (status === 0 ? "The server cannot be reached." : `The server answered ${status}.`));
        this.status = status;
        this.fields = status === 400 && body && !body.detail ? body : {};
        this.retryAfter = retryAfter;
    }

    static firstText(body) {
        return body && Object.values(body).map(textsOf).flat()[0];
    }

    get isAway() {
        return AWAY.has(this.status);
    }
}

/* The texts of one field: a list, or lists by index. */
export function textsOf(value) {
    return Array.isArray(value) ? value : Object.values(value).flat();
}

function cookie(name) {
    const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));

    return found ? found.slice(name.length + 1) : "";
}

let onUnauthorized = () => {};

/* fn is called when the session has ended, whatever call finds it out. */
export function whenUnauthorized(fn) {
    onUnauthorized = fn;
}

async function bodyOf(answer) {
    try {
        return answer.status === 204 ? null : await answer.json();
    } catch {
        return null; /* a proxy's page, or cut off */
    }
}

async function call(method, path, body) {
    const headers = { Accept: "application/json" };
    let answer;

    if (body !== undefined) {
        headers["Content-Type"] = "application/json";
    }
    if (method !== "GET") {
        headers["X-CSRFToken"] = cookie("csrftoken");
    }
    try {
        answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
    } catch {
        throw new ApiError(0, null, 0);
    }
    const parsed = await bodyOf(answer);

    if (answer.ok) {
        return parsed;
    }
    if (answer.status === 401) {
        onUnauthorized();
    }
    throw new ApiError(answer.status, parsed, Number(answer.headers.get("Retry-After")) || 0);
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);
export const del = (path) => call("DELETE", path);

/* All entries of a list, page by page.  An entry that moves between two pages while they are read is there once. */
export async function getAll(path) {
    const found = new Map();
    let page;

    do {
        page = await get(`${path}?limit=200&offset=${found.size}`);
        page.results.forEach((one) => found.set(one.id, one));
    } while (page.next && page.results.length > 0);
    return [...found.values()];
}
