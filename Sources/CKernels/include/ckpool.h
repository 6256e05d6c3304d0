#ifndef CKPOOL_H
#define CKPOOL_H

#include <stddef.h>
#include <stdint.h>

/// Threads that share the tasks of one job with the thread that brings it.
typedef struct ck_pool ck_pool;

/// One task of a job: `index` < tasks, run once each, in any order; `worker` < workers is the running thread's number
/// (the caller's is 0) and selects scratch memory: no two tasks run at once under one number.
typedef void ck_task(void *context, size_t index, size_t worker);

/// A pool of `workers` (1...1024) threads, the caller included, so workers - 1 are started. NULL where the system has no more.
/// processors: NULL or, for each worker, the number of the processor to which it is bound; not the caller, and not where the system
/// refuses or cannot.
ck_pool *ck_pool_create(size_t workers, const int *processors);

/// Bytes that a waiting worker brings into its cache at most.
#define CK_POOL_AHEAD (64 << 10)

/// Runs `tasks` (< 2^32) tasks and returns when all have ended. One caller at a time; tasks must not call it.
/// Allocates nothing. Everything written before the call is seen by the tasks, everything they write is seen after it.
/// Each worker begins with a share of adjacent tasks, see ck_pool_first, and takes them in order; who has ended helps the others.
/// Helpers spin briefly between jobs and then sleep; a helper that is late simply finds no task left.
/// ahead: NULL or, for each worker, where CK_POOL_AHEAD bytes begin that it will probably read after this job (or NULL); they need not be
/// readable. A worker that waits brings them into its cache.
void ck_pool_run(ck_pool *pool, size_t tasks, ck_task *task, void *context, const uint8_t *const *ahead);

/// The first task of a worker's share.
size_t ck_pool_first(size_t tasks, size_t worker, size_t workers);

/// Ends the threads. No job may be running.
void ck_pool_destroy(ck_pool *pool);

/// Writes the numbers of the first `most` processors on which the process may run; returns how many those are, 0 where the system does
/// not say.
size_t ck_allowed_processors(int *numbers, size_t most);

/// Names the calling thread for the system's tools (Linux; the first 15 bytes count), elsewhere does nothing.
void ck_thread_set_name(const char *name);

#endif
