#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#include "vectors_avx512.h"

enum { BATCH = 4 };

V_INLINE V half_scale(const uint8_t *p) { return v_set1(half_to_float(p)); }

V_INLINE void load_f32(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) w[j] = _mm512_loadu_ps(row + 4 * (c + 16 * (size_t)j));
}

V_INLINE void load_f16(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) w[j] = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(row + 2 * (c + 16 * (size_t)j))));
}

V_INLINE void load_bf16(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) {
    __m256i halves = _mm256_loadu_si256((const __m256i *)(row + 2 * (c + 16 * (size_t)j)));
    w[j] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
}

V_INLINE void load_q8_0(const uint8_t *row, size_t c, V w[4]) {
  const uint8_t *p = row + c / 32 * 34;
  for (int k = 0; k < 2; k++, p += 34) {
    V d = half_scale(p);
    for (int j = 0; j < 2; j++) {
      __m512i q = _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(p + 2 + 16 * j)));
      w[2 * k + j] = v_mul(_mm512_cvtepi32_ps(q), d);
    }
  }
}

V_INLINE void load_q4_0(const uint8_t *row, size_t c, V w[4]) {
  const uint8_t *p = row + c / 32 * 18;
  const __m128i low = _mm_set1_epi8(15);
  const __m128i middle = _mm_set1_epi8(8);
  for (int k = 0; k < 2; k++, p += 18) {
    V d = half_scale(p);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(p + 2));
    __m128i first = _mm_sub_epi8(_mm_and_si128(bytes, low), middle);
    __m128i last = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(bytes, 4), low), middle);
    w[2 * k] = v_mul(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(first)), d);
    w[2 * k + 1] = v_mul(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(last)), d);
  }
}

// Values 16 k on of the run of 32 that begins at column c of a row, less 32.
V_INLINE __m128i q6_k_bytes(const uint8_t *block, size_t c, int k) {
  size_t half = c % 256 / 128, run = c % 128 / 32;
  __m128i low = _mm_loadu_si128((const __m128i *)(block + half * 64 + run % 2 * 32 + 16 * (size_t)k));
  __m128i high = _mm_loadu_si128((const __m128i *)(block + 128 + half * 32 + 16 * (size_t)k));
  low = _mm_and_si128(_mm_srl_epi16(low, _mm_cvtsi32_si128((int)(run / 2 * 4))), _mm_set1_epi8(15));
  high = _mm_and_si128(_mm_srl_epi16(high, _mm_cvtsi32_si128((int)(run * 2))), _mm_set1_epi8(3));
  return _mm_sub_epi8(_mm_or_si128(low, _mm_slli_epi16(high, 4)), _mm_set1_epi8(32));
}

V_INLINE V q6_k_scale(const uint8_t *block, size_t c) {
  return v_mul(half_scale(block + 208), v_set1((float)(int8_t)block[192 + c % 256 / 16]));
}

V_INLINE void load_q6_k(const uint8_t *row, size_t c, V w[4]) {
  const uint8_t *block = row + c / 256 * 210;
  for (int j = 0; j < 4; j++) {
    size_t at = c + 16 * (size_t)j;
    w[j] = v_mul(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q6_k_bytes(block, at, j % 2))), q6_k_scale(block, at));
  }
}

#include "simd_kernels.h"

const ck_kernels ck_avx512_kernels = KERNEL_TABLE;
#endif
