/* list.js -- a list with search, filters and pages, made from a description:
 *
 *   path       of the API: "users/"
 *   empty      what is said when nothing is found
 *   search     the label of its search field; without it there is none
 *   filter     { name, label, choices: [[value, text], ...] }
 *   fixed      further keys of the query
 *   columns    [{ title, class, cell(row) -> text, element or a list of them }]; the first names the row
 *   actions    (row) -> [{ text, danger, question, done, run() }]; after run() the list is read anew */
import { ask, element, tell } from "./dom.js";
import { get } from "./api.js";

const LIMIT = 25;

/* One button of a row or a page.  reload: what shows the effect. */
export function actionButton(action, reload) {
    const button = element("button", { type: "button", class: action.danger ? "danger" : "" }, action.text);

    button.addEventListener("click", async () => {
        if (action.question && !(await ask(action.text, action.question, action.text))) {
            return;
        }
        button.disabled = true;
        try {
            await action.run();
            tell(action.done);
            await reload();
        } catch (error) {
            tell(error.message, true);
        } finally {
            button.disabled = false;
        }
        if (!button.isConnected) {
            document.querySelector("#content h1")?.focus(); /* its row is gone: the keyboard goes on from the top */
        }
    });
    return button;
}

function cellOf(column, row, index) {
    const name = index === 0 ? "th" : "td";
    const more = index === 0 ? { scope: "row", class: column.class } : { "data-label": column.title, class: column.class };

    return element(name, more, column.cell(row));
}

function rowOf(list, row, reload) {
    const made = element("tr", {}, list.columns.map((column, i) => cellOf(column, row, i)));

    if (list.actions) {
        made.append(element("td", { class: "acts" }, element("div", {}, list.actions(row).map((one) => actionButton(one, reload)))));
    }
    return made;
}

function tableOf(list, page, reload) {
    if (page.results.length === 0) {
        return element("p", { class: "empty" }, list.empty ?? "Nothing was found.");
    }
    const heads = list.columns.map((column) => element("th", { scope: "col", class: column.class }, column.title));

    if (list.actions) {
        heads.push(element("th", { scope: "col", class: "acts" }, element("span", { class: "unseen" }, "Actions")));
    }
    return element("table", {}, element("caption", { class: "unseen" }, list.title), element("thead", {}, element("tr", {}, heads)),
        element("tbody", {}, page.results.map((row) => rowOf(list, row, reload))));
}

function pagerOf(page, offset, go) {
    const first = page.count === 0 ? 0 : offset + 1;
    const button = (text, to, there) => element("button", { type: "button", disabled: !there, onclick: () => go(to) }, text);

    return [element("span", {}, `${first}–${offset + page.results.length} of ${page.count}`),
        ...(page.count > LIMIT ? [button("Back", Math.max(0, offset - LIMIT), offset > 0), button("Next", offset + LIMIT, page.next !== null)] : [])];
}

/* The list as an element, which fills itself. */
export function listView(list) {
    const state = { q: "", filter: "", offset: 0, asked: 0 };
    const table = element("div", { class: "table", "aria-busy": "true" });
    const pager = element("div", { class: "pager" });

    async function load(offset = state.offset) {
        const asked = ++state.asked;
        const query = new URLSearchParams({ limit: LIMIT, offset, ...list.fixed });

        if (state.q) {
            query.set("q", state.q);
        }
        if (state.filter) {
            query.set(list.filter.name, state.filter);
        }
        table.setAttribute("aria-busy", "true");
        try {
            const page = await get(`${list.path}?${query}`);

            if (asked !== state.asked) {
                return; /* typed on meanwhile */
            }
            state.offset = offset;
            table.replaceChildren(tableOf(list, page, load));
            pager.replaceChildren(...pagerOf(page, offset, load));
        } catch (error) {
            table.replaceChildren(element("p", { class: "notice", role: "alert" }, error.message));
        }
        table.removeAttribute("aria-busy");
    }

    const tools = element("form", { class: "tools", role: "search", onsubmit: (event) => event.preventDefault() });

    if (list.search) {
        let timer = 0;
        const input = element("input", { type: "search", name: "q", autocomplete: "off" });

        input.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(() => {
                state.q = input.value.trim();
                load(0);
            }, 250);
        });
        tools.append(element("label", {}, list.search, input));
    }
    if (list.filter) {
        const select = element("select", { name: list.filter.name }, list.filter.choices.map(([value, text]) => element("option", { value }, text)));

        select.addEventListener("change", () => {
            state.filter = select.value;
            load(0);
        });
        tools.append(element("label", {}, list.filter.label, select));
    }
    load(0);
    return element("div", {}, tools.children.length > 0 ? tools : null, table, pager);
}
