/* supervisor.h -- `parley serve`: the process that opens the sockets, starts the workers and keeps
 * them alive.  It loads no plugin, so no plugin can take it down.
 *
 *   supervisor.c   the order of start and stop, signals
 *   workers.c      the places of the workers: who runs there, restarts, replacing
 *   reload.c       SIGHUP
 *   hung.c         workers that are alive, and do nothing any more
 *   process.c      one worker process
 *   listen.c       listening sockets
 *   verbs_socket.c where `parley VERB` finds a running server
 *   folders.c      data and log folder, lock, secret, privileges
 *   notify.c       what the service manager is told
 */
#ifndef CORE_SUPERVISOR_SUPERVISOR_H
#define CORE_SUPERVISOR_SUPERVISOR_H
#include "core/base/failure.h"
#include "core/host/config.h"

#include <sys/types.h>

/* user: account to run as when started by root, NULL: server.user.  Returns the exit status. */
int supervisor_run(const char *config_file, const char *user);

/* ---- listen.c ---- */
#define LISTEN_HOSTS_MAX 16
typedef struct listeners {
    int *fds; /* [slot * host_n + host]; owned */
    int slots, host_n;
    int ops_fd;         /* -1: none */
    char first_url[96]; /* "http://127.0.0.1:8000" for people */
    char ops_url[96];   /* "": none */
} listeners;
/* -1: f filled, EXIT_SYSTEM */
int listeners_open(const settings *s, int slots, listeners *ret, failure *f);
void listeners_close(listeners *l);

/* ---- folders.c ---- */
/* exists, 0700 when made, writable by us */
int folder_make(const char *what, str path, failure *f);
int folder_lock(str data_dir, int *ret_fd, failure *f); /* one server per data folder */
/* 1: locked, *ret_fd set; 0: somebody has it; -1: f filled */
int folder_try_lock(str data_dir, int *ret_fd, failure *f);
/* settings.secret_key, or <data_dir>/secret, made (0600) when missing. */
int secret_read(const settings *s, str *ret, failure *f); /* new: free((void *)ret->p) */
/* Root becomes `user` (NULL: settings.user), with its folders; "root" stays root, and without a name
 * root is refused.  Everybody else stays who they are.  The check only refuses; it comes before
 * anything is written. */
int privileges_check(const settings *s, const char *user, failure *f);
int privileges_drop(const settings *s, const char *user, failure *f);
/* For commands: root becomes settings.user or, without one, the owner of the data folder, which is
 * there: what they write must be the server's later. */
int privileges_follow(const settings *s, failure *f);

/* ---- verbs_socket.c: <data_dir>/parley.sock, for verbs of the command line ---- */
/* for the holder of the folder's lock; -1: logged, and done without */
int verbs_socket_open(str data_dir);
void verbs_socket_close(str data_dir, int fd);
/* connected; or -ENOENT, -ECONNREFUSED: nobody listens; or another negative errno */
int verbs_socket_connect(str data_dir);

/* ---- process.c ---- */
typedef struct process process;
typedef struct process_events {
    void (*ready)(void *ud, process *p);
    void (*renew)(void *ud, process *p); /* it asks for what SIGHUP does */
    /* status: its exit status, or -signal.  words: "SIGSEGV inside plugin ..." or empty. */
    void (*ended)(void *ud, process *p, int status, bool was_ready, const char *words);
} process_events;
enum process_kind {
    PROCESS_WORKER,  /* `parley worker`, serves until it is told to drain */
    PROCESS_MIGRATE, /* `parley worker --migrate`, ends by itself */
    PROCESS_CHECK    /* `parley check`, ends by itself */
};
typedef struct process_plan {
    const char *config_file;
    enum process_kind kind;
    int slot;
    const int *fds; /* a worker's listening sockets; borrowed, as all descriptors */
    int fd_n;
    int ops_fd, verbs_fd, area_fd; /* -1: none */
    int part;                      /* of the area */
} process_plan;
typedef struct process_silence { /* for hung.c */
    int64_t most_ns;             /* as it said itself; 0: it may be silent for ever */
    int64_t heard_ns;            /* when it said something last */
    int64_t suspected_ns;        /* heard_ns, when it was found too long ago; 0: it was not */
    int64_t aborted_ns;          /* when it was told to die; 0: it was not */
} process_silence;
/* Starts one.  0 or -errno. */
int process_start(uv_loop_t *loop, const process_plan *plan, const process_events *events, void *ud,
                  process **ret);
int process_slot(const process *p);
int process_part(const process *p);
int process_pid(const process *p);
process_silence *process_silence_of(process *p);
bool process_is_single(const process *p); /* it has said so */
void process_signal(process *p, int number);
#endif
