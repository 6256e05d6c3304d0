#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define NAME(x) x##_avx2
#include "lanes.h"

// Fetched by program, weights came a fifth slower with one thread than as the processor fetches them.
enum { ROWS = 4, TILE_ROWS = 4, TILE_PANELS = 1, FLOAT_ROWS = 6, FLOAT_PANELS = 1, WIDE_IS_SIGNED = 1, PREFETCH = 0 };

typedef struct halves { __m256i low, high; } halves;

INLINE halves halves_of(B v) {
  halves h;
  memcpy(&h, &v, sizeof h);
  return h;
}

INLINE F half_lanes(const uint8_t *p) {
  __m256 v[2] = {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 16)))};
  return f_load(v);
}

INLINE I nearest(F x) {
  __m256 v[2];
  memcpy(v, &x, sizeof v);
  __m256i rounded[2] = {_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1])};
  I result;
  memcpy(&result, rounded, sizeof result);
  return result;
}

INLINE B look_up(const uint8_t *table, B index) {
  halves h = halves_of(index);
  __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  __m256i found[2] = {_mm256_shuffle_epi8(values, h.low), _mm256_shuffle_epi8(values, h.high)};
  B result;
  memcpy(&result, found, sizeof result);
  return result;
}

INLINE F in_register(F v) { return v; }

// Sums of pairs of products, in 16 bits.
#define OWN_PARTIAL
#define OWN_TILES
typedef halves partial;

#include "packed_products.h"
#include "tiles_avx2.h"
#include "float_products.h"

const ck_products ck_avx2_products = PRODUCT_TABLE;
#endif
