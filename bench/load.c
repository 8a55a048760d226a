/* load.c -- WebSocket load: clients in rooms, of which some say something and all listen.
 *
 *   load port=N script=FILE pids=N,...   the server, how it is spoken to, whose CPU time counts
 *        members=N rooms=N               clients of a room, rooms
 *        publishers=N                    clients of a room that say something
 *        window=N | rate=N               each with N messages under way, or N messages a second
 *        bytes=128 seconds=3             of a message; of measuring
 *        slow=N                          more clients in room 0, which do not read
 *        packed=1                        offer permessage-deflate; only publishers unpack
 *
 * When all clients are there it prints {"opened":...} and waits for a line on stdin, so that others
 * may look at the server first.  Then half a second of saying without counting, the measuring, and
 * up to four seconds until everything said has come; and one JSON object.  Its cpu_us is of the
 * measuring, cpu_us_in_all of everything from the first word on: at a server that is seconds behind
 * the former counts work for what comes later, too.
 *
 * Each message is looked at by whoever gets it: what is missing, comes twice or too early is
 * counted.  One thread, epoll: it must cost less than what it measures. */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { OPENING_MOST = 64, SECOND = 1000000000 };

enum phase { OPENING, HOLDING, WARMING, MEASURING, ENDING, OVER };

static struct {
    int port;
    uint32_t members, rooms, publishers, window, slow;
    size_t bytes;
    double rate, seconds;
    bool is_packed;
} plan;

static struct script script;
static struct client *clients;
static uint32_t client_n, opened, next; /* next: to be opened */
static enum phase phase;
static int64_t phase_end_ns;
static int poll_fd;

static uint64_t said, heard_all, heard, disordered; /* heard: while measuring */
static tool_times times;
static int64_t begin_ns, server_ns, own_ns, connect_server_ns, talk_server_ns;

/* ---- saying ---- */

static bool is_publisher(const struct client *c)
{
    return !c->is_slow && c->place < plan.publishers;
}

static void say(struct client *c, int64_t at_ns)
{
    const struct stamp stamp = { .sender = c->room * plan.publishers + c->place,
                                 .number = ++c->said,
                                 .at_ns = at_ns };
    said++;
    c->waiting++;
    client_say(c, &script, &stamp, plan.bytes);
}

static void say_window(struct client *c)
{
    while ((phase == WARMING || phase == MEASURING) && c->waiting < plan.window)
        say(c, tool_now_ns());
}

/* Everything that is due; a late one is stamped with the time it was due at. */
static void say_due(int64_t now)
{
    int64_t pause = (int64_t)(SECOND / plan.rate);

    for (uint32_t i = 0; i < client_n; i++)
        for (struct client *c = &clients[i]; is_publisher(c) && c->due_ns <= now;
             c->due_ns += pause)
            say(c, c->due_ns);
}

static void begin_to_say(int64_t now)
{
    uint32_t all = plan.rooms * plan.publishers;

    for (uint32_t i = 0; i < client_n; i++) {
        struct client *c = &clients[i];
        if (!is_publisher(c))
            continue;
        c->due_ns = now;
        if (plan.rate > 0) /* not all at once */
            c->due_ns +=
                (int64_t)(SECOND / plan.rate * (c->room * plan.publishers + c->place) / all);
        else
            say_window(c);
    }
}

/* ---- hearing ---- */

void load_there(struct client *c)
{
    opened++;
    if (c->is_slow && epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL) != 0)
        tool_fail("epoll", "");
}

void load_heard(struct client *c, const struct stamp *stamp)
{
    heard_all++;
    heard += phase == MEASURING;
    if (!stamp)
        return;
    uint32_t sender = stamp->sender % plan.publishers;
    if (c->heard[sender] + 1 != stamp->number)
        disordered++;
    if (stamp->number > c->heard[sender])
        c->heard[sender] = stamp->number;
    if (phase == MEASURING)
        tool_times_add(&times, tool_now_ns() - stamp->at_ns);
    if (stamp->sender == ((c->room * plan.publishers + c->place) & 0xffff) && is_publisher(c)) {
        c->waiting--;
        if (plan.rate <= 0)
            say_window(c);
    }
}

/* ---- phases ---- */

static void open_more(void)
{
    while (next < client_n && next - opened < OPENING_MOST) {
        struct client *c = &clients[next++];
        client_open(c, &script, plan.port, plan.is_packed);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
            tool_fail("epoll", "");
    }
}

static void all_there(void)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    int64_t now = tool_now_ns();

    printf("{\"opened\":%u,\"connect_cpu_us\":%.1f,\"connects_per_second\":%.0f}\n", opened,
           (double)(tool_watched_ns() - connect_server_ns) / 1e3 / opened,
           opened * 1e9 / (double)(now - begin_ns));
    fflush(stdout);
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
        tool_fail("stdin", "cannot be waited for");
    phase = HOLDING;
}

static void told_to_go_on(int64_t now)
{
    (void)epoll_ctl(poll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    phase = plan.publishers > 0 ? WARMING : OVER;
    phase_end_ns = now + SECOND / 2;
    talk_server_ns = tool_watched_ns();
    if (phase == WARMING)
        begin_to_say(now);
}

static void begin_to_measure(void)
{
    begin_ns = tool_now_ns();
    server_ns = tool_watched_ns();
    own_ns = tool_own_ns();
    phase = MEASURING;
    phase_end_ns = begin_ns + (int64_t)(plan.seconds * SECOND);
}

static void end_measuring(void)
{
    int64_t now = tool_now_ns();

    server_ns = tool_watched_ns() - server_ns;
    own_ns = tool_own_ns() - own_ns;
    begin_ns = now - begin_ns;
    phase = ENDING;
    phase_end_ns = now + INT64_C(4) * SECOND;
}

static void next_phase(int64_t now)
{
    if (phase == OPENING) {
        open_more();
        if (opened == client_n)
            all_there();
    } else if (phase == WARMING && now >= phase_end_ns) {
        begin_to_measure();
    } else if (phase == MEASURING && now >= phase_end_ns) {
        end_measuring();
    } else if (phase == ENDING && (now >= phase_end_ns || heard_all >= said * plan.members)) {
        phase = OVER;
    }
}

static void turn(void)
{
    struct epoll_event events[512];
    bool is_timed = plan.rate > 0 && (phase == WARMING || phase == MEASURING);
    int n = epoll_wait(poll_fd, events, 512, phase == OPENING ? 10 : is_timed ? 1 : 20);

    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            client_read(events[i].data.ptr, &script);
        else
            told_to_go_on(tool_now_ns());
    }
    int64_t now = tool_now_ns();
    if (is_timed)
        say_due(now);
    next_phase(now);
}

/* ---- life ---- */

static void clients_make(void)
{
    uint32_t listening = plan.members * plan.rooms;

    client_n = listening + plan.slow;
    clients = calloc(client_n, sizeof(*clients));
    if (!clients || script.room_n < plan.rooms)
        tool_fail("the script", "has too few rooms");
    for (uint32_t i = 0; i < client_n; i++) {
        struct client *c = &clients[i];
        c->number = i;
        c->is_slow = i >= listening;
        c->room = c->is_slow ? 0 : i / plan.members;
        c->place = c->is_slow ? UINT32_MAX : i % plan.members;
        if (plan.publishers > 0 && !c->is_slow && (!plan.is_packed || is_publisher(c)))
            c->heard = calloc(plan.publishers, sizeof(*c->heard));
    }
}

static void report(void)
{
    double per_delivery = heard > 0 ? (double)server_ns / 1e3 / (double)heard : 0;
    double in_all_us = (double)(tool_watched_ns() - talk_server_ns) / 1e3;

    printf("{\"said\":%llu,\"heard\":%llu,\"per_second\":%.0f,\"cpu_us\":%.4f,"
           "\"cpu_us_in_all\":%.4f,"
           "\"server_busy\":%.3f,\"load_busy\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"p999_ms\":%.3f,\"missing\":%lld,\"disordered\":%llu}\n",
           (unsigned long long)said, (unsigned long long)heard,
           (double)heard * 1e9 / (double)begin_ns, per_delivery,
           heard_all > 0 ? in_all_us / (double)heard_all : 0, (double)server_ns / (double)begin_ns,
           (double)own_ns / (double)begin_ns, tool_times_ms(&times, 0.5),
           tool_times_ms(&times, 0.99), tool_times_ms(&times, 0.999),
           (long long)(said * plan.members) - (long long)heard_all, (unsigned long long)disordered);
}

int main(int argc, char **argv)
{
    const char *path = tool_text(argc, argv, "script", NULL);

    plan.port = (int)tool_number(argc, argv, "port", 0);
    plan.members = (uint32_t)tool_number(argc, argv, "members", 1);
    plan.rooms = (uint32_t)tool_number(argc, argv, "rooms", 1);
    plan.publishers = (uint32_t)tool_number(argc, argv, "publishers", 0);
    plan.window = (uint32_t)tool_number(argc, argv, "window", 1);
    plan.slow = (uint32_t)tool_number(argc, argv, "slow", 0);
    plan.rate = tool_number(argc, argv, "rate", 0);
    plan.bytes = (size_t)tool_number(argc, argv, "bytes", 128);
    plan.seconds = tool_number(argc, argv, "seconds", 3);
    plan.is_packed = tool_number(argc, argv, "packed", 0) > 0;
    if (!path || plan.port == 0 || plan.members == 0 || plan.rooms == 0 ||
        plan.bytes < STAMP_CHARS || plan.bytes > MESSAGE_MOST)
        tool_fail("usage", "load port=N script=FILE pids=N,... [NAME=N ...]: see load.c");
    tool_watch(tool_text(argc, argv, "pids", ""));
    script_read(path, &script);
    clients_make();
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    begin_ns = tool_now_ns();
    connect_server_ns = tool_watched_ns();
    while (phase != OVER)
        turn();
    if (plan.publishers > 0)
        report();
    return 0;
}
