/* server.c -- a server of our own, in a folder of its own that is gone afterwards; what is done to it;
 * and the command that does it to a foreign one.
 *
 * It is `parley serve` with the configuration that this command was given, and variables that move
 * it: HOST, PORT, OPS, DATA_DIR, LOG_DIR, SITE_URL; limits (THROTTLE_...) are lifted, no mail leaves
 * the machine.  So a configuration that does not read them is refused. */
#include "plugins/verify/run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_S = 15, CONFIG_MOST = 1 << 20, WORKERS_MOST = 256, ENV_MOST = 4096, LINE_SIZE = 512 };
enum strike { STRIKE_NONE, STRIKE_AGAIN /* started again when all of it has ended */ };

struct server {
    char folder[64], config[LINE_SIZE], binary[LINE_SIZE];
    int port;
    pid_t pid;                   /* of the supervisor; 0: it is not running */
    pid_t maker;                 /* `parley user create` at work; 0: none */
    pid_t workers[WORKERS_MOST]; /* as they were when it was struck */
    size_t worker_n;
    enum strike strike;
    int64_t term_ns; /* when it was told to stop */
};

/* clang-format off */
static const char *const lifted[] = {
    "THROTTLE_ANON=", "THROTTLE_USER=", "THROTTLE_MESSAGE=", "THROTTLE_LOGIN=", "THROTTLE_ACCOUNT=",
    "EMAIL_HOST=", "OPS=none", "HOST=127.0.0.1", "SECRET_KEY=", "ALLOWED_HOSTS=",
};
/* clang-format on */

/* ---- processes ---- */

/* Whether an entry of our environment is one of those that are set anew. */
static bool is_replaced(const char *entry, const char *const *ours, size_t n)
{
    size_t name = strcspn(entry, "=") + 1;

    for (size_t i = 0; i < n; i++)
        if (strncmp(entry, ours[i], name) == 0)
            return true;
    return false;
}

/* In the child, between fork() and exec(): it ends with us, and Ctrl-C is ours to tell it. */
static void child_run(const char *binary, const char *const *words, char *const *env, int in,
                      int out)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execve(binary, (char *const *)(uintptr_t)words, env);
    _exit(127);
}

/* words: NULL-ended.  in: what it reads, closed here. */
static pid_t child_start(const struct server *s, const char *const *words, int in)
{
    char texts[4][LINE_SIZE], path[LINE_SIZE];
    const char *ours[sizeof(lifted) / sizeof(lifted[0]) + 4];
    char *env[ENV_MOST];
    size_t n = 0, ours_n = 0;

    for (size_t i = 0; i < sizeof(lifted) / sizeof(lifted[0]); i++)
        ours[ours_n++] = lifted[i];
    (void)snprintf(texts[0], LINE_SIZE, "DATA_DIR=%s/var", s->folder);
    (void)snprintf(texts[1], LINE_SIZE, "LOG_DIR=%s/logs", s->folder);
    (void)snprintf(texts[2], LINE_SIZE, "PORT=%d", s->port);
    (void)snprintf(texts[3], LINE_SIZE, "SITE_URL=http://127.0.0.1:%d", s->port);
    for (size_t i = 0; i < 4; i++)
        ours[ours_n++] = texts[i];
    for (size_t i = 0; environ[i] && n < ENV_MOST - ours_n - 1; i++)
        if (!is_replaced(environ[i], ours, ours_n))
            env[n++] = environ[i];
    for (size_t i = 0; i < ours_n; i++)
        env[n++] = (char *)(uintptr_t)ours[i];
    env[n] = NULL;
    (void)snprintf(path, sizeof(path), "%s/output", s->folder);
    int out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = out < 0 || in < 0 ? -1 : fork();

    if (pid == 0)
        child_run(s->binary, words, env, in, out);
    (void)close(out);
    (void)close(in);
    return pid;
}

static int server_run(struct server *s)
{
    const char *words[] = {
        "parley", "serve", "--config", s->config, geteuid() == 0 ? "--user" : NULL, "root", NULL
    };

    s->pid = child_start(s, words, open("/dev/null", O_RDONLY | O_CLOEXEC));
    return s->pid > 0 ? 0 : -1;
}

/* ---- its beginning ---- */

/* A port that is free now. */
static int port_find(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool is_found = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
                    getsockname(fd, (struct sockaddr *)&at, &n) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_found ? ntohs(at.sin_port) : -1;
}

/* Whether a plugin stands in the list of the configuration, by the line that names it. */
static bool config_has(const char *text, const char *plugin)
{
    size_t n = strlen(plugin);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n \t-");
        if (strncmp(line, plugin, n) == 0 && strchr(": \n\r#", line[n]))
            return true;
    }
    return false;
}

/* A server with folders of its own, or stores that are somebody's, would work on that data. */
static int config_fault(const verify *v, const char *file, const char *text, char why[WHY_MAX])
{
    static const char *const needed[] = { "${DATA_DIR", "${LOG_DIR", "${PORT", "${HOST" };
    static const char *const shared[] = { "postgres", "redis" };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!strstr(text, needed[i]))
            return snprintf(why, WHY_MAX,
                            "%.100s does not read %s:-...}, so a server of its own cannot be "
                            "started with it; start one yourself and give --url",
                            file, needed[i]);
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]) && !v->opt.is_scratch; i++)
        if (config_has(text, shared[i]))
            return snprintf(why, WHY_MAX,
                            "%.100s uses %s, and accounts and rooms would be made there; if that "
                            "is one for this alone, say --scratch",
                            file, shared[i]);
    return 0;
}

static int config_check(const verify *v, const char *file, char why[WHY_MAX])
{
    char *text = calloc(1, CONFIG_MOST + 1);
    FILE *in = text ? fopen(file, "re") : NULL;
    int fault;

    if (in) {
        (void)!fread(text, 1, CONFIG_MOST, in);
        (void)fclose(in);
        fault = config_fault(v, file, text, why);
    } else {
        fault = snprintf(why, WHY_MAX, "cannot read %.180s: %s", file, strerrordesc_np(errno));
    }
    free(text);
    return fault ? -1 : 0;
}

int server_start(verify *v, char why[WHY_MAX])
{
    struct server *s = calloc(1, sizeof(*s));
    parley_str config = parley->server("config");
    const char *parent = getenv("TMPDIR");
    ssize_t n = s ? readlink("/proc/self/exe", s->binary, sizeof(s->binary) - 1) : -1;

    if (!s)
        return snprintf(why, WHY_MAX, "out of memory"), -1;
    v->server = s;
    (void)snprintf(s->config, sizeof(s->config), "%.*s", (int)config.n, config.p ? config.p : "");
    if (n <= 0 || config_check(v, s->config, why) < 0)
        return -1;
    (void)snprintf(s->folder, sizeof(s->folder), "%.30s/parley-verify-XXXXXX",
                   parent && strlen(parent) < 30 ? parent : "/tmp");
    s->port = port_find();
    if (!mkdtemp(s->folder) || s->port < 0 || server_run(s) < 0) {
        (void)snprintf(why, WHY_MAX, "cannot start a server in %s: %s", s->folder,
                       strerrordesc_np(errno));
        return -1;
    }
    v->target = (target){ 0 };
    (void)snprintf(v->target.host, HOST_MAX, "127.0.0.1");
    (void)snprintf(v->target.port, sizeof(v->target.port), "%d", s->port);
    (void)snprintf(v->target.authority, sizeof(v->target.authority), "127.0.0.1:%d", s->port);
    return target_take(&v->target, PARLEY_S("127.0.0.1\n"), why);
}

int server_has_ended(verify *v, char why[WHY_MAX])
{
    struct server *s = v->server;
    int status = 0;

    if (s->pid > 0 && waitpid(s->pid, &status, WNOHANG) != s->pid)
        return 0;
    s->pid = 0;
    (void)snprintf(why, WHY_MAX,
                   "the server that was started ended with status %d; it says why in "
                   "%s/output",
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), s->folder);
    return 1;
}

/* ---- accounts ---- */

int server_person(verify *v, const person *p, char why[WHY_MAX])
{
    struct server *s = v->server;
    const char *words[] = { "parley",  "user",         "create", "--config",
                            s->config, "--email",      p->email, "--username",
                            p->email,  "--first-name", "Verify", "--last-name",
                            "Parley",  "--password",   "-",      NULL };
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) == 0) {
        bool is_written = dprintf(ends[1], "%s\n", p->password) > 0;
        (void)close(ends[1]);
        s->maker = is_written ? child_start(s, words, ends[0]) : -1;
        if (!is_written)
            (void)close(ends[0]);
    } else {
        s->maker = -1;
    }
    if (s->maker > 0)
        return 0;
    s->maker = 0;
    (void)snprintf(why, WHY_MAX, "cannot start parley user create: %s", strerrordesc_np(errno));
    return -1;
}

int server_is_made(verify *v, char why[WHY_MAX])
{
    struct server *s = v->server;
    int status = 0;

    if (waitpid(s->maker, &status, WNOHANG) != s->maker)
        return 0;
    s->maker = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
    (void)snprintf(why, WHY_MAX, "parley user create failed; it says why in %s/output", s->folder);
    return -1;
}

/* ---- strikes ---- */

static void workers_find(struct server *s)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)s->pid, (int)s->pid);
    FILE *in = fopen(path, "r");

    for (s->worker_n = 0; in && s->worker_n < WORKERS_MOST; s->worker_n++)
        if (fscanf(in, "%d", &s->workers[s->worker_n]) != 1)
            break;
    if (in)
        (void)fclose(in);
}

static void kill_worker(verify *v, struct server *s)
{
    if (s->worker_n > 0)
        (void)kill(s->workers[dice(v, (uint32_t)s->worker_n)], SIGKILL);
}

static void replace_workers(verify *v, struct server *s)
{
    (void)v;
    (void)kill(s->pid, SIGHUP);
}

static void stop_and_start(verify *v, struct server *s)
{
    (void)v;
    (void)kill(s->pid, SIGTERM);
    s->strike = STRIKE_AGAIN;
}

static void kill_all(verify *v, struct server *s)
{
    (void)v;
    (void)kill(s->pid, SIGKILL);
    for (size_t i = 0; i < s->worker_n; i++)
        (void)kill(s->workers[i], SIGKILL);
    s->strike = STRIKE_AGAIN;
}

static void restart_foreign(verify *v)
{
    const char *words[] = { "sh", "-c", v->opt.restart_command, NULL };
    pid_t pid = fork();

    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is the report's */
        (void)execv("/bin/sh", (char *const *)(uintptr_t)words);
        _exit(127);
    }
    v->restarting = pid;
    if (pid < 0)
        run_abandon(v, "cannot start --restart-command: %s", strerrordesc_np(errno));
}

/* The kinds take turns, so that few strikes have different ones, too. */
void server_strike(verify *v)
{
    static void (*const strikes[])(verify *, struct server *) = { kill_worker, stop_and_start,
                                                                  replace_workers, kill_all };
    struct server *s = v->server;

    if (!s) {
        restart_foreign(v);
        return;
    }
    workers_find(s);
    strikes[(v->restarts - 1) % (sizeof(strikes) / sizeof(strikes[0]))](v, s);
}

bool server_is_struck(const verify *v)
{
    return v->restarting > 0 || (v->server && v->server->strike != STRIKE_NONE);
}

static bool workers_are_gone(const struct server *s)
{
    for (size_t i = 0; i < s->worker_n; i++)
        if (kill(s->workers[i], 0) == 0)
            return false;
    return true;
}

void server_look(verify *v)
{
    struct server *s = v->server;
    int status = 0;
    char why[WHY_MAX];

    if (v->restarting > 0 && waitpid(v->restarting, &status, WNOHANG) == v->restarting) {
        v->restarting = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            run_abandon(v, "--restart-command \"%.200s\" failed (status %d)",
                        v->opt.restart_command, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    }
    if (!s)
        return;
    if (s->strike == STRIKE_NONE) {
        if (server_has_ended(v, why))
            run_abandon(v, "%s", why);
        return;
    }
    if (s->pid > 0 && waitpid(s->pid, &status, WNOHANG) == s->pid)
        s->pid = 0;
    if (s->pid > 0 || !workers_are_gone(s))
        return;
    s->strike = STRIKE_NONE;
    v->struck_ns = parley->mono_ns();
    if (server_run(s) < 0)
        run_abandon(v, "cannot start the server again: %s", strerrordesc_np(errno));
}

/* ---- what it says ---- */

static bool line_is_trouble(const char *line)
{
    static const char *const marks[] = { "Sanitizer: ", "runtime error:" };
    const char *died = strstr(line, "died of signal ");

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (strstr(line, marks[i]))
            return true;
    return died && strncmp(died, "died of signal 9 ", 17) != 0; /* that one is ours */
}

void server_troubles(verify *v)
{
    char path[LINE_SIZE], *line = NULL;
    size_t cap = 0;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "%s/output", v->server->folder);
    FILE *in = fopen(path, "re");

    while (in && (n = getline(&line, &cap, in)) > 0) {
        v->h.log_lines++;
        line[n - 1] = '\0';
        trouble *t = line_is_trouble(line) ? LIST_ADD(v->h.troubles, &v->h.failed) : NULL;
        if (t)
            t->line = word(&v->h.words, line, strlen(line));
    }
    free(line);
    if (in)
        (void)fclose(in);
}

/* ---- the end ---- */

int server_stop(verify *v)
{
    struct server *s = v->server;
    int64_t now = parley->mono_ns();

    if (!s || s->pid <= 0 || waitpid(s->pid, NULL, WNOHANG) == s->pid) {
        if (s)
            s->pid = 0;
        return 1;
    }
    if (s->term_ns == 0) {
        (void)kill(s->pid, SIGTERM);
        s->term_ns = now;
    } else if (now - s->term_ns > STOP_S * SECOND_NS) {
        (void)kill(s->pid, SIGKILL);
    }
    return 0;
}

static int file_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

void server_done(verify *v)
{
    struct server *s = v->server;
    char line[160];

    if (!s)
        return;
    if (s->folder[0] && (v->status == 0 || v->is_cancelled)) {
        (void)nftw(s->folder, file_remove, 16, FTW_DEPTH | FTW_PHYS);
    } else if (s->folder[0]) {
        int n =
            snprintf(line, sizeof(line), "the server's data and logs are kept in %s", s->folder);
        (void)parley->run->say(v->run, (parley_str){ line, (size_t)n });
    }
    free(s);
    v->server = NULL;
}
