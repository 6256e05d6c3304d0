#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")))
#define NAME(x) x##_avx512
#include "lanes.h"

enum {
  ROWS = 8, TILE_ROWS = 6, TILE_PANELS = 2, FLOAT_ROWS = 12, FLOAT_PANELS = 2, WIDE_IS_SIGNED = 0, PREFETCH = 10 << 10
};

INLINE F half_lanes(const uint8_t *p) { return (F)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

INLINE I nearest(F x) { return (I)_mm512_cvtps_epi32((__m512)x); }

// sum[r] += lines[4 r + k] * x4[k], bytes of lines unsigned, of x4 signed.
INLINE I dot_narrow(I sum, B line, four x4) {
  return (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)line, _mm512_set1_epi32(x4));
}

INLINE I dot_wide(I sum, B line, four x4) { return dot_narrow(sum, line, x4); }

INLINE B look_up(const uint8_t *table, B index) {
  return (B)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table)), (__m512i)index);
}

// Else the compiler reads the number once for each use, and reading is what these products do most.
INLINE F in_register(F v) {
  __asm__("" : "+v"(v));
  return v;
}

#include "packed_products.h"
#include "float_products.h"

const ck_products ck_avx512_products = PRODUCT_TABLE;
#endif
