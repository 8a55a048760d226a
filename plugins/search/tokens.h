/* tokens.h -- a text cut into what is searched for.
 *
 * Text is folded first (NFKC, case).  Then a token is
 *
 *   a word     letters, marks and digits in a row, of scripts that put spaces between words
 *   a pair     of neighbours, where no spaces are: Chinese, Japanese, Korean, Thai..., symbols such as
 *              emoji.  "東京都" is 東京, 京都 and, as its end, 都: so what begins with a sign can
 *              be found wherever it stands
 *
 * The same cut is made of messages and of what people look for, so both databases hold the same
 * tokens.  A token is letters and digits in lower case and code points from U+0080 on, nothing
 * else.  Pure logic, no server calls: any thread. */
#ifndef SEARCH_TOKENS_H
#define SEARCH_TOKENS_H
#include <parley/plugin.h>
#include <stdbool.h>

enum { TOKEN_BYTES_MOST = 120 /* the rest of a longer word is not looked at */ };

struct token {
    uint32_t at, n;    /* in tokens.text, bytes */
    uint32_t from, to; /* in what was cut, code points; to: exclusive */
    uint32_t first_to; /* end of its first sign */
    bool is_pair;      /* of signs without spaces, or the last of them alone */
    bool is_prefix;    /* of a question: stands for every token that begins so */
};
struct tokens {
    char *text;
    struct token *list;
    size_t text_n, n;
    size_t text_room, room;
};

enum tokens_of {
    TOKENS_OF_MESSAGE,
    TOKENS_OF_QUESTION /* the end of a run of pairs is not a token, or a prefix */
};

/* How much room tokens_cut() needs for a text of that many bytes. */
size_t tokens_text_room(size_t bytes);
size_t tokens_list_room(size_t bytes);
/* `ret` has its rooms set; text is valid UTF-8.  What does not fit is left out. */
void tokens_cut(parley_str text, enum tokens_of what, struct tokens *ret);

static inline parley_str token_text(const struct tokens *tokens, size_t i)
{
    return (parley_str){ tokens->text + tokens->list[i].at, tokens->list[i].n };
}
#endif
