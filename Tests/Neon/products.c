// Packing, rounding of activations and products.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "packed.h"

typedef struct kind {
  const char *name;
  ck_type type;
  // Values and bytes of a block, and where its binary16 numbers are; two at most.
  size_t block, bytes;
  int halves, first_half, second_half;
  ck_dequantize *dequantize;
  // Of the product in the table.
  size_t place;
} kind;

#define PLACE(type) offsetof(ck_products, type)

static const kind kinds[] = {
  {"F32", CK_F32, 1, 4, 0, 0, 0, ck_dequantize_f32_ref, PLACE(f32)},
  {"F16", CK_F16, 1, 2, 1, 0, 0, ck_dequantize_f16_ref, PLACE(f16)},
  {"BF16", CK_BF16, 1, 2, 0, 0, 0, ck_dequantize_bf16_ref, PLACE(bf16)},
  {"Q8_0", CK_Q8_0, CK_QK, CK_Q8_0_BYTES, 1, 0, 0, ck_dequantize_q8_0_ref, PLACE(q8_0)},
  {"Q4_0", CK_Q4_0, CK_QK, CK_Q4_0_BYTES, 1, 0, 0, ck_dequantize_q4_0_ref, PLACE(q4_0)},
  {"Q4_1", CK_Q4_1, CK_QK, CK_Q4_1_BYTES, 2, 0, 2, ck_dequantize_q4_1_ref, PLACE(q4_1)},
  {"Q5_0", CK_Q5_0, CK_QK, CK_Q5_0_BYTES, 1, 0, 0, ck_dequantize_q5_0_ref, PLACE(q5_0)},
  {"Q5_1", CK_Q5_1, CK_QK, CK_Q5_1_BYTES, 2, 0, 2, ck_dequantize_q5_1_ref, PLACE(q5_1)},
  {"IQ4_NL", CK_IQ4_NL, CK_QK, CK_IQ4_NL_BYTES, 1, 0, 0, ck_dequantize_iq4_nl_ref, PLACE(iq4_nl)},
  {"Q2_K", CK_Q2_K, CK_QK_K, CK_Q2_K_BYTES, 2, 80, 82, ck_dequantize_q2_k_ref, PLACE(q2_k)},
  {"Q3_K", CK_Q3_K, CK_QK_K, CK_Q3_K_BYTES, 1, 108, 0, ck_dequantize_q3_k_ref, PLACE(q3_k)},
  {"Q4_K", CK_Q4_K, CK_QK_K, CK_Q4_K_BYTES, 2, 0, 2, ck_dequantize_q4_k_ref, PLACE(q4_k)},
  {"Q5_K", CK_Q5_K, CK_QK_K, CK_Q5_K_BYTES, 2, 0, 2, ck_dequantize_q5_k_ref, PLACE(q5_k)},
  {"Q6_K", CK_Q6_K, CK_QK_K, CK_Q6_K_BYTES, 1, 208, 0, ck_dequantize_q6_k_ref, PLACE(q6_k)},
};

static ck_product *product_of(const set *tested, const kind *k) {
  ck_product *product;
  memcpy(&product, (const char *)tested->kernels->products + k->place, sizeof product);
  return product;
}

// A binary16 number below 8, now and then one of the smallest.
static void put_half(uint8_t *p) {
  uint16_t half = (uint16_t)((draw() & 0x83ff) | draw_below(18) << 10);
  memcpy(p, &half, 2);
}

static void draw_weights(uint8_t *bytes, const kind *k, size_t blocks) {
  for (size_t i = 0; i < blocks; i++, bytes += k->bytes) {
    for (size_t j = 0; j < k->bytes; j++) bytes[j] = (uint8_t)draw();
    if (k->halves > 0) put_half(bytes + k->first_half);
    if (k->halves > 1) put_half(bytes + k->second_half);
    float value = draw_float(3);
    if (k->type == CK_F32) memcpy(bytes, &value, 4);
    if (k->type == CK_BF16) memcpy(bytes, (uint8_t *)&value + 2, 2);
  }
}

// One matrix, packed, and activations.
typedef struct sample {
  const kind *k;
  size_t rows, cols, batch, panel_bytes;
  uint8_t *bytes, *panels;
  float *values, *x;
} sample;

static sample draw_sample(const kind *k, size_t rows, size_t cols, size_t batch) {
  sample s = {k, rows, cols, batch, (rows + CK_PANEL - 1) / CK_PANEL * ck_panel_bytes(k->type, cols), NULL, NULL, NULL, NULL};
  const size_t blocks = rows * cols / k->block;
  // At an odd address, as in a file.
  s.bytes = take(blocks * k->bytes + 1);
  draw_weights(s.bytes + 1, k, blocks);
  s.values = take(rows * cols * sizeof(float));
  k->dequantize(s.values, s.bytes + 1, rows * cols);
  s.panels = take(s.panel_bytes);
  ck_pack(s.panels, k->type, s.bytes + 1, rows, cols);
  s.x = take(batch * cols * sizeof(float));
  draw_floats(s.x, batch * cols, 1);
  return s;
}

static void end_sample(sample *s) {
  give_back(s->bytes, s->rows * s->cols / s->k->block * s->k->bytes + 1);
  give_back(s->values, s->rows * s->cols * sizeof(float));
  give_back(s->panels, s->panel_bytes);
  give_back(s->x, s->batch * s->cols * sizeof(float));
}

// out: (count, rows) of activation rows `first` and on, one call for all.
static void multiply(const set *tested, const sample *s, size_t first, size_t count, float *out) {
  const size_t cols = s->cols, groups = (count + CK_ARRANGED - 1) / CK_ARRANGED;
  const int is_plain = s->k->block == 1, is_arranged = is_plain && count >= CK_ARRANGED;
  const size_t stride = is_arranged ? CK_ARRANGED * 4 * cols : is_plain ? 4 * (cols + 3) : ck_activation_bytes(cols);
  const size_t bytes = (is_arranged ? groups : count) * stride;
  const float *x = s->x + first * cols;
  uint8_t *activations = take(bytes);
  for (size_t b = 0; b < count; b++) {
    if (is_arranged && b % CK_ARRANGED == 0)
      ck_arrange(
        (float *)(activations + b / CK_ARRANGED * stride), x + b * cols, cols, count - b < CK_ARRANGED ? count - b : CK_ARRANGED, cols);
    if (is_plain && !is_arranged) memcpy(activations + b * stride, x + b * cols, 4 * cols);
    if (!is_plain) tested->kernels->products->round(activations + b * stride, x + b * cols, cols);
  }
  const size_t out_stride = s->rows + 5, out_bytes = (count * out_stride + s->rows) * sizeof(float);
  float *wide = take(out_bytes);
  for (size_t i = 0; i < count * out_stride + s->rows; i++) wide[i] = CANARY;
  product_of(tested, s->k)(wide, out_stride, s->panels, s->rows, cols, activations, stride, count);
  for (size_t i = 0; i < count * out_stride + s->rows; i++) {
    const int is_outside = i / out_stride >= count || i % out_stride >= s->rows;
    if (is_outside && wide[i] != CANARY)
      REQUIRE(0, "%s %s: %zu x %zu, batch %zu: written at %zu", tested->name, s->k->name, s->rows, cols, count, i);
  }
  for (size_t b = 0; b < count; b++) memcpy(out + b * s->rows, wide + b * out_stride, s->rows * sizeof(float));
  give_back(wide, out_bytes);
  give_back(activations, bytes);
}

// The definition: integers of -127...127, each 32 numbers in steps of a 127th of the largest.
static void round_by_definition(float *x, size_t count) {
  for (size_t start = 0; start < count; start += CK_QK) {
    float largest = 0;
    for (size_t i = start; i < start + CK_QK; i++) largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    for (size_t i = start; i < start + CK_QK; i++) x[i] = largest == 0 ? 0 : nearbyintf(x[i] * (127 / largest)) * (largest / 127);
  }
}

static void check_definition(const set *tested, const sample *s, const float *got) {
  const size_t bytes = s->batch * s->cols * sizeof(float);
  float *x = take(bytes);
  memcpy(x, s->x, bytes);
  if (s->k->block > 1) round_by_definition(x, s->batch * s->cols);
  for (size_t b = 0; b < s->batch; b++)
    for (size_t r = 0; r < s->rows; r++) {
      double sum = 0, magnitude = 0;
      for (size_t c = 0; c < s->cols; c++) {
        double product = (double)s->values[r * s->cols + c] * (double)x[b * s->cols + c];
        sum += product;
        magnitude += fabs(product);
      }
      float value = got[b * s->rows + r];
      REQUIRE(
        is_close(value, sum, magnitude, 4e-6), "%s %s: %zu x %zu, batch %zu: (%zu, %zu) is %g, not %g", tested->name, s->k->name, s->rows,
        s->cols, s->batch, b, r, (double)value, sum);
    }
  give_back(x, bytes);
}

// Returns a digest of weights, panels and results.
static uint64_t check_sample(const set *tested, const set *scalar, sample *s, uint64_t digest) {
  const size_t count = s->batch * s->rows, bytes = count * sizeof(float);
  float *together = take(bytes), *wanted = take(bytes), *alone = take(s->rows * sizeof(float));
  multiply(scalar, s, 0, s->batch, wanted);
  multiply(tested, s, 0, s->batch, together);
  for (size_t i = 0; i < count; i++)
    REQUIRE(
      memcmp(together + i, wanted + i, 4) == 0, "%s %s: %zu x %zu, batch %zu: (%zu, %zu) is %.9g, scalar %.9g", tested->name, s->k->name,
      s->rows, s->cols, s->batch, i / s->rows, i % s->rows, (double)together[i], (double)wanted[i]);
  for (size_t b = 0; b < s->batch; b++) {
    multiply(tested, s, b, 1, alone);
    REQUIRE(
      memcmp(alone, wanted + b * s->rows, s->rows * sizeof(float)) == 0, "%s %s: %zu x %zu, row %zu of %zu differs alone", tested->name,
      s->k->name, s->rows, s->cols, b, s->batch);
  }
  check_definition(tested, s, together);
  digest = mix(digest, s->values, s->rows * s->cols * sizeof(float));
  digest = mix(digest, s->panels, s->panel_bytes);
  digest = mix(digest, together, bytes);
  give_back(together, bytes);
  give_back(wanted, bytes);
  give_back(alone, s->rows * sizeof(float));
  return digest;
}

// What is no number shows in every result; tiny numbers are zeros.
static void check_extremes(const set *tested, const kind *k) {
  sample s = draw_sample(k, 16, 256, 1);
  float got[16];
  const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 4; i++) {
    draw_floats(s.x, s.cols, 1);
    s.x[200] = bad[i];
    multiply(tested, &s, 0, 1, got);
    for (int r = 0; r < 16; r++) REQUIRE(!isfinite(got[r]), "%s %s: %g is lost", tested->name, k->name, (double)bad[i]);
  }
  for (size_t i = 0; i < s.cols; i++) s.x[i] = 1e-38f;
  multiply(tested, &s, 0, 1, got);
  for (int r = 0; k->block > 1 && r < 16; r++) REQUIRE(got[r] == 0, "%s %s: a tiny number counts", tested->name, k->name);
  end_sample(&s);
}

// Blocks of large, small and equal numbers, zeros, and numbers halfway between two integers.
static uint64_t check_rounding(const set *tested, const set *scalar) {
  uint64_t digest = DIGEST_START;
  for (size_t cols = 0; cols <= 8 * CK_QK; cols += CK_QK) {
    const size_t bytes = ck_activation_bytes(cols);
    float *x = take(cols * sizeof(float));
    for (size_t i = 0; i < cols; i++) {
      const size_t block = i / CK_QK;
      const float scale[] = {1, 1e-29f, 1e-31f, 1e30f, 0, 3, 1, 1e-3f};
      x[i] = block == 6 ? (i % CK_QK == 0 ? 127 : (float)(i % CK_QK) - 15.5f) : draw_float(scale[block]);
    }
    uint8_t *got = take(bytes), *wanted = take(bytes);
    tested->kernels->products->round(got, x, cols);
    scalar->kernels->products->round(wanted, x, cols);
    REQUIRE(memcmp(got, wanted, bytes) == 0, "%s: %zu activations are rounded otherwise", tested->name, cols);
    digest = mix(digest, got, bytes);
    give_back(got, bytes);
    give_back(wanted, bytes);
    give_back(x, cols * sizeof(float));
  }
  return digest;
}

static void check_read(const set *tested, const set *scalar) {
  for (size_t lines = 0; lines < 20; lines++) {
    uint64_t *memory = take(lines * CK_LINE);
    for (size_t i = 0; i < lines * 8; i++) memory[i] = draw();
    ck_read *read = tested->kernels->products->read, *plain = scalar->kernels->products->read;
    REQUIRE(read(memory, lines * CK_LINE) == plain(memory, lines * CK_LINE), "%s: read of %zu lines", tested->name, lines);
    give_back(memory, lines * CK_LINE);
  }
}

void check_products(const set *tested, const set *scalar, int prints) {
  // Blocks of columns (those of single numbers count 37), rows, activation rows: around panels, tiles and pieces of columns.
  static const size_t cases[][3] = {{0, 3, 2},  {1, 1, 1},   {2, 16, 2},  {3, 17, 3},  {4, 15, 4},  {5, 40, 5},  {1, 31, 6},
                                    {7, 33, 7}, {9, 2, 8},   {3, 18, 9},  {5, 40, 11}, {2, 17, 12}, {3, 49, 13}, {11, 7, 5},
                                    {6, 32, 24}, {4, 16, 25}, {9, 33, 41}, {17, 19, 14}, {33, 5, 1}};
  seed(41);
  uint64_t digest = check_rounding(tested, scalar);
  if (prints) printf("digest rounded %016llx\n", (unsigned long long)digest);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const kind *k = kinds + i;
    digest = DIGEST_START;
    for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
      sample s = draw_sample(k, cases[j][1], cases[j][0] * (k->block == 1 ? 37 : k->block), cases[j][2]);
      digest = check_sample(tested, scalar, &s, digest);
      end_sample(&s);
    }
    check_extremes(tested, k);
    if (prints) printf("digest %s %016llx\n", k->name, (unsigned long long)digest);
  }
  check_read(tested, scalar);
}
