/* pages.js -- what each page shows.  A page is a function: (id, me) -> elements, or a promise of them. */
import { badge, element, tell, timeText } from "./dom.js";
import { del, get, post } from "./api.js";
import { actionButton, listView } from "./list.js";

const userLink = (id, name) => (id ? element("a", { href: `#/users/${id}` }, name) : name ?? "–");
const roomLink = (id, name) => element("a", { href: `#/rooms/${id}` }, name);
const small = (text) => element("small", {}, text);
const roleOf = (user) => (user.is_superuser ? "superuser" : user.is_staff ? "staff" : "user");

export function head(title, ...more) {
    document.title = `${title} – Parley administration`;
    return element("div", { class: "head" }, element("h1", { tabindex: "-1" }, title), ...more);
}

function statusOf(user) {
    const role = roleOf(user);

    return [role === "user" ? null : badge(role, "good"), user.is_active ? null : badge("disabled", "bad"), user.is_verified ? null : badge("not verified", "warn"),
        role === "user" && user.is_active && user.is_verified ? badge("active") : null];
}

/* ---- lists ---- */

const USERS = {
    title: "Users", path: "users/", search: "Search username, address or name", empty: "No user was found.",
    filter: { name: "state", label: "Show", choices: [["", "All"], ["staff", "Staff"], ["unverified", "Not verified"], ["disabled", "Disabled"]] },
    columns: [
        { title: "User", cell: (u) => [userLink(u.id, u.username), small(`${u.first_name} ${u.last_name}`)] },
        { title: "Address", cell: (u) => u.email },
        { title: "State", cell: statusOf },
        { title: "Registered", class: "time", cell: (u) => timeText(u.date_joined) },
    ],
};

const ROOMS = {
    title: "Rooms", path: "rooms/", search: "Search the name", empty: "No room was found.",
    columns: [
        { title: "Room", cell: (r) => roomLink(r.id, r.name) },
        { title: "Made by", cell: (r) => userLink(r.creator_id, r.creator) },
        { title: "Members", class: "number", cell: (r) => String(r.members) },
        { title: "Messages", class: "number", cell: (r) => String(r.messages) },
        { title: "Made", class: "time", cell: (r) => timeText(r.created_at) },
    ],
};

const deleteMessage = (m) => [{
    text: "Delete", danger: true, question: `The message of ${m.sender} goes for all members and cannot be brought back:\n\n${m.content}`,
    done: "The message is deleted.", run: () => del(`messages/${m.id}/`),
}];
const MESSAGE_COLUMNS = [
    { title: "From", cell: (m) => userLink(m.sender_id, m.sender) },
    { title: "Message", class: "wide", cell: (m) => m.content },
    { title: "Sent", class: "time", cell: (m) => timeText(m.created_at) },
];
const MESSAGES = {
    title: "Messages", path: "messages/", search: "Search the text", empty: "No message was found.", actions: deleteMessage,
    columns: [...MESSAGE_COLUMNS.slice(0, 2), { title: "Room", cell: (m) => roomLink(m.room_id, m.room) }, MESSAGE_COLUMNS[2]],
};

const MAIL_BADGES = { sent: "good", failed: "bad", expired: "bad", sending: "warn", waiting: "warn" };
const MAILS = {
    title: "Mail", path: "mails/", empty: "No mail is there.",
    filter: { name: "state", label: "Show", choices: [["", "All"], ["waiting", "Waiting"], ["sending", "Being sent"], ["failed", "Failed"], ["expired", "Expired"], ["sent", "Sent"]] },
    columns: [
        { title: "To", cell: (m) => m.to || small(m.to === null ? "no longer kept" : "sealed with another key") },
        { title: "State", cell: (m) => [badge(m.state, MAIL_BADGES[m.state]), m.last_error ? small(m.last_error) : null] },
        { title: "Attempts", class: "number", cell: (m) => String(m.attempts) },
        { title: "Queued", class: "time", cell: (m) => timeText(m.created_at) },
        { title: "Sent, or next attempt", class: "time", cell: (m) => timeText(m.sent_at ?? (m.state === "waiting" ? m.next_at : null)) },
    ],
    actions: (m) => (m.to === null ? [] : [{ text: "Try now", done: "The mail is tried now.", run: () => post(`mails/${m.id}/retry/`) }]),
};

const sessions = (me, fixed, search) => ({
    title: "Sessions", path: "sessions/", search, fixed, empty: "Nobody is logged in.",
    columns: [
        { title: "User", cell: (s) => [userLink(s.user_id, s.username), s.id === me.session ? badge("this one", "good") : null] },
        { title: "From", cell: (s) => [s.ip, small(s.user_agent)] },
        { title: "Logged in", class: "time", cell: (s) => timeText(s.created_at) },
        { title: "Last seen", class: "time", cell: (s) => timeText(s.last_used_at) },
    ],
    actions: (s) => [{
        text: "End", danger: true, question: `${s.username} is logged out there, at once.`, done: "The session has ended.",
        run: () => del(`users/${s.user_id}/sessions/${s.id}/`),
    }],
});

const audit = (fixed, search) => ({
    title: "Audit log", path: "audit/", search, fixed, empty: "Nothing is recorded.",
    columns: [
        { title: "When", class: "time", cell: (a) => timeText(a.at) },
        { title: "What", cell: (a) => [a.action.replaceAll("_", " "), a.detail ? small(a.detail) : null] },
        { title: "By", cell: (a) => userLink(a.actor_id, a.actor) },
        { title: "About", cell: (a) => userLink(a.subject_id, a.subject) },
        { title: "From", cell: (a) => [a.ip || "–", a.user_agent ? small(a.user_agent) : null] },
    ],
});

const listPage = (list) => [head(list.title), listView(list)];

export const users = () => listPage(USERS);
export const rooms = () => listPage(ROOMS);
export const messages = () => [head("Messages", small("Searches the newest 100,000.")), listView(MESSAGES)];
export const mails = () => listPage(MAILS);
export const allSessions = (id, me) => listPage(sessions(me, {}, "Search username, address or network"));
export const auditLog = () => listPage(audit({}, "Search action, user or network"));

/* ---- one user ---- */

function facts(...rows) {
    return element("dl", { class: "facts" }, rows.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function section(title, ...children) {
    return element("section", {}, element("h2", {}, title), ...children);
}

function userActions(user, who) {
    const act = (path, text, done, more = {}) => ({ text, done, run: () => post(`users/${user.id}/${path}/`), ...more });

    return [
        user.is_verified ? null : act("verify", "Mark as verified", `${who} is verified.`),
        user.is_active
            ? act("disable", "Disable", `${who} is disabled.`, { danger: true, question: `${who} is logged out everywhere, and cannot log in until enabled again.` })
            : act("enable", "Enable", `${who} can log in again.`),
        act("end-sessions", "End all sessions", `${who} is logged out everywhere.`, { danger: true, question: `${who} is logged out everywhere, at once.` }),
    ].filter((one) => one);
}

function roleForm(user, reload) {
    const select = element("select", { name: "role" }, ["user", "staff", "superuser"].map((role) => element("option", { value: role, selected: role === roleOf(user) }, role)));

    select.addEventListener("change", async () => {
        try {
            await post(`users/${user.id}/role/`, { role: select.value });
            tell(`${user.username} is ${select.value} now.`);
        } catch (error) {
            tell(error.message, true);
        }
        await reload();
    });
    return element("label", {}, "Role ", select);
}

export async function user(id, me) {
    const root = element("div");

    async function load() {
        const one = await get(`users/${id}/`);
        const mayChange = me.is_superuser || roleOf(one) === "user";
        const buttons = userActions(one, one.username).map((action) => actionButton(action, load));

        root.replaceChildren(
            head(one.username, element("span", {}, statusOf(one))),
            facts(["Name", `${one.first_name} ${one.last_name}`], ["Address", one.email], ["Registered", timeText(one.date_joined)], ["Id", one.id]),
            mayChange ? element("div", { class: "bar" }, buttons, me.is_superuser ? roleForm(one, load) : null) : element("p", { class: "bar" }, "Only a superuser may change staff."),
            section("Sessions", listView(sessions(me, { user: id }))),
            section("Rooms", listView({ ...ROOMS, search: null, fixed: { user: id }, empty: "In no room." })),
            section("Audit log", listView(audit({ user: id }))));
    }

    await load();
    return [root];
}

/* ---- one room ---- */

export async function room(id) {
    const one = await get(`rooms/${id}/`);
    const remove = {
        text: "Delete room", danger: true, question: `“${one.name}” and all that was said in it are gone for all members, and cannot be brought back.`,
        done: "The room is deleted.", run: () => del(`rooms/${id}/`),
    };
    const members = {
        title: "Members", path: `rooms/${id}/members/`,
        columns: [
            { title: "User", cell: (m) => [userLink(m.id, m.username), small(m.email)] },
            { title: "Role", cell: (m) => m.role },
            { title: "Since", class: "time", cell: (m) => timeText(m.joined_at) },
        ],
        actions: (m) => (m.id === one.creator_id ? [] : [{
            text: "Remove", danger: true, question: `${m.username} no longer sees this room.`, done: `${m.username} is removed.`,
            run: () => del(`rooms/${id}/members/${m.id}/`),
        }]),
    };

    return [
        head(one.name, actionButton(remove, () => { location.hash = "#/rooms"; })),
        facts(["Made by", userLink(one.creator_id, one.creator)], ["Made", timeText(one.created_at)], ["Members", String(one.members)], ["Messages", String(one.messages)], ["Id", id]),
        section("Members", listView(members)),
        section("Messages", listView({ title: "Messages", path: `rooms/${id}/messages/`, search: "Search the text", empty: "No message was found.", columns: MESSAGE_COLUMNS, actions: deleteMessage })),
    ];
}

/* ---- the server ---- */

export async function server() {
    const one = await get("server/");
    const rows = one.plugins.map((p) => element("tr", {}, element("th", { scope: "row" }, p.name), element("td", { "data-label": "Version" }, p.version),
        element("td", { class: "wide" }, p.about), element("td", {}, badge(p.ready ? "ready" : "not ready", p.ready ? "good" : "bad"), p.reason ? small(p.reason) : null)));

    return [
        head("Server"),
        facts(["Version", one.version], ["Workers", one.workers], ["Database", one.database]),
        section("Plugins", element("div", { class: "table" }, element("table", {}, element("thead", {}, element("tr", {}, ["Plugin", "Version", "What it does", "State"].map((text) => element("th", { scope: "col" }, text)))),
            element("tbody", {}, rows)))),
        section("The chain: what runs for each request, in this order", element("pre", { tabindex: "0" }, one.chain)),
    ];
}
