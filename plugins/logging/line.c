/* line.c -- lines in the two formats: one line each, unambiguous, valid UTF-8, whatever a client
 * sent. */
#include "plugins/logging/line.h"

#include "plugins/logging/plain.h"
#include <string.h>
#include <time.h>

/* How much of a value a line has room for, in escaped bytes; together with the rest they stay below
 * LINE_MAX. */
enum {
    CUT_METHOD = 16,
    CUT_PATH = 260,
    CUT_USER = 254,
    CUT_PEER = 46,
    CUT_AGENT = 150,
    CUT_ID = 40,
    CUT_TRACE = 32
};
_Static_assert(CUT_METHOD + CUT_PATH + CUT_USER + CUT_PEER + CUT_AGENT + CUT_ID + CUT_TRACE + 226 <=
                   LINE_MAX,
               "the fixed parts of a line need up to 226 bytes");

typedef struct out {
    char *p;
    size_t n, room;
} out;

static out out_at(char *p, size_t room)
{
    return (out){ p, 0, room };
}

static void put(out *o, const char *bytes, size_t n)
{
    if (n > o->room - o->n)
        n = o->room - o->n;
    memcpy(o->p + o->n, bytes, n);
    o->n += n;
}

static void put_text(out *o, const char *text)
{
    put(o, text, strlen(text));
}

static void put_number(out *o, int64_t number, int digits)
{
    char text[24];
    size_t at = sizeof(text);

    if (number < 0)
        number = 0;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
        digits--;
    } while (number > 0 || digits > 0);
    put(o, text + at, sizeof(text) - at);
}

/* "2025-01-31 12:00:00,123", or "2025-01-31T12:00:00.123456Z" */
static void put_time(out *o, int64_t at_us, int format)
{
    time_t second = (time_t)(at_us / 1000000);
    int64_t us = at_us % 1000000;
    char text[32];
    struct tm tm;

    if (at_us < 0 || !gmtime_r(&second, &tm))
        memset(&tm, 0, sizeof(tm));
    put(o, text, strftime(text, sizeof(text), format == LINE_JSON ? "%FT%T." : "%F %T,", &tm));
    put_number(o, format == LINE_JSON ? us : us / 1000, format == LINE_JSON ? 6 : 3);
    if (format == LINE_JSON)
        put_text(o, "Z");
}

/* One byte, escaped, into at most 6; the length. */
static size_t byte_escape(unsigned char byte, int format, char ret[6])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    ret[n++] = '\\';
    if (format == LINE_JSON) /* where a backslash must be escaped itself: both formats show \xNN */
        ret[n++] = '\\';
    ret[n++] = 'x';
    ret[n++] = digits[byte >> 4];
    ret[n++] = digits[byte & 15];
    return n;
}

/* The value between quotes, `cut` bytes at the most; "..." behind the closing quote says that there
 * was more. */
static void put_quoted(out *o, parley_str value, size_t cut, int format)
{
    char quote = format == LINE_JSON ? '"' : '\'';
    const unsigned char *p = (const unsigned char *)value.p;
    size_t i = 0, used = 0;

    put(o, &quote, 1);
    while (i < value.n) {
        char escaped[6] = { '\\', (char)p[i] };
        size_t length = plain_next(p + i, value.n - i);
        bool special = p[i] == (unsigned char)quote || p[i] == '\\';
        size_t need = special ? 2 : length ? length : byte_escape(p[i], format, escaped);

        if (used + need > cut)
            break;
        put(o, length && !special ? (const char *)p + i : escaped, need);
        used += need;
        i += length ? length : 1;
    }
    if (i < value.n && format == LINE_JSON)
        put_text(o, "...");
    put(o, &quote, 1);
    if (i < value.n && format == LINE_TEXT)
        put_text(o, "...");
}

/* A value that stands without quotes: what would end it, or look like the next one, is escaped. */
static void put_bare(out *o, parley_str value, size_t cut)
{
    const unsigned char *p = (const unsigned char *)value.p;
    size_t used = 0;

    if (value.n == 0)
        put_text(o, "-");
    for (size_t i = 0; i < value.n;) {
        char escaped[6];
        bool special = p[i] == ' ' || p[i] == '=' || p[i] == '\'' || p[i] == '\\';
        size_t length = special ? 0 : plain_next(p + i, value.n - i);
        size_t need = length ? length : byte_escape(p[i], LINE_TEXT, escaped);

        if (used + need > cut)
            break;
        put(o, length ? (const char *)p + i : escaped, need);
        used += need;
        i += length ? length : 1;
    }
}

static void put_duration(out *o, int64_t micros)
{
    int64_t tenths = (micros + 50) / 100;

    put_number(o, tenths / 10, 1);
    put_text(o, ".");
    put_number(o, tenths % 10, 1);
}

static size_t api_text(const api_call *call, out *o)
{
    put_time(o, call->at_us, LINE_TEXT);
    put_text(o, " INFO api method=");
    put_bare(o, call->method, CUT_METHOD);
    put_text(o, " path=");
    put_quoted(o, call->path, CUT_PATH, LINE_TEXT);
    put_text(o, " user=");
    put_bare(o, call->user, CUT_USER);
    put_text(o, " ip=");
    put_bare(o, call->peer, CUT_PEER);
    put_text(o, " agent=");
    put_quoted(o, call->agent, CUT_AGENT, LINE_TEXT);
    put_text(o, " status=");
    put_number(o, call->status, 1);
    put_text(o, " duration_ms=");
    put_duration(o, call->micros);
    if (call->trace.p) {
        put_text(o, " trace=");
        put_bare(o, call->trace, CUT_TRACE);
    }
    return o->n;
}

static size_t api_json(const api_call *call, out *o)
{
    const struct {
        const char *key;
        parley_str value;
        size_t cut;
    } texts[] = {
        { "method", call->method, CUT_METHOD }, { "path", call->path, CUT_PATH },
        { "user", call->user, CUT_USER },       { "ip", call->peer, CUT_PEER },
        { "agent", call->agent, CUT_AGENT },    { "request_id", call->request_id, CUT_ID },
        { "trace_id", call->trace, CUT_TRACE },
    };

    put_text(o, "{\"time\":\"");
    put_time(o, call->at_us, LINE_JSON);
    put_text(o, "\",\"level\":\"INFO\",\"logger\":\"api\"");
    size_t n = sizeof(texts) / sizeof(texts[0]) - (call->trace.p ? 0 : 1);
    for (size_t i = 0; i < n; i++) {
        put_text(o, ",\"");
        put_text(o, texts[i].key);
        put_text(o, "\":");
        put_quoted(o, texts[i].value, texts[i].cut, LINE_JSON);
    }
    put_text(o, ",\"status\":");
    put_number(o, call->status, 1);
    put_text(o, ",\"duration_ms\":");
    put_duration(o, call->micros);
    put_text(o, "}");
    return o->n;
}

size_t line_api(const api_call *call, int format, char ret[LINE_MAX])
{
    out o = out_at(ret, LINE_MAX - 1);
    size_t n = format == LINE_JSON ? api_json(call, &o) : api_text(call, &o);

    ret[n] = '\n';
    return n + 1;
}

static const char *level_name(int level)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };

    return level >= PARLEY_DEBUG && level <= PARLEY_ERROR ? names[level] : "INFO";
}

/* Where a text of at most `max` bytes may end without cutting a character. */
static size_t text_cut(parley_str text, size_t max)
{
    if (text.n <= max)
        return text.n;
    while (max > 0 && ((unsigned char)text.p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

size_t line_app(const app_line *line, int format, char ret[LINE_MAX])
{
    out o = out_at(ret, LINE_MAX - 1);

    if (format == LINE_JSON) {
        put_text(&o, "{\"time\":\"");
        put_time(&o, line->at_us, LINE_JSON);
        put_text(&o, "\",\"level\":\"");
        put_text(&o, level_name(line->level));
        put_text(&o, "\",\"logger\":");
        put_quoted(&o, line->who, 64, LINE_JSON);
        put_text(&o, ",\"message\":");
        put_quoted(&o, line->text, o.room - o.n - 6, LINE_JSON);
        put_text(&o, "}");
    } else {
        put_time(&o, line->at_us, LINE_TEXT);
        put_text(&o, " ");
        put_text(&o, level_name(line->level));
        put_text(&o, " ");
        put(&o, line->who.p, text_cut(line->who, 64));
        put_text(&o, " ");
        put(&o, line->text.p, text_cut(line->text, o.room - o.n));
    }
    ret[o.n++] = '\n';
    return o.n;
}

/* Long, of the letters that tokens are made of, and not the id of something. */
static bool is_secret(const char *p, size_t n)
{
    size_t dashes = 0;

    if (n < 24)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
        dashes += c == '-' && (i == 8 || i == 13 || i == 18 || i == 23);
    }
    return n != 36 || dashes != 4;
}

/* Copies `from`, with "***" for the segments that must not be seen; absent: there were none. */
static parley_str path_mask(parley_str from, bool is_route, char ret[LINE_MAX])
{
    out o = out_at(ret, LINE_MAX);
    static const char token[] = ":token";
    bool masked = false;

    for (size_t i = 0; i < from.n;) {
        const char *end = memchr(from.p + i, '/', from.n - i);
        size_t n = end ? (size_t)(end - from.p) - i : from.n - i;
        bool named = n >= sizeof(token) - 1 && memcmp(from.p + i, token, sizeof(token) - 1) == 0;
        bool hide = is_route ? named : is_secret(from.p + i, n);

        put(&o, hide ? "***" : from.p + i, hide ? 3 : n);
        if (end)
            put(&o, "/", 1);
        masked = masked || hide;
        i += n + (end != NULL);
    }
    return masked ? (parley_str){ ret, o.n } : (parley_str){ NULL, 0 };
}

parley_str line_path(parley_str path, parley_str route, char ret[LINE_MAX])
{
    parley_str masked = path_mask(route.p ? route : path, route.p != NULL, ret);

    return masked.p ? masked : path;
}
