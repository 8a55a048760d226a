/* dialogs.js -- a new room, a room's members, the account, and "are you sure?".  A modal <dialog> keeps the focus inside and
 * gives it back. */
import { api } from "./api.js";
import { element, fromTemplate, reconcile } from "./dom.js";
import { note, whenSubmitted } from "./forms.js";
import { fullName, hueOf, initialOf, presenceDot } from "./names.js";
import { themeGet, themeSet } from "./theme.js";
import { momentOf } from "./time.js";

let dialogs = 0;

/* The <dialog> of the <template> of that id, open. */
export function dialogOpen(id, onClose = () => {}) {
    document.body.append(fromTemplate(id));
    const dialog = document.body.lastElementChild;

    dialog.addEventListener("close", () => {
        dialog.remove();
        onClose(dialog.returnValue);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.querySelectorAll("[data-close]").forEach((button) => button.addEventListener("click", () => dialog.close()));
    dialog.querySelector("h2").id = `dialog${++dialogs}`;
    dialog.setAttribute("aria-labelledby", `dialog${dialogs}`);
    dialog.showModal();
    return dialog;
}

/* Asks; on yes does it and says whether it was done. */
export function confirmed(title, text, label, act) {
    return new Promise((resolve) => {
        const dialog = dialogOpen("confirm", (value) => resolve(value === "yes"));
        const yes = dialog.querySelector("[data-yes]");

        dialog.querySelector("[data-title]").textContent = title;
        dialog.querySelector("[data-text]").textContent = text;
        yes.textContent = label;
        yes.addEventListener("click", async () => {
            yes.disabled = true;
            try {
                await act();
                dialog.close("yes");
            } catch (error) {
                note(dialog, error.message, true);
                yes.disabled = false;
            }
        });
    });
}

export function newRoomDialog(chat) {
    const dialog = dialogOpen("new-room");

    whenSubmitted(dialog.querySelector("[data-form]"), async ({ name, participant_emails: emails }) => {
        const room = await chat.create(name, emails.split(/[\s,;]+/).filter(Boolean));

        dialog.close();
        location.hash = `#/rooms/${room.id}`;
    });
}

/* ---- a room ---- */

function memberEntry(chat, room, person, dialog) {
    const mayRemove = room.isMine && person.id !== chat.me.id;
    const remove = async () => {
        try {
            await chat.removeMember(room, person.id);
        } catch (error) {
            note(dialog, error.message, true);
        }
    };

    return element("li", {},
        element("span", { class: `initial ${hueOf(person.id)}`, "aria-hidden": "true" }, initialOf(person.first_name)),
        element("span", { class: "name" }, fullName(person), element("small", {}, `@${person.username}`)),
        element("small", { "data-status": true }),
        person.id === room.creator.id ? element("small", {}, "made the room") : null,
        mayRemove ? element("button", { type: "button", class: "plain", "aria-label": `Remove ${fullName(person)}`, onclick: remove }, "Remove") : null);
}

function memberUpdate(entry, status) {
    entry.querySelector("[data-status]").replaceChildren(presenceDot(status), status ? ` ${status}` : "");
}

function detailsShow(dialog, chat, room) {
    dialog.querySelector("[data-name]").textContent = room.name;
    reconcile(dialog.querySelector("[data-people]"),
        room.participants.map((person) => [person.id, () => memberEntry(chat, room, person, dialog),
            (entry) => memberUpdate(entry, room.members.statusOf(person.id))]));
}

export function detailsDialog(chat, room) {
    const listening = new AbortController();
    const dialog = dialogOpen("details", () => listening.abort());
    const part = (name) => dialog.querySelector(`[data-${name}]`);

    detailsShow(dialog, chat, room);
    for (const name of ["rename", "invite", "delete"]) {
        part(name).hidden = !room.isMine;
    }
    part("leave").hidden = room.isMine;
    part("rename").elements.name.value = room.name;
    whenSubmitted(part("rename"), async ({ name }) => {
        await chat.rename(room, name);
        note(dialog, "Renamed.");
    });
    whenSubmitted(part("invite"), async ({ email }) => {
        await chat.invite(room, email);
        part("invite").reset();
        note(dialog, `${email} is a member now.`);
    });
    part("leave").addEventListener("click", () => confirmed(`Leave ${room.name}?`, "Its maker can add you again.", "Leave", () => chat.removeMember(room, chat.me.id)));
    part("delete").addEventListener("click", () => confirmed(`Delete ${room.name}?`, "All its messages are gone, for everybody and for good.", "Delete", () => chat.remove(room)));
    ["rooms", "members"].forEach((type) => chat.addEventListener(type, () => detailsShow(dialog, chat, room), { signal: listening.signal }));
    chat.addEventListener("gone", (event) => event.detail.room === room && dialog.close(), { signal: listening.signal });
}

/* ---- the account ---- */

/* What a User-Agent says, in two words. */
function agentName(agent) {
    const browser = ["Firefox", "Edg", "OPR", "Chromium", "Chrome", "Safari", "curl"].find((name) => agent.includes(`${name}/`));
    const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].find((name) => agent.includes(name));

    return [{ Edg: "Edge", OPR: "Opera" }[browser] ?? browser ?? (agent.split("/")[0] || "Unknown program"), system].filter(Boolean).join(" on ");
}

function sessionEntry(session, onEnd) {
    return element("li", {},
        element("span", { class: "name", title: session.user_agent }, agentName(session.user_agent ?? ""),
            element("small", {}, `${session.ip ?? ""}, last used ${momentOf(session.last_used_at)}`)),
        session.current
            ? element("small", {}, "this browser")
            : element("button", { type: "button", class: "plain", "aria-label": `End the session of ${agentName(session.user_agent ?? "")}`, onclick: onEnd }, "End"));
}

async function sessionsShow(dialog) {
    try {
        const sessions = await api.all("/api/auth/sessions/");
        const end = (session) => async () => {
            try {
                await api.delete(`/api/auth/sessions/${session.id}/`);
            } catch (error) {
                note(dialog, error.message, true);
            }
            sessionsShow(dialog);
        };

        reconcile(dialog.querySelector("[data-sessions]"), sessions.map((one) => [one.id, () => sessionEntry(one, end(one)), () => {}]));
    } catch (error) {
        note(dialog, error.message, true);
    }
}

export function accountDialog(chat, onLogout) {
    const dialog = dialogOpen("account");
    const part = (name) => dialog.querySelector(`[data-${name}]`);

    part("name").textContent = fullName(chat.me);
    part("address").textContent = `@${chat.me.username}, ${chat.me.email}`;
    part("theme").value = themeGet();
    part("theme").addEventListener("change", (event) => themeSet(event.target.value));
    whenSubmitted(part("password"), async (values) => {
        await api.post("/api/auth/change-password/", values);
        part("password").reset();
        note(dialog, "Your password is changed; all other sessions have ended.");
        await sessionsShow(dialog);
    });
    part("logout").addEventListener("click", async () => {
        try {
            await chat.logout();
            onLogout();
        } catch (error) {
            note(dialog, error.message, true);
        }
    });
    sessionsShow(dialog);
}
