#include "ckpool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#define spin_pause() _mm_pause()
#elif defined(__aarch64__)
#define spin_pause() __asm__ __volatile__("yield")
#else
#define spin_pause() ((void)0)
#endif

// About 0.1 ms on current processors: longer than the serial stretches between two jobs of one forward pass.
enum { SPINS_BEFORE_SLEEP = 4000, SPINS_BEFORE_YIELD = 2000 };

typedef struct helper {
  ck_pool *pool;
  pthread_t thread;
  size_t worker;
} helper;

// `remaining` is the only gate to a job: who takes it from r to r - 1 owns task tasks - r. The job's fields are written before
// `remaining` is published and read only by owners of an unfinished task, and the caller does not touch them before
// `finished` has reached `tasks`; so a helper that wakes late can claim only from the job that then is current.
struct ck_pool {
  _Alignas(64) atomic_size_t remaining;
  _Alignas(64) atomic_size_t finished;
  _Alignas(64) atomic_size_t sleepers;
  atomic_bool quit;
  size_t tasks;
  ck_task *task;
  void *context;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  size_t helper_count;
  helper helpers[];
};

void ck_thread_set_name(const char *name) {
#if defined(__linux__)
  prctl(PR_SET_NAME, name, 0, 0, 0);
#else
  (void)name;
#endif
}

static bool run_one(ck_pool *pool, size_t worker) {
  size_t left = atomic_load_explicit(&pool->remaining, memory_order_relaxed);
  do {
    if (left == 0) return false;
  } while (!atomic_compare_exchange_weak_explicit(
    &pool->remaining, &left, left - 1, memory_order_acq_rel, memory_order_relaxed));
  pool->task(pool->context, pool->tasks - left, worker);
  atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
  return true;
}

static bool idle(ck_pool *pool) { return atomic_load(&pool->remaining) == 0 && !atomic_load(&pool->quit); }

// The order "count myself, then look" here and "publish, then count sleepers" in ck_pool_run (both sequentially consistent)
// leaves no gap in which a helper sleeps through a job.
static void sleep_until_work(ck_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (idle(pool)) pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *helper_main(void *argument) {
  helper *self = argument;
  ck_thread_set_name("wb-worker");
  ck_pool *pool = self->pool;
  while (!atomic_load_explicit(&pool->quit, memory_order_acquire)) {
    if (run_one(pool, self->worker)) continue;
    int spins = 0;
    while (spins < SPINS_BEFORE_SLEEP && idle(pool)) { spin_pause(); spins++; }
    if (spins == SPINS_BEFORE_SLEEP) sleep_until_work(pool);
  }
  return NULL;
}

static void wake_all(ck_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

ck_pool *ck_pool_create(size_t workers) {
  if (workers == 0 || workers > 1024) return NULL;
  size_t size = sizeof(ck_pool) + (workers - 1) * sizeof(helper);
  ck_pool *pool = aligned_alloc(64, (size + 63) / 64 * 64);
  if (pool == NULL) return NULL;
  atomic_init(&pool->remaining, 0);
  atomic_init(&pool->finished, 0);
  atomic_init(&pool->sleepers, 0);
  atomic_init(&pool->quit, false);
  pool->tasks = 0;
  pool->task = NULL;
  pool->context = NULL;
  pool->helper_count = 0;
  if (pthread_mutex_init(&pool->mutex, NULL) != 0) { free(pool); return NULL; }
  if (pthread_cond_init(&pool->wake, NULL) != 0) { pthread_mutex_destroy(&pool->mutex); free(pool); return NULL; }
  for (size_t i = 0; i + 1 < workers; i++) {
    pool->helpers[i].pool = pool;
    pool->helpers[i].worker = i + 1;
    if (pthread_create(&pool->helpers[i].thread, NULL, helper_main, &pool->helpers[i]) != 0) {
      ck_pool_destroy(pool);
      return NULL;
    }
    pool->helper_count++;
  }
  return pool;
}

void ck_pool_run(ck_pool *pool, size_t tasks, ck_task *task, void *context) {
  if (tasks == 0) return;
  if (pool->helper_count == 0 || tasks == 1) {
    for (size_t i = 0; i < tasks; i++) task(context, i, 0);
    return;
  }
  pool->tasks = tasks;
  pool->task = task;
  pool->context = context;
  atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
  atomic_store(&pool->remaining, tasks);
  if (atomic_load(&pool->sleepers) != 0) wake_all(pool);
  while (run_one(pool, 0)) {}
  for (int spins = 0; atomic_load_explicit(&pool->finished, memory_order_acquire) != tasks; spins++) {
    if (spins < SPINS_BEFORE_YIELD) spin_pause();
    else sched_yield();
  }
}

void ck_pool_destroy(ck_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->quit, true);
  wake_all(pool);
  for (size_t i = 0; i < pool->helper_count; i++) pthread_join(pool->helpers[i].thread, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
