/* api.js -- the server's API for a page of its own site: the session cookie says who asks, the csrftoken cookie that this
 * page does. */
export class ApiError extends Error {
    constructor(status, body) {
        super(body?.detail ?? (body && Object.values(body).flat()[0]) ?? (status ? `The server answered ${status}.` : "The server cannot be reached."));
        this.status = status;
    }
}

function cookie(name) {
    const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));

    return found ? found.slice(name.length + 1) : "";
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
        answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    } catch {
        throw new ApiError(0, null);
    }
    const parsed = answer.status === 204 ? null : await answer.json().catch(() => null);

    if (!answer.ok) {
        throw new ApiError(answer.status, parsed);
    }
    return parsed;
}

export const get = (path) => call("GET", `/api/admin/${path}`);
export const post = (path, body) => call("POST", `/api/admin/${path}`, body);
export const del = (path) => call("DELETE", `/api/admin/${path}`);
export const login = (email, password) => call("POST", "/api/auth/login/", { email, password });
export const logout = () => call("POST", "/api/auth/logout/");
