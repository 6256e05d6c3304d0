#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include <string.h>

#include "ckattention.h"
#include "tables.h"

/// Where one head's parts of a block in Q8_0 begin: the numbers stand behind all scales.
enum { CK_KV_GROUP = 32 };

static inline size_t ck_kv_groups(size_t head_dim) { return (head_dim + CK_KV_GROUP - 1) / CK_KV_GROUP; }
static inline size_t ck_kv_scale_bytes(size_t head_dim) { return ck_kv_groups(head_dim) * CK_KV_BLOCK * 2; }

static inline float ck_within_half(float x) { return x > 65504.0f ? 65504.0f : x < -65504.0f ? -65504.0f : x; }

// One number of a block: dimension d of position t.
typedef float ck_read_number(const uint8_t *block, size_t head_dim, size_t t, size_t d);

static inline float ck_key_f32(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  (void)head_dim;
  float value;
  memcpy(&value, keys + 4 * (d * CK_KV_BLOCK + t), 4);
  return value;
}

static inline float ck_value_f32(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  float value;
  memcpy(&value, values + 4 * (t * head_dim + d), 4);
  return value;
}

static inline float ck_key_f16(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  (void)head_dim;
  return ck_load_half(keys + 2 * (d * CK_KV_BLOCK + t));
}

static inline float ck_value_f16(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  return ck_load_half(values + 2 * (t * head_dim + d));
}

static inline float ck_key_q8_0(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  float scale = ck_load_half(keys + 2 * (d / CK_KV_GROUP * CK_KV_BLOCK + t));
  return scale * (float)(int8_t)keys[ck_kv_scale_bytes(head_dim) + d * CK_KV_BLOCK + t];
}

static inline float ck_value_q8_0(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  float scale = ck_load_half(values + 2 * (t * ck_kv_groups(head_dim) + d / CK_KV_GROUP));
  return scale * (float)(int8_t)values[ck_kv_scale_bytes(head_dim) + t * head_dim + d];
}

/// The part of a segment that a query sees: positions from its beginning, lo < hi, or none where lo = hi = 0.
typedef struct ck_range {
  size_t lo, hi;
} ck_range;

static inline ck_range ck_seen(const ck_attention_query *query, size_t segment) {
  size_t start = segment * CK_KV_SEGMENT;
  size_t lo = query->first > start ? query->first - start : 0;
  size_t hi = query->positions > start ? query->positions - start : 0;
  if (hi > CK_KV_SEGMENT) hi = CK_KV_SEGMENT;
  return lo < hi ? (ck_range){lo, hi} : (ck_range){0, 0};
}

ck_kv_store ck_kv_store_f32_ref, ck_kv_store_f16_ref, ck_kv_store_q8_0_ref;
ck_attention_merge ck_attention_merge_ref;
ck_attention_finish ck_attention_finish_ref;

#if defined(__x86_64__)
extern const ck_attention_kernels ck_attention_avx2, ck_attention_avx512;
#elif defined(__aarch64__)
extern const ck_attention_kernels ck_attention_neon;
#endif

#endif
