// Runs the kernels of every instruction set of this processor against the scalar ones and the definitions. The argument names the form
// that a 64-bit Arm processor must choose, plain or dotprod; on any other there is none.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tables.h"

static uint64_t state;
static size_t compared;

void seed(uint64_t value) { state = value; }

// SplitMix64.
uint64_t draw(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

size_t draw_below(size_t bound) { return (size_t)(draw() % bound); }

float draw_float(float scale) {
  float unit = (float)((int32_t)(draw() >> 40) - (1 << 23)) * 0x1p-23f;
  return unit * scale;
}

void draw_floats(float *out, size_t count, float scale) {
  for (size_t i = 0; i < count; i++) out[i] = draw_float(scale);
}

void *take(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 64 + 63) / 64 * 64);
  REQUIRE(memory != NULL, "no memory for %zu bytes", bytes);
  memset(memory, 0xA5, bytes + 64);
  return memory;
}

void give_back(void *memory, size_t bytes) {
  size_t intact = 0;
  while (intact < 64 && ((uint8_t *)memory)[bytes + intact] == 0xA5) intact++;
  REQUIRE(intact == 64, "written %zu bytes behind the end", intact);
  free(memory);
}

void require(int condition, const char *file, int line, const char *format, ...) {
  compared++;
  if (condition) return;
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s:%d: ", file, line);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

size_t comparisons(void) {
  size_t count = compared;
  compared = 0;
  return count;
}

int is_close(float a, double b, double magnitude, double tolerance) { return fabs((double)a - b) <= tolerance * magnitude + 1e-30; }

uint64_t mix(uint64_t digest, const void *p, size_t bytes) {
  const uint8_t *byte = p;
  for (size_t i = 0; i < bytes; i++) digest = (digest ^ byte[i]) * 0x100000001b3u;
  return digest;
}

static void report(const set *tested, const char *what) { printf("%s, %s: %zu comparisons\n", tested->name, what, comparisons()); }

static void check_choice(const char *wanted) {
#if defined(__aarch64__)
  const ck_kernels *chosen = ck_kernels_for(CK_ISA_NEON);
  REQUIRE(chosen == &ck_neon_kernels || chosen == &ck_dotprod_kernels, "NEON is missing");
  REQUIRE(ck_kernels_for(CK_ISA_AVX2) == NULL && ck_kernels_for(CK_ISA_AVX512) == NULL, "AVX on Arm");
  const char *form = chosen == &ck_dotprod_kernels ? "dotprod" : "plain";
  REQUIRE(wanted == NULL || strcmp(form, wanted) == 0, "the processor was given the form %s", form);
#else
  REQUIRE(wanted == NULL, "there is no form %s here", wanted);
  REQUIRE(ck_kernels_for(CK_ISA_NEON) == NULL && ck_attention_for(CK_ISA_NEON) == NULL, "NEON on another processor");
#endif
}

int main(int count, char **arguments) {
  const char *form = count > 1 ? arguments[1] : NULL;
  const struct { const char *name; ck_isa isa; } names[] = {
    {"scalar", CK_ISA_SCALAR}, {"avx2", CK_ISA_AVX2}, {"avx512", CK_ISA_AVX512}, {"neon", CK_ISA_NEON}};
  check_choice(form);
  const set scalar = {"scalar", ck_kernels_for(CK_ISA_SCALAR), ck_attention_for(CK_ISA_SCALAR)};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const set tested = {names[i].name, ck_kernels_for(names[i].isa), ck_attention_for((int)names[i].isa)};
    if (tested.kernels == NULL) continue;
    REQUIRE(tested.attention != NULL, "%s has no attention", tested.name);
    check_products(&tested, &scalar, i == 0);
    report(&tested, "products");
    check_rows(&tested);
    report(&tested, "rows");
    check_attention(&tested, &scalar);
    report(&tested, "attention");
  }
  check_encoder();
  printf("encoder: %zu comparisons\n", comparisons());
  return 0;
}
