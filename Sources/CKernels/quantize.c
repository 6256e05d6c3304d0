#include <math.h>
#include <string.h>

#include "tables.h"

static int clamped(float value, int low, int high) {
  int nearest = (int)lrintf(value);
  return nearest < low ? low : nearest > high ? high : nearest;
}

void ck_quantize_f16(void *out, const float *x, size_t count) {
  uint8_t *p = out;
  for (size_t i = 0; i < count; i++) ck_store_half(p + 2 * i, x[i]);
}

void ck_quantize_q8_0(void *out, const float *x, size_t count) {
  uint8_t *p = out;
  for (size_t i = 0; i + CK_QK <= count; i += CK_QK, p += CK_Q8_0_BYTES, x += CK_QK) {
    float largest = 0;
    for (int j = 0; j < CK_QK; j++) largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
    float d = largest / 127, inverse = d == 0 ? 0 : 1 / d;
    ck_store_half(p, d);
    for (int j = 0; j < CK_QK; j++) {
      float q = roundf(x[j] * inverse);
      p[2 + j] = (uint8_t)(int8_t)(q > 127 ? 127 : q < -127 ? -127 : q);
    }
  }
}

void ck_quantize_q4_0(void *out, const float *x, size_t count) {
  uint8_t *p = out;
  for (size_t i = 0; i + CK_QK <= count; i += CK_QK, p += CK_Q4_0_BYTES, x += CK_QK) {
    float extreme = 0;
    for (int j = 0; j < CK_QK; j++) extreme = fabsf(x[j]) > fabsf(extreme) ? x[j] : extreme;
    float d = extreme / -8, inverse = d == 0 ? 0 : 1 / d;
    ck_store_half(p, d);
    for (int j = 0; j < CK_QK / 2; j++) {
      float low = x[j] * inverse, high = x[j + 16] * inverse;
      int first = (int)(low + 8.5f), last = (int)(high + 8.5f);
      p[2 + j] = (uint8_t)((first > 15 ? 15 : first) | (last > 15 ? 15 : last) << 4);
    }
  }
}

// The scale with which integers of -32...31 come nearest to 16 values, errors weighted by the square of the value: for each of
// some steps around the largest value, the numbers are rounded and the best scale for them is the solution of least squares.
static float signed_scale(const float *x) {
  float extreme = 0, best = -1, scale = 0;
  for (int j = 0; j < 16; j++) extreme = fabsf(x[j]) > fabsf(extreme) ? x[j] : extreme;
  if (fabsf(extreme) < 1e-30f) return 0;
  for (int step = -9; step <= 9; step++) {
    float inverse = -(32 + 0.1f * (float)step) / extreme, products = 0, squares = 0;
    for (int j = 0; j < 16; j++) {
      float q = (float)clamped(inverse * x[j], -32, 31), weight = x[j] * x[j];
      products += weight * x[j] * q;
      squares += weight * q * q;
    }
    if (squares > 0 && products * products > best * squares) {
      scale = products / squares;
      best = scale * products;
    }
  }
  return scale;
}

void ck_quantize_q6_k(void *out, const float *x, size_t count) {
  uint8_t *p = out;
  for (size_t i = 0; i + CK_QK_K <= count; i += CK_QK_K, p += CK_Q6_K_BYTES, x += CK_QK_K) {
    float scales[16], extreme = 0;
    for (int run = 0; run < 16; run++) {
      scales[run] = signed_scale(x + 16 * run);
      extreme = fabsf(scales[run]) > fabsf(extreme) ? scales[run] : extreme;
    }
    memset(p, 0, CK_Q6_K_BYTES);
    ck_store_half(p + 208, extreme / -128);
    float d = ck_load_half(p + 208);
    for (int run = 0; run < 16; run++) p[192 + run] = (uint8_t)(int8_t)(d == 0 ? 0 : clamped(scales[run] / d, -128, 127));
    for (int j = 0; j < CK_QK_K; j++) {
      float scale = d * (float)(int8_t)p[192 + j / 16];
      int q = scale == 0 ? 32 : clamped(x[j] / scale, -32, 31) + 32;
      int half = j / 128, run = j % 128 / 32, k = j % 32;
      p[half * 64 + run % 2 * 32 + k] |= (uint8_t)((q & 15) << (run / 2 * 4));
      p[128 + half * 32 + k] |= (uint8_t)((q >> 4) << (run * 2));
    }
  }
}

// Scale and minimum (>= 0) with which scale q - minimum, q in 0...15, comes nearest to 32 values: as above, with two unknowns.
static void scale_and_minimum(const float *x, float *scale, float *minimum) {
  float low = 0, high = x[0], power = 0, best = -1;
  for (int j = 0; j < 32; j++) {
    low = x[j] < low ? x[j] : low;
    high = x[j] > high ? x[j] : high;
    power += x[j] * x[j];
  }
  // What stands where all values are equal, for which the two unknowns are one.
  *scale = (high - low) / 15;
  *minimum = -low;
  if (high - low < 1e-30f) return;
  float root = sqrtf(power / 32);
  for (int step = -10; step <= 10; step++) {
    float inverse = (15 + 0.1f * (float)step) / (high - low), w = 0, wx = 0, wq = 0, wqq = 0, wqx = 0;
    float q[32];
    for (int j = 0; j < 32; j++) {
      float weight = root + fabsf(x[j]);
      q[j] = (float)clamped(inverse * (x[j] - low), 0, 15);
      w += weight, wx += weight * x[j], wq += weight * q[j], wqq += weight * q[j] * q[j], wqx += weight * q[j] * x[j];
    }
    float determinant = w * wqq - wq * wq;
    if (determinant <= 0) continue;
    float a = (w * wqx - wq * wx) / determinant, b = (wqq * wx - wq * wqx) / determinant, error = 0;
    if (b > 0) b = 0, a = wqx / wqq;
    for (int j = 0; j < 32; j++) {
      float difference = a * q[j] + b - x[j];
      error += (root + fabsf(x[j])) * difference * difference;
    }
    if (best < 0 || error < best) best = error, *scale = a, *minimum = -b;
  }
}

static void pack_scale(uint8_t *s, int j, int scale, int minimum) {
  if (j < 4) {
    s[j] |= (uint8_t)scale;
    s[j + 4] |= (uint8_t)minimum;
  } else {
    s[j + 4] |= (uint8_t)((scale & 15) | (minimum & 15) << 4);
    s[j - 4] |= (uint8_t)((scale >> 4) << 6);
    s[j] |= (uint8_t)((minimum >> 4) << 6);
  }
}

void ck_quantize_q4_k(void *out, const float *x, size_t count) {
  uint8_t *p = out;
  for (size_t i = 0; i + CK_QK_K <= count; i += CK_QK_K, p += CK_Q4_K_BYTES, x += CK_QK_K) {
    float scales[8], minima[8], scale = 0, minimum = 0;
    for (int run = 0; run < 8; run++) {
      scale_and_minimum(x + 32 * run, &scales[run], &minima[run]);
      scale = scales[run] > scale ? scales[run] : scale;
      minimum = minima[run] > minimum ? minima[run] : minimum;
    }
    memset(p, 0, CK_Q4_K_BYTES);
    ck_store_half(p, scale / 63);
    ck_store_half(p + 2, minimum / 63);
    float d = ck_load_half(p), least = ck_load_half(p + 2);
    for (int run = 0; run < 8; run++) {
      int sixth = d == 0 ? 0 : clamped(scales[run] / d, 0, 63), floor6 = least == 0 ? 0 : clamped(minima[run] / least, 0, 63);
      pack_scale(p + 4, run, sixth, floor6);
      float step = d * (float)sixth, base = least * (float)floor6;
      for (int k = 0; k < 32; k++) {
        int q = step == 0 ? 0 : clamped((x[32 * run + k] + base) / step, 0, 15);
        p[16 + run / 2 * 32 + k] |= (uint8_t)(q << (run % 2 * 4));
      }
    }
  }
}
