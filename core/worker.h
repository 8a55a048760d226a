/* worker.h -- one worker process: `parley worker`, started by the supervisor
 * (core/supervisor/ipc.h). */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

enum worker_task { WORKER_SERVE, WORKER_MIGRATE };

int worker_run(const char *config_file, int slot, enum worker_task task); /* the exit status */
/* SIGSEGV and its kin: say on stderr and to the supervisor which plugin ran, then die as if nothing
 * had been caught. */
void crash_watch(int slot, int status_fd);
#endif
