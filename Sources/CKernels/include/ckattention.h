// Attention over keys and values that lie in blocks of positions, in f32, binary16 or Q8_0.
#ifndef CKATTENTION_H
#define CKATTENTION_H

#include <stddef.h>
#include <stdint.h>

/// Positions of one block, and of one segment: the piece of a sequence whose scores are held at once.
#define CK_KV_BLOCK 32
#define CK_KV_SEGMENT 256

// The keys of one head in one block are stored by dimension, (head_dim, CK_KV_BLOCK), so that one vector holds a dimension of many
// positions; the values by position, (CK_KV_BLOCK, head_dim). In Q8_0 the binary16 scales stand before the int8 numbers: for keys
// (groups, CK_KV_BLOCK), for values (CK_KV_BLOCK, groups), a group being 32 dimensions, the last one perhaps fewer.
// Little-endian machines only. All memory may have any alignment of its element.

typedef enum ck_kv_type { CK_KV_F32 = 0, CK_KV_F16 = 1, CK_KV_Q8_0 = 2 } ck_kv_type;

/// Bytes of one head's keys in one block; its values take as many.
size_t ck_kv_head_bytes(ck_kv_type type, size_t head_dim);

/// Where a sequence's keys and values of one head are: block i covers positions i * CK_KV_BLOCK and on, its keys begin key_offset
/// bytes after blocks[i], its values value_offset bytes.
typedef struct ck_attention_view {
  const uint8_t *const *blocks;
  size_t key_offset, value_offset, head_dim;
  float scale;
} ck_attention_view;

/// One query, (head_dim,), looks at positions `first` to `positions` - 1, first < positions.
typedef struct ck_attention_query {
  const float *q;
  size_t first, positions;
} ck_attention_query;

/// What `count` queries see of positions segment * CK_KV_SEGMENT and on, CK_KV_SEGMENT of them at most. part: (count, head_dim + 2):
/// the sum of exp(score - max) * value, then max, then the sum of exp(score - max); max is minus infinity where a query sees none.
/// A query's result depends on it and what it looks at alone, never on the other queries of the call. No overlap.
typedef void ck_attention_segment(
  float *part, const ck_attention_view *view, const ck_attention_query *queries, size_t count, size_t segment);

/// total = what total and part saw, both (count, head_dim + 2). No overlap.
typedef void ck_attention_merge(float *total, const float *part, size_t count, size_t head_dim);

/// out[d] = total[d] / its sum, d < head_dim. No overlap.
typedef void ck_attention_finish(float *out, const float *total, size_t head_dim);

/// Writes position `position` < CK_KV_BLOCK of one head's keys and values; k, v: (head_dim,). Binary16 rounds to the nearest, and
/// what is beyond its range becomes its largest number.
typedef void ck_kv_store(
  uint8_t *keys, uint8_t *values, size_t position, const float *k, const float *v, size_t head_dim);

/// The attention of one instruction set.
typedef struct ck_attention_kernels {
  ck_attention_segment *segment_f32, *segment_f16, *segment_q8_0;
  ck_kv_store *store_f32, *store_f16, *store_q8_0;
  ck_attention_merge *merge;
  ck_attention_finish *finish;
} ck_attention_kernels;

/// The table of an instruction set as in ck_kernels_for, or NULL.
const ck_attention_kernels *ck_attention_for(int isa);

#endif
