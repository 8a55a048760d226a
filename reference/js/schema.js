/* schema.js -- JSON Schema as people read it: types in words, fields as rows, an example. */
import { element } from "./dom.js";

const EXAMPLES = {
    uuid: "019a1b2c-0000-7000-8000-0000000000a1",
    "date-time": "2025-01-31T12:00:00.123456Z",
    email: "ada@example.org",
    uri: "https://chat.example.org/api/",
};
const FORMATS = { uuid: "UUID", "date-time": "time", email: "email address", uri: "address" };
const DEEP_MOST = 6; /* levels of an example */

function join(parts, between) {
    return parts.flatMap((part, i) => (i ? [between, part] : [part]));
}

function bounds(schema) {
    const least = schema.minimum ?? schema.minLength ?? schema.minItems;
    const most = schema.maximum ?? schema.maxLength ?? schema.maxItems;
    const unit = schema.type === "string" ? " characters" : schema.type === "array" ? " elements" : "";

    if (least === undefined && most === undefined) {
        return "";
    }
    return most === undefined ? `, at least ${least}${unit}` : least === undefined ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`;
}

/* The pieces of a type: texts, and links to schemas. */
function pieces(schema) {
    if (schema.$ref) {
        const name = schema.$ref.split("/").at(-1);

        return [element("a", { href: `#schema-${name}` }, name)];
    }
    const choices = schema.oneOf ?? schema.anyOf;

    if (choices) {
        return join(choices.map((one) => element("span", { class: "piece" }, ...pieces(one))), " or ");
    }
    if (schema.const !== undefined || schema.enum) {
        return join((schema.enum ?? [schema.const]).map((one) => element("code", {}, JSON.stringify(one))), " or ");
    }
    if (schema.type === "array") {
        return ["list of ", ...pieces(schema.items), bounds(schema)];
    }
    if (schema.type === "object" && schema.additionalProperties) {
        return ["object, each value: ", ...pieces(schema.additionalProperties)];
    }
    const types = [schema.type ?? "any JSON"].flat().map((type) => (type === "string" ? FORMATS[schema.format] ?? type : type));

    return [types.join(" or "), bounds(schema)];
}

export function typeText(schema) {
    return element("span", { class: "type" }, ...pieces(schema));
}

/* The fields of an object. */
export function fieldRows(schema) {
    const fields = Object.entries(schema.properties ?? {});
    const rows = fields.map(([name, field]) => element("div", {},
        element("dt", {}, element("code", {}, name), (schema.required ?? []).includes(name) ? "" : element("small", {}, "may be missing")),
        element("dd", {}, typeText(field), element("span", {}, field.description ?? ""))));

    if (schema.additionalProperties) {
        rows.push(element("div", {}, element("dt", {}, "any other key"),
            element("dd", {}, typeText(schema.additionalProperties), element("span", {}, schema.additionalProperties.description ?? ""))));
    }
    return element("dl", { class: "rows" }, ...rows);
}

/* A value as the schema says. */
export function example(all, schema, depth = 0) {
    if (schema.$ref) {
        return example(all, all[schema.$ref.split("/").at(-1)], depth);
    }
    if (schema.oneOf ?? schema.anyOf) {
        return example(all, (schema.oneOf ?? schema.anyOf)[0], depth);
    }
    if (schema.const !== undefined || schema.enum) {
        return schema.const ?? schema.enum[0];
    }
    switch ([schema.type].flat()[0]) {
    case "string": return EXAMPLES[schema.format] ?? "text";
    case "integer": return Math.max(1, schema.minimum ?? 1);
    case "number": return 1.5;
    case "boolean": return true;
    case "array": return depth < DEEP_MOST ? [example(all, schema.items, depth + 1)] : [];
    case "object": {
        const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, depth < DEEP_MOST ? example(all, field, depth + 1) : {}]);

        if (schema.additionalProperties && depth < DEEP_MOST) {
            fields.push(["name", example(all, schema.additionalProperties, depth + 1)]);
        }
        return Object.fromEntries(fields);
    }
    default: return {};
    }
}
