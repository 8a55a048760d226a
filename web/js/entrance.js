/* entrance.js -- what is before the chat: log in, create an account, forgotten password. */
import { api } from "./api.js";
import { fromTemplate } from "./dom.js";
import { note, valuesOf, whenSubmitted } from "./forms.js";

const AGAIN_MS = 3000;

/* Only whoever sits at the server's machine may see the outbox; nobody else need ask. */
async function outboxOffer(root) {
    const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);

    if (isLocal) {
        try {
            await api.get("/outbox/");
            root.querySelector("[data-outbox]").hidden = false;
        } catch {
            /* mails go out: there is no outbox */
        }
    }
}

async function resend(root, email) {
    try {
        const { message } = await api.post("/api/auth/resend-verification/", { email });

        note(root, message);
    } catch (error) {
        note(root, error.message, true);
    }
}

function login(root, { onLogin, notice }) {
    const form = root.querySelector("[data-form]");
    const again = root.querySelector("[data-resend]");

    note(form, notice ?? "");
    again.addEventListener("click", () => resend(root, valuesOf(form).email));
    whenSubmitted(form, async (values) => {
        again.hidden = true;
        try {
            onLogin((await api.post("/api/auth/login/", values)).user);
        } catch (error) {
            again.hidden = error.status !== 403; /* right password, address not verified */
            throw error;
        }
    });
}

function register(root, { show }) {
    whenSubmitted(root.querySelector("[data-form]"), async (values) => {
        const { user } = await api.post("/api/auth/register/", values);

        show("registered", { email: user.email });
    });
}

function registered(root, { email }) {
    root.querySelector("[data-address]").textContent = email;
    root.querySelector("[data-resend]").addEventListener("click", () => resend(root, email));
    outboxOffer(root);
}

function forgot(root) {
    const form = root.querySelector("[data-form]");

    whenSubmitted(form, async (values) => {
        const { message } = await api.post("/api/auth/reset-password/", values);

        note(form, message);
        outboxOffer(root);
    });
}

function away(root, { why, onAgain }) {
    const button = root.querySelector("[data-again]");
    const again = () => {
        if (!button.isConnected) {
            return; /* another page is shown by now */
        }
        clearTimeout(timer);
        button.disabled = true;
        onAgain();
    };
    const timer = setTimeout(again, AGAIN_MS * (1 + Math.random()));

    note(root, `${why} Trying again in a few seconds…`, true);
    button.addEventListener("click", again);
}

const pages = { login, register, registered, forgot, away };

/* Shows one of them in `app`; more: what it needs (see above). */
export function showEntrance(app, name, more = {}) {
    app.replaceChildren(fromTemplate(name));
    pages[name](app, { ...more, show: (next, its) => showEntrance(app, next, { ...more, ...its }) });
    document.title = `${app.querySelector("h1").textContent} - Parley`;
    (app.querySelector("input") ?? app.querySelector("h1")).focus();
}
