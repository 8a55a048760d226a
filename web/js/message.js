/* message.js -- one message as it is shown: entries for reconcile(), [key, make(), update(element)]. */
import { element, icon, reconcile } from "./dom.js";
import { fullName, hueOf, initialOf } from "./names.js";
import { fullTimeOf, timeOf } from "./time.js";

const shown = new WeakMap(); /* element -> the message and the one it replies to, as they were drawn last */

/* What becomes of a message that is on its way, and why; why "": in a moment it is there. */
function fateOf(entry, isOpen) {
    if (entry.state === "failed") {
        return ["Not sent", entry.error.errors?.content?.[0] ?? entry.error.detail];
    }
    if (!isOpen) {
        return ["Waiting", "It is sent as soon as there is a connection."];
    }
    const seconds = Math.ceil((entry.retryAt - Date.now()) / 1000);

    return seconds > 0 ? ["Waiting", `You are sending very fast. It is sent in ${seconds} seconds.`] : ["Sending…", ""];
}

function reactionEntry(message, { emoji }, on) {
    const make = () => element("li", {}, element("button", { type: "button", class: "reaction", onclick: () => on.react(message.id, emoji) }, element("span", {}, emoji), element("span", {})));
    const update = (entry) => {
        const { count, own } = message.reactions.find((one) => one.emoji === emoji);
        const button = entry.firstChild;

        button.lastChild.textContent = count;
        button.setAttribute("aria-pressed", String(own));
        button.setAttribute("aria-label", `${emoji}: ${count} ${count === 1 ? "person" : "people"}${own ? ", you among them" : ""}`);
    };

    return [emoji, make, update];
}

/* The message that another one replies to; quoted: null: it is not known (yet), {}: there no more. */
function quoteDraw(quote, quoted) {
    quote.firstChild.textContent = quoted?.sender ? fullName(quoted.sender) : "";
    quote.lastChild.textContent = quoted ? quoted.content ?? "This message was deleted." : "…";
}

function quoteMake(id, on) {
    return element("button", { type: "button", class: "quote", onclick: () => on.show(id) }, element("strong", {}), element("span", {}));
}

function draw(entry, message, on) {
    entry.querySelector(".content").textContent = message.content;
    entry.querySelector(".edited").textContent = message.edited_at ? "edited" : "";
    entry.querySelector(".edited").title = message.edited_at ? fullTimeOf(message.edited_at) : "";
    entry.querySelector("[data-menu]").setAttribute("aria-label", `Options of message: ${message.content.slice(0, 60)}`);
    reconcile(entry.querySelector(".reactions"), (message.reactions ?? []).map((one) => reactionEntry(message, one, on)));
}

/* In the log, but not read out whenever somebody looks. */
function seenDraw(place, seen) {
    const [text, title] = seen ?? ["", ""];

    if (place && (place.textContent !== text || place.title !== title)) {
        place.textContent = text;
        place.title = title;
    }
}

/* quoted: see above, if it is a reply.  seen: [text, title], or null.  on: menu(id, button), react(id, emoji), show(id) */
export function messageEntry(message, { isOwn, isForMe, isGrouped, quoted, seen, on }) {
    const make = () => element("li", { class: isOwn ? "message own" : "message", tabindex: "-1" },
        element("span", { class: `initial ${hueOf(message.sender.id)}`, "aria-hidden": "true" }, initialOf(message.sender.first_name)),
        element("div", { class: "who" }, element("strong", { title: `@${message.sender.username}` }, isOwn ? "You" : fullName(message.sender))),
        element("div", { class: "bubble" },
            message.reply_to ? quoteMake(message.reply_to, on) : null,
            element("p", { class: "content", dir: "auto" }),
            element("small", { class: "edited" }),
            element("time", { datetime: message.created_at, title: fullTimeOf(message.created_at) }, timeOf(message.created_at))),
        element("button", { type: "button", class: "icon small", "data-menu": true, title: "Options", "aria-haspopup": "dialog",
            onclick: (event) => on.menu(message.id, event.currentTarget) }, icon("more")),
        element("ul", { class: "reactions" }),
        isOwn ? element("small", { class: "seen", "aria-live": "off" }) : null);
    const update = (entry) => {
        const before = shown.get(entry);

        entry.classList.toggle("grouped", isGrouped);
        entry.classList.toggle("for-me", isForMe);
        if (before?.message !== message) {
            draw(entry, message, on);
        }
        if (message.reply_to && (!before || before.quoted !== quoted)) {
            quoteDraw(entry.querySelector(".quote"), quoted);
        }
        seenDraw(entry.querySelector(".seen"), seen);
        shown.set(entry, { message, quoted });
    };

    return [message.id, make, update];
}

/* on: retry(id), discard(id), show(id) */
export function outgoingEntry(out, { isOpen, quoted, on }) {
    const make = () => element("li", { class: "message own outgoing", tabindex: "-1" },
        element("div", { class: "bubble" },
            out.more.reply_to ? quoteMake(out.more.reply_to, on) : null,
            element("p", { class: "content", dir: "auto" }, out.content), element("span", { class: "fate" })),
        element("div", { class: "retry", hidden: true },
            element("span", { "data-why": true }),
            element("button", { type: "button", class: "plain", "data-again": true, onclick: () => on.retry(out.id) }, "Try again"),
            element("button", { type: "button", class: "plain", onclick: () => on.discard(out.id) }, "Discard")));
    const update = (entry) => {
        const [fate, why] = fateOf(out, isOpen);
        const isFailed = out.state === "failed";

        if (out.more.reply_to) {
            quoteDraw(entry.querySelector(".quote"), quoted);
        }
        entry.classList.toggle("failed", isFailed);
        entry.querySelector(".fate").textContent = fate;
        entry.querySelector(".retry").hidden = why === "";
        entry.querySelector("[data-why]").textContent = why;
        entry.querySelector("[data-why]").className = isFailed ? "error" : "hint";
        entry.querySelector("[data-again]").hidden = !isFailed;
    };

    return [out.id, make, update];
}
