/* head_scan.c -- one state per place in a head, one small function per state: next state, or why
 * not. */
#include "core/net/head_scan.h"

#include <string.h>

enum scan_state {
    SCAN_START,    /* request line, or one empty line before it */
    SCAN_BLANK_LF, /* LF of that empty line */
    SCAN_METHOD,
    SCAN_TARGET,
    SCAN_VERSION,
    SCAN_LINE_LF,    /* after the CR of the request line or of a header */
    SCAN_LINE_START, /* first byte of a header line, or the CR of the end */
    SCAN_NAME,
    SCAN_VALUE,
    SCAN_END_LF,
    SCAN_DONE,
    SCAN_REFUSED
};

enum byte_class { TOKEN = 1, TARGET = 2, VALUE = 4 };

/* clang-format off */
static const refusal bare_cr      = { 400, "bare_cr" };
static const refusal bare_lf      = { 400, "bare_lf" };
static const refusal nul          = { 400, "nul" };
static const refusal control      = { 400, "control_byte" };
static const refusal request_line = { 400, "request_line" };
static const refusal target_byte  = { 400, "target_byte" };
static const refusal fragment     = { 400, "target_fragment" };
static const refusal no_version   = { 400, "no_version" };
static const refusal version_text = { 400, "version_text" };
static const refusal folded       = { 400, "folded_line" };
static const refusal empty_name   = { 400, "empty_name" };
static const refusal name_byte    = { 400, "name_byte" };
static const refusal name_space   = { 400, "space_before_colon" };
static const refusal no_colon     = { 400, "no_colon" };
static const refusal long_method  = { 501, "method_too_long" };
static const refusal long_target  = { 414, "target_too_long" };
static const refusal long_head    = { 431, "head_too_long" };
static const refusal many_headers = { 431, "too_many_headers" };
/* clang-format on */

static int byte_is(unsigned char b, int class)
{
    switch (class) {
    case TOKEN: /* RFC 9110, section 5.6.2 */
        return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
               (b != 0 && strchr("!#$%&'*+-.^_`|~", b) != NULL);
    case TARGET:
        return b > ' ' && b < 0x7f && b != '#';
    default: /* VALUE: text, space, tab; bytes from 0x80 on have no meaning but are allowed */
        return b == '\t' || (b >= ' ' && b != 0x7f);
    }
}

static const refusal *bad_byte(unsigned char b, const refusal *else_)
{
    if (b == '\n')
        return &bare_lf;
    if (b == '\0')
        return &nul;
    return byte_is(b, VALUE) || b == '\r' ? else_ : &control;
}

/* ---- one function per state: returns the next state; SCAN_REFUSED with *why ---- */

typedef enum scan_state scan_fn(head_scan *s, unsigned char b, const refusal **why);

static enum scan_state refused(const refusal **why, const refusal *what)
{
    *why = what;
    return SCAN_REFUSED;
}

static enum scan_state at_start(head_scan *s, unsigned char b, const refusal **why)
{
    s->part = 1;
    if (byte_is(b, TOKEN))
        return SCAN_METHOD;
    if (b == '\r' && s->skip == 0)
        return SCAN_BLANK_LF;
    return refused(why, bad_byte(b, &request_line));
}

static enum scan_state at_blank_lf(head_scan *s, unsigned char b, const refusal **why)
{
    s->skip = 2;
    return b == '\n' ? SCAN_START : refused(why, &bare_cr);
}

static enum scan_state at_method(head_scan *s, unsigned char b, const refusal **why)
{
    if (b == ' ') {
        s->part = 0;
        return SCAN_TARGET;
    }
    if (!byte_is(b, TOKEN))
        return refused(why, bad_byte(b, &request_line));
    return ++s->part > HEAD_METHOD_MAX ? refused(why, &long_method) : SCAN_METHOD;
}

static enum scan_state at_target(head_scan *s, unsigned char b, const refusal **why)
{
    if (byte_is(b, TARGET))
        return ++s->part > HEAD_TARGET_MAX ? refused(why, &long_target) : SCAN_TARGET;
    if (b == ' ' && s->part > 0) {
        s->part = 0;
        return SCAN_VERSION;
    }
    if (b == '#')
        return refused(why, &fragment);
    if (b == ' ')
        return refused(why, &request_line);
    return refused(why, b == '\r' ? &no_version : bad_byte(b, &target_byte));
}

/* "HTTP/" digit "." digit; which digits is for head_rules.c to judge. */
static enum scan_state at_version(head_scan *s, unsigned char b, const refusal **why)
{
    static const char form[] = "HTTP/d.d\r";
    char want = form[s->part];

    if (want == 'd' ? b < '0' || b > '9' : b != (unsigned char)want)
        return refused(why, bad_byte(b, b == '\r' && s->part == 0 ? &no_version : &version_text));
    s->part++;
    return want == '\r' ? SCAN_LINE_LF : SCAN_VERSION;
}

static enum scan_state at_line_lf(head_scan *s, unsigned char b, const refusal **why)
{
    (void)s;
    return b == '\n' ? SCAN_LINE_START : refused(why, &bare_cr);
}

static enum scan_state at_line_start(head_scan *s, unsigned char b, const refusal **why)
{
    if (b == '\r')
        return SCAN_END_LF;
    if (b == ' ' || b == '\t')
        return refused(why, &folded);
    if (b == ':')
        return refused(why, &empty_name);
    if (!byte_is(b, TOKEN))
        return refused(why, bad_byte(b, &name_byte));
    return ++s->headers > HEAD_HEADERS_MAX ? refused(why, &many_headers) : SCAN_NAME;
}

static enum scan_state at_name(head_scan *s, unsigned char b, const refusal **why)
{
    (void)s;
    if (byte_is(b, TOKEN))
        return SCAN_NAME;
    if (b == ':')
        return SCAN_VALUE;
    if (b == ' ' || b == '\t')
        return refused(why, &name_space);
    return refused(why, b == '\r' ? &no_colon : bad_byte(b, &name_byte));
}

static enum scan_state at_value(head_scan *s, unsigned char b, const refusal **why)
{
    (void)s;
    if (byte_is(b, VALUE))
        return SCAN_VALUE;
    return b == '\r' ? SCAN_LINE_LF : refused(why, bad_byte(b, &control));
}

static enum scan_state at_end_lf(head_scan *s, unsigned char b, const refusal **why)
{
    (void)s;
    return b == '\n' ? SCAN_DONE : refused(why, &bare_cr);
}

/* clang-format off */
static scan_fn *const states[SCAN_DONE] = {
    [SCAN_START]      = at_start,
    [SCAN_BLANK_LF]   = at_blank_lf,
    [SCAN_METHOD]     = at_method,
    [SCAN_TARGET]     = at_target,
    [SCAN_VERSION]    = at_version,
    [SCAN_LINE_LF]    = at_line_lf,
    [SCAN_LINE_START] = at_line_start,
    [SCAN_NAME]       = at_name,
    [SCAN_VALUE]      = at_value,
    [SCAN_END_LF]     = at_end_lf,
};
/* clang-format on */

void head_scan_init(head_scan *s)
{
    *s = (head_scan){ .state = SCAN_START, .limit = HEAD_BYTES_MAX };
}

void head_scan_init_trailers(head_scan *s)
{
    *s = (head_scan){ .state = SCAN_LINE_START, .limit = HEAD_TRAILERS_MAX };
}

/* Most bytes of a head are in values: they need no function call. */
static size_t value_run(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && (unsigned char)p[i] >= ' ' && p[i] != 0x7f)
        i++;
    return i;
}

enum head_result head_scan_feed(head_scan *s, const char *p, size_t n, size_t *ret_used,
                                const refusal **ret_why)
{
    size_t room = s->limit - s->bytes, stop = n < room ? n : room, i = 0;

    while (i < stop && s->state < SCAN_DONE) {
        if (s->state == SCAN_VALUE)
            i += value_run(p + i, stop - i);
        if (i < stop)
            s->state = (uint8_t)states[s->state](s, (unsigned char)p[i++], ret_why);
    }
    s->bytes += (uint32_t)i;
    *ret_used = i;
    if (s->state == SCAN_DONE)
        return HEAD_WHOLE;
    if (s->state == SCAN_REFUSED)
        return HEAD_REFUSED;
    if (s->bytes < s->limit)
        return HEAD_MORE;
    /* The limit is reached and the end has not come. */
    s->state = SCAN_REFUSED;
    *ret_why = &long_head;
    return HEAD_REFUSED;
}
