/* names.js -- how people and rooms are marked: a letter and a colour; and what is said of people. */
import { element } from "./dom.js";

const NAMES_MOST = 3; /* more are counted */

/* One of eight colours, the same for the same id everywhere. */
export function hueOf(id) {
    return `hue${[...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 8}`;
}

export function initialOf(name) {
    return [...name.trim()][0]?.toUpperCase() ?? "?";
}

export function fullName(person) {
    return `${person.first_name} ${person.last_name}`.trim();
}

/* "" for those who are not there, and where nobody knows. */
export function presenceDot(status) {
    return status === "online" || status === "away" ? element("span", { class: `dot ${status}`, role: "img", "aria-label": status, title: status }) : "";
}

/* By those people, of n who could: [text, all their names]; null: by none. */
export function seenText(people, n) {
    if (people.length === 0) {
        return null;
    }
    const names = people.map((person) => person.first_name);
    const few = names.length > NAMES_MOST ? [...names.slice(0, NAMES_MOST - 1), `${names.length - NAMES_MOST + 1} others`] : names;
    const text = few.length > 1 ? `${few.slice(0, -1).join(", ")} and ${few[few.length - 1]}` : few[0];

    return [people.length === n && n > 1 ? "Seen by everybody" : `Seen by ${text}`, people.map(fullName).join(", ")];
}
