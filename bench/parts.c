/* parts.c -- the hot parts of the core, one at a time, so that their instructions can be counted
 * (bench/parts.py runs this under callgrind).
 *
 *   parts NAME TIMES     does it so often; without arguments: lists the names */
#include "core/base/json.h"
#include "core/host/router.h"
#include "core/net/frame.h"
#include "core/net/head_rules.h"

#include <stdio.h>
#include <stdlib.h>

static const char head[] =
    "GET /api/chat/rooms/019a1b2c-0000-7000-8000-0000000000c3/messages/?limit=50 HTTP/1.1\r\n"
    "Host: chat.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: application/json\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Authorization: Token ply_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";
static const char said[] =
    "{\"type\":\"chat_message\",\"content\":\"I think we should move the meeting to Thursday, "
    "because on Wednesday half of the team is away. What about ten?\"}";
static const char message[] =
    "{\"type\":\"chat_message\",\"id\":\"019a1b2c-0000-7000-8000-0000000000c3\","
    "\"room\":\"019a1b2c-0000-7000-8000-0000000000a1\",\"seq\":1234,\"epoch\":\"a8Jk2nQ1\","
    "\"sender\":{\"id\":\"019a1b2c-0000-7000-8000-0000000000b2\",\"username\":\"jane\","
    "\"first_name\":\"Jane\",\"last_name\":\"Doe\"},\"content\":\"I think we should move the "
    "meeting to Thursday, because on Wednesday half of the team is away. What about ten?\","
    "\"created_at\":\"2026-11-28T20:31:42.123456Z\"}";
static const char *const paths[] = {
    "/",
    "/healthz",
    "/readyz",
    "/api/",
    "/api/auth/login/",
    "/api/auth/logout/",
    "/api/auth/register/",
    "/api/auth/profile/",
    "/api/auth/sessions/",
    "/api/auth/sessions/:id(uuid)/",
    "/api/auth/verify-email/:token/",
    "/api/chat/rooms/",
    "/api/chat/rooms/:id(uuid)/",
    "/api/chat/rooms/:id(uuid)/messages/",
    "/api/chat/rooms/:id(uuid)/messages/:message(uuid)/",
    "/api/chat/rooms/:id(uuid)/participants/",
    "/api/chat/rooms/:id(uuid)/participants/:user(uuid)/",
    "/api/chat/rooms/:id(uuid)/send/",
    "/ws/chat/:id(uuid)/",
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "parts: %s\n", what);
    exit(1);
}

/* ---- the parts ---- */

static void part_head_scan(void)
{
    head_scan scan;
    size_t used;
    const refusal *why;

    head_scan_init(&scan);
    if (head_scan_feed(&scan, head, sizeof(head) - 1, &used, &why) != HEAD_WHOLE)
        fail("the head is not whole");
}

static void part_head_rules(void)
{
    const str text = { head, sizeof(head) - 1 };
    request req = { 0 };
    head_facts facts;

    arena_init(&req.memory, 1 << 20);
    if (head_rules_line(text, &req, &facts) || head_rules_fields(text, 7, &req, &facts))
        fail("the head is refused");
    arena_done(&req.memory);
}

static router *tree;

static void tree_build(void)
{
    static route routes[COUNT(paths)];

    tree = router_create();
    for (size_t i = 0; i < COUNT(paths); i++) {
        routes[i] = (route){ .method = STR("GET"), .path = str_of(paths[i]) };
        if (pattern_parse(paths[i], &routes[i].pattern) < 0 || router_add(tree, &routes[i]) < 0)
            fail("a route is refused");
    }
}

static void part_router(void)
{
    static const str asked =
        STR_LIT("/api/chat/rooms/019a1b2c-0000-7000-8000-0000000000c3/messages/");
    str values[ROUTE_PARAMS];
    bool missing_slash;
    url_path at;
    arena memory;

    if (!tree)
        tree_build();
    arena_init(&memory, 65536);
    if (url_split(&memory, asked, &at) < 0 || !router_find(tree, &at, values, &missing_slash))
        fail("the path is not found");
    arena_done(&memory);
}

static void part_json_read(void)
{
    char why[160];
    arena memory;

    json_memory();
    arena_init(&memory, 65536);
    if (!json_read_into(&memory, (str){ said, sizeof(said) - 1 }, why, sizeof(why)))
        fail(why);
    arena_done(&memory);
}

static void part_json_write(void)
{
    static parley_json *tree_of;
    char why[160];
    buf text;

    if (!tree_of)
        tree_of = json_read((str){ message, sizeof(message) - 1 }, why, sizeof(why));
    buf_init(&text, 65536);
    if (!tree_of || json_write(tree_of, &text) < 0)
        fail("no JSON");
    buf_done(&text);
}

static void part_frame(void)
{
    frame *f = frame_create((str){ message, sizeof(message) - 1 }, 0);

    if (!f)
        fail("no frame");
    frame_unref(f);
}

static deflater *packer;

static void part_frame_packed(void)
{
    frame *f = frame_create((str){ message, sizeof(message) - 1 }, 0);

    if (!packer)
        packer = deflater_create();
    if (!f || !packer || frame_form(f, packer, DEFLATE_WINDOW_BITS) == f)
        fail("not packed");
    frame_unref(f);
}

static void part_unpack(void)
{
    static buf packed;
    const str text = { message, sizeof(message) - 1 };
    buf again;

    if (!packer) {
        packer = deflater_create();
        buf_init(&packed, 65536);
        if (!packer || deflater_pack(packer, text, &packed) < 0)
            fail("not packed");
    }
    buf_init(&again, 65536);
    if (deflater_unpack(packer, buf_str(&packed), &again) < 0)
        fail("not unpacked");
    buf_done(&again);
}

/* clang-format off */
static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {
    { "head_scan",    part_head_scan    },
    { "head_rules",   part_head_rules   },
    { "router",       part_router       },
    { "json_read",    part_json_read    },
    { "json_write",   part_json_write   },
    { "frame",        part_frame        },
    { "frame_packed", part_frame_packed },
    { "unpack",       part_unpack       },
};
/* clang-format on */

int main(int argc, char **argv)
{
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (argc != 3)
            printf("%s\n", parts[i].name);
        else if (strcmp(argv[1], parts[i].name) == 0)
            for (long n = strtol(argv[2], NULL, 10); n > 0; n--)
                parts[i].run();
    }
    return 0;
}
