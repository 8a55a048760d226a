/* plugin.c -- the plugin "search": looks for words in the messages of the rooms one is in.
 *
 * Whoever leaves it out of `plugins:` has neither its tables nor its work. */
#include "plugins/common/list.h"
#include "plugins/search/query.h"
#include "plugins/search/search.h"
#include <string.h>

static const parley_option options[] = {
    { .name = "poll",
      .type = PARLEY_T_MS,
      .def = "500ms",
      .min = 10,
      .max = 60000,
      .help = "How often it looks for messages that are new or have changed." },
};

static const parley_need needs[] = {
    { .service = "parley.db", .major = 0, .minor = 1 },
    { .service = "parley.auth", .major = 0, .minor = 1 },
    { .service = "parley.chat", .major = 0, .minor = 1 }, /* its tables */
};

/* clang-format off */
static const parley_schema schemas[] = {
    PARLEY_SCHEMA("SearchQuery", NULL,
        PARLEY_FIELD_IN("q", "string", "words that must all be there; \"in quotes\" they follow each other", 1, QUERY_MOST),
        PARLEY_FIELD("room?", "uuid", "only there"),
        PARLEY_FIELD("before?", "string", "a place that next told"),
        LIST_LIMIT_QUERY),
    PARLEY_SCHEMA("SearchHit", "A message that was found.",
        PARLEY_FIELD("...", "StoredMessage", NULL),
        PARLEY_FIELD("highlights", "[[int]]", "places in content: from, to (exclusive), in code points")),
    PARLEY_SCHEMA("SearchPage", "Messages, newest first. Go on while there is a next, even if results is empty.",
        LIST_NEXT, LIST_RESULTS("SearchHit")),
};
/* clang-format on */

static const parley_doc doc =
    PARLEY_DOC(.name = "search_messages",
               .summary = "Looks for words in the messages of the caller's rooms",
               .query = "SearchQuery", .answers = "200 SearchPage, 404");

static const parley_route route = {
    PARLEY_SIZED(parley_route), .method = "GET", .path = "/api/chat/search/",
    .flags = PARLEY_R_USER,     .fn = lookup,    .doc = &doc
};

struct search search;

static int search_load(parley_ctx *ctx, const parley_conf *conf)
{
    search.ctx = ctx;
    search.poll_ms = parley->conf_int(conf, "poll");
    int err = 0;

    for (size_t i = 0; err >= 0 && i < sizeof(schemas) / sizeof(schemas[0]); i++)
        err = parley->schema(ctx, &schemas[i]);
    return err < 0 ? err : parley->route(ctx, &route);
}

static int search_start(parley_ctx *ctx)
{
    search.db = parley->service(ctx, "parley.db");
    search.auth = parley->service(ctx, "parley.auth");
    if (!search.db || !search.auth)
        return parley->fail(ctx, "search needs the services parley.db and parley.auth");
    search.dialect =
        strcmp(search.db->dialect(), "sqlite") == 0 ? DIALECT_SQLITE : DIALECT_POSTGRES;
    int err = sql_prepare_all();

    return err < 0 ? err : index_start();
}

static int search_stop(parley_ctx *ctx)
{
    (void)ctx;
    index_stop();
    return PARLEY_OK;
}

PARLEY_PLUGIN(.name = "search", .version = "0.1.0", .about = "full-text search over one's rooms",
              PARLEY_LIST(option, options), PARLEY_LIST(need, needs), .migrations = "search",
              .load = search_load, .start = search_start, .stop = search_stop)
