// Kernels over one row, at every length from 0 to 130, and those of the encoder, against their definitions in f64.
#include <math.h>
#include <string.h>

#include "check.h"

enum { LONGEST = 130, MOST = 512 };

static void check_norm(const set *tested) {
  for (size_t n = 0; n <= LONGEST; n++) {
    float x[LONGEST], weight[LONGEST], got[LONGEST + 1];
    draw_floats(x, n, 3);
    draw_floats(weight, n, 1);
    got[n] = CANARY;
    tested->kernels->rmsnorm(got, x, weight, n, 1e-5f);
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += (double)x[i] * (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
      double exact = (double)x[i] * (double)weight[i] / sqrt(mean + 1e-5);
      REQUIRE(is_close(got[i], exact, fabs(exact), 2e-6), "%s: norm of %zu", tested->name, n);
    }
    REQUIRE(got[n] == CANARY, "%s: norm of %zu", tested->name, n);
    tested->kernels->rmsnorm(x, x, weight, n, 1e-5f);
    REQUIRE(memcmp(x, got, n * sizeof(float)) == 0, "%s: norm of %zu in place", tested->name, n);
  }
}

// Pairs that are adjacent, or whose numbers are half a head apart.
static void check_rotation(const set *tested, ck_rope *kernel, int is_halves) {
  for (size_t pairs = 0; pairs <= 65; pairs++) {
    const size_t heads = 3, stride = 2 * pairs + 3;
    float x[3 * (LONGEST + 3)], got[3 * (LONGEST + 3)], cosine[65], sine[65];
    draw_floats(x, heads * stride, 1);
    draw_floats(cosine, pairs, 1);
    draw_floats(sine, pairs, 1);
    memcpy(got, x, sizeof x);
    kernel(got, heads, stride, cosine, sine, pairs);
    for (size_t h = 0; h < heads; h++) {
      for (size_t i = 0; i < pairs; i++) {
        const size_t first = h * stride + (is_halves ? i : 2 * i), second = first + (is_halves ? pairs : 1);
        double a = x[first], b = x[second], c = cosine[i], s = sine[i];
        REQUIRE(is_close(got[first], a * c - b * s, 2, 2e-6), "%s: rotation of %zu pairs", tested->name, pairs);
        REQUIRE(is_close(got[second], a * s + b * c, 2, 2e-6), "%s: rotation of %zu pairs", tested->name, pairs);
      }
      for (size_t i = 2 * pairs; i < stride; i++)
        REQUIRE(got[h * stride + i] == x[h * stride + i], "%s: rotation of %zu pairs wrote at %zu", tested->name, pairs, i);
    }
  }
}

static void check_silu(const set *tested) {
  for (size_t n = 0; n <= LONGEST; n++) {
    float gate[LONGEST + 1], up[LONGEST], got[LONGEST + 1];
    draw_floats(gate, n, 20);
    draw_floats(up, n, 1);
    gate[n] = CANARY;
    memcpy(got, gate, sizeof gate);
    tested->kernels->silu_mul(got, up, n);
    for (size_t i = 0; i < n; i++) {
      double exact = (double)gate[i] / (1 + exp(-(double)gate[i])) * (double)up[i];
      REQUIRE(is_close(got[i], exact, fabs(exact), 2e-6), "%s: silu of %g", tested->name, (double)gate[i]);
    }
    REQUIRE(got[n] == CANARY, "%s: silu of %zu", tested->name, n);
  }
  const float far[] = {-1e30f, -1000, -100, -90, -88, 0, 88, 100, 1e30f};
  for (size_t j = 0; j < sizeof far / sizeof *far; j++) {
    float gate[19], ones[19];
    for (int i = 0; i < 19; i++) gate[i] = far[j], ones[i] = 1;
    tested->kernels->silu_mul(gate, ones, 19);
    for (int i = 0; i < 19; i++) {
      const int is_right = far[j] < 0 ? gate[i] <= 0 && (gate[i] > -1e-5f || far[j] == -1e30f) : gate[i] == far[j];
      REQUIRE(is_right, "%s: silu of %g is %g", tested->name, (double)far[j], (double)gate[i]);
    }
  }
}

static void check_softmax(const set *tested) {
  for (size_t n = 0; n <= LONGEST; n++) {
    float x[LONGEST], got[LONGEST + 1];
    draw_floats(x, n, 30);
    memcpy(got, x, n * sizeof(float));
    got[n] = CANARY;
    tested->kernels->softmax(got, n);
    double high = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) high = x[i] > high ? x[i] : high;
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - high);
    for (size_t i = 0; i < n; i++) {
      double exact = exp((double)x[i] - high) / sum;
      REQUIRE(is_close(got[i], exact, exact + 1e-6, 2e-6), "%s: softmax of %zu", tested->name, n);
    }
    REQUIRE(got[n] == CANARY, "%s: softmax of %zu", tested->name, n);
  }
}

static void check_axpy(const set *tested) {
  for (size_t n = 0; n <= LONGEST; n++) {
    float x[LONGEST], y[LONGEST], got[LONGEST + 1];
    draw_floats(x, n, 1);
    draw_floats(y, n, 1);
    memcpy(got, y, n * sizeof(float));
    got[n] = CANARY;
    tested->kernels->axpy(got, 0.75f, x, n);
    for (size_t i = 0; i < n; i++)
      REQUIRE(is_close(got[i], (double)y[i] + 0.75 * (double)x[i], 1, 2e-6), "%s: axpy of %zu", tested->name, n);
    REQUIRE(got[n] == CANARY, "%s: axpy of %zu", tested->name, n);
  }
}

void check_rows(const set *tested) {
  seed(42);
  check_norm(tested);
  check_rotation(tested, tested->kernels->rope, 0);
  check_rotation(tested, tested->kernels->rope_halves, 1);
  check_silu(tested);
  check_softmax(tested);
  check_axpy(tested);
}

static void check_gelu(void) {
  for (size_t n = 0; n <= LONGEST; n++) {
    float x[LONGEST], got[LONGEST + 1];
    draw_floats(x, n, 6);
    memcpy(got, x, n * sizeof(float));
    got[n] = CANARY;
    ck_gelu(got, n);
    for (size_t i = 0; i < n; i++) {
      double exact = 0.5 * (double)x[i] * (1 + erf((double)x[i] / sqrt(2)));
      REQUIRE(fabs((double)got[i] - exact) <= 2e-6, "gelu of %g", (double)x[i]);
    }
    REQUIRE(got[n] == CANARY, "gelu of %zu", n);
  }
}

static void check_layer_norm(void) {
  for (size_t n = 1; n <= LONGEST; n++) {
    float row[LONGEST + 1], term[LONGEST], weight[LONGEST], bias[LONGEST], sums[LONGEST];
    draw_floats(row, n, 1);
    draw_floats(term, n, 1);
    draw_floats(weight, n, 1);
    draw_floats(bias, n, 1);
    row[n] = CANARY;
    const int has_term = n % 2 == 0;
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += (double)(sums[i] = has_term ? row[i] + term[i] : row[i]) / (double)n;
    for (size_t i = 0; i < n; i++) squares += ((double)sums[i] - mean) * ((double)sums[i] - mean) / (double)n;
    ck_layer_norm(row, has_term ? term : NULL, weight, bias, n, 1e-5f);
    for (size_t i = 0; i < n; i++) {
      double exact = ((double)sums[i] - mean) / sqrt(squares + 1e-5) * (double)weight[i] + (double)bias[i];
      REQUIRE(is_close(row[i], exact, n == 1 ? 1e2 : 1 + fabs(exact), 1e-5), "layer norm of %zu", n);
    }
    REQUIRE(row[n] == CANARY, "layer norm of %zu", n);
  }
}

static void check_full_attention(void) {
  for (size_t rows = 1; rows <= 21; rows += 4)
    for (size_t width = 1; width <= 35; width += 17) {
      const size_t stride = width + 3, out_stride = width + 2;
      static float q[MOST * 2], k[MOST * 2], v[MOST * 2], got[MOST * 2], scratch[21 * 36 + 1];
      draw_floats(q, rows * stride, 2);
      draw_floats(k, rows * stride, 2);
      draw_floats(v, rows * stride, 2);
      for (size_t i = 0; i < rows * out_stride; i++) got[i] = CANARY;
      scratch[rows * (width + 1)] = CANARY;
      ck_attend_to_all(q, k, v, stride, got, out_stride, rows, width, scratch);
      REQUIRE(scratch[rows * (width + 1)] == CANARY, "scratch of %zu x %zu", rows, width);
      for (size_t r = 0; r < rows; r++) {
        double scores[21], high = -INFINITY, sum = 0;
        for (size_t t = 0; t < rows; t++) {
          scores[t] = 0;
          for (size_t d = 0; d < width; d++) scores[t] += (double)q[r * stride + d] * (double)k[t * stride + d] / sqrt((double)width);
          high = scores[t] > high ? scores[t] : high;
        }
        for (size_t t = 0; t < rows; t++) sum += scores[t] = exp(scores[t] - high);
        for (size_t d = 0; d < width; d++) {
          double exact = 0;
          for (size_t t = 0; t < rows; t++) exact += scores[t] / sum * (double)v[t * stride + d];
          REQUIRE(is_close(got[r * out_stride + d], exact, 2, 1e-5), "attention of %zu rows to all, %zu wide", rows, width);
        }
        for (size_t d = width; d < out_stride; d++) REQUIRE(got[r * out_stride + d] == CANARY, "attention of %zu rows to all", rows);
      }
    }
}

void check_encoder(void) {
  seed(43);
  check_gelu();
  check_layer_norm();
  check_full_attention();
}
