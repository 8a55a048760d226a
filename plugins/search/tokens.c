/* tokens.c -- a text cut into what is searched for.
 *
 * Folding looks at one grapheme cluster at a time, so that a token knows where it came from: the
 * folded text of clusters, one after the other, is the folded text of the whole. */
#include "plugins/search/tokens.h"
#include <parley/text.h>
#include <utf8proc.h>

enum {
    CLUSTER_MOST = 32,   /* code points; longer ones are cut */
    FOLDED_MOST = 18 * 4 /* of what one code point can become, and some marks */
};

/* Scripts without spaces between words.  Hangul has spaces, but a word carries its particles. */
static const struct {
    uint32_t from, to;
} pair_scripts[] = {
    { 0x0e00, 0x0eff },   /* Thai, Lao */
    { 0x1000, 0x109f },   /* Myanmar */
    { 0x1780, 0x17ff },   /* Khmer */
    { 0x3005, 0x3007 },   /* ideographic marks */
    { 0x3041, 0x30ff },   /* Hiragana, Katakana */
    { 0x3105, 0x312f },   /* Bopomofo */
    { 0x31a0, 0x31bf },   /* and its extension */
    { 0x31f0, 0x31ff },   /* Katakana's extension */
    { 0x3400, 0x4dbf },   /* ideographs */
    { 0x4e00, 0x9fff },   /* ideographs */
    { 0xac00, 0xd7a3 },   /* Hangul */
    { 0xf900, 0xfaff },   /* ideographs, compatibility */
    { 0x1b000, 0x1b16f }, /* Kana, old and small */
    { 0x20000, 0x3fffd }, /* ideographs */
};

enum sign { SIGN_NONE, SIGN_WORD, SIGN_MARK, SIGN_PAIR };

struct cut {
    struct tokens *to;
    enum tokens_of what;
    uint32_t from, end; /* of the cluster, code points */
    /* the word or the pair under way; n 0: none */
    struct token word;
    bool is_pair;
    uint32_t pair_signs; /* of the run so far */
};

static bool is_pair_script(uint32_t point)
{
    for (size_t i = 0; i < sizeof(pair_scripts) / sizeof(pair_scripts[0]); i++)
        if (point >= pair_scripts[i].from && point <= pair_scripts[i].to)
            return true;
    return false;
}

static enum sign sign_of(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    bool is_letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    bool is_mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
    bool is_number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;

    if (category == UTF8PROC_CATEGORY_SO ||
        ((is_letter || is_mark || is_number) && is_pair_script(point)))
        return SIGN_PAIR;
    if (is_mark)
        return SIGN_MARK;
    return is_letter || is_number ? SIGN_WORD : SIGN_NONE;
}

static void cut_add(struct cut *cut, const struct token *token)
{
    if (token->n > 0 && cut->to->n < cut->to->room)
        cut->to->list[cut->to->n++] = *token;
}

/* A run is over: by what follows it, or by the end of the text. */
static void cut_end(struct cut *cut, bool is_text_end)
{
    bool is_asked = is_text_end && cut->what == TOKENS_OF_QUESTION && cut->is_pair;

    cut->word.is_prefix = is_asked && cut->pair_signs == 1;
    if (!is_asked || cut->pair_signs == 1)
        cut_add(cut, &cut->word);
    cut->word = (struct token){ .n = 0 };
    cut->pair_signs = 0;
}

static void cut_begin(struct cut *cut, bool is_pair)
{
    cut->is_pair = is_pair;
    cut->word = (struct token){ .at = (uint32_t)cut->to->text_n,
                                .from = cut->from,
                                .to = cut->end,
                                .first_to = cut->end,
                                .is_pair = is_pair };
}

/* Adds a code point to the token under way; false: it is full. */
static bool cut_put(struct cut *cut, uint32_t point)
{
    utf8proc_uint8_t bytes[4];
    size_t n = (size_t)utf8proc_encode_char((utf8proc_int32_t)point, bytes);

    if (cut->word.n + n > TOKEN_BYTES_MOST || cut->to->text_n + n > cut->to->text_room)
        return false;
    memcpy(cut->to->text + cut->to->text_n, bytes, n);
    cut->to->text_n += n;
    cut->word.n += (uint32_t)n;
    cut->word.to = cut->end;
    return true;
}

static void cut_pair(struct cut *cut, uint32_t point)
{
    uint32_t signs = cut->is_pair ? cut->pair_signs : 0;

    if (signs > 0) {
        (void)cut_put(cut, point); /* the one before has a neighbour now */
        cut_add(cut, &cut->word);
    } else {
        cut_end(cut, false);
    }
    cut_begin(cut, true);
    (void)cut_put(cut, point);
    cut->pair_signs = signs + 1;
}

static void cut_point(struct cut *cut, uint32_t point)
{
    switch (sign_of(point)) {
    case SIGN_PAIR:
        cut_pair(cut, point);
        return;
    case SIGN_WORD:
        if (cut->word.n == 0 || cut->is_pair) {
            cut_end(cut, false);
            cut_begin(cut, false);
        }
        (void)cut_put(cut, point);
        return;
    case SIGN_MARK: /* belongs to its letter; on anything else it says nothing */
        if (cut->word.n > 0 && !cut->is_pair)
            (void)cut_put(cut, point);
        return;
    case SIGN_NONE:
    default:
        cut_end(cut, false);
    }
}

static void cut_cluster(struct cut *cut, parley_str cluster)
{
    utf8proc_int32_t points[CLUSTER_MOST * FOLDED_MOST];
    const utf8proc_option_t how =
        UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STABLE;
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)cluster.p, (utf8proc_ssize_t)cluster.n, points,
                           sizeof(points) / sizeof(points[0]), how);

    if (n > 0 && n <= (utf8proc_ssize_t)(sizeof(points) / sizeof(points[0])))
        n = utf8proc_normalize_utf32(points, n, how);
    else
        n = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        cut_point(cut, (uint32_t)points[i]);
}

/* The next cluster from *at on, which is moved behind it. */
static parley_str cluster_next(parley_str text, size_t *at, uint32_t *ret_points)
{
    size_t begin = *at;
    utf8proc_int32_t state = 0;
    uint32_t point = parley_text_next(text, at), n = 1;

    while (*at < text.n && n < CLUSTER_MOST) {
        size_t after = *at;
        uint32_t next = parley_text_next(text, &after);

        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)point, (utf8proc_int32_t)next,
                                             &state))
            break;
        point = next;
        *at = after;
        n++;
    }
    *ret_points = n;
    return (parley_str){ text.p + begin, *at - begin };
}

static bool is_ascii_at(parley_str text, size_t at)
{
    return at >= text.n || (unsigned char)text.p[at] < 0x80;
}

/* Most text: an ASCII character that nothing can combine with. */
static void cut_ascii(struct cut *cut, char c)
{
    bool is_upper = c >= 'A' && c <= 'Z';

    if (!is_upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
        cut_end(cut, false);
        return;
    }
    if (cut->word.n == 0 || cut->is_pair) {
        cut_end(cut, false);
        cut_begin(cut, false);
    }
    if (cut->word.n >= TOKEN_BYTES_MOST || cut->to->text_n >= cut->to->text_room)
        return;
    cut->to->text[cut->to->text_n++] = is_upper ? (char)(c + ('a' - 'A')) : c;
    cut->word.n++;
    cut->word.to = cut->end;
}

size_t tokens_text_room(size_t bytes)
{
    return 12 * bytes + 64;
}

size_t tokens_list_room(size_t bytes)
{
    return 2 * bytes + 16;
}

void tokens_cut(parley_str text, enum tokens_of what, struct tokens *ret)
{
    struct cut cut = { .to = ret, .what = what };
    uint32_t points = 1;

    ret->n = 0;
    ret->text_n = 0;
    for (size_t at = 0; at < text.n; cut.from = cut.end) {
        if (is_ascii_at(text, at) && is_ascii_at(text, at + 1)) {
            cut.end = cut.from + 1;
            cut_ascii(&cut, text.p[at++]);
            continue;
        }
        parley_str cluster = cluster_next(text, &at, &points);

        cut.end = cut.from + points;
        cut_cluster(&cut, cluster);
    }
    cut_end(&cut, true);
}
