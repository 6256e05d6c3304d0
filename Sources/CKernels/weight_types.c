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

#define DEFINE_VALUES(type, block) \
  void ck_dequantize_##type##_ref(float *out, const void *w, size_t count) { decode_##type(out, w, count / (block)); }

DEFINE_VALUES(q4_1, CK_QK)
DEFINE_VALUES(q5_0, CK_QK)
DEFINE_VALUES(q5_1, CK_QK)
DEFINE_VALUES(iq4_nl, CK_QK)
DEFINE_VALUES(q2_k, CK_QK_K)
DEFINE_VALUES(q3_k, CK_QK_K)
DEFINE_VALUES(q4_k, CK_QK_K)
DEFINE_VALUES(q5_k, CK_QK_K)
