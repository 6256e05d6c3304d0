// The kernels of rows in terms of one vector type. The including file defines: V (vector of W floats), W, TARGET
// (function attribute), NAME(x), PRODUCTS (the address of its products), and the functions v_zero, v_set1, v_load, v_store, v_add, v_mul,
// v_div, v_max, v_fma (a b + c), v_exp, v_sum, v_high (largest lane), v_rotate (rope of W / 2 pairs).
#include <math.h>
#include <string.h>

#include "tables.h"

#define INLINE static inline __attribute__((always_inline)) TARGET
enum { CHAINS = 4, STEP = CHAINS * W };

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
    PRODUCTS, NAME(rmsnorm), NAME(rope), NAME(rope_halves), \
    NAME(silu_mul), NAME(softmax), NAME(axpy), \
  }
