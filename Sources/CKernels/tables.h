#ifndef CK_TABLES_H
#define CK_TABLES_H

#include <math.h>
#include <string.h>

#include "ckernels.h"

// Values and bytes of one quantised block.
enum { CK_QK = 32, CK_Q8_0_BYTES = 34, CK_Q4_0_BYTES = 18, CK_QK_K = 256, CK_Q6_K_BYTES = 210 };
enum { CK_Q4_1_BYTES = 20, CK_Q5_0_BYTES = 22, CK_Q5_1_BYTES = 24, CK_IQ4_NL_BYTES = 18 };
enum { CK_Q2_K_BYTES = 84, CK_Q3_K_BYTES = 110, CK_Q4_K_BYTES = 144, CK_Q5_K_BYTES = 176 };

// IEEE binary16 at `p`, little-endian, in f32: exact.
static inline float ck_load_half(const uint8_t *p) {
  uint32_t half = (uint32_t)p[0] | (uint32_t)p[1] << 8, bits;
  uint32_t sign = (half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3ff;
  if (exponent == 31) bits = sign | 0x7f800000 | fraction << 13;
  else if (exponent != 0) bits = sign | (exponent + 112) << 23 | fraction << 13;
  else {
    float small = (float)fraction * 0x1p-24f;  // subnormal or zero: exact
    memcpy(&bits, &small, 4);
    bits |= sign;
  }
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

// Nearest even, overflow to infinity: what hardware and the other writers of these layouts do.
static inline void ck_store_half(uint8_t *p, float value) {
  uint32_t bits, sign, half;
  memcpy(&bits, &value, 4);
  sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits >= 0x47800000) half = bits > 0x7f800000 ? 0x7e00 : 0x7c00;
  else if (bits < 0x38800000) {
    float small;
    memcpy(&small, &bits, 4);
    half = (uint32_t)lrintf(small * 0x1p24f);
  } else {
    uint32_t rounded = bits + 0xfff + (bits >> 13 & 1) - (112u << 23);
    half = rounded >> 13;
  }
  p[0] = (uint8_t)(sign | half);
  p[1] = (uint8_t)((sign | half) >> 8);
}

extern const ck_products ck_scalar_products;
#if defined(__x86_64__)
extern const ck_products ck_avx2_products;
extern const ck_products ck_avx512_products;
extern const ck_kernels ck_avx2_kernels;
extern const ck_kernels ck_avx512_kernels;
#elif defined(__aarch64__)
// Two forms of one instruction set, the second for processors with dot products of bytes: only the products differ, not their results.
extern const ck_products ck_neon_products;
extern const ck_products ck_dotprod_products;
extern const ck_kernels ck_neon_kernels;
extern const ck_kernels ck_dotprod_kernels;
#endif

#endif
