#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))
#define V_INLINE static inline __attribute__((always_inline)) TARGET
#define NAME(x) x##_avx512
#define V __m512
enum { W = 16 };

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

#define PRODUCTS &ck_avx512_products
#include "simd_kernels.h"

const ck_kernels ck_avx512_kernels = KERNEL_TABLE;
#endif
