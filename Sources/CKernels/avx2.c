#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define V_INLINE static inline __attribute__((always_inline)) TARGET
#define NAME(x) x##_avx2
#define V __m256
enum { W = 8, BATCH = 2 };

V_INLINE V v_zero(void) { return _mm256_setzero_ps(); }
V_INLINE V v_set1(float a) { return _mm256_set1_ps(a); }
V_INLINE V v_load(const float *p) { return _mm256_loadu_ps(p); }
V_INLINE void v_store(float *p, V a) { _mm256_storeu_ps(p, a); }
V_INLINE V v_add(V a, V b) { return _mm256_add_ps(a, b); }
V_INLINE V v_mul(V a, V b) { return _mm256_mul_ps(a, b); }
V_INLINE V v_div(V a, V b) { return _mm256_div_ps(a, b); }
V_INLINE V v_max(V a, V b) { return _mm256_max_ps(a, b); }
V_INLINE V v_fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }

V_INLINE float v_sum(V a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

V_INLINE float v_high(V a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

// As in the AVX-512 form; 2^n is built in the exponent bits, n in -126...127.
V_INLINE V v_exp(V x) {
  x = _mm256_min_ps(_mm256_max_ps(x, v_set1(-87.33f)), v_set1(88.37f));
  V n = _mm256_round_ps(v_mul(x, v_set1(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  V r = _mm256_fnmadd_ps(n, v_set1(0.693359375f), x);
  r = _mm256_fnmadd_ps(n, v_set1(-2.12194440e-4f), r);
  V p = v_set1(1.0f / 5040);
  p = v_fma(p, r, v_set1(1.0f / 720));
  p = v_fma(p, r, v_set1(1.0f / 120));
  p = v_fma(p, r, v_set1(1.0f / 24));
  p = v_fma(p, r, v_set1(1.0f / 6));
  p = v_fma(p, r, v_set1(0.5f));
  p = v_fma(p, r, v_set1(1.0f));
  p = v_fma(p, r, v_set1(1.0f));
  __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return v_mul(p, _mm256_castsi256_ps(exponent));
}

V_INLINE V v_rotate(V x, const float *cosine, const float *sine) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  V c = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(cosine)), twice);
  V s = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(sine)), twice);
  return _mm256_fmaddsub_ps(x, c, v_mul(_mm256_permute_ps(x, 0xb1), s));
}

V_INLINE V half_scale(const uint8_t *p) {
  uint16_t half;
  __builtin_memcpy(&half, p, 2);
  return v_set1(_cvtsh_ss(half));
}

V_INLINE void load_f32(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) w[j] = _mm256_loadu_ps((const float *)(row + 4 * (c + 8 * (size_t)j)));
}

V_INLINE void load_f16(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) w[j] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row + 2 * (c + 8 * (size_t)j))));
}

V_INLINE void load_bf16(const uint8_t *row, size_t c, V w[4]) {
  for (int j = 0; j < 4; j++) {
    __m128i halves = _mm_loadu_si128((const __m128i *)(row + 2 * (c + 8 * (size_t)j)));
    w[j] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  }
}

V_INLINE V widen(__m128i bytes, V d) { return v_mul(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), d); }

V_INLINE void load_q8_0(const uint8_t *row, size_t c, V w[4]) {
  const uint8_t *p = row + c / 32 * 34;
  V d = half_scale(p);
  for (int j = 0; j < 4; j++) w[j] = widen(_mm_loadl_epi64((const __m128i *)(p + 2 + 8 * j)), d);
}

V_INLINE void load_q4_0(const uint8_t *row, size_t c, V w[4]) {
  const uint8_t *p = row + c / 32 * 18;
  const __m128i low = _mm_set1_epi8(15);
  const __m128i middle = _mm_set1_epi8(8);
  V d = half_scale(p);
  __m128i bytes = _mm_loadu_si128((const __m128i *)(p + 2));
  __m128i first = _mm_sub_epi8(_mm_and_si128(bytes, low), middle);
  __m128i last = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(bytes, 4), low), middle);
  w[0] = widen(first, d);
  w[1] = widen(_mm_srli_si128(first, 8), d);
  w[2] = widen(last, d);
  w[3] = widen(_mm_srli_si128(last, 8), d);
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
  for (int k = 0; k < 2; k++) {
    __m128i bytes = q6_k_bytes(block, c, k);
    V scale = q6_k_scale(block, c + 16 * (size_t)k);
    w[2 * k] = widen(bytes, scale);
    w[2 * k + 1] = widen(_mm_srli_si128(bytes, 8), scale);
  }
}

#include "simd_kernels.h"

const ck_kernels ck_avx2_kernels = KERNEL_TABLE;
#endif
