/* backoff.js -- how long to wait before the next try: full jitter, so that all who lost the same server do not come back
 * in the same instant. */

export const RECONNECT = { min_ms: 500, max_ms: 30000 }; /* until the server's hello says otherwise */

/* tries: how many have failed in a row (0: none).  random: 0 <= x < 1. */
export function backoffMs(tries, { min_ms, max_ms } = RECONNECT, random = Math.random()) {
    return Math.round(random * Math.min(max_ms, min_ms * 2 ** tries));
}
