/* test_mail_queue.c -- queueing a mail, claiming it, writing it to the outbox, trying again; the
 * page /outbox/. */
#include "fake/fake.h"
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL_ID "019a1b2c-0000-7000-8000-0000000000d4"
#define NOW     "1738324800123456"
#define LINK    "http://localhost:8000/api/auth/verify-email/abc/"

static char data_dir[64];

static int setup_with(const fake_option *options)
{
    (void)snprintf(data_dir, sizeof(data_dir), "/tmp/parley-test-mail-XXXXXX");
    if (!mkdtemp(data_dir))
        return -1;
    fake_server("data_dir", data_dir);
    fake_db_use("sqlite");
    fake_open(&parley_plugin_0, options);
    fake_db_answer(PARLEY_OK); /* nothing was left */
    fake_run();
    return 0;
}

/* Polls do not come in between. */
static int setup(void **state)
{
    static const fake_option options[] = { { "poll", "1h" }, { NULL, NULL } };

    (void)state;
    return setup_with(options);
}

static int setup_polling(void **state)
{
    (void)state;
    return setup_with(NULL);
}

static const char *path_of(const char *rest)
{
    static char path[200];

    (void)snprintf(path, sizeof(path), "%s/outbox%s", data_dir, rest);
    return path;
}

static int teardown(void **state)
{
    DIR *dir = opendir(path_of(""));
    char rest[300];

    (void)state;
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        (void)snprintf(rest, sizeof(rest), "/%.200s", entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlink(path_of(rest));
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path_of(""));
    (void)unlink(path_of(""));
    (void)rmdir(data_dir);
    fake_end();
    return 0;
}

static const parley_mail *service(void)
{
    return fake_provided("parley.mail");
}

static parley_json *vars_of(const char *link)
{
    parley_json *vars = parley->json_obj();

    parley->json_set(vars, "link", parley->json_s((parley_str){ link, strlen(link) }));
    parley->json_set(vars, "expires", parley->json_s(PARLEY_S("2025-02-01 12:00 UTC")));
    return vars;
}

static int statement(const char *to, const char *template_name, const char *link, parley_sql *ret)
{
    parley_json *vars = vars_of(link);
    parley_mail_msg msg = { PARLEY_SIZED(parley_mail_msg), .to = { to, strlen(to) },
                            .template_name = { template_name, strlen(template_name) },
                            .vars = vars };
    int err = service()->statement(fake_ctx(), &msg, ret);

    parley->json_free(vars);
    return err;
}

/* Queues a mail; returns what is stored as `sealed`: free() it. */
static char *seal(const char *to, const char *link)
{
    parley_sql sql;

    assert_int_equal(statement(to, "verify_email", link, &sql), 0);
    assert_int_equal(sql.n, 4);
    assert_int_equal(sql.params[0].text.n, 36);
    assert_int_equal(sql.params[2].number, 1738324800123456);
    assert_int_equal(sql.params[3].type, PARLEY_P_NULL);
    char *sealed = strndup(sql.params[1].text.p, sql.params[1].text.n);
    assert_non_null(sealed);
    fake_run();
    return sealed;
}

/* A mail is found and claimed. */
static void answer_claim(const char *sealed, const char *attempts)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "1");
    fake_db_answer(PARLEY_OK);
    fake_db_affected(0);
    fake_db_affected(1);
    FAKE_ROWS(5, "3", MAIL_ID, sealed, attempts, NOW);
    fake_run();
}

static size_t last_run(void)
{
    return fake_db_runs() - 1;
}

static void answer_ok(void)
{
    fake_db_answer(PARLEY_OK);
    fake_run();
}

/* A poll asks for the length of the queue first. */
static void answer_count(const char *n, const char *since)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, n, since);
    fake_run();
}

static void send_one(const char *sealed)
{
    service()->wake(fake_ctx());
    answer_claim(sealed, "1");
}

static void read_file(const char *path, char ret[4000])
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    ret[fread(ret, 1, 3999, file)] = '\0';
    (void)fclose(file);
}

/* Behind its base64, too.  Long enough that chance does not write it. */
static void assert_unreadable(const char *sealed, const char *what)
{
    unsigned char box[4000];
    size_t n = 0;

    assert_int_equal(sodium_base642bin(box, sizeof(box), sealed, strlen(sealed), NULL, &n, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_true(n > 1000);
    assert_null(memmem(box, n, what, strlen(what)));
}

static void test_delivery(void **state)
{
    char *sealed = seal("ada@example.org", LINK), eml[4000];
    struct stat st;

    (void)state;
    assert_unreadable(sealed, "verify");
    assert_unreadable(sealed, "ada@example.org");
    send_one(sealed);
    assert_non_null(strstr(fake_db_text(last_run(), 0), "sealed = NULL, sent_at"));
    assert_string_equal(fake_db_param(last_run(), 0, 1), "3");
    answer_ok();
    assert_int_equal(fake_db_waiting(), 0);

    read_file(path_of("/" MAIL_ID ".eml"), eml);
    assert_non_null(strstr(eml, "\r\nTo: ada@example.org\r\n"));
    assert_non_null(strstr(eml, "\r\nSubject: Verify your email address\r\n"));
    assert_non_null(strstr(eml, "\r\nMessage-ID: <" MAIL_ID "@localhost>\r\n"));
    assert_non_null(strstr(eml, "\r\n\r\n" LINK "\r\n"));
    assert_int_equal(stat(path_of("/" MAIL_ID ".eml"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(path_of(""), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_not_equal(access(path_of("/." MAIL_ID ".tmp"), F_OK), 0);
    free(sealed);
}

static void test_statement(void **state)
{
    parley_sql sql;

    (void)state;
    assert_int_equal(statement("a@b.de, c@d.de", "verify_email", LINK, &sql), PARLEY_EINVAL);
    assert_int_equal(statement("a@b.de\r\nBcc: c@d.de", "verify_email", LINK, &sql), PARLEY_EINVAL);
    assert_int_equal(statement("a@b.de", "nothing", LINK, &sql), PARLEY_ENOENT);
    assert_int_equal(statement("a@b.de", "../mail/verify_email", LINK, &sql), PARLEY_ENOENT);
    assert_true(fake_log_has("the mail template \"nothing\" does not exist"));
}

/* A value that looks like a variable is no variable. */
static void test_values_are_not_expanded(void **state)
{
    char *sealed = seal("ada@example.org", "{{expires}}{{link}}"), eml[4000];

    (void)state;
    send_one(sealed);
    answer_ok();
    read_file(path_of("/" MAIL_ID ".eml"), eml);
    assert_non_null(strstr(eml, "\r\n{{expires}}{{link}}\r\n"));
    free(sealed);
}

static int64_t next_of(size_t run)
{
    return strtoll(fake_db_param(run, 0, 0), NULL, 10);
}

/* The folder cannot be made: later and later, said once, no attempt is counted; and once when it
 * works again. */
static void test_way_is_closed(void **state)
{
    char *sealed = seal("ada@example.org", LINK);
    FILE *file = fopen(path_of(""), "wb");
    int64_t pause_ms = 1000;

    (void)state;
    assert_non_null(file);
    (void)fclose(file);
    send_one(sealed);
    for (size_t i = 0; i < 10; i++) {
        int64_t wait_us = next_of(last_run()) - fake_now_us();

        assert_non_null(strstr(fake_db_text(last_run(), 0), "attempts = attempts - 1"));
        assert_string_equal(fake_db_param(last_run(), 0, 1),
                            "cannot write to the outbox: Not a directory");
        assert_in_range(wait_us, pause_ms * 500, pause_ms * 1000);
        answer_ok();
        size_t before = fake_db_runs();
        service()->wake(fake_ctx());
        assert_int_equal(fake_db_runs(), before); /* not before its time */
        fake_advance(wait_us / 1000 + 1);
        assert_int_equal(fake_db_runs(), before + 1);
        answer_claim(sealed, "1");
        pause_ms = pause_ms < 32000 ? pause_ms * 2 : 60000;
    }
    assert_int_equal(fake_log_count("mails cannot be delivered"), 1);
    answer_ok();
    (void)unlink(path_of(""));
    fake_advance(61000);
    answer_claim(sealed, "1");
    assert_non_null(strstr(fake_db_text(last_run() - 1, 0), "sealed = NULL, sent_at"));
    answer_ok(); /* and the others that waited have their turn */
    answer_ok();
    assert_int_equal(fake_log_count("mails are delivered again"), 1);
    free(sealed);
}

/* While the way is closed one mail is claimed, not all. */
static void test_one_tries_for_all(void **state)
{
    char *sealed = seal("ada@example.org", LINK);
    FILE *file = fopen(path_of(""), "wb");

    (void)state;
    assert_non_null(file);
    (void)fclose(file);
    service()->wake(fake_ctx());
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "1");
    fake_run();
    assert_string_equal(fake_db_param(last_run(), 1, 3), "32");
    fake_db_answer(PARLEY_OK);
    fake_db_affected(0);
    fake_db_affected(2);
    FAKE_ROWS(5, "3", MAIL_ID, sealed, "1", NOW, "4", MAIL_ID, sealed, "1", NOW);
    fake_run();
    /* One has tried, both are given back. */
    for (size_t i = 0; i < 2; i++)
        assert_non_null(strstr(fake_db_text(last_run() - i, 0), "attempts = attempts - 1"));
    answer_ok();
    answer_ok();
    fake_advance(1001);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "1");
    fake_run();
    assert_string_equal(fake_db_param(last_run(), 1, 3), "1");
    answer_ok();
    free(sealed);
}

/* What the database has not taken is told to it again until it has; the mail is not sent again. */
static void test_mark_is_repeated(void **state)
{
    static const struct {
        int status;      /* of the run that is under way */
        int refused;     /* of the next, at once */
        int64_t most_ms; /* until the one that is taken */
    } failures[] = { { PARLEY_DB_DOWN, 0, 200 },
                     { PARLEY_DB_UNKNOWN, PARLEY_EAGAIN, 800 },
                     { PARLEY_DB_FULL, 0, 1600 } };
    char *sealed = seal("ada@example.org", LINK);

    (void)state;
    send_one(sealed);
    (void)unlink(path_of("/" MAIL_ID ".eml"));
    for (size_t i = 0; i < FAKE_COUNT(failures); i++) {
        fake_db_answer(failures[i].status);
        fake_run();
        fake_db_refuse(failures[i].refused);
        fake_advance(failures[i].refused ? 400 : 0);
        fake_db_refuse(0);
        fake_advance(failures[i].most_ms);
        assert_int_equal(fake_db_waiting(), 1);
        assert_non_null(strstr(fake_db_text(last_run(), 0), "sealed = NULL, sent_at"));
    }
    assert_int_equal(fake_log_count("cannot be stored"), 1);
    fake_no_timers(1); /* the poll takes the place of its timer */
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    fake_no_timers(0);
    assert_int_equal(fake_db_waiting(), 0);
    fake_advance(5000);
    assert_non_null(strstr(fake_db_text(last_run() - 1, 0), "sealed = NULL, sent_at"));
    answer_count("1", NOW);
    /* Its lease may be over: another claim of the same mail changes nothing. */
    service()->wake(fake_ctx());
    fake_db_answer(PARLEY_DB_DOWN); /* the mark's */
    answer_claim(sealed, "2");
    assert_int_not_equal(access(path_of("/" MAIL_ID ".eml"), F_OK), 0);
    fake_advance(5000);
    while (fake_db_waiting() > 0)
        answer_ok();
    free(sealed);
}

/* Sealed with another SECRET_KEY, or damaged: later and later, and given up in the end. */
static void test_not_ours(void **state)
{
    static const struct {
        const char *attempts;
        int64_t pause_s;
    } cases[] = { { "1", 5 }, { "2", 10 }, { "4", 40 }, { "60", 3600 } };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        service()->wake(fake_ctx());
        answer_claim("AAAA", cases[i].attempts);
        assert_non_null(strstr(fake_db_text(last_run(), 0), "SET next_at"));
        assert_null(strstr(fake_db_text(last_run(), 0), "attempts - 1"));
        assert_in_range(next_of(last_run()) - fake_now_us(), cases[i].pause_s * 500000,
                        cases[i].pause_s * 1000000);
        assert_string_equal(fake_db_param(last_run(), 0, 2), "3");
        answer_ok();
    }
    assert_true(fake_log_has("sealed with another SECRET_KEY"));
    service()->wake(fake_ctx());
    answer_claim("AAAA", "100");
    assert_non_null(strstr(fake_db_text(last_run(), 0), "SET gave_up_at"));
    assert_true(fake_log_has("is given up after attempt 100"));
    answer_ok();
}

/* wake() during a delivery: looked at again afterwards; and polls find what nobody told of. */
static void test_wake_and_poll(void **state)
{
    char *sealed = seal("ada@example.org", LINK);

    (void)state;
    size_t before = fake_db_runs();
    service()->wake(fake_ctx());
    service()->wake(fake_ctx());
    assert_int_equal(fake_db_runs() - before, 1);
    answer_claim(sealed, "1");
    answer_ok();
    assert_int_equal(fake_db_runs() - before, 4); /* look, claim, mark, look */
    answer_ok();
    fake_advance(4999);
    assert_int_equal(fake_db_runs() - before, 4);
    fake_advance(1);
    assert_int_equal(fake_db_runs() - before, 6); /* the length of the queue, look */
    answer_count("0", NULL);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_advance(5000);
    assert_int_equal(fake_db_runs() - before, 8);
    answer_count("0", NULL);
    answer_ok();
    free(sealed);
}

static void test_length_of_the_queue(void **state)
{
    char since[32];

    (void)state;
    fake_advance(5000);
    (void)snprintf(since, sizeof(since), "%lld", (long long)fake_now_us() - 90 * 1000000LL);
    answer_count("17", since);
    answer_ok();
    assert_int_equal(fake_metric("parley_mail_queue", NULL), 17);
    assert_int_equal(fake_metric("parley_mail_oldest_seconds", NULL), 90);
    /* A database that is away tells nothing new, and is not asked again before it has answered. */
    size_t before = fake_db_runs();
    fake_advance(5000);
    assert_int_equal(fake_db_runs() - before, 2);
    fake_advance(10000);
    assert_int_equal(fake_db_runs() - before, 2);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_metric("parley_mail_queue", NULL), 17);
    answer_ok(); /* the polls meanwhile were one more look */
    fake_advance(5000);
    answer_count("0", NULL);
    answer_ok();
    assert_int_equal(fake_metric("parley_mail_queue", NULL), 0);
    assert_int_equal(fake_metric("parley_mail_oldest_seconds", NULL), 0);
}

/* ---- the page ---- */

static parley_req look(const char *accept, const char *peer)
{
    parley_req req = fake_req("GET", "/outbox/");

    fake_req_peer(req, peer);
    if (accept)
        fake_req_header(req, "Accept", accept);
    fake_send(req);
    return req;
}

static void write_mail(const char *id, const char *text)
{
    char name[64];

    (void)mkdir(path_of(""), 0700);
    (void)snprintf(name, sizeof(name), "/%s.eml", id);
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    (void)fprintf(file, "To: ada@example.org\r\nSubject: <b>%s</b>\r\nDate: now\r\n\r\n%s\r\n",
                  text, text);
    (void)fclose(file);
}

static void test_page(void **state)
{
    parley_req req = look(NULL, "127.0.0.1");

    (void)state;
    assert_string_equal(fake_body(req), "{\"results\":[]}");
    write_mail("019a1b2c-0000-7000-8000-0000000000d1", "first");
    write_mail("019a1b2c-0000-7000-8000-0000000000d3", "third");
    write_mail("019a1b2c-0000-7000-8000-0000000000d2", "http://a.example/?b=1&c=2");
    req = look("application/json", "127.0.0.1");
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(
        fake_body(req),
        "{\"results\":[{\"to\":\"ada@example.org\",\"subject\":\"<b>third</b>\",\"date\":\"now\","
        "\"text\":\"third\\n\"},{\"to\":\"ada@example.org\",\"subject\":"
        "\"<b>http://a.example/?b=1&c=2</b>\",\"date\":\"now\",\"text\":"
        "\"http://a.example/?b=1&c=2\\n\"},{\"to\":\"ada@example.org\",\"subject\":"
        "\"<b>first</b>\",\"date\":\"now\",\"text\":\"first\\n\"}]}");
    req = look("text/html", "127.0.0.1");
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(fake_reply_header(req, "Cache-Control"), "no-store");
    assert_null(strstr(fake_reply_header(req, "Content-Security-Policy"), "unsafe"));
    assert_non_null(strstr(fake_body(req), "<h2>&lt;b&gt;third&lt;/b&gt;</h2>"));
    assert_non_null(strstr(
        fake_body(req), "<a rel=\"noopener noreferrer\" href=\"http://a.example/?b=1&amp;c=2\">"));
}

static void test_page_is_bounded(void **state)
{
    char id[64];
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 60; i++) { /* in no order */
        (void)snprintf(id, sizeof(id), "019a1b2c-0000-7000-8000-0000000000%02x", i * 7 % 60);
        write_mail(id, id);
    }
    parley_req req = look(NULL, "127.0.0.1");
    for (const char *at = fake_body(req); (at = strstr(at, "\"to\"")) != NULL; at++)
        n++;
    assert_int_equal(n, 50);
    assert_non_null(strstr(fake_body(req), "00003b<")); /* the newest ... */
    assert_non_null(strstr(fake_body(req), "00000a<"));
    assert_null(strstr(fake_body(req), "000009<")); /* ... fifty */
}

static void test_page_for_others(void **state)
{
    (void)state;
    write_mail(MAIL_ID, "secret");
    assert_int_equal(fake_status(look("text/html", "192.0.2.7")), 404);
    parley_req req = fake_req("GET", "/outbox/");
    fake_req_peer(req, "127.0.0.1");
    fake_req_header(req, "X-Forwarded-For", "127.0.0.1");
    fake_send(req);
    assert_int_equal(fake_status(req), 404);
    fake_work_full(true);
    assert_int_equal(fake_status(look("text/html", "127.0.0.1")), 503);
    fake_work_full(false);
}

static void test_public_listener(void **state)
{
    (void)state;
    fake_server("public", "1");
    fake_db_use("sqlite");
    assert_true(fake_load(&parley_plugin_0, NULL) < 0);
    assert_non_null(strstr(fake_why(), "listen on 127.0.0.1 only, or set EMAIL_HOST"));
    fake_end();
}

static void test_bad_options(void **state)
{
    static const fake_option from[] = { { "from", "Parley <nobody>" }, { NULL, NULL } };
    static const fake_option templates[] = { { "templates", "/nonexistent" }, { NULL, NULL } };

    (void)state;
    fake_db_use("sqlite");
    assert_true(fake_load(&parley_plugin_0, from) < 0);
    assert_non_null(strstr(fake_why(), "from: must be an address"));
    fake_end();
    fake_db_use("sqlite");
    assert_int_equal(fake_load(&parley_plugin_0, templates), 0);
    assert_true(fake_start() < 0);
    assert_non_null(strstr(fake_why(), "/nonexistent"));
    fake_end();
}

#define TEST(fn)  cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define POLLS(fn) cmocka_unit_test_setup_teardown(fn, setup_polling, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delivery),
        TEST(test_statement),
        TEST(test_values_are_not_expanded),
        TEST(test_way_is_closed),
        TEST(test_one_tries_for_all),
        POLLS(test_mark_is_repeated),
        TEST(test_not_ours),
        POLLS(test_wake_and_poll),
        POLLS(test_length_of_the_queue),
        TEST(test_page),
        TEST(test_page_is_bounded),
        TEST(test_page_for_others),
        cmocka_unit_test(test_public_listener),
        cmocka_unit_test(test_bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
