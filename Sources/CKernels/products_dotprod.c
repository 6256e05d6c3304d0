#if defined(__aarch64__)
#define TARGET __attribute__((target("dotprod")))
#define NAME(x) x##_dotprod
#define OWN_FOUR
#include "lanes.h"
#include <arm_neon.h>

// Sixteen activations stay in a register, from which the instruction takes the four at a place.
typedef struct four { int8x16_t sixteen; int place; } four;

INLINE four four_at(const int8_t *q, int j) { return (four){vld1q_s8(q + j / 4 * 16), j % 4}; }

#include "products_neon.h"

INLINE int32x4_t dot_four(int32x4_t sums, int8x16_t bytes, four x4) {
  switch (x4.place) {
    case 0: return vdotq_laneq_s32(sums, bytes, x4.sixteen, 0);
    case 1: return vdotq_laneq_s32(sums, bytes, x4.sixteen, 1);
    case 2: return vdotq_laneq_s32(sums, bytes, x4.sixteen, 2);
    default: return vdotq_laneq_s32(sums, bytes, x4.sixteen, 3);
  }
}

#include "packed_products.h"
#include "float_products.h"

const ck_products ck_dotprod_products = PRODUCT_TABLE;
#endif
