/* dom.js -- makes elements.  Text gets in as text only: nothing here, or anywhere in this page, parses HTML. */

/* element("li", {class: "a", "data-id": "1", hidden: true, onclick: fn}, "text", child, ...) */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on")) {
            made.addEventListener(key.slice(2), value);
        } else if (value === true) {
            made.setAttribute(key, "");
        } else if (value !== false && value !== null) {
            made.setAttribute(key, value);
        }
    }
    made.append(...children.filter((child) => child !== null));
    return made;
}

/* What the <template> of that id holds, as new elements. */
export function fromTemplate(id) {
    return document.getElementById(id).content.cloneNode(true);
}

export function icon(name) {
    return element("span", { class: `i ${name}` });
}

/* Says something to screen readers, once. */
export function announce(text) {
    document.getElementById("announcer").textContent = text;
}

/* Makes the children of `parent` those of `wanted`, [key, make(), update(element)], and touches no other: what stays keeps
 * its focus, and a live region tells only what is new. */
export function reconcile(parent, wanted) {
    const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    const keys = new Set(wanted.map(([key]) => key));

    old.forEach((child, key) => keys.has(key) || child.remove());
    let at = parent.firstElementChild;

    for (const [key, make, update] of wanted) {
        const child = old.get(key) ?? make();

        child.dataset.key = key;
        update(child);
        if (child === at) {
            at = at.nextElementSibling;
        } else {
            parent.insertBefore(child, at);
        }
    }
}
