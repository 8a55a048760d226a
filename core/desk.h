/* desk.h -- where a worker takes verbs of the command line: connections of <data_dir>/parley.sock,
 * whose listening socket is the supervisor's and shared by all workers. */
#ifndef CORE_DESK_H
#define CORE_DESK_H
#include "core/host/host.h"

typedef struct desk desk;

int desk_open(uv_loop_t *loop, host *h, int listen_fd, desk **ret); /* 0 or a negative errno */
void desk_stop_listening(desk *d);                                  /* who has come is served on */
/* Closes what is open; the memory goes with the last handle.  NULL: nothing. */
void desk_close(desk *d);
#endif
