// Sixteen numbers at a time, in terms of the compiler's own vectors: the same source for every instruction set, with the same result
// to the bit. The including file defines TARGET (function attribute) and, after this header, what only its instructions can do well:
// half_lanes, nearest, look_up, in_register, and dot_narrow and dot_wide or what stands for them (packed_products.h).
#ifndef CK_LANES_H
#define CK_LANES_H

#include <stdint.h>
#include <string.h>

#include "packed.h"

// Vectors pass between functions that are always inlined, so no convention of calls is concerned.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline)) TARGET

typedef float F __attribute__((vector_size(64)));
typedef int32_t I __attribute__((vector_size(64)));
typedef uint8_t B __attribute__((vector_size(64)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t signed16 __attribute__((vector_size(16)));
typedef uint16_t halves16 __attribute__((vector_size(32)));
typedef uint32_t words16 __attribute__((vector_size(64)));

INLINE F f_load(const void *p) {
  F v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void f_store(void *p, F v) { memcpy(p, &v, sizeof v); }

INLINE F f_all(float x) { return (F){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

INLINE I i_all(int32_t x) { return (I){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

// a b + c, rounded once.
INLINE F f_fma(F a, F b, F c) { return __builtin_elementwise_fma(a, b, c); }

INLINE B b_load(const uint8_t *p) {
  B v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void b_store(uint8_t *p, B v) { memcpy(p, &v, sizeof v); }

INLINE F byte_lanes(const uint8_t *p) {
  bytes16 v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(__builtin_convertvector(v, I), F);
}

INLINE F signed_lanes(const uint8_t *p) {
  signed16 v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(__builtin_convertvector(v, I), F);
}

INLINE F brain_lanes(const uint8_t *p) {
  halves16 v;
  memcpy(&v, p, sizeof v);
  return (F)(__builtin_convertvector(v, words16) << 16);
}

// Four activations as dot_narrow and dot_wide take them, bytes 4 j to 4 j + 3 of q; j is a constant after unrolling. An instruction set
// that takes them otherwise defines OWN_FOUR and its own form.
#ifndef OWN_FOUR
typedef int32_t four;

INLINE four four_at(const int8_t *q, int j) {
  four v;
  memcpy(&v, q + 4 * j, sizeof v);
  return v;
}
#endif

#endif
