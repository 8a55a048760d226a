/* time.js -- times as people say them, in the browser's language and time zone. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY_MS = 86400000;

export const timeOf = (iso) => clock.format(new Date(iso));
export const fullTimeOf = (iso) => full.format(new Date(iso));
export const momentOf = (iso) => moment.format(new Date(iso));
export const dayKey = (iso) => new Date(iso).toDateString();

export function dayName(iso, now = new Date()) {
    const then = new Date(iso);

    if (then.toDateString() === now.toDateString()) {
        return "Today";
    }
    if (then.toDateString() === new Date(now - DAY_MS).toDateString()) {
        return "Yesterday";
    }
    return (then.getFullYear() === now.getFullYear() ? day : dayOfYear).format(then);
}

/* For a list: the time of today, the day of all others. */
export function shortTimeOf(iso, now = new Date()) {
    return dayKey(iso) === now.toDateString() ? timeOf(iso) : short.format(new Date(iso));
}
