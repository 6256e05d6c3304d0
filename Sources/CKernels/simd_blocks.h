// Products of the layouts in block_decoders.h: a piece of a row is decoded into a small buffer and multiplied from there.
// Included by simd_kernels.h, whose names it uses.
#define DECODER INLINE
#include "block_decoders.h"

typedef void decode_blocks(float *out, const uint8_t *p, size_t blocks);

// One weight row against `n` (a constant after inlining) activation rows. 256 values are decoded at a time.
INLINE void row_products_decoded(
  float *out, size_t out_stride, const uint8_t *row, size_t cols, const float *x, size_t x_stride, const int n,
  decode_blocks *decode, size_t block, size_t block_bytes) {
  V acc[BATCH][CHAINS], w[CHAINS];
  float piece[CK_QK_K];
  for (int b = 0; b < n; b++)
    for (int j = 0; j < CHAINS; j++) acc[b][j] = v_zero();
  for (size_t first = 0; first < cols; first += CK_QK_K) {
    size_t count = cols - first < CK_QK_K ? cols - first : CK_QK_K, c = 0;
    decode(piece, row + first / block * block_bytes, count / block);
    for (; c + STEP <= count; c += STEP) {
      for (int j = 0; j < CHAINS; j++) w[j] = v_load(piece + c + (size_t)j * W);
      for (int b = 0; b < n; b++) add_products(acc[b], w, x + (size_t)b * x_stride + first + c);
    }
    if (c < count) {
      float padded[STEP] = {0};
      memcpy(padded, piece + c, (count - c) * sizeof(float));
      for (int j = 0; j < CHAINS; j++) w[j] = v_load(padded + j * W);
      for (int b = 0; b < n; b++) {
        float values[STEP] = {0};
        memcpy(values, x + (size_t)b * x_stride + first + c, (count - c) * sizeof(float));
        add_products(acc[b], w, values);
      }
    }
  }
  for (int b = 0; b < n; b++) out[(size_t)b * out_stride] = sum_chains(acc[b]);
}

INLINE void matmul_decoded(
  float *out, size_t out_stride, const uint8_t *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch,
  decode_blocks *decode, size_t block, size_t block_bytes) {
  size_t row_bytes = cols / block * block_bytes;
  for (size_t r = 0; r < rows; r++, w += row_bytes, out++) {
    size_t b = 0;
    for (; b + BATCH <= batch; b += BATCH)
      row_products_decoded(
        out + b * out_stride, out_stride, w, cols, x + b * x_stride, x_stride, BATCH, decode, block, block_bytes);
    for (; b < batch; b++)
      row_products_decoded(
        out + b * out_stride, out_stride, w, cols, x + b * x_stride, x_stride, 1, decode, block, block_bytes);
  }
}

#define DEFINE_DECODED(type, block, block_bytes) \
  static TARGET void NAME(matmul_##type)( \
    float *out, size_t out_stride, const void *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch) { \
    matmul_decoded(out, out_stride, w, rows, cols, x, x_stride, batch, decode_##type, block, block_bytes); \
  } \
  static TARGET void NAME(dequantize_##type)(float *out, const void *w, size_t count) { decode_##type(out, w, count / (block)); }

DEFINE_DECODED(q4_1, CK_QK, CK_Q4_1_BYTES)
DEFINE_DECODED(q5_0, CK_QK, CK_Q5_0_BYTES)
DEFINE_DECODED(q5_1, CK_QK, CK_Q5_1_BYTES)
DEFINE_DECODED(iq4_nl, CK_QK, CK_IQ4_NL_BYTES)
DEFINE_DECODED(q2_k, CK_QK_K, CK_Q2_K_BYTES)
DEFINE_DECODED(q3_k, CK_QK_K, CK_Q3_K_BYTES)
DEFINE_DECODED(q4_k, CK_QK_K, CK_Q4_K_BYTES)
DEFINE_DECODED(q5_k, CK_QK_K, CK_Q5_K_BYTES)
