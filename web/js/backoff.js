/* backoff.js -- how long to wait before the next try: full jitter, so that all who lost the same server do not come back
 * in the same instant. */

export const FIRST_MS = 500;
export const LONGEST_MS = 30000;

/* tries: how many have failed in a row (0: none).  random: 0 <= x < 1. */
export function backoffMs(tries, random = Math.random()) {
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** tries);

    return Math.round(most / 10 + random * (most - most / 10));
}
