/* chunk.c -- the grammar of a chunked body, one state per place in it.
 *
 *   chunk     SIZE [EXTENSION] CR LF  data  CR LF
 *   last      "0" [EXTENSION] CR LF  trailers  CR LF
 *
 * Ours and not the parser's: llhttp bounds neither the extension nor the trailers nor the size. */
#include "core/net/chunk.h"

enum chunk_state {
    AT_SIZE_FIRST,
    AT_SIZE,
    AT_EXTENSION,
    AT_SIZE_LF,
    AT_DATA,
    AT_DATA_CR,
    AT_DATA_LF,
    AT_TRAILERS,
    AT_END,
    AT_REFUSED
};

/* clang-format off */
static const refusal chunk_size   = { 400, "chunk_size" };
static const refusal chunk_line   = { 400, "chunk_line" };
static const refusal chunk_end    = { 400, "chunk_end" };
static const refusal body_too_big = { 413, "body_too_large" };
/* clang-format on */

void chunk_init(chunk *k)
{
    *k = (chunk){ .state = AT_SIZE_FIRST };
    head_scan_init_trailers(&k->trailers);
}

static const refusal *chunk_digit(chunk *k, char c)
{
    int digit = hex_value(c);

    if (digit < 0 || k->left > UINT64_MAX >> 4)
        return &chunk_size;
    k->left = k->left << 4 | (uint64_t)digit;
    k->state = AT_SIZE;
    return NULL;
}

static const refusal *chunk_size_byte(chunk *k, char c)
{
    if (c == ';')
        k->state = AT_EXTENSION;
    else if (c == '\r')
        k->state = AT_SIZE_LF;
    else
        return chunk_digit(k, c);
    return NULL;
}

static const refusal *chunk_extension_byte(chunk *k, char c)
{
    if (c == '\r')
        k->state = AT_SIZE_LF;
    else if (c != '\t' && ((unsigned char)c < ' ' || c == 0x7f))
        return &chunk_line;
    return NULL;
}

static const refusal *chunk_line_end(chunk *k, char c, uint64_t max)
{
    if (c != '\n')
        return &chunk_line;
    if (k->left > max)
        return &body_too_big;
    k->line = 0;
    k->state = k->left > 0 ? AT_DATA : AT_TRAILERS;
    return NULL;
}

/* One byte outside of data and trailers. */
static const refusal *chunk_byte(chunk *k, char c, uint64_t max)
{
    if (k->state <= AT_SIZE_LF && ++k->line > CHUNK_LINE_MAX)
        return &chunk_line;
    switch ((enum chunk_state)k->state) {
    case AT_SIZE_FIRST:
        return chunk_digit(k, c);
    case AT_SIZE:
        return chunk_size_byte(k, c);
    case AT_EXTENSION:
        return chunk_extension_byte(k, c);
    case AT_SIZE_LF:
        return chunk_line_end(k, c, max);
    case AT_DATA_CR:
        k->state = AT_DATA_LF;
        return c == '\r' ? NULL : &chunk_end;
    case AT_DATA_LF:
        k->state = AT_SIZE_FIRST;
        return c == '\n' ? NULL : &chunk_end;
    case AT_DATA:
    case AT_TRAILERS:
    case AT_END:
    case AT_REFUSED:
        break;
    }
    return &chunk_end;
}

static str chunk_data(chunk *k, str in)
{
    size_t n = in.n < k->left ? in.n : (size_t)k->left;

    k->left -= n;
    if (k->left == 0)
        k->state = AT_DATA_CR;
    return (str){ in.p, n };
}

static enum chunk_result chunk_refused(chunk *k)
{
    k->state = AT_REFUSED;
    return CHUNK_REFUSED;
}

enum chunk_result chunk_feed(chunk *k, str in, uint64_t max, size_t *ret_used, str *ret_data,
                             const refusal **ret_why)
{
    size_t i = 0;

    while (i < in.n && k->state != AT_DATA && k->state != AT_TRAILERS) {
        *ret_why = chunk_byte(k, in.p[i++], max);
        if (*ret_why)
            return chunk_refused(k);
    }
    *ret_used = i;
    if (i == in.n)
        return CHUNK_MORE;
    if (k->state == AT_DATA) {
        *ret_data = chunk_data(k, str_tail(in, i));
        *ret_used = i + ret_data->n;
        return CHUNK_DATA;
    }
    size_t used;
    enum head_result result = head_scan_feed(&k->trailers, in.p + i, in.n - i, &used, ret_why);
    *ret_used = i + used;
    if (result == HEAD_REFUSED)
        return chunk_refused(k);
    if (result == HEAD_MORE)
        return CHUNK_MORE;
    k->state = AT_END;
    return CHUNK_END;
}
