// What the products of both Arm forms have in common: sixteen lanes are four registers. Included after lanes.h.
#include <arm_neon.h>

// The integer sums of four activation rows take half of the 32 registers and leave room for weights and activations; their f32 sums are
// fetched once for each step.
enum { ROWS = 4, TILE_ROWS = 4, TILE_PANELS = 1, FLOAT_ROWS = 6, FLOAT_PANELS = 1, WIDE_IS_SIGNED = 1, PREFETCH = 10 << 10 };

INLINE F half_lanes(const uint8_t *p) {
  float32x4_t v[4];
  for (int k = 0; k < 4; k++) v[k] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p + 8 * k)));
  return f_load(v);
}

INLINE I nearest(F x) {
  float32x4_t v[4];
  int32x4_t rounded[4];
  memcpy(v, &x, sizeof v);
  for (int k = 0; k < 4; k++) rounded[k] = vcvtnq_s32_f32(v[k]);
  I result;
  memcpy(&result, rounded, sizeof result);
  return result;
}

INLINE B look_up(const uint8_t *table, B index) {
  uint8x16_t v[4];
  memcpy(v, &index, sizeof v);
  for (int k = 0; k < 4; k++) v[k] = vqtbl1q_u8(vld1q_u8(table), v[k]);
  return b_load((const uint8_t *)v);
}

INLINE F in_register(F v) { return v; }

// sums[r] += bytes[4 r + k] * x4[k], all signed; the including file defines it.
INLINE int32x4_t dot_four(int32x4_t sums, int8x16_t bytes, four x4);

INLINE I dot_signed(I sum, B line, four x4) {
  int32x4_t sums[4];
  int8x16_t bytes[4];
  memcpy(sums, &sum, sizeof sums);
  memcpy(bytes, &line, sizeof bytes);
  for (int k = 0; k < 4; k++) sums[k] = dot_four(sums[k], bytes[k], x4);
  memcpy(&sum, sums, sizeof sum);
  return sum;
}

// sum[r] += lines[4 r + k] * x4[k], bytes of lines unsigned and at most 127, of x4 signed.
INLINE I dot_narrow(I sum, B line, four x4) { return dot_signed(sum, line, x4); }

// The same for bytes of all sizes less 128.
INLINE I dot_wide(I sum, B line, four x4) { return dot_signed(sum, line ^ 128, x4); }
