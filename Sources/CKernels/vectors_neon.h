// The vocabulary of vectors that the kernels are written in, for one instruction set.
#include <arm_neon.h>
#include <stdint.h>

// Every 64-bit Arm processor has these instructions.
#define TARGET
#define V_INLINE static inline __attribute__((always_inline)) TARGET
#define NAME(x) x##_neon
#define V float32x4_t
enum { W = 4 };

V_INLINE V v_zero(void) { return vdupq_n_f32(0); }
V_INLINE V v_set1(float a) { return vdupq_n_f32(a); }
V_INLINE V v_load(const float *p) { return vld1q_f32(p); }
V_INLINE void v_store(float *p, V a) { vst1q_f32(p, a); }
V_INLINE V v_add(V a, V b) { return vaddq_f32(a, b); }
V_INLINE V v_mul(V a, V b) { return vmulq_f32(a, b); }
V_INLINE V v_div(V a, V b) { return vdivq_f32(a, b); }
V_INLINE V v_max(V a, V b) { return vmaxq_f32(a, b); }
V_INLINE V v_fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
V_INLINE float v_sum(V a) { return vaddvq_f32(a); }
V_INLINE float v_high(V a) { return vmaxvq_f32(a); }

// As in the AVX-512 form; 2^n is built in the exponent bits, n in -126...127.
V_INLINE V v_exp(V x) {
  x = vminq_f32(vmaxq_f32(x, v_set1(-87.33f)), v_set1(88.37f));
  V n = vrndnq_f32(v_mul(x, v_set1(1.44269504f)));
  V r = vfmsq_f32(x, n, v_set1(0.693359375f));
  r = vfmsq_f32(r, n, v_set1(-2.12194440e-4f));
  V p = v_set1(1.0f / 5040);
  p = v_fma(p, r, v_set1(1.0f / 720));
  p = v_fma(p, r, v_set1(1.0f / 120));
  p = v_fma(p, r, v_set1(1.0f / 24));
  p = v_fma(p, r, v_set1(1.0f / 6));
  p = v_fma(p, r, v_set1(0.5f));
  p = v_fma(p, r, v_set1(1.0f));
  p = v_fma(p, r, v_set1(1.0f));
  int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
  return v_mul(p, vreinterpretq_f32_s32(exponent));
}

V_INLINE V v_rotate(V x, const float *cosine, const float *sine) {
  const V signs = {-1, 1, -1, 1};
  float32x2_t c = vld1_f32(cosine), s = vld1_f32(sine);
  V cosines = vcombine_f32(vdup_lane_f32(c, 0), vdup_lane_f32(c, 1)), sines = vcombine_f32(vdup_lane_f32(s, 0), vdup_lane_f32(s, 1));
  return v_fma(x, cosines, v_mul(vrev64q_f32(x), v_mul(sines, signs)));
}

V_INLINE float half_to_float(const uint8_t *p) {
  __fp16 half;
  __builtin_memcpy(&half, p, 2);
  return half;
}

V_INLINE V v_load_half(const uint8_t *p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
V_INLINE V v_load_bytes(const uint8_t *p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))))));
}

V_INLINE void v_store_half(uint8_t *p, V a) {
  a = vminq_f32(v_set1(65504.0f), vmaxq_f32(v_set1(-65504.0f), a));
  vst1_u8(p, vreinterpret_u8_f16(vcvt_f16_f32(a)));
}
