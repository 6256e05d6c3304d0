#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define NAME(x) x##_avx2
#include "lanes.h"

enum { ROWS = 4, TILE_ROWS = 4, TILE_PANELS = 1, FLOAT_ROWS = 4, FLOAT_PANELS = 1, WIDE_IS_SIGNED = 1 };

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

// Sums of two products in 16 bits, which the larger factor's 7 bits leave room for, then of four in 32.
INLINE I add_products(I sum, __m256i low, __m256i high) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[2] = {_mm256_madd_epi16(low, ones), _mm256_madd_epi16(high, ones)};
  I products;
  memcpy(&products, sums, sizeof products);
  return sum + products;
}

// sum[r] += lines[4 r + k] * x4[k], bytes of lines unsigned and at most 127, of x4 signed.
INLINE I dot_narrow(I sum, B line, four x4) {
  halves h = halves_of(line);
  __m256i x = _mm256_set1_epi32(x4);
  return add_products(sum, _mm256_maddubs_epi16(h.low, x), _mm256_maddubs_epi16(h.high, x));
}

// The same for bytes of all sizes less 128: the sign goes over to the other factor.
INLINE I dot_wide(I sum, B line, four x4) {
  const __m256i middle = _mm256_set1_epi8((char)0x80);
  halves h = halves_of(line);
  __m256i x = _mm256_set1_epi32(x4), low = _mm256_xor_si256(h.low, middle), high = _mm256_xor_si256(h.high, middle);
  return add_products(
    sum, _mm256_maddubs_epi16(_mm256_abs_epi8(low), _mm256_sign_epi8(x, low)),
    _mm256_maddubs_epi16(_mm256_abs_epi8(high), _mm256_sign_epi8(x, high)));
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

#include "packed_products.h"
#include "float_products.h"

const ck_products ck_avx2_products = PRODUCT_TABLE;
#endif
