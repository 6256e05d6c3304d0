#if defined(__linux__)
#define _GNU_SOURCE
#endif
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
enum { SPINS_BEFORE_SLEEP = 4000, SPINS_BEFORE_YIELD = 2000, LINES_AHEAD = 8 };

typedef struct helper {
  ck_pool *pool;
  pthread_t thread;
  size_t worker;
} helper;

// The tasks of one worker's share that nobody has taken: from the low half of `left`, to below the high half.
typedef struct share {
  _Alignas(64) atomic_uint_least64_t left;
} share;

// Each worker takes the tasks of its share from the first to the last, so that what they read follows in memory; who has no more takes
// from the end of another's. `left` of the shares are the only gates to a job: who takes an index out of one owns that task. The job's
// fields are written before any share is filled and read only by owners of an unfinished task, and the caller does not touch them before
// `finished` has reached `tasks`; so a helper that wakes late can take only from the job that then is current.
struct ck_pool {
  _Alignas(64) atomic_size_t published;
  _Alignas(64) atomic_size_t finished;
  _Alignas(64) atomic_size_t sleepers;
  atomic_bool quit;
  size_t tasks;
  ck_task *task;
  void *context;
  const uint8_t *const *ahead;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  size_t workers, helper_count;
  share *shares;
  helper helpers[];
};

void ck_thread_set_name(const char *name) {
#if defined(__linux__)
  prctl(PR_SET_NAME, name, 0, 0, 0);
#else
  (void)name;
#endif
}

// Takes the first task of a share, or the last; false where there is none.
static bool take(share *from, bool is_first, size_t *index) {
  uint_least64_t left = atomic_load_explicit(&from->left, memory_order_relaxed), rest;
  do {
    uint32_t first = (uint32_t)left, end = (uint32_t)(left >> 32);
    if (first == end) return false;
    *index = is_first ? first : end - 1;
    rest = is_first ? left + 1 : left - ((uint_least64_t)1 << 32);
  } while (!atomic_compare_exchange_weak_explicit(&from->left, &left, rest, memory_order_acq_rel, memory_order_relaxed));
  return true;
}

static bool take_any(ck_pool *pool, size_t worker, size_t *index) {
  if (take(&pool->shares[worker], true, index)) return true;
  for (size_t i = 1; i < pool->workers; i++)
    if (take(&pool->shares[(worker + i) % pool->workers], false, index)) return true;
  return false;
}

// Runs tasks until none is left. Returns what the worker will read next, or NULL.
static const uint8_t *run_all(ck_pool *pool, size_t worker) {
  size_t index, done = 0;
  const uint8_t *ahead = NULL;
  while (take_any(pool, worker, &index)) {
    if (done++ == 0 && pool->ahead != NULL) ahead = pool->ahead[worker];
    pool->task(pool->context, index, worker);
  }
  if (done != 0) atomic_fetch_add_explicit(&pool->finished, done, memory_order_release);
  return ahead;
}

// One step of waiting: brings the next lines of what will be read into the cache, so that memory is not idle meanwhile.
static void wait_a_little(const uint8_t *ahead, size_t step) {
  if (ahead == NULL || step >= CK_POOL_AHEAD / LINES_AHEAD / 64) {
    spin_pause();
    return;
  }
  for (size_t i = 0; i < LINES_AHEAD; i++) __builtin_prefetch(ahead + (step * LINES_AHEAD + i) * 64, 0, 2);
}

size_t ck_allowed_processors(int *numbers, size_t most) {
  size_t count = 0;
#if defined(__linux__)
  cpu_set_t set;
  // Fails on a machine with more processors than the set has places.
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
  for (int i = 0; i < CPU_SETSIZE && count < most; i++)
    if (CPU_ISSET(i, &set)) numbers[count++] = i;
#else
  (void)numbers, (void)most;
#endif
  return count;
}

static bool idle(ck_pool *pool, size_t seen) { return atomic_load(&pool->published) == seen && !atomic_load(&pool->quit); }

// The order "count myself, then look" here and "publish, then count sleepers" in ck_pool_run (both sequentially consistent)
// leaves no gap in which a helper sleeps through a job.
static void sleep_until_work(ck_pool *pool, size_t seen) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (idle(pool, seen)) pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *helper_main(void *argument) {
  helper *self = argument;
  ck_thread_set_name("wb-worker");
  ck_pool *pool = self->pool;
  while (!atomic_load_explicit(&pool->quit, memory_order_acquire)) {
    // Read before the shares are looked at: a job that comes in between only makes them looked at again.
    size_t seen = atomic_load(&pool->published), spins = 0;
    const uint8_t *ahead = run_all(pool, self->worker);
    for (; spins < SPINS_BEFORE_SLEEP && idle(pool, seen); spins++) wait_a_little(ahead, spins);
    if (spins == SPINS_BEFORE_SLEEP) sleep_until_work(pool, seen);
  }
  return NULL;
}

static void wake_all(ck_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

// A thread that stays where it is finds its share of the weights in its own cache, and no two of them meet on one processor.
static void bind_to(pthread_t thread, int processor) {
#if defined(__linux__)
  cpu_set_t set;
  if (processor < 0 || processor >= CPU_SETSIZE) return;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  // Refused where the container allows other processors only; then the thread runs anywhere.
  (void)pthread_setaffinity_np(thread, sizeof set, &set);
#else
  (void)thread, (void)processor;
#endif
}

ck_pool *ck_pool_create(size_t workers, const int *processors) {
  if (workers == 0 || workers > 1024) return NULL;
  size_t size = (sizeof(ck_pool) + (workers - 1) * sizeof(helper) + 63) / 64 * 64;
  ck_pool *pool = aligned_alloc(64, size + workers * sizeof(share));
  if (pool == NULL) return NULL;
  pool->shares = (share *)((char *)pool + size);
  for (size_t w = 0; w < workers; w++) atomic_init(&pool->shares[w].left, 0);
  atomic_init(&pool->published, 0);
  atomic_init(&pool->finished, 0);
  atomic_init(&pool->sleepers, 0);
  atomic_init(&pool->quit, false);
  pool->tasks = 0;
  pool->task = NULL;
  pool->context = NULL;
  pool->ahead = NULL;
  pool->workers = workers;
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
    if (processors != NULL) bind_to(pool->helpers[i].thread, processors[i + 1]);
    pool->helper_count++;
  }
  return pool;
}

size_t ck_pool_first(size_t tasks, size_t worker, size_t workers) { return tasks * worker / workers; }

void ck_pool_run(ck_pool *pool, size_t tasks, ck_task *task, void *context, const uint8_t *const *ahead) {
  if (tasks == 0) return;
  if (pool->helper_count == 0 || tasks == 1) {
    for (size_t i = 0; i < tasks; i++) task(context, i, 0);
    return;
  }
  pool->tasks = tasks;
  pool->task = task;
  pool->context = context;
  pool->ahead = ahead;
  atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
  for (size_t w = 0; w < pool->workers; w++) {
    uint_least64_t first = ck_pool_first(tasks, w, pool->workers), end = ck_pool_first(tasks, w + 1, pool->workers);
    atomic_store_explicit(&pool->shares[w].left, first | end << 32, memory_order_release);
  }
  atomic_fetch_add(&pool->published, 1);
  if (atomic_load(&pool->sleepers) != 0) wake_all(pool);
  const uint8_t *next = run_all(pool, 0);
  for (size_t spins = 0; atomic_load_explicit(&pool->finished, memory_order_acquire) != tasks; spins++) {
    if (spins < SPINS_BEFORE_YIELD) wait_a_little(next, spins);
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
