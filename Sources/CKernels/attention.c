#include "attention.h"

#include <math.h>
#include <string.h>

#include "tables.h"

size_t ck_kv_head_bytes(ck_kv_type type, size_t head_dim) {
  switch (type) {
    case CK_KV_F32: return CK_KV_BLOCK * head_dim * 4;
    case CK_KV_F16: return CK_KV_BLOCK * head_dim * 2;
    default: return ck_kv_scale_bytes(head_dim) + CK_KV_BLOCK * head_dim;
  }
}

static void segment_of_one(
  float *part, const ck_attention_view *view, const ck_attention_query *query, size_t segment, ck_read_number *key,
  ck_read_number *value) {
  size_t n = view->head_dim;
  ck_range seen = ck_seen(query, segment);
  float p[CK_KV_SEGMENT], max = -INFINITY, sum = 0;
  const uint8_t *const *blocks = view->blocks + segment * (CK_KV_SEGMENT / CK_KV_BLOCK);
  for (size_t t = seen.lo; t < seen.hi; t++) {
    const uint8_t *keys = blocks[t / CK_KV_BLOCK] + view->key_offset;
    float dot = 0;
    for (size_t d = 0; d < n; d++) dot += query->q[d] * key(keys, n, t % CK_KV_BLOCK, d);
    p[t] = dot * view->scale;
    max = p[t] > max ? p[t] : max;
  }
  for (size_t d = 0; d < n; d++) part[d] = 0;
  for (size_t t = seen.lo; t < seen.hi; t++) {
    const uint8_t *values = blocks[t / CK_KV_BLOCK] + view->value_offset;
    float weight = expf(p[t] - max);
    sum += weight;
    for (size_t d = 0; d < n; d++) part[d] += weight * value(values, n, t % CK_KV_BLOCK, d);
  }
  part[n] = max;
  part[n + 1] = sum;
}

#define DEFINE_SEGMENT(type) \
  static void segment_##type( \
    float *part, const ck_attention_view *view, const ck_attention_query *queries, size_t count, size_t segment) { \
    for (size_t i = 0; i < count; i++, part += view->head_dim + 2) \
      segment_of_one(part, view, queries + i, segment, ck_key_##type, ck_value_##type); \
  }

DEFINE_SEGMENT(f32)
DEFINE_SEGMENT(f16)
DEFINE_SEGMENT(q8_0)

void ck_attention_merge_ref(float *total, const float *part, size_t count, size_t head_dim) {
  for (size_t i = 0; i < count; i++, total += head_dim + 2, part += head_dim + 2) {
    float high = total[head_dim], other = part[head_dim];
    // A minimum of all numbers means that nothing was seen.
    if (other == -INFINITY) continue;
    if (high == -INFINITY) {
      memcpy(total, part, (head_dim + 2) * sizeof(float));
      continue;
    }
    float max = high > other ? high : other, keep = expf(high - max), take = expf(other - max);
    for (size_t d = 0; d < head_dim; d++) total[d] = total[d] * keep + part[d] * take;
    total[head_dim] = max;
    total[head_dim + 1] = total[head_dim + 1] * keep + part[head_dim + 1] * take;
  }
}

void ck_attention_finish_ref(float *out, const float *total, size_t head_dim) {
  float factor = 1.0f / total[head_dim + 1];
  for (size_t d = 0; d < head_dim; d++) out[d] = total[d] * factor;
}

void ck_kv_store_f32_ref(
  uint8_t *keys, uint8_t *values, size_t position, const float *k, const float *v, size_t head_dim) {
  for (size_t d = 0; d < head_dim; d++) memcpy(keys + 4 * (d * CK_KV_BLOCK + position), k + d, 4);
  if (head_dim != 0) memcpy(values + 4 * position * head_dim, v, 4 * head_dim);
}

void ck_kv_store_f16_ref(
  uint8_t *keys, uint8_t *values, size_t position, const float *k, const float *v, size_t head_dim) {
  for (size_t d = 0; d < head_dim; d++) {
    ck_store_half(keys + 2 * (d * CK_KV_BLOCK + position), ck_within_half(k[d]));
    ck_store_half(values + 2 * (position * head_dim + d), ck_within_half(v[d]));
  }
}

// The numbers q with which scale * q comes nearest to x, and the scale as it is stored.
static void quantise_group(uint8_t *scale, int8_t *q, const float *x, size_t n) {
  float largest = 0;
  for (size_t j = 0; j < n; j++) largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
  ck_store_half(scale, ck_within_half(largest / 127));
  float d = ck_load_half(scale), inverse = d == 0 ? 0 : 1 / d;
  for (size_t j = 0; j < n; j++) {
    float nearest = rintf(x[j] * inverse);
    q[j] = (int8_t)(nearest > 127 ? 127 : nearest > -127 ? nearest : -127);
  }
}

void ck_kv_store_q8_0_ref(
  uint8_t *keys, uint8_t *values, size_t position, const float *k, const float *v, size_t head_dim) {
  size_t groups = ck_kv_groups(head_dim), numbers = ck_kv_scale_bytes(head_dim);
  for (size_t g = 0; g < groups; g++) {
    size_t first = g * CK_KV_GROUP, n = head_dim - first < CK_KV_GROUP ? head_dim - first : CK_KV_GROUP;
    int8_t q[CK_KV_GROUP];
    quantise_group(keys + 2 * (g * CK_KV_BLOCK + position), q, k + first, n);
    for (size_t j = 0; j < n; j++) keys[numbers + (first + j) * CK_KV_BLOCK + position] = (uint8_t)q[j];
    quantise_group(values + 2 * (position * groups + g), q, v + first, n);
    memcpy(values + numbers + position * head_dim + first, q, n);
  }
}

static const ck_attention_kernels scalar_attention = {
  segment_f32, segment_f16, segment_q8_0, ck_kv_store_f32_ref, ck_kv_store_f16_ref, ck_kv_store_q8_0_ref,
  ck_attention_merge_ref, ck_attention_finish_ref,
};

const ck_attention_kernels *ck_attention_for(int isa) {
  if (isa < CK_ISA_SCALAR || isa > CK_ISA_NEON || ck_kernels_for((ck_isa)isa) == NULL) return NULL;
#if defined(__x86_64__)
  if (isa == CK_ISA_AVX2) return &ck_attention_avx2;
  if (isa == CK_ISA_AVX512) return &ck_attention_avx512;
#elif defined(__aarch64__)
  if (isa == CK_ISA_NEON) return &ck_attention_neon;
#endif
  return &scalar_attention;
}
