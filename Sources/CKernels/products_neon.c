#if defined(__aarch64__)
#define TARGET
#define NAME(x) x##_neon
#include "lanes.h"
#include "products_neon.h"

// Sums of two products in 16 bits: 2 * 128 * 127 is within them, then of four in 32.
INLINE int32x4_t dot_four(int32x4_t sums, int8x16_t bytes, four x4) {
  int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(x4));
  return vpadalq_s16(sums, vpaddq_s16(vmull_s8(vget_low_s8(bytes), vget_low_s8(x)), vmull_high_s8(bytes, x)));
}

#include "packed_products.h"
#include "float_products.h"

const ck_products ck_neon_products = PRODUCT_TABLE;
#endif
