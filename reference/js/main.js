/* main.js -- the reference of the API: reads the two documents, and shows them with contents and a filter. */
import { element, announce } from "./dom.js";
import { callEntry, schemaEntry, socketEntry } from "./entry.js";

const OPENAPI = "/api/schema/";
const ASYNCAPI = "/api/schema/sockets/";
const METHODS = ["get", "post", "put", "patch", "delete"];

async function read(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });

    if (!answer.ok) {
        throw new Error(`${address} was answered ${answer.status}`);
    }
    return answer.json();
}

/* What stands in the document as paragraphs, with `code`. */
function about(text) {
    return element("div", { class: "about" }, ...text.split("\n\n").map((one) =>
        element("p", {}, ...one.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part)))));
}

function calls(openapi) {
    return Object.entries(openapi.paths).flatMap(([path, item]) =>
        METHODS.filter((method) => item[method]).map((method) => ({ method, path, call: item[method] })));
}

/* [{ id, title, text, entries: [{ id, name, element }] }], in the order in which they are shown */
function sections(openapi, asyncapi) {
    const all = { ...asyncapi.components.schemas, ...openapi.components.schemas };
    const found = openapi.tags.map((tag) => ({
        id: `part-${tag.name}`,
        title: tag.name,
        text: tag.description,
        entries: calls(openapi).filter(({ call }) => call.tags.includes(tag.name)).map(({ method, path, call }) => ({
            id: call.operationId, name: call.summary ?? `${method.toUpperCase()} ${path}`, element: callEntry(openapi, method, path, call),
        })),
    }));

    found.push({
        id: "part-sockets",
        title: "sockets",
        text: "WebSockets: text frames, each one JSON object with a type.",
        entries: Object.entries(asyncapi.channels).map(([name, channel]) => ({
            id: `socket-${name}`, name: channel.summary ?? channel.address, element: socketEntry(asyncapi, name, channel),
        })),
    });
    found.push({
        id: "part-schemas",
        title: "schemas",
        text: "What bodies and frames look like.",
        entries: Object.keys(all).sort().map((name) => ({ id: `schema-${name}`, name, element: schemaEntry(all, name) })),
    });
    return found.filter((one) => one.entries.length > 0);
}

function sectionOf(part) {
    return element("section", { "aria-labelledby": part.id }, element("h2", { id: part.id, tabindex: "-1" }, part.title),
        element("p", { class: "hint" }, part.text), ...part.entries.map((entry) => entry.element));
}

function contentsOf(part) {
    return element("div", {}, element("h2", {}, element("a", { href: `#${part.id}` }, part.title)),
        element("ul", {}, ...part.entries.map((entry) => element("li", { "data-for": entry.id }, element("a", { href: `#${entry.id}` }, entry.name)))));
}

/* What the address names behind #; it may be anything. */
function named() {
    try {
        return decodeURIComponent(location.hash.slice(1));
    } catch {
        return "";
    }
}

/* An address with #name opens what it names. */
function follow() {
    const wanted = document.getElementById(named());

    if (wanted?.tagName === "DETAILS") {
        wanted.open = true;
        wanted.scrollIntoView();
        wanted.querySelector("summary").focus({ preventScroll: true });
    }
}

function filter(parts, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;

    for (const part of parts) {
        let shown = 0;

        for (const entry of part.entries) {
            const is_shown = words.every((word) => entry.words.includes(word));

            entry.element.hidden = entry.line.hidden = !is_shown;
            shown += is_shown;
        }
        part.section.hidden = part.list.hidden = shown === 0;
        n += shown;
    }
    announce(words.length ? `${n} found` : "");
}

function show(openapi, asyncapi) {
    const parts = sections(openapi, asyncapi);
    const main = document.getElementById("content");
    const nav = document.querySelector(".contents nav");
    const find = document.getElementById("find");

    for (const part of parts) {
        part.section = sectionOf(part);
        part.list = contentsOf(part);
        for (const entry of part.entries) {
            entry.element.id = entry.id;
            entry.line = part.list.querySelector(`[data-for="${CSS.escape(entry.id)}"]`);
            entry.words = entry.element.textContent.toLowerCase();
        }
    }
    document.getElementById("version").textContent = openapi.info.version;
    main.replaceChildren(element("h1", {}, "The API of this server"), about(openapi.info.description), ...parts.map((part) => part.section));
    nav.replaceChildren(...parts.map((part) => part.list));
    find.addEventListener("input", () => filter(parts, find.value));
    addEventListener("hashchange", follow);
    follow();
}

document.querySelector(".contents").open = !matchMedia("(max-width: 48rem)").matches;
try {
    show(...(await Promise.all([read(OPENAPI), read(ASYNCAPI)])));
} catch (error) {
    const state = document.getElementById("state");

    state.className = "note error";
    state.textContent = `The documents cannot be shown: ${error.message}.`;
}
