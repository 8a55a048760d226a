/* ipc.h -- what a worker process gets from its supervisor: `parley worker --config F --slot N`, and
 * descriptors.
 *
 * The descriptors' numbers stand in the environment: PARLEY_LISTEN="5,6" (bound and listening
 * sockets), PARLEY_OPS="7" (the operations listener; one worker has it), PARLEY_VERBS="8" (the
 * listening socket of <data_dir>/parley.sock, core/wire.h), PARLEY_METRICS="9,2" (the shared area,
 * and this process's part of it), PARLEY_STATUS="10" (a pipe to the supervisor; lines:
 * "ready", "renew" (the workers are to be replaced), "single" (a plugin keeps its state in one
 * worker), "alive <ms>" (its loop turns; it is hung when it says no such thing for so long),
 * "crash <who>").
 *
 * SIGTERM drains; SIGUSR2 too, but a successor serves already, so it takes its time; one more of
 * either ends at once.  SIGUSR1 reopens logs. */
#ifndef CORE_SUPERVISOR_IPC_H
#define CORE_SUPERVISOR_IPC_H
#define IPC_LISTEN  "PARLEY_LISTEN"
#define IPC_OPS     "PARLEY_OPS"
#define IPC_VERBS   "PARLEY_VERBS"
#define IPC_METRICS "PARLEY_METRICS"
#define IPC_STATUS  "PARLEY_STATUS"

#define IPC_SAYS_READY  "ready"
#define IPC_SAYS_SINGLE "single"
#define IPC_SAYS_CRASH  "crash "
#define IPC_SAYS_ALIVE  "alive "
#endif
