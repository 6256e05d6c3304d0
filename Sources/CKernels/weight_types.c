#include <string.h>

#define DECODER static inline
#include "block_decoders.h"

void ck_dequantize_bf16_ref(float *out, const void *w, size_t count) {
  const uint8_t *p = w;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)p[2 * i] << 16 | (uint32_t)p[2 * i + 1] << 24;
    memcpy(out + i, &bits, 4);
  }
}

void ck_matmul_bf16_ref(
  float *out, size_t out_stride, const void *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch) {
  ck_matmul_pieces(out, out_stride, w, rows, cols, x, x_stride, batch, ck_dequantize_bf16_ref, CK_QK, 2 * CK_QK);
}

#define DEFINE_REFERENCE(type, block, block_bytes) \
  void ck_dequantize_##type##_ref(float *out, const void *w, size_t count) { decode_##type(out, w, count / (block)); } \
  void ck_matmul_##type##_ref( \
    float *out, size_t out_stride, const void *w, size_t rows, size_t cols, const float *x, size_t x_stride, size_t batch) { \
    ck_matmul_pieces(out, out_stride, w, rows, cols, x, x_stride, batch, ck_dequantize_##type##_ref, block, block_bytes); \
  }

DEFINE_REFERENCE(q4_1, CK_QK, CK_Q4_1_BYTES)
DEFINE_REFERENCE(q5_0, CK_QK, CK_Q5_0_BYTES)
DEFINE_REFERENCE(q5_1, CK_QK, CK_Q5_1_BYTES)
DEFINE_REFERENCE(iq4_nl, CK_QK, CK_IQ4_NL_BYTES)
DEFINE_REFERENCE(q2_k, CK_QK_K, CK_Q2_K_BYTES)
DEFINE_REFERENCE(q3_k, CK_QK_K, CK_Q3_K_BYTES)
DEFINE_REFERENCE(q4_k, CK_QK_K, CK_Q4_K_BYTES)
DEFINE_REFERENCE(q5_k, CK_QK_K, CK_Q5_K_BYTES)
