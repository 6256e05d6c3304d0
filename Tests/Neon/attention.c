// Attention over stored keys and values, and storing them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "check.h"

enum { QUERIES = 37, GAP = 12 };

// A type of keys and values, with what storing one number may add to its error, as a share of the largest number.
typedef struct stored {
  const char *name;
  ck_kv_type type;
  double error;
} stored;

static const stored types[] = {{"f32", CK_KV_F32, 0}, {"f16", CK_KV_F16, 5e-4}, {"q8_0", CK_KV_Q8_0, 4.1e-3}};

static ck_attention_segment *segment_of(const set *tested, ck_kv_type type) {
  const ck_attention_kernels *a = tested->attention;
  return type == CK_KV_F32 ? a->segment_f32 : type == CK_KV_F16 ? a->segment_f16 : a->segment_q8_0;
}

static ck_kv_store *store_of(const set *tested, ck_kv_type type) {
  const ck_attention_kernels *a = tested->attention;
  return type == CK_KV_F32 ? a->store_f32 : type == CK_KV_F16 ? a->store_f16 : a->store_q8_0;
}

// One head's keys and values, as they were and in blocks.
typedef struct sequence {
  const set *tested;
  const stored *kind;
  size_t n, positions, head_bytes, blocks;
  float *keys, *values;
  uint8_t *memory[20];
} sequence;

static sequence draw_sequence(const set *tested, const set *scalar, const stored *kind, size_t n, size_t positions) {
  sequence s = {.tested = tested, .kind = kind, .n = n, .positions = positions, .head_bytes = ck_kv_head_bytes(kind->type, n)};
  s.keys = take(positions * n * sizeof(float));
  s.values = take(positions * n * sizeof(float));
  draw_floats(s.keys, positions * n, 2);
  draw_floats(s.values, positions * n, 2);
  const size_t bytes = 2 * s.head_bytes + GAP;
  for (size_t start = 0; start < positions; start += CK_KV_BLOCK) {
    uint8_t *block = s.memory[s.blocks++] = take(bytes), *twin = take(bytes);
    // What was there before is no number in any type.
    memset(block, 0xff, bytes);
    memset(twin, 0xff, bytes);
    for (size_t t = start; t < positions && t < start + CK_KV_BLOCK; t++) {
      const float *k = s.keys + t * n, *v = s.values + t * n;
      store_of(tested, kind->type)(block, block + s.head_bytes + GAP, t - start, k, v, n);
      store_of(scalar, kind->type)(twin, twin + s.head_bytes + GAP, t - start, k, v, n);
    }
    REQUIRE(memcmp(block, twin, bytes) == 0, "%s %s: a head of %zu is stored otherwise", tested->name, kind->name, n);
    give_back(twin, bytes);
  }
  return s;
}

static void end_sequence(sequence *s) {
  for (size_t b = 0; b < s->blocks; b++) give_back(s->memory[b], 2 * s->head_bytes + GAP);
  give_back(s->keys, s->positions * s->n * sizeof(float));
  give_back(s->values, s->positions * s->n * sizeof(float));
}

// out: (count, n), the queries of one call.
static void attend(const sequence *s, const ck_attention_query *queries, size_t count, float *out) {
  const size_t stride = s->n + 2, bytes = count * stride * sizeof(float);
  float *total = take(bytes), *part = take(bytes);
  size_t last = 1;
  for (size_t i = 0; i < count; i++) {
    total[i * stride + s->n] = -INFINITY;
    last = queries[i].positions > last ? queries[i].positions : last;
  }
  // What lies behind the last block is never looked at.
  const uint8_t *blocks[24] = {NULL};
  for (size_t b = 0; b < s->blocks; b++) blocks[b] = s->memory[b];
  const ck_attention_view view = {blocks, 0, s->head_bytes + GAP, s->n, 0.3f};
  for (size_t segment = 0; segment <= (last - 1) / CK_KV_SEGMENT; segment++) {
    segment_of(s->tested, s->kind->type)(part, &view, queries, count, segment);
    s->tested->attention->merge(total, part, count, s->n);
  }
  for (size_t i = 0; i < count; i++) s->tested->attention->finish(out + i * s->n, total + i * stride, s->n);
  give_back(total, bytes);
  give_back(part, bytes);
}

// The definition, in f64, over the numbers before they were stored.
static void check_queries(const sequence *s, const ck_attention_query *queries, size_t count, const char *note) {
  const size_t bytes = count * s->n * sizeof(float);
  float *got = take(bytes);
  attend(s, queries, count, got);
  for (size_t i = 0; i < count; i++) {
    const ck_attention_query *query = queries + i;
    double scores[600], high = -INFINITY, sum = 0, size = 0;
    for (size_t t = query->first; t < query->positions; t++) {
      scores[t] = 0;
      for (size_t d = 0; d < s->n; d++) scores[t] += (double)query->q[d] * (double)s->keys[t * s->n + d] * 0.3;
      high = scores[t] > high ? scores[t] : high;
    }
    for (size_t t = query->first; t < query->positions; t++) sum += scores[t] = exp(scores[t] - high);
    // A changed score changes its weight by as much; the sum of |q| bounds how far a score moves.
    for (size_t d = 0; d < s->n; d++) size += fabs((double)query->q[d]);
    const double tolerance = 1e-5 + s->kind->error + 2 * size * 0.3 * 2 * s->kind->error;
    for (size_t d = 0; d < s->n; d++) {
      double exact = 0;
      for (size_t t = query->first; t < query->positions; t++) exact += scores[t] / sum * (double)s->values[t * s->n + d];
      REQUIRE(
        is_close(got[i * s->n + d], exact, 2, tolerance), "%s %s, %s: %zu..<%zu, dimension %zu of %zu: %g, not %g", s->tested->name,
        s->kind->name, note, query->first, query->positions, d, s->n, (double)got[i * s->n + d], exact);
    }
  }
  give_back(got, bytes);
}

static void check_dimensions(const set *tested, const set *scalar, const stored *kind) {
  static const size_t dimensions[] = {1, 2, 7, 8, 15, 16, 31, 32, 33, 40, 48, 63, 64, 65, 80, 96, 100, 128, 130};
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    const size_t n = dimensions[i], positions = 1 + n * 5 % 70;
    sequence s = draw_sequence(tested, scalar, kind, n, positions);
    float q[14 * 130];
    // As many as a tile and two more, every third time; else one or two.
    const size_t count = i % 3 == 2 ? 14 : 1 + i % 3;
    ck_attention_query queries[14];
    draw_floats(q, count * n, 1);
    for (size_t j = 0; j < count; j++) queries[j] = (ck_attention_query){q + j * n, 0, positions};
    check_queries(&s, queries, count, "dimensions");
    end_sequence(&s);
  }
}

static void check_positions(const set *tested, const set *scalar, const stored *kind) {
  static const size_t ends[] = {1, 2, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257, 258, 288, 511, 512, 513, 599, 600};
  sequence s = draw_sequence(tested, scalar, kind, 20, 600);
  float q[20];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    draw_floats(q, 20, 1);
    check_queries(&s, &(ck_attention_query){q, 0, ends[i]}, 1, "positions");
  }
  for (int i = 0; i < 120; i++) {
    const size_t first = draw_below(600);
    draw_floats(q, 20, 1);
    check_queries(&s, &(ck_attention_query){q, first, first + 1 + draw_below(600 - first)}, 1, "windows");
  }
  end_sequence(&s);
}

// A query's result is the same to the bit in any company.
static void check_company(const set *tested, const set *scalar, const stored *kind) {
  static const size_t dimensions[] = {12, 64, 80};
  for (int i = 0; i < 3; i++) {
    const size_t n = dimensions[i];
    sequence s = draw_sequence(tested, scalar, kind, n, 560);
    for (size_t round = 0; round < 6; round++) {
      float q[QUERIES * 80], together[QUERIES * 80], alone[80];
      ck_attention_query queries[QUERIES];
      const size_t count = 1 + draw_below(QUERIES);
      draw_floats(q, count * n, 1);
      for (size_t j = 0; j < count; j++) {
        // As in a prompt: adjacent queries look a little further each, some through a window; or anything at all.
        const size_t end = round % 2 == 0 ? 200 + 3 * round + j : 1 + draw_below(560);
        const size_t first = round % 3 == 0 && end > 90 ? end - 90 : 0;
        queries[j] = (ck_attention_query){q + j * n, first, end};
      }
      check_queries(&s, queries, count, "company");
      attend(&s, queries, count, together);
      for (size_t j = 0; j < count; j++) {
        attend(&s, queries + j, 1, alone);
        REQUIRE(
          memcmp(alone, together + j * n, n * sizeof(float)) == 0, "%s %s: query %zu of %zu differs alone, dimension %zu", tested->name,
          kind->name, j, count, n);
      }
    }
    end_sequence(&s);
  }
}

// Numbers beyond binary16, too small for it, halfway between two of it, and none.
static void check_halves(const set *tested, const set *scalar) {
  static const float odd[] = {1e6f,  -1e30f, INFINITY, -INFINITY, NAN,  65504,        65519.9f,
                              1e-9f, -0.1f,  -0.0f,    2049,      2051, 0x1.004p-15f, 0x1p-25f};
  enum { COUNT = 3 * sizeof odd / sizeof *odd };
  const size_t bytes = ck_kv_head_bytes(CK_KV_F16, COUNT);
  uint8_t *keys = take(bytes), *values = take(bytes), *other_keys = take(bytes), *other_values = take(bytes);
  float x[COUNT];
  for (size_t i = 0; i < COUNT; i++) x[i] = odd[i % (COUNT / 3)];
  tested->attention->store_f16(keys, values, 5, x, x, COUNT);
  scalar->attention->store_f16(other_keys, other_values, 5, x, x, COUNT);
  for (size_t d = 0; d < COUNT; d++) {
    const float key = ck_key_f16(keys, COUNT, 5, d), value = ck_value_f16(values, COUNT, 5, d);
    const float other_key = ck_key_f16(other_keys, COUNT, 5, d), other_value = ck_value_f16(other_values, COUNT, 5, d);
    const int is_kept = isnan(x[d]) ? isnan(key) && isnan(value) && isnan(other_key) && isnan(other_value)
                                    : memcmp(&key, &other_key, 4) == 0 && memcmp(&value, &other_value, 4) == 0;
    REQUIRE(is_kept, "%s: %g is stored as %g and %g", tested->name, (double)x[d], (double)key, (double)value);
  }
  give_back(keys, bytes);
  give_back(values, bytes);
  give_back(other_keys, bytes);
  give_back(other_values, bytes);
}

void check_attention(const set *tested, const set *scalar) {
  seed(44);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    check_dimensions(tested, scalar, types + i);
    check_positions(tested, scalar, types + i);
    check_company(tested, scalar, types + i);
  }
  check_halves(tested, scalar);
}
