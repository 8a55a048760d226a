/* meters.c -- what mail counts: attempts by how they ended, and what waits in the queue.
 *
 * All nodes look at the same queue, so the level is the largest that any of them saw. */
#include "plugins/mail/mail.h"

#define COUNT_MOST 10000 /* a long queue is not counted to its end every few seconds */

static parley_meter waiting, oldest;
static int is_asking;

static int attempts_load(parley_ctx *ctx)
{
    static const char *const outcomes[] = { [OUTCOME_SENT] = "sent",
                                            [OUTCOME_LATER] = "again_later",
                                            [OUTCOME_REFUSED] = "given_up",
                                            [OUTCOME_AWAY] = "server_away" };

    for (size_t i = 0; i < COUNT(outcomes); i++) {
        const char *const labels[] = { "outcome", outcomes[i], NULL };
        const parley_metric m = { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER,
                                  .name = "parley_mail_attempts",
                                  .help = "Attempts to hand a mail on, by how they ended.",
                                  .labels = labels };
        int err = outcomes[i] ? parley->metric(ctx, &m, &mail.attempts[i]) : 0;

        if (err < 0)
            return err;
    }
    return 0;
}

int meters_load(parley_ctx *ctx)
{
    is_asking = 0;
    static const parley_metric count = { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE,
                                         .flags = PARLEY_M_MAX, .name = "parley_mail_queue",
                                         .help =
                                             "Mails that wait or are being sent, 10000 at most." };
    static const parley_metric age = {
        PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE,
        .flags = PARLEY_M_MAX,       .name = "parley_mail_oldest_seconds",
        .unit = "seconds",           .help = "How long the oldest of them has been waiting."
    };
    int err = attempts_load(ctx);

    if (err >= 0)
        err = parley->metric(ctx, &count, &waiting);
    return err < 0 ? err : parley->metric(ctx, &age, &oldest);
}

static void counted(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ctx, (void)ud;
    is_asking = 0;
    if (status < 0)
        return; /* what was seen last stands until the database answers */
    const parley_rows *row = result->rows[0];
    int64_t now_us = parley->now_us(), since_us = mail.db->get_int(row, 0, 1, now_us);
    parley->metric_set(waiting, mail.db->get_int(row, 0, 0, 0));
    parley->metric_set(oldest, since_us < now_us ? (now_us - since_us) / 1000000 : 0);
}

void meters_look(void)
{
    parley_param params[] = { PARLEY_INT(COUNT_MOST) };
    parley_sql sql = SQL(SQL_WAITING, params);

    if (!is_asking)
        is_asking = mail.db->run(mail.ctx, &sql, 1, PARLEY_DB_READ, counted, NULL) >= 0;
}
