/* dom.js -- makes elements.  Text gets in as text only: nothing here, or anywhere in these pages, parses HTML. */

/* element("a", { href: "#/", class: "x", hidden: true, onclick: fn }, "text", child, ...); null children are left out */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on")) {
            made.addEventListener(key.slice(2), value);
        } else if (value === true) {
            made.setAttribute(key, "");
        } else if (value !== false && value !== null && value !== undefined) {
            made.setAttribute(key, value);
        }
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return made;
}

export function fromTemplate(id) {
    return document.getElementById(id).content.cloneNode(true);
}

/* A time as people write it here; the exact one is its title. */
export function timeText(iso) {
    return iso ? element("time", { datetime: iso, title: iso }, new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })) : "–";
}

export function badge(text, kind = "") {
    return element("span", { class: `badge ${kind}` }, text);
}

let toastTimer = 0;

/* Says what happened, to eyes and to screen readers. */
export function tell(text, isError = false) {
    document.querySelector(".toast")?.remove();
    document.body.append(element("div", { class: isError ? "toast error" : "toast" }, text));
    document.getElementById("announcer").textContent = text;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => document.querySelector(".toast")?.remove(), 6000);
}

/* Asks before something that cannot be taken back: true if it is meant. */
export function ask(title, text, yes) {
    const dialog = fromTemplate("question").firstElementChild;
    const back = document.activeElement;

    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("p").textContent = text;
    dialog.querySelector(".yes").textContent = yes;
    dialog.querySelector(".no").addEventListener("click", () => dialog.close());
    dialog.querySelector(".yes").addEventListener("click", () => dialog.close("yes"));
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            dialog.remove();
            back?.focus?.();
            resolve(dialog.returnValue === "yes");
        });
    });
}
