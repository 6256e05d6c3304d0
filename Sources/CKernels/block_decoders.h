// The quantised layouts without a vector form of their own, value by value. The including file defines DECODER, the linkage and
// attributes of its copy, so that each instruction set compiles them for itself. Every result is that of the layout's definition
// to the bit: products and differences are rounded one by one, never fused.
#include <stdint.h>

#include "tables.h"

#define EXACT _Pragma("STDC FP_CONTRACT OFF")

DECODER void decode_q4_1(float *out, const uint8_t *p, size_t blocks) {
  EXACT
  for (; blocks > 0; blocks--, p += CK_Q4_1_BYTES, out += CK_QK) {
    float d = ck_load_half(p), m = ck_load_half(p + 2);
    for (int j = 0; j < 16; j++) {
      float low = d * (float)(p[4 + j] & 15), high = d * (float)(p[4 + j] >> 4);
      out[j] = low + m;
      out[j + 16] = high + m;
    }
  }
}

DECODER uint32_t load_bits(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

DECODER void decode_q5_0(float *out, const uint8_t *p, size_t blocks) {
  for (; blocks > 0; blocks--, p += CK_Q5_0_BYTES, out += CK_QK) {
    float d = ck_load_half(p);
    uint32_t high = load_bits(p + 2);
    for (int j = 0; j < 16; j++) {
      out[j] = d * (float)((p[6 + j] & 15) + (int)(high >> j & 1) * 16 - 16);
      out[j + 16] = d * (float)((p[6 + j] >> 4) + (int)(high >> (j + 16) & 1) * 16 - 16);
    }
  }
}

DECODER void decode_q5_1(float *out, const uint8_t *p, size_t blocks) {
  EXACT
  for (; blocks > 0; blocks--, p += CK_Q5_1_BYTES, out += CK_QK) {
    float d = ck_load_half(p), m = ck_load_half(p + 2);
    uint32_t high = load_bits(p + 4);
    for (int j = 0; j < 16; j++) {
      float first = d * (float)((p[8 + j] & 15) + (int)(high >> j & 1) * 16);
      float last = d * (float)((p[8 + j] >> 4) + (int)(high >> (j + 16) & 1) * 16);
      out[j] = first + m;
      out[j + 16] = last + m;
    }
  }
}

DECODER void decode_iq4_nl(float *out, const uint8_t *p, size_t blocks) {
  static const int8_t table[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  for (; blocks > 0; blocks--, p += CK_IQ4_NL_BYTES, out += CK_QK) {
    float d = ck_load_half(p);
    for (int j = 0; j < 16; j++) {
      out[j] = d * (float)table[p[2 + j] & 15];
      out[j + 16] = d * (float)table[p[2 + j] >> 4];
    }
  }
}

// Sixteen runs of 16 values: 4-bit scale and 4-bit minimum each, 2 bits a value.
DECODER void decode_q2_k(float *out, const uint8_t *p, size_t blocks) {
  EXACT
  for (; blocks > 0; blocks--, p += CK_Q2_K_BYTES, out += CK_QK_K) {
    float d = ck_load_half(p + 80), least = ck_load_half(p + 82);
    for (int run = 0; run < 16; run++) {
      float scale = d * (float)(p[run] & 15), minimum = least * (float)(p[run] >> 4);
      const uint8_t *bits = p + 16 + run / 8 * 32 + run % 2 * 16;
      int shift = run % 8 / 2 * 2;
      for (int k = 0; k < 16; k++) {
        float product = scale * (float)(bits[k] >> shift & 3);
        out[16 * run + k] = product - minimum;
      }
    }
  }
}

// Sixteen runs of 16 values with a 6-bit scale less 32 each; 2 bits a value and a third that, where it is not set, subtracts 4.
DECODER void decode_q3_k(float *out, const uint8_t *p, size_t blocks) {
  for (; blocks > 0; blocks--, p += CK_Q3_K_BYTES, out += CK_QK_K) {
    float d = ck_load_half(p + 108);
    const uint8_t *scales = p + 96;
    for (int run = 0; run < 16; run++) {
      int low = run < 8 ? scales[run] & 15 : scales[run - 8] >> 4;
      int high = scales[8 + run % 4] >> (run / 4 * 2) & 3;
      float scale = d * (float)((low | high << 4) - 32);
      const uint8_t *bits = p + 32 + run / 8 * 32 + run % 2 * 16, *mask = p + run % 2 * 16;
      int shift = run % 8 / 2 * 2, bit = run / 2;
      for (int k = 0; k < 16; k++)
        out[16 * run + k] = scale * (float)((bits[k] >> shift & 3) - ((mask[k] >> bit & 1) ^ 1) * 4);
    }
  }
}

// Scale and minimum, 6 bits each, of run `j` of eight, from the twelve bytes that hold them.
DECODER void scale_and_minimum(const uint8_t *s, int j, float *scale, float *minimum) {
  if (j < 4) {
    *scale = (float)(s[j] & 63);
    *minimum = (float)(s[j + 4] & 63);
  } else {
    *scale = (float)((s[j + 4] & 15) | (s[j - 4] >> 2 & 48));
    *minimum = (float)((s[j + 4] >> 4) | (s[j] >> 2 & 48));
  }
}

// Eight runs of 32 values, 4 bits a value.
DECODER void decode_q4_k(float *out, const uint8_t *p, size_t blocks) {
  EXACT
  for (; blocks > 0; blocks--, p += CK_Q4_K_BYTES, out += CK_QK_K) {
    float d = ck_load_half(p), least = ck_load_half(p + 2);
    for (int run = 0; run < 8; run++) {
      float scale, minimum;
      scale_and_minimum(p + 4, run, &scale, &minimum);
      scale *= d;
      minimum *= least;
      const uint8_t *bits = p + 16 + run / 2 * 32;
      int shift = run % 2 * 4;
      for (int k = 0; k < 32; k++) {
        float product = scale * (float)(bits[k] >> shift & 15);
        out[32 * run + k] = product - minimum;
      }
    }
  }
}

// The same with a fifth bit apart.
DECODER void decode_q5_k(float *out, const uint8_t *p, size_t blocks) {
  EXACT
  for (; blocks > 0; blocks--, p += CK_Q5_K_BYTES, out += CK_QK_K) {
    float d = ck_load_half(p), least = ck_load_half(p + 2);
    for (int run = 0; run < 8; run++) {
      float scale, minimum;
      scale_and_minimum(p + 4, run, &scale, &minimum);
      scale *= d;
      minimum *= least;
      const uint8_t *bits = p + 48 + run / 2 * 32, *high = p + 16;
      int shift = run % 2 * 4;
      for (int k = 0; k < 32; k++) {
        float product = scale * (float)((bits[k] >> shift & 15) + (high[k] >> run & 1) * 16);
        out[32 * run + k] = product - minimum;
      }
    }
  }
}
