/* figures.c -- WS /ws/admin/: live figures of this node, one frame a second while somebody looks.
 *
 *   {"type":"figures","at":"...","values":{"sockets":3,"messages":17,...}}
 *
 * Counters are told as they stand: the page makes rates of them, so that a frame that is lost does
 * no harm, and all sockets share one frame.  A socket lives as long as its session: whoever is no
 * longer staff has lost that (parley/auth.h). */
#include "plugins/admin/admin.h"
#include "plugins/common/stamp.h"

enum { EVERY_MS = 1000 };
#define ROOM PARLEY_S("admin.figures")

/* Which metric is which figure; labels: what its labels must contain, NULL: all series are summed.
 * A histogram is two figures: the sum of what was seen, and how often. */
/* clang-format off */
static const struct {
    const char *figure, *metric, *labels;
} sources[] = {
    { "connections",    "parley_connections",      NULL },
    { "sockets",        "parley_sockets",          NULL },
    { "rooms",          "parley_rooms",            NULL },
    { "messages",       "parley_chat_messages",    NULL },
    { "sent",           "parley_socket_messages",  "direction=\"out\"" },
    { "requests",       "parley_http_requests",    NULL },
    { "message_queue",  "parley_chat_queue",       NULL },
    { "password_queue", "parley_password_queue",   NULL },
    { "pool_queue",     "parley_pool_queue",       NULL },
    { "database_queue", "parley_db_open_runs",     NULL },
    { "mail_queue",     "parley_mail_queue",       NULL },
    { "unread_bytes",   "parley_queued_bytes",     NULL },
    { "lag_us",         "parley_loop_lag_seconds", NULL },
};
/* clang-format on */
enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };

typedef struct figures {
    int64_t values[SOURCES], counts[SOURCES];
} figures;

static parley_timer ticking; /* id 0: nobody looks */

static int is_source(size_t i, const parley_metric_value *v)
{
    size_t n = strlen(sources[i].metric);

    if (v->name.n != n || memcmp(v->name.p, sources[i].metric, n) != 0)
        return 0;
    return !sources[i].labels || (v->labels.p && memmem(v->labels.p, v->labels.n, sources[i].labels,
                                                        strlen(sources[i].labels)));
}

static void metric_told(const parley_metric_value *v, void *ud)
{
    figures *f = ud;

    for (size_t i = 0; i < SOURCES; i++) {
        if (!is_source(i, v))
            continue;
        f->values[i] += v->kind == PARLEY_M_HISTOGRAM ? v->sum : v->value;
        for (uint32_t k = 0; v->kind == PARLEY_M_HISTOGRAM && k <= v->bound_n; k++)
            f->counts[i] += v->buckets[k];
    }
}

static parley_frame *figures_frame(parley_ctx *ctx)
{
    figures f = { .values = { 0 } };
    parley_json *data = parley->json_obj(), *values = parley->json_obj();
    char at[STAMP_SIZE];

    (void)parley->metric_each(ctx, metric_told, &f);
    for (size_t i = 0; i < SOURCES; i++) {
        parley->json_set(values, sources[i].figure, parley->json_i(f.values[i]));
        if (f.counts[i] > 0)
            parley->json_set(values, "lag_n", parley->json_i(f.counts[i]));
    }
    stamp_format(parley->now_us(), at);
    parley->json_set(data, "at", parley->json_s(parley_text_view(at, strlen(at))));
    parley->json_set(data, "values", values);
    parley_frame *frame = parley->frame("figures", data, PARLEY_F_EPHEMERAL);
    parley->json_free(data);
    return frame;
}

static void tick(parley_ctx *ctx, int status, void *ud)
{
    parley_conn nobody = { 0 };

    (void)ud;
    if (status < 0 || parley->room_size(ROOM) <= 0) {
        (void)parley->timer_stop(ticking);
        ticking.id = 0;
        return;
    }
    parley_frame *frame = figures_frame(ctx);
    if (!frame)
        return;
    (void)parley->room_send(ROOM, frame, nobody);
    parley->frame_unref(frame);
}

int figures_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_conn conn;

    (void)ud;
    if (parley->ws_open(req, &conn) < 0)
        return PARLEY_DONE;
    if (ticking.id == 0)
        ticking = parley->timer(ctx, EVERY_MS, EVERY_MS, tick, NULL);
    if (ticking.id == 0 || parley->join(conn, ROOM) < 0) {
        (void)parley->conn_close(conn, 1011, PARLEY_S("internal error"));
        return PARLEY_DONE;
    }
    parley_frame *frame = figures_frame(ctx);
    if (frame) {
        (void)parley->send(conn, frame);
        parley->frame_unref(frame);
    }
    return PARLEY_DONE;
}
