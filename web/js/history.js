/* history.js -- reads a room's messages over REST into its timeline.
 *
 * Pages count from the newest message, which moves while one reads: a new message shifts all by one (a repeat, harmless), a
 * deleted one shifts them the other way, and a message could fall between two pages.  So each page begins with the last
 * message of the one before; where it does not, the reading starts again. */
import { get } from "./api.js";

export const FIRST_PAGE = 50;
const PAGE = 200;
const PAGES_MOST = 5; /* of one catching up; what is older is read when somebody scrolls to it */
const RESTARTS_MOST = 5;

class Moved extends Error {}

function pageOf(room, limit, offset) {
    return get(`/api/chat/rooms/${room}/messages/?limit=${limit}&offset=${offset}`);
}

/* The newest messages, newest first, at least down to `seq` if that is near enough; {messages, isAll}. */
async function readDownTo(room, seq, limit) {
    const messages = [];
    let page;

    for (let pages = 0; pages < PAGES_MOST; pages++) {
        page = await pageOf(room, limit, Math.max(0, messages.length - 1));
        const overlap = page.results.findIndex((one) => one.id === messages[messages.length - 1]?.id);

        if (pages > 0 && overlap < 0) {
            throw new Moved("the pages have moved");
        }
        messages.push(...page.results.slice(overlap + 1));
        if (!page.next || messages[messages.length - 1].seq <= seq) {
            break;
        }
    }
    return { messages, isAll: !page.next };
}

async function withRestarts(read) {
    for (let tries = 1; ; tries++) {
        try {
            return await read();
        } catch (error) {
            if (!(error instanceof Moved) || tries === RESTARTS_MOST) {
                throw error;
            }
        }
    }
}

/* Everything that was said, and deleted, since the timeline was last complete. */
export async function catchUp(room, timeline) {
    const known = timeline.newestSeq;
    const oldest = timeline.oldestSeq;
    const limit = known > 0 ? PAGE : FIRST_PAGE;
    const wanted = known > 0 ? oldest : Infinity; /* nothing known: one page will do */
    const { messages, isAll } = await withRestarts(() => readDownTo(room, wanted, limit));
    const low = isAll || messages.length === 0 ? 0 : messages[messages.length - 1].seq;

    timeline.addStretch(messages, low, known);
    if (low > oldest) {
        timeline.forgetBefore(low);
    }
    timeline.hasAll = isAll;
}

/* One page of what is older than all that is known. */
export async function readOlder(room, timeline) {
    const oldest = timeline.messages[0];
    let offset = Math.max(0, timeline.messages.length - 1);
    let page;

    /* The page holds the oldest message known, unless messages were deleted that we have not heard of yet. */
    for (;;) {
        page = await pageOf(room, FIRST_PAGE + 1, offset);
        if (!oldest || offset === 0 || page.results.some((one) => one.seq >= oldest.seq)) {
            break;
        }
        offset = Math.max(0, offset - FIRST_PAGE);
    }
    const older = page.results.filter((one) => !oldest || one.seq < oldest.seq);

    older.forEach((message) => timeline.add(message));
    timeline.hasAll = !page.next;
}
