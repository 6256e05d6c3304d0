#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))
#define V_INLINE static inline __attribute__((always_inline)) TARGET
#define NAME(x) x##_avx512
#define V __m512
enum { W = 16, BATCH = 4 };

V_INLINE V v_zero(void) { return _mm512_setzero_ps(); }
V_INLINE V v_set1(float a) { return _mm512_set1_ps(a); }
V_INLINE V v_load(const float *p) { return _mm512_loadu_ps(p); }
V_INLINE void v_store(float *p, V a) { _mm512_storeu_ps(p, a); }
V_INLINE V v_add(V a, V b) { return _mm512_add_ps(a, b); }
V_INLINE V v_mul(V a, V b) { return _mm512_mul_ps(a, b); }
V_INLINE V v_div(V a, V b) { return _mm512_div_ps(a, b); }
V_INLINE V v_max(V a, V b) { return _mm512_max_ps(a, b); }
V_INLINE V v_fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
V_INLINE float v_sum(V a) { return _mm512_reduce_add_ps(a); }
V_INLINE float v_high(V a) { return _mm512_reduce_max_ps(a); }

// exp(x) = 2^n e^r with |r| <= ln 2 / 2; the series to r^7 leaves a relative error below 1e-8, rounding adds about 1e-7.
V_INLINE V v_exp(V x) {
  x = _mm512_min_ps(_mm512_max_ps(x, v_set1(-87.33f)), v_set1(88.37f));
  V n = _mm512_roundscale_ps(v_mul(x, v_set1(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  V r = _mm512_fnmadd_ps(n, v_set1(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, v_set1(-2.12194440e-4f), r);
  V p = v_set1(1.0f / 5040);
  p = v_fma(p, r, v_set1(1.0f / 720));
  p = v_fma(p, r, v_set1(1.0f / 120));
  p = v_fma(p, r, v_set1(1.0f / 24));
  p = v_fma(p, r, v_set1(1.0f / 6));
  p = v_fma(p, r, v_set1(0.5f));
  p = v_fma(p, r, v_set1(1.0f));
  p = v_fma(p, r, v_set1(1.0f));
  return _mm512_scalef_ps(p, n);
}

V_INLINE V v_rotate(V x, const float *cosine, const float *sine) {
  const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  V c = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(cosine)));
  V s = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(sine)));
  return _mm512_fmaddsub_ps(x, c, v_mul(_mm512_permute_ps(x, 0xb1), s));
}

V_INLINE V half_scale(const uint8_t *p) {
  uint16_t half;
  __builtin_memcpy(&half, p, 2);
  return v_set1(_cvtsh_ss(half));
}

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
