#include <math.h>
#include <string.h>

#include "tables.h"

// Sixteen partial sums: less rounding than one, and a loop that any compiler can vectorise for its base instruction set.
enum { LANES = 16 };

void ck_dequantize_f32_ref(float *out, const void *w, size_t count) {
  if (count != 0) memcpy(out, w, count * sizeof(float));
}

void ck_dequantize_f16_ref(float *out, const void *w, size_t count) {
  const uint8_t *p = w;
  for (size_t i = 0; i < count; i++) out[i] = ck_load_half(p + 2 * i);
}

void ck_dequantize_q8_0_ref(float *out, const void *w, size_t count) {
  const uint8_t *p = w;
  for (size_t i = 0; i + CK_QK <= count; i += CK_QK, p += CK_Q8_0_BYTES) {
    float d = ck_load_half(p);
    for (int j = 0; j < CK_QK; j++) out[i + j] = d * (float)(int8_t)p[2 + j];
  }
}

void ck_dequantize_q4_0_ref(float *out, const void *w, size_t count) {
  const uint8_t *p = w;
  for (size_t i = 0; i + CK_QK <= count; i += CK_QK, p += CK_Q4_0_BYTES) {
    float d = ck_load_half(p);
    for (int j = 0; j < CK_QK / 2; j++) {
      out[i + j] = d * (float)((p[2 + j] & 15) - 8);
      out[i + j + CK_QK / 2] = d * (float)((p[2 + j] >> 4) - 8);
    }
  }
}

void ck_dequantize_q6_k_ref(float *out, const void *w, size_t count) {
  const uint8_t *p = w;
  for (size_t i = 0; i + CK_QK_K <= count; i += CK_QK_K, p += CK_Q6_K_BYTES) {
    float d = ck_load_half(p + 208);
    for (int j = 0; j < CK_QK_K; j++) {
      int half = j / 128, run = j % 128 / 32, k = j % 32;
      int low = p[half * 64 + run % 2 * 32 + k] >> (run / 2 * 4) & 15;
      int high = p[128 + half * 32 + k] >> (run * 2) & 3;
      int8_t scale = (int8_t)p[192 + j / 16];
      out[i + j] = d * (float)scale * (float)((low | high << 4) - 32);
    }
  }
}

static float sum_lanes(const float *lanes) {
  float s[LANES];
  memcpy(s, lanes, sizeof s);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++) s[j] += s[j + width];
  return s[0];
}

static void add_products(float *lanes, const float *a, const float *b, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) lanes[j] += a[i + j] * b[i + j];
  for (int j = 0; i < n; i++, j++) lanes[j] += a[i] * b[i];
}

static float dot(const float *a, const float *b, size_t n) {
  float lanes[LANES] = {0};
  add_products(lanes, a, b, n);
  return sum_lanes(lanes);
}

void ck_rmsnorm_ref(float *out, const float *x, const float *weight, size_t n, float epsilon) {
  if (n == 0) return;
  float scale = 1.0f / sqrtf(dot(x, x, n) / (float)n + epsilon);
  for (size_t i = 0; i < n; i++) out[i] = x[i] * scale * weight[i];
}

void ck_rope_ref(float *x, size_t heads, size_t head_stride, const float *cosine, const float *sine, size_t pairs) {
  for (size_t h = 0; h < heads; h++, x += head_stride)
    for (size_t i = 0; i < pairs; i++) {
      float a = x[2 * i], b = x[2 * i + 1];
      x[2 * i] = a * cosine[i] - b * sine[i];
      x[2 * i + 1] = a * sine[i] + b * cosine[i];
    }
}

void ck_rope_halves_ref(float *x, size_t heads, size_t head_stride, const float *cosine, const float *sine, size_t pairs) {
  for (size_t h = 0; h < heads; h++, x += head_stride)
    for (size_t i = 0; i < pairs; i++) {
      float a = x[i], b = x[pairs + i];
      x[i] = a * cosine[i] - b * sine[i];
      x[pairs + i] = a * sine[i] + b * cosine[i];
    }
}

void ck_silu_mul_ref(float *gate, const float *up, size_t n) {
  for (size_t i = 0; i < n; i++) gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}

void ck_softmax_ref(float *x, size_t n) {
  if (n == 0) return;
  float max = x[0], sum = 0;
  for (size_t i = 1; i < n; i++) max = x[i] > max ? x[i] : max;
  for (size_t i = 0; i < n; i++) { x[i] = expf(x[i] - max); sum += x[i]; }
  for (size_t i = 0; i < n; i++) x[i] /= sum;
}

void ck_axpy_ref(float *y, float a, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}
