// What the checks of the kernels share: numbers that every machine draws alike, memory with guards, and how a difference is told.
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "ckernels.h"

/// One instruction set under test.
typedef struct set {
  const char *name;
  const ck_kernels *kernels;
  const ck_attention_kernels *attention;
} set;

/// What a kernel must not write to.
#define CANARY 12345.5f

void seed(uint64_t value);
uint64_t draw(void);

/// 0...bound - 1.
size_t draw_below(size_t bound);

/// -scale...scale, the same bits everywhere.
float draw_float(float scale);
void draw_floats(float *out, size_t count, float scale);

/// `bytes` bytes at a multiple of 64, all 0xA5 as are the 64 behind them.
void *take(size_t bytes);

/// Ends the check where the bytes behind were written to; else frees the memory.
void give_back(void *memory, size_t bytes);

/// Counts a comparison and, where it is false, says what differs and ends the check.
#define REQUIRE(condition, ...) require(condition, __FILE__, __LINE__, __VA_ARGS__)
void require(int condition, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/// Comparisons since the last call.
size_t comparisons(void);

/// |a - b| within a share of what the addends could have rounded to.
int is_close(float a, double b, double magnitude, double tolerance);

/// FNV-1a, going on from `digest`.
uint64_t mix(uint64_t digest, const void *p, size_t bytes);
#define DIGEST_START 0xcbf29ce484222325u

/// Products, rounding and packing of all types: against the scalar set to the bit, and the definition. Prints a digest of each type if
/// asked to.
void check_products(const set *tested, const set *scalar, int prints);
void check_rows(const set *tested);
void check_attention(const set *tested, const set *scalar);
void check_encoder(void);

#endif
