// The kernels in terms of one vector type. The including file defines: V (vector of W floats), W, BATCH (activation rows that
// share one pass over a weight row), TARGET (function attribute), NAME(x), and the functions v_zero, v_set1, v_load, v_store,
// v_add, v_mul, v_div, v_max, v_fma (a b + c), v_exp, v_sum, v_high (largest lane), v_rotate (rope of W / 2 pairs), and
// load_TYPE: STEP weights from column c on of a row, as four vectors.
#include <math.h>
#include <string.h>

#include "tables.h"

#define INLINE static inline __attribute__((always_inline)) TARGET
enum { CHAINS = 4, STEP = CHAINS * W };

typedef void load_step(const uint8_t *row, size_t c, V w[CHAINS]);

INLINE void add_products(V acc[CHAINS], const V w[CHAINS], const float *x) {
  for (int j = 0; j < CHAINS; j++) acc[j] = v_fma(w[j], v_load(x + j * W), acc[j]);
}

INLINE float sum_chains(const V acc[CHAINS]) { return v_sum(v_add(v_add(acc[0], acc[1]), v_add(acc[2], acc[3]))); }

// The columns after the last whole step, padded with zeros to one step.
INLINE void load_tail(const uint8_t *tail, size_t n, ck_dequantize *dequantize, V w[CHAINS]) {
  float padded[STEP] = {0};
  dequantize(padded, tail, n);
  for (int j = 0; j < CHAINS; j++) w[j] = v_load(padded + j * W);
}

// One weight row against `n` (a constant after inlining) activation rows: every weight is loaded and converted once.
INLINE void row_products(
  float *out, size_t out_stride, const uint8_t *row, size_t cols, const float *x, size_t x_stride, const int n, load_step *load,
  ck_dequantize *dequantize, size_t block, size_t block_bytes) {
  V acc[BATCH][CHAINS], w[CHAINS];
  for (int b = 0; b < n; b++)
    for (int j = 0; j < CHAINS; j++) acc[b][j] = v_zero();
  size_t c = 0;
  for (; c + STEP <= cols; c += STEP) {
    load(row, c, w);
    for (int b = 0; b < n; b++) add_products(acc[b], w, x + (size_t)b * x_stride + c);
  }
  if (c < cols) {
    load_tail(row + c / block * block_bytes, cols - c, dequantize, w);
    for (int b = 0; b < n; b++) {
      float padded[STEP] = {0};
      memcpy(padded, x + (size_t)b * x_stride + c, (cols - c) * sizeof(float));
      add_products(acc[b], w, padded);
    }
  }
  for (int b = 0; b < n; b++) out[(size_t)b * out_stride] = sum_chains(acc[b]);
}

INLINE void matmul(
  float *out, size_t out_stride, const uint8_t *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch,
  load_step *load, ck_dequantize *dequantize, size_t block, size_t block_bytes) {
  size_t row_bytes = cols / block * block_bytes;
  for (size_t r = 0; r < rows; r++, w += row_bytes, out++) {
    size_t b = 0;
    for (; b + BATCH <= batch; b += BATCH)
      row_products(
        out + b * out_stride, out_stride, w, cols, x + b * x_stride, x_stride, BATCH, load, dequantize, block, block_bytes);
    for (; b < batch; b++)
      row_products(
        out + b * out_stride, out_stride, w, cols, x + b * x_stride, x_stride, 1, load, dequantize, block, block_bytes);
  }
}

#define DEFINE_MATMUL(type, block, block_bytes) \
  static TARGET void NAME(matmul_##type)( \
    float *out, size_t out_stride, const void *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch) { \
    matmul( \
      out, out_stride, w, rows, cols, x, x_stride, batch, load_##type, ck_dequantize_##type##_ref, block, block_bytes); \
  } \
  static TARGET void NAME(dequantize_##type)(float *out, const void *w, size_t count) { \
    const uint8_t *p = w; \
    V v[CHAINS]; \
    size_t i = 0; \
    for (; i + STEP <= count; i += STEP) { \
      load_##type(p, i, v); \
      for (int j = 0; j < CHAINS; j++) v_store(out + i + j * W, v[j]); \
    } \
    ck_dequantize_##type##_ref(out + i, p + i / (block) * (block_bytes), count - i); \
  }

DEFINE_MATMUL(f32, 1, 4)
DEFINE_MATMUL(f16, 1, 2)
DEFINE_MATMUL(bf16, 1, 2)
DEFINE_MATMUL(q8_0, CK_QK, CK_Q8_0_BYTES)
DEFINE_MATMUL(q4_0, CK_QK, CK_Q4_0_BYTES)
DEFINE_MATMUL(q6_k, CK_QK_K, CK_Q6_K_BYTES)

#include "simd_blocks.h"

INLINE float dot(const float *a, const float *b, size_t n) {
  V acc = v_zero();
  size_t i = 0;
  for (; i + W <= n; i += W) acc = v_fma(v_load(a + i), v_load(b + i), acc);
  float sum = v_sum(acc);
  for (; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static TARGET void NAME(rmsnorm)(float *out, const float *x, const float *weight, size_t n, float epsilon) {
  if (n == 0) return;
  float scale = 1.0f / sqrtf(dot(x, x, n) / (float)n + epsilon);
  V scales = v_set1(scale);
  size_t i = 0;
  for (; i + W <= n; i += W) v_store(out + i, v_mul(v_mul(v_load(x + i), scales), v_load(weight + i)));
  for (; i < n; i++) out[i] = x[i] * scale * weight[i];
}

static TARGET void NAME(rope)(
  float *x, size_t heads, size_t head_stride, const float *cosine, const float *sine, size_t pairs) {
  size_t whole = pairs / (W / 2) * (W / 2);
  for (size_t h = 0; h < heads; h++, x += head_stride) {
    for (size_t i = 0; i < whole; i += W / 2) v_store(x + 2 * i, v_rotate(v_load(x + 2 * i), cosine + i, sine + i));
    if (whole < pairs) ck_rope_ref(x + 2 * whole, 1, 0, cosine + whole, sine + whole, pairs - whole);
  }
}

static TARGET void NAME(rope_halves)(
  float *x, size_t heads, size_t head_stride, const float *cosine, const float *sine, size_t pairs) {
  V minus = v_set1(-1.0f);
  for (size_t h = 0; h < heads; h++, x += head_stride) {
    size_t i = 0;
    for (; i + W <= pairs; i += W) {
      V a = v_load(x + i), b = v_load(x + pairs + i), c = v_load(cosine + i), s = v_load(sine + i);
      v_store(x + i, v_fma(a, c, v_mul(v_mul(b, s), minus)));
      v_store(x + pairs + i, v_fma(b, c, v_mul(a, s)));
    }
    for (; i < pairs; i++) {
      float a = x[i], b = x[pairs + i];
      x[i] = a * cosine[i] - b * sine[i];
      x[pairs + i] = a * sine[i] + b * cosine[i];
    }
  }
}

static TARGET void NAME(silu_mul)(float *gate, const float *up, size_t n) {
  V one = v_set1(1.0f), minus = v_set1(-1.0f);
  size_t i = 0;
  for (; i + W <= n; i += W) {
    V g = v_load(gate + i);
    v_store(gate + i, v_mul(v_div(g, v_add(one, v_exp(v_mul(g, minus)))), v_load(up + i)));
  }
  ck_silu_mul_ref(gate + i, up + i, n - i);
}

INLINE float highest(const float *x, size_t n) {
  size_t i = 0;
  float high = -INFINITY;
  if (n >= W) {
    V highs = v_load(x);
    for (i = W; i + W <= n; i += W) highs = v_max(highs, v_load(x + i));
    high = v_high(highs);
  }
  for (; i < n; i++) high = x[i] > high ? x[i] : high;
  return high;
}

// x[i] = exp(x[i] - high); returns their sum.
INLINE float exponentials(float *x, size_t n, float high) {
  V shift = v_set1(-high), sums = v_zero();
  size_t i = 0;
  for (; i + W <= n; i += W) {
    V e = v_exp(v_add(v_load(x + i), shift));
    sums = v_add(sums, e);
    v_store(x + i, e);
  }
  float sum = v_sum(sums);
  for (; i < n; i++) { x[i] = expf(x[i] - high); sum += x[i]; }
  return sum;
}

INLINE void scale_by(float *x, float factor, size_t n) {
  V factors = v_set1(factor);
  size_t i = 0;
  for (; i + W <= n; i += W) v_store(x + i, v_mul(v_load(x + i), factors));
  for (; i < n; i++) x[i] *= factor;
}

static TARGET void NAME(softmax)(float *x, size_t n) {
  if (n == 0) return;
  scale_by(x, 1.0f / exponentials(x, n, highest(x, n)), n);
}

static TARGET void NAME(axpy)(float *y, float a, const float *x, size_t n) {
  V factors = v_set1(a);
  size_t i = 0;
  for (; i + W <= n; i += W) v_store(y + i, v_fma(factors, v_load(x + i), v_load(y + i)));
  for (; i < n; i++) y[i] += a * x[i];
}

#define KERNEL_TABLE \
  { \
    NAME(matmul_f32), NAME(matmul_f16), NAME(matmul_q8_0), NAME(matmul_q4_0), NAME(matmul_q6_k), NAME(matmul_bf16), \
    NAME(matmul_q4_1), NAME(matmul_q5_0), NAME(matmul_q5_1), NAME(matmul_iq4_nl), NAME(matmul_q2_k), \
    NAME(matmul_q3_k), NAME(matmul_q4_k), NAME(matmul_q5_k), NAME(dequantize_f32), NAME(dequantize_f16), \
    NAME(dequantize_q8_0), NAME(dequantize_q4_0), NAME(dequantize_q6_k), NAME(dequantize_bf16), NAME(dequantize_q4_1), \
    NAME(dequantize_q5_0), NAME(dequantize_q5_1), NAME(dequantize_iq4_nl), NAME(dequantize_q2_k), \
    NAME(dequantize_q3_k), NAME(dequantize_q4_k), NAME(dequantize_q5_k), NAME(rmsnorm), NAME(rope), NAME(rope_halves), \
    NAME(silu_mul), NAME(softmax), NAME(axpy), \
  }
