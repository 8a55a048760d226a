/* emoji.c -- one emoji, whichever way it is written (Unicode Technical Standard 51).
 *
 *   emoji     keycap | flag | part (U+200D part)*
 *   keycap    (0-9 # *) selector? U+20E3
 *   flag      two regional indicators
 *   part      pictograph selector? (skin tone | tags)?
 *
 * Keyboards leave the selector out or put it where it is not needed.  Here a pictograph that is shown
 * as text by default has one, unless a skin tone follows, and no other has. */
#include "plugins/chat/emoji.h"
#include <parley/text.h>
#include <stdbool.h>
#include <utf8proc.h>

enum {
    JOINER = 0x200d,
    KEYCAP = 0x20e3,
    AS_TEXT = 0xfe0e,
    AS_EMOJI = 0xfe0f,
    TONE_FIRST = 0x1f3fb,
    TONE_LAST = 0x1f3ff,
    TAG_FIRST = 0xe0020,
    TAG_LAST = 0xe007e,
    TAG_END = 0xe007f,
    /* A pictograph gains a selector at most: seven bytes, and three for each joiner between. */
    POINTS_MOST = EMOJI_SIZE / 5 - 3
};

struct writer {
    utf8proc_int32_t from[POINTS_MOST];
    size_t n, at;
    char *to;
    size_t length;
};

static utf8proc_int32_t peek(const struct writer *w)
{
    return w->at < w->n ? w->from[w->at] : 0;
}

static void put(struct writer *w, utf8proc_int32_t point)
{
    w->length += (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)w->to + w->length);
}

static void pass_selector(struct writer *w)
{
    if (peek(w) == AS_EMOJI || peek(w) == AS_TEXT)
        w->at++;
}

static int class_of(utf8proc_int32_t point)
{
    return utf8proc_get_property(point)->boundclass;
}

static bool is_tone(utf8proc_int32_t point)
{
    return point >= TONE_FIRST && point <= TONE_LAST;
}

/* Those that are shown as emoji by default are the wide ones, but for these. */
static bool is_text_by_default(utf8proc_int32_t point)
{
    static const utf8proc_int32_t wide[] = { 0x3030, 0x303d, 0x3297, 0x3299, 0x1f202, 0x1f237 };

    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (point == wide[i])
            return true;
    return utf8proc_charwidth(point) < 2;
}

static bool take_keycap(struct writer *w)
{
    utf8proc_int32_t key = peek(w);

    if (!((key >= '0' && key <= '9') || key == '#' || key == '*'))
        return false;
    w->at++;
    pass_selector(w);
    if (peek(w) != KEYCAP)
        return false;
    w->at++;
    put(w, key);
    put(w, AS_EMOJI);
    put(w, KEYCAP);
    return true;
}

static bool take_flag(struct writer *w)
{
    if (w->n < 2 || class_of(w->from[0]) != UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR ||
        class_of(w->from[1]) != UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR)
        return false;
    put(w, w->from[w->at++]);
    put(w, w->from[w->at++]);
    return true;
}

static bool take_tags(struct writer *w)
{
    while (peek(w) >= TAG_FIRST && peek(w) <= TAG_LAST)
        put(w, w->from[w->at++]);
    if (peek(w) != TAG_END)
        return false;
    put(w, w->from[w->at++]);
    return true;
}

static bool take_part(struct writer *w)
{
    utf8proc_int32_t point = peek(w);

    if (class_of(point) != UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC)
        return false;
    put(w, point);
    w->at++;
    pass_selector(w);
    if (is_tone(peek(w)))
        put(w, w->from[w->at++]);
    else if (is_text_by_default(point))
        put(w, AS_EMOJI);
    return peek(w) < TAG_FIRST || peek(w) > TAG_LAST || take_tags(w);
}

static bool take_parts(struct writer *w)
{
    while (take_part(w)) {
        if (peek(w) != JOINER)
            return true;
        put(w, w->from[w->at++]);
    }
    return false;
}

size_t emoji_read(parley_str text, char ret[EMOJI_SIZE])
{
    struct writer w = { .to = ret };

    for (size_t at = 0; at < text.n; w.n++) {
        if (w.n == POINTS_MOST)
            return 0;
        w.from[w.n] = (utf8proc_int32_t)parley_text_next(text, &at);
    }
    bool is_emoji = take_keycap(&w);

    if (!is_emoji && w.at == 0)
        is_emoji = take_flag(&w) || take_parts(&w);
    return is_emoji && w.at == w.n ? w.length : 0;
}
