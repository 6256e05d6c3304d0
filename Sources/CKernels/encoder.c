#include "ckencoder.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif

#define LANES 16

/* e^x for x of at most 0: the nearest power of two, and Taylor's series for what is left of the exponent. */
static inline __attribute__((always_inline)) float falling_exponential(float x) {
  float scaled = x * 1.44269504f;
  scaled = scaled < -126.0f ? -126.0f : scaled;
  int32_t whole = (int32_t)(scaled - 0.5f);
  float rest = (scaled - (float)whole) * 0.693147181f;
  float series = 1.0f + rest * (1.0f / 6.0f);
  series = 1.0f + rest * (1.0f / 5.0f) * series;
  series = 1.0f + rest * (1.0f / 4.0f) * series;
  series = 1.0f + rest * (1.0f / 3.0f) * series;
  series = 1.0f + rest * (1.0f / 2.0f) * series;
  series = 1.0f + rest * series;
  int32_t bits = (whole + 127) * (1 << 23);
  float power;
  memcpy(&power, &bits, sizeof power);
  return series * power;
}

/* The error function by Abramowitz and Stegun, formula 7.1.26: to 2e-7. */
WIDEST void ck_gelu(float *values, size_t count) {
  for (size_t index = 0; index < count; index++) {
    float x = values[index];
    float size = (x < 0 ? -x : x) * 0.707106781f;
    float t = 1.0f / (1.0f + 0.3275911f * size);
    float terms = 1.061405429f * t;
    terms = (terms - 1.453152027f) * t;
    terms = (terms + 1.421413741f) * t;
    terms = (terms - 0.284496736f) * t;
    terms = (terms + 0.254829592f) * t;
    float error = 1.0f - terms * falling_exponential(-size * size);
    error = x < 0 ? -error : error;
    values[index] = 0.5f * x * (1.0f + error);
  }
}

/* Sums in lanes, which has the same order whatever the width of the vectors is. */
static inline __attribute__((always_inline)) float lane_sum(const float *lanes) {
  float sum = 0;
  for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
  return sum;
}

WIDEST void ck_layer_norm(float *row, const float *term, const float *weight, const float *bias, size_t width, float epsilon) {
  if (term)
    for (size_t index = 0; index < width; index++) row[index] += term[index];
  float lanes[LANES] = {0};
  size_t whole = width - width % LANES;
  for (size_t index = 0; index < whole; index += LANES)
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += row[index + lane];
  float sum = lane_sum(lanes);
  for (size_t index = whole; index < width; index++) sum += row[index];
  float mean = sum / (float)width;
  memset(lanes, 0, sizeof lanes);
  for (size_t index = 0; index < whole; index += LANES)
    for (size_t lane = 0; lane < LANES; lane++) {
      float distance = row[index + lane] - mean;
      lanes[lane] += distance * distance;
    }
  float squares = lane_sum(lanes);
  for (size_t index = whole; index < width; index++) squares += (row[index] - mean) * (row[index] - mean);
  float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
  for (size_t index = 0; index < width; index++) row[index] = (row[index] - mean) * scale * weight[index] + bias[index];
}

WIDEST void ck_attend_to_all(const float *query, const float *key, const float *value, size_t stride, float *output,
                             size_t output_stride, size_t rows, size_t dimension, float *scratch) {
  float *scores = scratch, *keys = scratch + rows;
  float scale = 1.0f / sqrtf((float)dimension);
  /* Keys by dimension, so that the scores of all rows grow together. */
  for (size_t row = 0; row < rows; row++)
    for (size_t place = 0; place < dimension; place++) keys[place * rows + row] = key[row * stride + place];
  for (size_t row = 0; row < rows; row++) {
    const float *own = query + row * stride;
    for (size_t other = 0; other < rows; other++) scores[other] = 0;
    for (size_t place = 0; place < dimension; place++) {
      float factor = own[place] * scale;
      const float *column = keys + place * rows;
      for (size_t other = 0; other < rows; other++) scores[other] += factor * column[other];
    }
    float highest = scores[0];
    for (size_t other = 1; other < rows; other++) highest = scores[other] > highest ? scores[other] : highest;
    for (size_t other = 0; other < rows; other++) scores[other] = falling_exponential(scores[other] - highest);
    float sum = 0;
    for (size_t other = 0; other < rows; other++) sum += scores[other];
    float *target = output + row * output_stride;
    for (size_t place = 0; place < dimension; place++) target[place] = 0;
    for (size_t other = 0; other < rows; other++) {
      float share = scores[other] / sum;
      const float *source = value + other * stride;
      for (size_t place = 0; place < dimension; place++) target[place] += share * source[place];
    }
  }
}
