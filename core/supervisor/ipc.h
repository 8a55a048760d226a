/* ipc.h -- what a worker process gets from its supervisor: `parley worker --config F --slot N`, and
 * descriptors.
 *
 * The descriptors' numbers stand in the environment: PARLEY_LISTEN="5,6" (bound and listening
 * sockets), PARLEY_VERBS="7" (the listening socket of <data_dir>/parley.sock, core/wire.h),
 * PARLEY_STATUS="8" (a pipe to the supervisor; lines: "ready", "renew", "crash <who>").  SIGTERM
 * drains, a second one ends at once, SIGUSR1 reopens logs. */
#ifndef CORE_SUPERVISOR_IPC_H
#define CORE_SUPERVISOR_IPC_H
#define IPC_LISTEN "PARLEY_LISTEN"
#define IPC_VERBS  "PARLEY_VERBS"
#define IPC_STATUS "PARLEY_STATUS"
#endif
