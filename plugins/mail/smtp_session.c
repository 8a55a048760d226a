/* smtp_session.c -- one conversation at a time with the mail server. */
#include "plugins/mail/smtp_session.h"
#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { IDLE_MOST_S = 15 /* a server may have hung up on an older connection */ };

/* ---- what libcurl asks and tells ---- */

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The text.  Its end is what makes the server take it, so that is where the lease is looked at: it
 * must still cover the answer.  A process that stood still must not send what another node sends. */
static size_t text_read(char *to, size_t size, size_t n, void *ud)
{
    smtp_session *s = ud;
    size_t part = size * n < s->rest.n ? size * n : s->rest.n;

    if (part == 0 && now_us() + s->settings->timeout_ms * 1000 >= s->lease_until_us)
        return CURL_READFUNC_ABORT;
    if (part == 0) {
        smtp_trace_body(&s->trace);
        return 0;
    }
    memcpy(to, s->rest.p, part);
    s->rest = (parley_str){ s->rest.p + part, s->rest.n - part };
    return part;
}

static int talk_seen(CURL *curl, curl_infotype type, char *bytes, size_t n, void *ud)
{
    smtp_session *s = ud;

    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        smtp_trace_said(&s->trace, (parley_str){ bytes, n });
    if (type == CURLINFO_HEADER_IN)
        smtp_trace_heard(&s->trace, (parley_str){ bytes, n });
    return 0;
}

/* At least once a second. */
static int progress_seen(void *ud, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const smtp_session *s = ud;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(s->hurry) >= (s->trace.stage == STAGE_BODY ? HURRY_AT_ONCE : HURRY_SOON);
}

static size_t text_drop(char *bytes, size_t size, size_t n, void *ud)
{
    (void)bytes, (void)ud;
    return size * n;
}

/* ---- options ---- */

static void session_secure(CURL *curl, const smtp_settings *c)
{
    if (c->security == SMTP_STARTTLS)
        (void)curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL); /* or no mail at all */
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, c->is_verified ? 1L : 0L);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, c->is_verified ? 2L : 0L);
    if (c->ca_file[0])
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
}

static void session_configure(smtp_session *s)
{
    const smtp_settings *c = s->settings;
    CURL *curl = s->curl;

    (void)curl_easy_setopt(curl, CURLOPT_URL, c->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* not the environment's */
    (void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                           (long)((c->timeout_ms + 999) / 1000));
    (void)curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)IDLE_MOST_S);
    (void)curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, s->trouble);
    (void)curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* all of it goes to talk_seen() */
    (void)curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, talk_seen);
    (void)curl_easy_setopt(curl, CURLOPT_DEBUGDATA, s);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_seen);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, text_drop);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, c->from);
    if (c->user[0]) {
        (void)curl_easy_setopt(curl, CURLOPT_USERNAME, c->user);
        (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, c->password);
    }
    session_secure(curl, c);
}

int smtp_session_open(smtp_session *s, const smtp_settings *settings, const atomic_int *hurry)
{
    *s = (smtp_session){ .settings = settings, .hurry = hurry };
    s->curl = curl_easy_init();
    if (!s->curl)
        return PARLEY_ENOMEM;
    session_configure(s);
    return 0;
}

void smtp_session_close(smtp_session *s)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    /* libcurl says QUIT and waits for the answer: it finds the end of the stream at once instead. */
    if (curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RD);
    curl_easy_cleanup(s->curl);
    s->curl = NULL;
}

/* ---- talking ---- */

/* The name is resolved already, so that libcurl starts no thread which it would have to wait for;
 * the certificate is still compared with the name. */
static struct curl_slist *session_resolved(const smtp_session *s, const char *addresses)
{
    char entry[1024];

    (void)snprintf(entry, sizeof(entry), "+%s:%s:%s", s->settings->host, s->settings->port,
                   addresses);
    return curl_slist_append(NULL, entry);
}

static CURLcode session_perform(smtp_session *s, const char *addresses)
{
    int is_name = !strchr(s->settings->host, ':'); /* no IPv6 address */
    struct curl_slist *resolved = is_name ? session_resolved(s, addresses) : NULL;

    if (is_name && !resolved)
        return CURLE_OUT_OF_MEMORY;
    s->trouble[0] = '\0';
    s->trace = (smtp_trace){ 0 };
    (void)curl_easy_setopt(s->curl, CURLOPT_RESOLVE, resolved);
    CURLcode code = curl_easy_perform(s->curl);
    (void)curl_easy_setopt(s->curl, CURLOPT_RESOLVE, NULL);
    curl_slist_free_all(resolved);
    if (code != CURLE_OK && !s->trouble[0])
        (void)snprintf(s->trouble, sizeof(s->trouble), "%s", curl_easy_strerror(code));
    return code;
}

/* The server had closed the kept connection, and it is known that it has not heard of this mail. */
static int is_stale(const smtp_session *s, CURLcode code)
{
    long connects = 1;

    (void)curl_easy_getinfo(s->curl, CURLINFO_NUM_CONNECTS, &connects);
    return code != CURLE_OK && connects == 0 && s->trace.stage < STAGE_BODY && !s->trace.has_reply;
}

void smtp_session_send(smtp_session *s, delivery *d, const char *addresses)
{
    char to[MAIL_ADDRESS_MAX + 3];
    struct curl_slist *rcpt;
    CURLcode code = CURLE_OUT_OF_MEMORY;

    (void)snprintf(to, sizeof(to), "<%s>", d->to);
    rcpt = curl_slist_append(NULL, to);
    (void)curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, rcpt);
    (void)curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, text_read);
    (void)curl_easy_setopt(s->curl, CURLOPT_READDATA, s);
    s->lease_until_us = d->lease_until_us;
    for (int i = 0; rcpt && i < 2; i++) {
        s->rest = text_out_view(&d->eml);
        (void)curl_easy_setopt(s->curl, CURLOPT_FRESH_CONNECT, (long)i);
        code = session_perform(s, addresses);
        if (!is_stale(s, code))
            break;
    }
    (void)curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(rcpt);
    d->outcome = smtp_trace_end(&s->trace, code == CURLE_OK, s->trouble, d->why);
    if (code == CURLE_ABORTED_BY_CALLBACK && s->trace.stage != STAGE_BODY)
        d->outcome = OUTCOME_STOPPED;
}

int smtp_session_try(smtp_session *s, const char *addresses)
{
    (void)curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 0L);
    (void)curl_easy_setopt(s->curl, CURLOPT_NOBODY, 1L);
    (void)curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    return session_perform(s, addresses) == CURLE_OK ? 0 : PARLEY_EIO;
}
