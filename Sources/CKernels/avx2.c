#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define V_INLINE static inline __attribute__((always_inline)) TARGET
#define NAME(x) x##_avx2
#define V __m256
enum { W = 8 };

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

#define PRODUCTS &ck_avx2_products
#include "simd_kernels.h"

const ck_kernels ck_avx2_kernels = KERNEL_TABLE;
#endif
