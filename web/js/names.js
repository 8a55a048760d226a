/* names.js -- how people and rooms are marked: a letter and a colour. */

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
