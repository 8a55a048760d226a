/* smtp_stage.c -- how far a conversation with a mail server came, and what its end means for the
 * mail. */
#include "plugins/mail/smtp_stage.h"
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct {
    const char *command, *name;
} stages[] = {
    [STAGE_CONNECT]  = { NULL,        "connecting" },
    [STAGE_EHLO]     = { "EHLO",      "EHLO" },
    [STAGE_STARTTLS] = { "STARTTLS",  "STARTTLS" },
    [STAGE_AUTH]     = { "AUTH",      "AUTH" },
    [STAGE_NOOP]     = { "NOOP",      "NOOP" },
    [STAGE_MAIL]     = { "MAIL FROM", "MAIL FROM" },
    [STAGE_RCPT]     = { "RCPT TO",   "RCPT TO" },
    [STAGE_DATA]     = { "DATA",      "DATA" },
    [STAGE_BODY]     = { NULL,        "the end of the text" },
    [STAGE_QUIT]     = { "QUIT",      "QUIT" },
};
/* clang-format on */

const char *smtp_stage_name(enum smtp_stage stage)
{
    return stages[stage].name;
}

static void stage_enter(smtp_trace *t, enum smtp_stage stage)
{
    t->stage = stage;
    t->code = 0;
    t->is_unfinished = 0;
    t->reply[0] = '\0';
}

/* What follows a command that is none (the answers to AUTH) belongs to it. */
void smtp_trace_said(smtp_trace *t, parley_str line)
{
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        size_t n = stages[i].command ? strlen(stages[i].command) : 0;

        if (n == 0 || line.n < n || strncasecmp(line.p, stages[i].command, n) != 0 ||
            (line.n > n && !strchr(" :\r\n", line.p[n])))
            continue;
        /* The end that failed is told, not the farewell after it. */
        if (i != STAGE_QUIT)
            stage_enter(t, (enum smtp_stage)i);
        t->has_login |= i == STAGE_AUTH;
        t->has_greeted |= i == STAGE_EHLO;
        return;
    }
}

void smtp_trace_body(smtp_trace *t)
{
    stage_enter(t, STAGE_BODY);
}

static int digit(parley_str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9' ? s.p[i] - '0' : -1;
}

void smtp_trace_heard(smtp_trace *t, parley_str line)
{
    int a = digit(line, 0), b = digit(line, 1), c = digit(line, 2);
    size_t n = 0;

    t->has_reply = 1;
    if (a < 0 || b < 0 || c < 0 || t->code >= 400)
        return; /* no answer; or the one to QUIT, after the one that counts */
    if (!t->is_unfinished) {
        for (size_t i = 0; i < line.n && n + 1 < sizeof(t->reply); i++)
            if (line.p[i] >= ' ' && line.p[i] <= '~')
                t->reply[n++] = line.p[i];
        while (n > 0 && t->reply[n - 1] == ' ')
            n--;
        t->reply[n] = '\0';
    }
    t->is_unfinished = line.n > 3 && line.p[3] == '-';
    if (t->is_unfinished)
        return;
    t->code = a * 100 + b * 10 + c;
}

/* Codes that are about us, not about the mail. */
static int is_about_login(int code)
{
    return code == 530 || code == 534 || code == 535 || code == 538;
}

outcome smtp_trace_end(const smtp_trace *t, int is_good, const char *trouble, char *why)
{
    why[0] = '\0';
    if (is_good)
        return OUTCOME_SENT;
    int has_said_no = t->code >= 400;
    (void)snprintf(why, MAIL_WHY_MAX, "%s: %s", stages[t->stage].name,
                   has_said_no ? t->reply : trouble);
    if (t->stage < STAGE_MAIL || is_about_login(t->code))
        return OUTCOME_AWAY;
    return t->code >= 500 ? OUTCOME_REFUSED : OUTCOME_LATER;
}
