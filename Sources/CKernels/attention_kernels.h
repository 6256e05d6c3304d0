// Attention in terms of one vector type. The including file defines what simd_kernels.h asks of it (V, W, TARGET, V_INLINE, NAME and
// the functions v_...), the reads v_load_half and v_load_bytes (W binary16 or int8 numbers as floats), v_store_half, and TILE, the
// most queries that share one read of keys and values: TILE * 2 + 3 vectors fit the registers.
//
// A segment against many queries is a product of matrices: its keys and values are expanded to f32 once, and TILE queries at a time
// go over them from the caches.
#include <math.h>
#include <string.h>

#include "attention.h"
#include "tables.h"

// EXPANDED_DIM: the longest head whose segments are expanded, on the stack.
enum { PAIR = 2, BLOCK_VECTORS = CK_KV_BLOCK / W, EXPANDED_DIM = 128 };

// Sums stay in registers where loops over them are unrolled, which the compiler does not do by itself for many.
#define UNROLLED _Pragma("clang loop unroll(full)")

// Keys of dimension d at positions t to t + W - 1 of a block, values of position t at dimensions d to d + W - 1.
typedef V load_numbers(const uint8_t *block, size_t head_dim, size_t t, size_t d);

V_INLINE V load_key_f32(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  (void)head_dim;
  return v_load((const float *)keys + d * CK_KV_BLOCK + t);
}

V_INLINE V load_value_f32(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  return v_load((const float *)values + t * head_dim + d);
}

V_INLINE V load_key_f16(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  (void)head_dim;
  return v_load_half(keys + 2 * (d * CK_KV_BLOCK + t));
}

V_INLINE V load_value_f16(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  return v_load_half(values + 2 * (t * head_dim + d));
}

V_INLINE V load_key_q8_0(const uint8_t *keys, size_t head_dim, size_t t, size_t d) {
  V scales = v_load_half(keys + 2 * (d / CK_KV_GROUP * CK_KV_BLOCK + t));
  return v_mul(v_load_bytes(keys + ck_kv_scale_bytes(head_dim) + d * CK_KV_BLOCK + t), scales);
}

V_INLINE V load_value_q8_0(const uint8_t *values, size_t head_dim, size_t t, size_t d) {
  float scale = half_to_float(values + 2 * (t * ck_kv_groups(head_dim) + d / CK_KV_GROUP));
  return v_mul(v_load_bytes(values + ck_kv_scale_bytes(head_dim) + t * head_dim + d), v_set1(scale));
}

// p[i * CK_KV_SEGMENT + t...] = scale * q[i] . key[t] for `n` queries and PAIR vectors of positions in each of `blocks` blocks in turn
// (constants after inlining). Meanwhile the values of these blocks and the keys of `next`, as many blocks, come into the cache.
V_INLINE void score(
  float *p, const ck_attention_query *queries, const ck_attention_view *view, const uint8_t *const *keys, const uint8_t *const *next,
  size_t t, size_t line, const int n, const int blocks, load_numbers *load) {
  V acc[TILE][PAIR];
  UNROLLED for (int i = 0; i < n * blocks; i++)
    UNROLLED for (int j = 0; j < PAIR; j++) acc[i][j] = v_zero();
  for (size_t d = 0; d < view->head_dim; d++) {
    UNROLLED for (int b = 0; b < blocks; b++) {
      V k[PAIR];
      if (next != NULL) {
        __builtin_prefetch(keys[b] + view->value_offset + d * line, 0, 3);
        __builtin_prefetch(next[b] + view->key_offset + d * line, 0, 3);
      }
      UNROLLED for (int j = 0; j < PAIR; j++) k[j] = load(keys[b] + view->key_offset, view->head_dim, t + (size_t)(j * W), d);
      UNROLLED for (int i = 0; i < n; i++) {
        V x = v_set1(queries[i].q[d]);
        UNROLLED for (int j = 0; j < PAIR; j++) acc[i * blocks + b][j] = v_fma(x, k[j], acc[i * blocks + b][j]);
      }
    }
  }
  V scale = v_set1(view->scale);
  UNROLLED for (int i = 0; i < n; i++)
    UNROLLED for (int b = 0; b < blocks; b++)
      UNROLLED for (int j = 0; j < PAIR; j++)
        v_store(p + i * CK_KV_SEGMENT + b * CK_KV_BLOCK + t + j * W, v_mul(acc[i * blocks + b][j], scale));
}

// The scores of `n` queries with all positions of blocks `begin` to `end` - 1 of a segment. One query reads several blocks at once,
// so that its additions need not wait for one another. line: bytes that a dimension of a block's keys takes, as far as they come from
// memory; 0 where they are in a cache.
V_INLINE void score_blocks(
  float *p, const ck_attention_query *queries, const ck_attention_view *view, const uint8_t *const *blocks, size_t begin, size_t end,
  const size_t line, const int n, load_numbers *load) {
  size_t b = begin;
  for (; n == 1 && b + CHAINED <= end; b += CHAINED) {
    const uint8_t *const *here = blocks + b, *const *next = b + 2 * CHAINED <= end ? here + CHAINED : here;
    for (size_t t = 0; t < CK_KV_BLOCK; t += PAIR * W)
      score(p + b * CK_KV_BLOCK, queries, view, here, t == 0 && line != 0 ? next : NULL, t, line, 1, CHAINED, load);
  }
  for (; b < end; b++) {
    const uint8_t *const *here = blocks + b, *const *next = b + 1 < end ? here + 1 : here;
    for (size_t t = 0; t < CK_KV_BLOCK; t += PAIR * W)
      score(p + b * CK_KV_BLOCK, queries, view, here, t == 0 && line != 0 ? next : NULL, t, line, n, 1, load);
  }
}

V_INLINE ck_range widened(ck_range any, ck_range seen) {
  if (seen.lo >= seen.hi) return any;
  return (ck_range){seen.lo < any.lo ? seen.lo : any.lo, seen.hi > any.hi ? seen.hi : any.hi};
}

// Turns a query's scores in blocks `begin` to `end` - 1 into exp(score - max), 0 outside what it sees. Sums stand in lanes by
// position in the segment, so that they do not depend on which blocks are looked at.
V_INLINE void weigh(float *p, ck_range seen, size_t begin, size_t end, float *max, float *sum) {
  size_t start = begin * CK_KV_BLOCK, stop = end * CK_KV_BLOCK;
  for (size_t t = start; t < seen.lo; t++) p[t] = -INFINITY;
  for (size_t t = seen.hi; t < stop; t++) p[t] = -INFINITY;
  V highs = v_load(p + start);
  for (size_t t = start + W; t < stop; t += W) highs = v_max(highs, v_load(p + t));
  float high = v_high(highs);
  V shift = v_set1(-high), sums = v_zero();
  for (size_t t = start; t < stop; t += W) v_store(p + t, v_exp(v_add(v_load(p + t), shift)));
  for (size_t t = start; t < seen.lo; t++) p[t] = 0;
  for (size_t t = seen.hi; t < stop; t++) p[t] = 0;
  for (size_t t = start; t < stop; t += W) sums = v_add(sums, v_load(p + t));
  *max = high;
  *sum = v_sum(sums);
}

// part[i][d...] += sum over t of p[i][t] * value[t, d...] for `n` queries and `c` vectors of dimensions, n * c <= TILE * PAIR.
V_INLINE void gather(
  float *part, const float *p, const ck_attention_view *view, const uint8_t *const *blocks, ck_range range, size_t d, const int n,
  const int c, load_numbers *load) {
  size_t stride = view->head_dim + 2;
  V acc[TILE * PAIR];
  UNROLLED for (int i = 0; i < n; i++)
    UNROLLED for (int j = 0; j < c; j++) acc[i * c + j] = v_load(part + (size_t)i * stride + d + (size_t)(j * W));
  for (size_t t = range.lo; t < range.hi; t++) {
    const uint8_t *values = blocks[t / CK_KV_BLOCK] + view->value_offset;
    V v[TILE * PAIR];
    UNROLLED for (int j = 0; j < c; j++) v[j] = load(values, view->head_dim, t % CK_KV_BLOCK, d + (size_t)(j * W));
    UNROLLED for (int i = 0; i < n; i++) {
      V weight = v_set1(p[(size_t)i * CK_KV_SEGMENT + t]);
      UNROLLED for (int j = 0; j < c; j++) acc[i * c + j] = v_fma(weight, v[j], acc[i * c + j]);
    }
  }
  UNROLLED for (int i = 0; i < n; i++)
    UNROLLED for (int j = 0; j < c; j++) v_store(part + (size_t)i * stride + d + (size_t)(j * W), acc[i * c + j]);
}

// All dimensions: by as many vectors at once as the registers hold, then one by one.
V_INLINE void gather_all(
  float *part, const float *p, const ck_attention_view *view, const uint8_t *const *blocks, ck_range range, const int n,
  load_numbers *load, ck_read_number *read) {
  const int c = n == 1 ? 4 : PAIR;
  if (range.lo >= range.hi) return;
  size_t d = 0;
  for (; d + (size_t)(c * W) <= view->head_dim; d += (size_t)(c * W)) gather(part, p, view, blocks, range, d, n, c, load);
  for (; d + W <= view->head_dim; d += W) gather(part, p, view, blocks, range, d, n, 1, load);
  for (; d < view->head_dim; d++)
    for (int i = 0; i < n; i++)
      for (size_t t = range.lo; t < range.hi; t++) {
        const uint8_t *values = blocks[t / CK_KV_BLOCK] + view->value_offset;
        part[(size_t)i * (view->head_dim + 2) + d] +=
          p[(size_t)i * CK_KV_SEGMENT + t] * read(values, view->head_dim, t % CK_KV_BLOCK, d);
      }
}

// `n` (constant after inlining) queries against one segment, whose blocks are given. Values that all of them see are read once for
// all; each query adds its values in the order of their positions whether it shares them or not.
V_INLINE void segment_of_tile(
  float *part, const ck_attention_view *view, const uint8_t *const *blocks, const ck_attention_query *queries, size_t segment,
  const size_t line, const int n, load_numbers *key, load_numbers *value, ck_read_number *read) {
  size_t stride = view->head_dim + 2;
  ck_range seen[TILE], any = {CK_KV_SEGMENT, 0}, all = {0, CK_KV_SEGMENT};
  for (int i = 0; i < n; i++) {
    seen[i] = ck_seen(queries + i, segment);
    any = widened(any, seen[i]);
    all.lo = seen[i].lo > all.lo ? seen[i].lo : all.lo;
    all.hi = seen[i].hi < all.hi ? seen[i].hi : all.hi;
    memset(part + (size_t)i * stride, 0, stride * sizeof(float));
    part[(size_t)i * stride + view->head_dim] = -INFINITY;
  }
  if (any.lo >= any.hi) return;
  float p[TILE * CK_KV_SEGMENT];
  size_t begin = any.lo / CK_KV_BLOCK, end = (any.hi + CK_KV_BLOCK - 1) / CK_KV_BLOCK;
  score_blocks(p, queries, view, blocks, begin, end, line, n, key);
  if (all.lo > all.hi) all.lo = all.hi;
  for (int i = 0; i < n; i++) {
    float *own = part + (size_t)i * stride;
    if (seen[i].lo >= seen[i].hi) continue;
    weigh(p + i * CK_KV_SEGMENT, seen[i], begin, end, own + view->head_dim, own + view->head_dim + 1);
    ck_range before = {seen[i].lo, all.lo < seen[i].lo ? seen[i].lo : all.lo};
    if (n > 1) gather_all(own, p + i * CK_KV_SEGMENT, view, blocks, before, 1, value, read);
  }
  gather_all(part, p, view, blocks, all, n, value, read);
  if (n == 1) return;
  for (int i = 0; i < n; i++) {
    ck_range after = {all.hi < seen[i].lo ? seen[i].lo : all.hi, seen[i].hi};
    gather_all(part + (size_t)i * stride, p + i * CK_KV_SEGMENT, view, blocks, after, 1, value, read);
  }
}

V_INLINE void segment_of_all(
  float *part, const ck_attention_view *view, const uint8_t *const *blocks, const ck_attention_query *queries, size_t count,
  size_t segment, const size_t line, load_numbers *key, load_numbers *value, ck_read_number *read) {
  size_t stride = view->head_dim + 2, i = 0;
  for (; i + TILE <= count; i += TILE)
    segment_of_tile(part + i * stride, view, blocks, queries + i, segment, line, TILE, key, value, read);
  for (; i + PART <= count; i += PART)
    segment_of_tile(part + i * stride, view, blocks, queries + i, segment, line, PART, key, value, read);
  for (; i < count; i++) segment_of_tile(part + i * stride, view, blocks, queries + i, segment, line, 1, key, value, read);
}

// Keys and values of one segment in f32, in the layout of blocks.
typedef struct expanded {
  _Alignas(64) float numbers[2 * CK_KV_SEGMENT * EXPANDED_DIM];
  const uint8_t *blocks[CK_KV_SEGMENT / CK_KV_BLOCK];
} expanded;

// head_dim: a multiple of W, at most EXPANDED_DIM.
V_INLINE void expand(
  expanded *wide, const ck_attention_view *view, const uint8_t *const *blocks, size_t begin, size_t end, load_numbers *key,
  load_numbers *value) {
  size_t n = view->head_dim, numbers = CK_KV_BLOCK * n;
  for (size_t b = begin; b < end; b++) {
    float *keys = wide->numbers + 2 * b * numbers, *values = keys + numbers;
    wide->blocks[b] = (const uint8_t *)keys;
    for (size_t d = 0; d < n; d++)
      for (size_t t = 0; t < CK_KV_BLOCK; t += W)
        v_store(keys + d * CK_KV_BLOCK + t, key(blocks[b] + view->key_offset, n, t, d));
    for (size_t t = 0; t < CK_KV_BLOCK; t++)
      for (size_t d = 0; d < n; d += W) v_store(values + t * n + d, value(blocks[b] + view->value_offset, n, t, d));
  }
}

V_INLINE void segment_of_many(
  float *part, const ck_attention_view *view, const uint8_t *const *blocks, const ck_attention_query *queries, size_t count,
  size_t segment, load_numbers *key, load_numbers *value) {
  ck_range any = {CK_KV_SEGMENT, 0};
  for (size_t i = 0; i < count; i++) any = widened(any, ck_seen(queries + i, segment));
  expanded wide;
  if (any.lo < any.hi) expand(&wide, view, blocks, any.lo / CK_KV_BLOCK, (any.hi + CK_KV_BLOCK - 1) / CK_KV_BLOCK, key, value);
  ck_attention_view plain = {NULL, 0, CK_KV_BLOCK * view->head_dim * sizeof(float), view->head_dim, view->scale};
  segment_of_all(part, &plain, wide.blocks, queries, count, segment, 0, load_key_f32, load_value_f32, ck_value_f32);
}

#define DEFINE_SEGMENT(type, bytes) \
  static TARGET void NAME(segment_##type)( \
    float *part, const ck_attention_view *view, const ck_attention_query *queries, size_t count, size_t segment) { \
    const uint8_t *const *blocks = view->blocks + segment * (CK_KV_SEGMENT / CK_KV_BLOCK); \
    if (bytes < 4 && count > TILE && view->head_dim % W == 0 && view->head_dim <= EXPANDED_DIM) \
      segment_of_many(part, view, blocks, queries, count, segment, load_key_##type, load_value_##type); \
    else segment_of_all(part, view, blocks, queries, count, segment, bytes * CK_KV_BLOCK, load_key_##type, load_value_##type, ck_value_##type); \
  }

DEFINE_SEGMENT(f32, 4)
DEFINE_SEGMENT(f16, 2)
DEFINE_SEGMENT(q8_0, 1)

static TARGET void NAME(merge)(float *total, const float *part, size_t count, size_t head_dim) {
  for (size_t i = 0; i < count; i++, total += head_dim + 2, part += head_dim + 2) {
    float high = total[head_dim], other = part[head_dim];
    if (high == -INFINITY || other == -INFINITY) {
      ck_attention_merge_ref(total, part, 1, head_dim);
      continue;
    }
    float max = high > other ? high : other, keep = expf(high - max), take = expf(other - max);
    size_t d = 0;
    for (; d + W <= head_dim; d += W)
      v_store(total + d, v_fma(v_load(part + d), v_set1(take), v_mul(v_load(total + d), v_set1(keep))));
    for (; d < head_dim; d++) total[d] = total[d] * keep + part[d] * take;
    total[head_dim] = max;
    total[head_dim + 1] = total[head_dim + 1] * keep + part[head_dim + 1] * take;
  }
}

static TARGET void NAME(store_f16)(
  uint8_t *keys, uint8_t *values, size_t position, const float *k, const float *v, size_t head_dim) {
  size_t d = 0;
  for (; d + W <= head_dim; d += W) {
    uint8_t halves[2 * W];
    v_store_half(halves, v_load(k + d));
    for (size_t j = 0; j < W; j++) memcpy(keys + 2 * ((d + j) * CK_KV_BLOCK + position), halves + 2 * j, 2);
    v_store_half(values + 2 * (position * head_dim + d), v_load(v + d));
  }
  for (; d < head_dim; d++) {
    ck_store_half(keys + 2 * (d * CK_KV_BLOCK + position), ck_within_half(k[d]));
    ck_store_half(values + 2 * (position * head_dim + d), ck_within_half(v[d]));
  }
}

#define ATTENTION_TABLE \
  { \
    NAME(segment_f32), NAME(segment_f16), NAME(segment_q8_0), ck_kv_store_f32_ref, NAME(store_f16), ck_kv_store_q8_0_ref, \
    NAME(merge), ck_attention_finish_ref, \
  }
