/* entry.js -- one call, one socket or one schema, as an element that opens. */
import { element } from "./dom.js";
import { example, fieldRows, typeText } from "./schema.js";

function resolve(document, node) {
    while (node.$ref) {
        node = node.$ref.split("/").slice(1).reduce((at, part) => at[part], document);
    }
    return node;
}

function nameOf(ref) {
    return ref.split("/").at(-1);
}

function entry(kind, label, path, what, ...parts) {
    return element("details", { class: "entry" },
        element("summary", {}, element("span", { class: `verb ${kind}` }, label), element("code", {}, path), element("span", { class: "what" }, what ?? "")),
        element("div", {}, ...parts.flat().filter(Boolean)));
}

function titled(title, ...parts) {
    return [element("h4", {}, title), ...parts.filter(Boolean)];
}

function row(term, small, ...parts) {
    return element("div", {}, element("dt", {}, term, small ? element("small", {}, small) : ""), element("dd", {}, ...parts));
}

function rows(list) {
    return element("dl", { class: "rows" }, ...list);
}

function pre(value) {
    return element("pre", { tabindex: "0", role: "region", "aria-label": "Example" }, JSON.stringify(value, null, 2));
}

/* ---- a call ---- */

const PLACES = { path: "in the path", query: "in the query", header: "header" };

function paramRow(param) {
    return row(param.name, `${PLACES[param.in] ?? param.in}${param.required ? "" : ", optional"}`, typeText(param.schema),
        element("span", {}, param.description ?? ""));
}

function answerRow(openapi, status, answer) {
    const found = resolve(openapi, answer);
    const kinds = Object.entries(found.content ?? {}).map(([kind, media]) => (kind === "application/json" ? typeText(media.schema) : element("code", {}, kind)));
    const lines = Object.keys(found.headers ?? {}).filter((name) => name !== "X-Request-ID");

    return row(status === "default" ? "others" : status, "", found.description, element("span", {}, ...kinds.flatMap((kind, i) => (i ? [", ", kind] : [kind])),
        lines.length ? `${kinds.length ? "; " : ""}${lines.join(", ")}` : ""));
}

export function callEntry(openapi, method, path, call) {
    const body = call.requestBody?.content["application/json"]?.schema;
    const answers = Object.entries(call.responses).sort(([a], [b]) => a.localeCompare(b));

    return entry(method, method.toUpperCase(), path, call.summary,
        element("p", { class: "who" }, call.security.length ? "For who is logged in." : "Open to all."),
        call.description && element("p", {}, call.description),
        call.parameters.length ? titled("Parameters", rows(call.parameters.map(paramRow))) : [],
        body ? titled("Body", element("p", {}, typeText(body)), pre(example(openapi.components.schemas, body))) : [],
        titled("Answers", rows(answers.map(([status, answer]) => answerRow(openapi, status, answer)))));
}

/* ---- a socket ---- */

function frameRow(asyncapi, ref) {
    const message = resolve(asyncapi, ref);
    const schema = message.payload.$ref ? resolve(asyncapi, message.payload) : message.payload;

    return row(message.name, "", message.payload.$ref ? typeText(message.payload) : "", element("span", {}, schema.description ?? ""));
}

function saidRow(asyncapi, operation) {
    const message = resolve(asyncapi, operation.messages[0]);
    const replies = (operation.reply?.messages ?? []).flatMap((ref, i) => {
        const schema = element("a", { href: `#schema-${nameOf(resolve(asyncapi, ref).payload.$ref)}` }, resolve(asyncapi, ref).name);

        return i ? [", ", schema] : ["Answered: ", schema];
    });

    return row(message.name, "", message.payload.$ref ? typeText(message.payload) : "",
        element("span", {}, operation.summary ?? "", operation.description ? `. ${operation.description}` : ""), element("span", {}, ...replies));
}

export function socketEntry(asyncapi, name, channel) {
    const mine = Object.values(asyncapi.operations).filter((one) => one.channel.$ref === `#/channels/${name}`);
    const said = mine.filter((one) => one.action === "receive");
    const sent = mine.filter((one) => one.action === "send").flatMap((one) => one.messages);
    const query = channel.bindings?.ws?.query;

    return entry("socket", "WS", channel.address, channel.summary,
        channel.description && element("p", {}, channel.description),
        query ? titled("Query", fieldRows(query)) : [],
        said.length ? titled("What a client may send", rows(said.map((one) => saidRow(asyncapi, one)))) : [],
        titled("What it is sent", rows(sent.map((ref) => frameRow(asyncapi, ref)))));
}

/* ---- a schema ---- */

export function schemaEntry(all, name) {
    return entry("schema", "JSON", name, all[name].description, fieldRows(all[name]),
        titled("Example", pre(example(all, { $ref: `#/components/schemas/${name}` }))));
}
