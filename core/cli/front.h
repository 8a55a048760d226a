/* front.h -- the person's side of a verb: standard streams, questions, Ctrl-C.  The verb itself runs
 * in this process (local.c) or in a worker of the server (remote.c); both speak to a `front`. */
#ifndef CORE_CLI_FRONT_H
#define CORE_CLI_FRONT_H
#include "core/host/verb.h"

#include <uv.h>

typedef struct front_up {
    /* the answer to front_ask(); is_given false: end of input */
    void (*answered)(void *ud, bool is_given, str answer);
    void (*interrupted)(
        void *ud); /* the first Ctrl-C (SIGTERM, SIGHUP); the second ends the process */
    /* standard output has gone (a pipe whose reader has ended) */
    void (*broken)(void *ud);
} front_up;

typedef struct front {
    const front_up *up;
    void *ud;
    uv_poll_t input; /* of standard input, while a question is open */
    uv_signal_t signals[3];
    int input_fd; /* the terminal of standard input, opened once more; -1: none */
    int terminal; /* enum parley_terminal */
    bool is_asking, is_secret, is_interrupted, is_broken;
    bool line_is_open;   /* a progress line stands on the terminal */
    int64_t progress_ns; /* when one was written last, elsewhere */
    char answer[VERB_SECRET_MAX];
    size_t answer_n;
} front;

void front_open(front *f, uv_loop_t *loop, const front_up *up, void *ud);
void front_close(front *f); /* its handles close in the loop's next turn */
int front_terminal(void);   /* what the streams of this process are */
void front_write(front *f, enum run_kind kind, str text);
void front_ask(front *f, str question, bool is_secret);
/* the line of fail(), if there is one */
void front_ended(front *f, str text);
#endif
