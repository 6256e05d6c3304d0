// Products of packed panels of plain numbers with f32 activations. Included once for each instruction set after packed_products.h;
// the including file defines FLOAT_ROWS (a divisor of CK_ARRANGED) and FLOAT_PANELS: how many activation rows and panels share their
// readings, and in_register: the same vector, not to be read from memory again for each use.
//
// Each output is the sum of the sums of 256 columns each; within them column after column is multiplied and added with one rounding.

enum { FLOAT_PIECE = 256, FEW_ROWS = FLOAT_ROWS < ROWS ? FLOAT_ROWS : ROWS };

typedef F load_packed_column(const uint8_t *p);

INLINE F load_f32(const uint8_t *p) { return f_load(p); }

// Activations of some rows: that of row b and column c is at x[b * row + c * column].
typedef struct float_rows { const float *x; size_t row, column; } float_rows;

// sums[b][k] += products of `cols` columns of `panels` panels, `panel_bytes` apart.
INLINE void float_piece(
  F sums[][FLOAT_PANELS], const uint8_t *w, size_t panel_bytes, size_t column_bytes, size_t cols, float_rows x,
  load_packed_column *load, const int panels, const int rows, const int is_streamed) {
  F running[FLOAT_ROWS][FLOAT_PANELS];
#pragma clang loop unroll(full)
  for (int b = 0; b < rows; b++)
    for (int k = 0; k < panels; k++) running[b][k] = f_all(0);
  for (size_t c = 0; c < cols; c++, w += column_bytes) {
    F columns[FLOAT_PANELS];
    for (int k = 0; k < panels; k++) {
      const uint8_t *p = w + (size_t)k * panel_bytes;
      columns[k] = load(p);
      if (is_streamed) prefetch_ahead(p, 1);
    }
#pragma clang loop unroll(full)
    for (int b = 0; b < rows; b++) {
      F value = in_register(f_all(x.x[(size_t)b * x.row + c * x.column]));
      for (int k = 0; k < panels; k++) running[b][k] = f_fma(columns[k], value, running[b][k]);
    }
  }
#pragma clang loop unroll(full)
  for (int b = 0; b < rows; b++)
    for (int k = 0; k < panels; k++) sums[b][k] += running[b][k];
}

typedef struct float_target { float *out; size_t stride, valid; } float_target;

INLINE void float_clear(F sums[][FLOAT_PANELS]) {
  for (int b = 0; b < FLOAT_ROWS; b++)
    for (int k = 0; k < FLOAT_PANELS; k++) sums[b][k] = f_all(0);
}

INLINE void float_load(F sums[][FLOAT_PANELS], float_target t, size_t count) {
  for (size_t b = 0; b < count; b++) {
    float lanes[FLOAT_PANELS * CK_PANEL] = {0};
    memcpy(lanes, t.out + b * t.stride, t.valid * sizeof(float));
    for (int k = 0; k < FLOAT_PANELS; k++) sums[b][k] = f_load(lanes + k * CK_PANEL);
  }
}

INLINE void float_store(float_target t, F sums[][FLOAT_PANELS], size_t count) {
  for (size_t b = 0; b < count; b++) {
    float lanes[FLOAT_PANELS * CK_PANEL];
    for (int k = 0; k < FLOAT_PANELS; k++) f_store(lanes + k * CK_PANEL, sums[b][k]);
    memcpy(t.out + b * t.stride, lanes, t.valid * sizeof(float));
  }
}

// A few rows as they are: every weight is read and converted once for each FEW_ROWS of them.
INLINE void float_few(
  float_target t, const uint8_t *w, size_t panel_bytes, size_t column_bytes, size_t cols, const float *x, size_t x_stride,
  size_t batch, load_packed_column *load, const int panels) {
  for (size_t b = 0, count; b < batch; b += count) {
    F sums[FLOAT_ROWS][FLOAT_PANELS];
    float_target here = {t.out + b * t.stride, t.stride, t.valid};
    count = batch - b < FEW_ROWS ? batch - b : FEW_ROWS;
    float_clear(sums);
    for (size_t c = 0; c < cols; c += FLOAT_PIECE) {
      const size_t n = cols - c < FLOAT_PIECE ? cols - c : FLOAT_PIECE;
      const float_rows values = {x + b * x_stride + c, x_stride, 1};
      const uint8_t *piece = w + c * column_bytes;
      WITH_ROWS(
        count, FEW_ROWS, float_piece(
          sums, piece, panel_bytes, column_bytes, n, values, load, panels, rows, 1))
    }
    float_store(here, sums, count);
  }
}

// Arranged rows: a piece of the weights is converted once for all.
INLINE void float_many(
  float_target t, const uint8_t *w, size_t panel_bytes, size_t column_bytes, size_t cols, const float *x, size_t group_stride,
  size_t batch, load_packed_column *load, const int panels) {
  float piece[FLOAT_PANELS][FLOAT_PIECE][CK_PANEL];
  for (size_t c = 0; c < cols; c += FLOAT_PIECE) {
    const size_t n = cols - c < FLOAT_PIECE ? cols - c : FLOAT_PIECE;
    for (int k = 0; k < panels; k++)
      for (size_t i = 0; i < n; i++) f_store(piece[k][i], load(w + (size_t)k * panel_bytes + (c + i) * column_bytes));
    for (size_t b = 0; b < batch; b += FLOAT_ROWS) {
      F sums[FLOAT_ROWS][FLOAT_PANELS];
      const size_t count = batch - b < FLOAT_ROWS ? batch - b : FLOAT_ROWS;
      const float_target here = {t.out + b * t.stride, t.stride, t.valid};
      const float_rows values = {
        x + b / CK_ARRANGED * group_stride + b % CK_ARRANGED + c * CK_ARRANGED, 1, CK_ARRANGED};
      float_clear(sums);
      if (c != 0) float_load(sums, here, count);
      float_piece(sums, (const uint8_t *)piece, sizeof piece[0], sizeof piece[0][0], n, values, load_f32, panels, FLOAT_ROWS, 0);
      float_store(here, sums, count);
    }
  }
}

INLINE void float_panels(
  float_target t, const uint8_t *w, size_t panel_bytes, size_t column_bytes, size_t cols, const float *x, size_t x_stride,
  size_t batch, load_packed_column *load, const int panels) {
  if (batch < CK_ARRANGED || cols == 0) float_few(t, w, panel_bytes, column_bytes, cols, x, x_stride, batch, load, panels);
  else float_many(t, w, panel_bytes, column_bytes, cols, x, x_stride, batch, load, panels);
}

#define DEFINE_FLOAT_PRODUCT(type, super_bytes, load) \
  static TARGET void NAME(product_##type)( \
    float *out, size_t out_stride, const void *panels, size_t rows_in_all, size_t cols, const void *x, size_t x_stride, size_t batch) { \
    const size_t panel_bytes = (cols + CK_SUPER_SMALL - 1) / CK_SUPER_SMALL * (super_bytes), stride = x_stride / sizeof(float); \
    const uint8_t *panel = panels; \
    for (size_t first = 0, taken; first < rows_in_all; first += taken) { \
      const size_t left = rows_in_all - first, most = FLOAT_PANELS * CK_PANEL; \
      taken = left < most ? left : most; \
      float_target t = {out + first, out_stride, taken}; \
      if (taken > most - CK_PANEL) \
        float_panels(t, panel, panel_bytes, (super_bytes) / CK_SUPER_SMALL, cols, x, stride, batch, load, FLOAT_PANELS); \
      else { \
        t.valid = taken = taken < CK_PANEL ? taken : CK_PANEL; \
        float_panels(t, panel, panel_bytes, (super_bytes) / CK_SUPER_SMALL, cols, x, stride, batch, load, 1); \
      } \
      panel += (taken + CK_PANEL - 1) / CK_PANEL * panel_bytes; \
    } \
  }

DEFINE_FLOAT_PRODUCT(f32, CK_PACKED_F32, load_f32)
DEFINE_FLOAT_PRODUCT(f16, CK_PACKED_F16, half_lanes)
DEFINE_FLOAT_PRODUCT(bf16, CK_PACKED_BF16, brain_lanes)

#define PRODUCT_TABLE \
  { \
    NAME(product_f32), NAME(product_f16), NAME(product_bf16), NAME(product_q8_0), NAME(product_q4_0), NAME(product_q4_1), \
    NAME(product_q5_0), NAME(product_q5_1), NAME(product_iq4_nl), NAME(product_q2_k), NAME(product_q3_k), NAME(product_q4_k), \
    NAME(product_q5_k), NAME(product_q6_k), NAME(round_activations), NAME(read), \
  }
