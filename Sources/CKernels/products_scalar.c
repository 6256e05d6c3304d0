#include <math.h>
#include <stdint.h>

#define TARGET
#define NAME(x) x##_scalar
#include "lanes.h"

enum { ROWS = 1, TILE_ROWS = 1, TILE_PANELS = 1, FLOAT_ROWS = 1, FLOAT_PANELS = 1, WIDE_IS_SIGNED = 0, PREFETCH = 10 << 10 };

INLINE F half_lanes(const uint8_t *p) {
  F v;
  for (int r = 0; r < CK_PANEL; r++) v[r] = ck_load_half(p + 2 * r);
  return v;
}

INLINE I nearest(F x) {
  I v;
  for (int r = 0; r < CK_PANEL; r++) v[r] = (int32_t)lrintf(x[r]);
  return v;
}

// sum[r] += lines[4 r + k] * x4[k], bytes of lines unsigned, of x4 signed.
INLINE I dot_narrow(I sum, B line, four x4) {
  int8_t x[4];
  memcpy(x, &x4, sizeof x);
  for (int r = 0; r < CK_PANEL; r++)
    for (int k = 0; k < 4; k++) sum[r] += line[4 * r + k] * x[k];
  return sum;
}

INLINE I dot_wide(I sum, B line, four x4) { return dot_narrow(sum, line, x4); }

INLINE B look_up(const uint8_t *table, B index) {
  B v;
  for (int i = 0; i < CK_LINE; i++) v[i] = table[index[i]];
  return v;
}

INLINE F in_register(F v) { return v; }

#include "packed_products.h"
#include "float_products.h"

const ck_products ck_scalar_products = PRODUCT_TABLE;
