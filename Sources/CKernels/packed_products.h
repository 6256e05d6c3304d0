// Products of packed panels with activations that were rounded to integers, and the rounding. Included once for each instruction set
// after lanes.h; the including file defines NAME(x), ROWS: how many activation rows share one reading of the weights, and TILE_ROWS and
// TILE_PANELS: how many rows and panels are multiplied at once where the weights are unpacked. TILE_ROWS * TILE_PANELS * 2 vectors and
// a few more fit the registers; two panels read each activation once. And PREFETCH, below.
//
// The integer products of a step are exact; each output adds them up step after step, from the first column to the last, in one f32
// sum. So a result is the same to the bit in any batch, on any number of threads and with every instruction set.

#include "packed_blocks.h"

// Sums stay in registers where loops over them are unrolled, which the compiler does not do by itself for many.
#define UNROLLED _Pragma("clang loop unroll(full)")

// Sums of products in the form in which an instruction set keeps them while `lines_at_once` lines of a step are multiplied. One whose
// instructions do not add in 32 bits at once defines OWN_PARTIAL and the type, and after this header the functions.
#ifndef OWN_PARTIAL
typedef I partial;
#endif

INLINE int lines_at_once(const packed_form form);
INLINE partial partial_from(I sum);
INLINE partial dot(partial sum, B line, four x4, const packed_form form);
INLINE I whole(I sum, partial waiting);

#ifndef OWN_PARTIAL
INLINE int lines_at_once(const packed_form form) { return form.lines; }

INLINE partial partial_from(I sum) { return sum; }

INLINE partial dot(partial sum, B line, four x4, const packed_form form) {
  return form.most > 127 ? dot_wide(sum, line, x4) : dot_narrow(sum, line, x4);
}

INLINE I whole(I sum, partial waiting) {
  (void)sum;
  return waiting;
}
#endif

// Steps of a panel that are unpacked at a time: 16 KiB of bytes of all panels, which with their activations stay in the first-level
// cache.
enum { UNPACKED_LINES = 256 / TILE_PANELS };

// Memory of 50 GB/s and a core that waits 200 ns for it have 10 KiB on their way: PREFETCH, straight to the first level, which they fill
// by a quarter; 0 where the processor does better by itself. A superblock of 256 has its scales in front and some has lines of two
// kinds, so that no processor foresees what is read next: its lines are brought to the second level before.
enum { PREFETCH_NEAR = 8 << 10, PREFETCH_FAR = 12 << 10 };

INLINE void prefetch_ahead(const uint8_t *p, int bytes) {
  if (PREFETCH == 0) return;
  for (int i = 0; i < bytes; i += CK_LINE) __builtin_prefetch(p + PREFETCH + i, 0, 3);
}

// A step's share of the lines of a superblock: many at once would wait for each other.
INLINE void prefetch_share(const uint8_t *super, int number, int steps, const packed_form form) {
  const int lines = form.bytes / CK_LINE, first = number * lines / steps, end = (number + 1) * lines / steps;
  if (form.columns == CK_SUPER_SMALL) return prefetch_ahead(super + first * CK_LINE, (end - first) * CK_LINE);
  for (int i = first; i < end; i++) {
    __builtin_prefetch(super + PREFETCH_FAR + i * CK_LINE, 0, 1);
    __builtin_prefetch(super + PREFETCH_NEAR + i * CK_LINE, 0, 3);
  }
}

// What the offset 2^shift of the weights adds to the integer product of a step.
INLINE int32_t offset_of(const ck_activations *a, int part, const packed_form form) {
  switch (form.shift) {
    case 2: return a->minus_32_half_sums[part] / 8;
    case 3: return a->minus_8_sum;
    case 4: return a->minus_8_sum * 2;
    case 5: return a->minus_32_half_sums[part];
    case 7: return WIDE_IS_SIGNED ? 0 : a->minus_128_sum;
    default: return 0;
  }
}

// sums[b] += what one step adds for activation row b.
INLINE void add_step(
  F *sums, const B *lines, F scale, F minimum, const ck_activations *x, size_t x_stride, int part, const packed_form form,
  const int rows) {
  I products[ROWS];
  for (int b = 0; b < rows; b++) products[b] = i_all(offset_of(x + (size_t)b * x_stride, part, form));
  const int group = lines_at_once(form);
  UNROLLED for (int first = 0; first < form.lines; first += group) {
    partial waiting[ROWS];
    UNROLLED for (int b = 0; b < rows; b++) waiting[b] = partial_from(products[b]);
    UNROLLED for (int j = first; j < first + group; j++)
      UNROLLED for (int b = 0; b < rows; b++)
        waiting[b] = dot(waiting[b], lines[j], four_at(x[(size_t)b * x_stride].q + 16 * part, j), form);
    UNROLLED for (int b = 0; b < rows; b++) products[b] = whole(products[b], waiting[b]);
  }
  for (int b = 0; b < rows; b++) {
    const ck_activations *a = x + (size_t)b * x_stride;
    sums[b] = f_fma(__builtin_convertvector(products[b], F), scale * f_all(a->d), sums[b]);
    if (form.shift == 0) sums[b] = f_fma(minimum, f_all(form.lines == 8 ? a->sum : a->half_sums[part]), sums[b]);
  }
}

// One panel against `rows` (a constant after inlining) activation rows, straight from the packed bytes.
INLINE void panel_products(
  float *out, size_t out_stride, const uint8_t *panel, size_t supers, const ck_activations *x, size_t x_stride, load_packed_step *load,
  const packed_form form, const int rows, size_t valid) {
  F sums[ROWS];
  for (int b = 0; b < rows; b++) sums[b] = f_all(0);
  const int steps = form.columns / (4 * form.lines), parts = 8 / form.lines;
  for (size_t s = 0; s < supers; s++, panel += form.bytes, x += steps / parts) {
#pragma clang loop unroll(full)
    for (int number = 0; number < steps; number++) {
      prefetch_share(panel, number, steps, form);
      step now;
      load(panel, number, &now);
      add_step(sums, now.lines, now.scale, now.minimum, x + number / parts, x_stride, number % parts, form, rows);
    }
  }
  for (int b = 0; b < rows; b++) {
    float lanes[CK_PANEL];
    f_store(lanes, sums[b]);
    memcpy(out + (size_t)b * out_stride, lanes, valid * sizeof(float));
  }
}

typedef struct unpacked {
  _Alignas(64) uint8_t lines[UNPACKED_LINES * CK_LINE];
  float scales[UNPACKED_LINES / 4][CK_PANEL], minima[UNPACKED_LINES / 4][CK_PANEL];
} unpacked;

// How panels lie unpacked and are multiplied then: from how many activation rows that pays; how many lines a line takes; where line `index`
// goes, from the first of them all; and a piece of `panels` panels against `rows` activation rows, whose sums go on. An instruction set
// with a form of its own defines OWN_TILES and, after this header, the functions.
INLINE size_t unpacked_from(const packed_form form);
INLINE int stored_lines(const packed_form form);
INLINE void store_line(uint8_t *lines, size_t index, B line, const packed_form form);
INLINE void unpacked_products(
  float (*sums)[TILE_PANELS][CK_PANEL], const unpacked *w, size_t steps, const ck_activations *x, size_t x_stride,
  const packed_form form, const int rows, const int panels);

#ifndef OWN_TILES
INLINE size_t unpacked_from(const packed_form form) {
  (void)form;
  return 12;
}

INLINE int stored_lines(const packed_form form) {
  (void)form;
  return 1;
}

INLINE void store_line(uint8_t *lines, size_t index, B line, const packed_form form) {
  (void)form;
  b_store(lines + index * CK_LINE, line);
}

// A step of `panels` panels, unpacked, against `rows` activation rows. The same additions as in add_step.
INLINE void add_unpacked_step(
  F (*sums)[TILE_PANELS], const unpacked *w, size_t at, const ck_activations *x, size_t x_stride, int part, const packed_form form,
  const int rows, const int panels) {
  I products[TILE_ROWS][TILE_PANELS];
  UNROLLED for (int b = 0; b < rows; b++) {
    I offset = i_all(offset_of(x + (size_t)b * x_stride, part, form));
    UNROLLED for (int p = 0; p < panels; p++) products[b][p] = offset;
  }
  UNROLLED for (int j = 0; j < form.lines; j++) {
    B lines[TILE_PANELS];
    UNROLLED for (int p = 0; p < panels; p++) lines[p] = b_load(w[p].lines + (at * (size_t)form.lines + (size_t)j) * CK_LINE);
    UNROLLED for (int b = 0; b < rows; b++) {
      const four x4 = four_at(x[(size_t)b * x_stride].q + 16 * part, j);
      UNROLLED for (int p = 0; p < panels; p++)
        products[b][p] = dot(products[b][p], lines[p], x4, form);
    }
  }
  UNROLLED for (int p = 0; p < panels; p++) {
    F scale = f_load(w[p].scales[at]), minimum = form.shift == 0 ? f_load(w[p].minima[at]) : f_all(0);
    UNROLLED for (int b = 0; b < rows; b++) {
      const ck_activations *a = x + (size_t)b * x_stride;
      sums[b][p] = f_fma(__builtin_convertvector(products[b][p], F), scale * f_all(a->d), sums[b][p]);
      if (form.shift == 0) sums[b][p] = f_fma(minimum, f_all(form.lines == 8 ? a->sum : a->half_sums[part]), sums[b][p]);
    }
  }
}

INLINE void unpacked_products(
  float (*sums)[TILE_PANELS][CK_PANEL], const unpacked *w, size_t steps, const ck_activations *x, size_t x_stride,
  const packed_form form, const int rows, const int panels) {
  const int parts = 8 / form.lines;
  F running[TILE_ROWS][TILE_PANELS];
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int p = 0; p < panels; p++) running[b][p] = f_load(sums[b][p]);
  for (size_t s = 0; s < steps; s += (size_t)parts, x++)
    UNROLLED for (int part = 0; part < parts; part++)
      add_unpacked_step(running, w, s + (size_t)part, x, x_stride, part, form, rows, panels);
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int p = 0; p < panels; p++) f_store(sums[b][p], running[b][p]);
}
#endif

// Runs BODY with `rows`, at most `most`, as a constant.
#define ROWS_CASE(number, most, BODY) case number: { enum { rows = number < most ? number : most }; BODY; break; }
#define WITH_ROWS(count, most, BODY) \
  switch (count) { \
    ROWS_CASE(1, most, BODY) \
    ROWS_CASE(2, most, BODY) \
    ROWS_CASE(3, most, BODY) \
    ROWS_CASE(4, most, BODY) \
    ROWS_CASE(5, most, BODY) \
    ROWS_CASE(6, most, BODY) \
    ROWS_CASE(7, most, BODY) \
    default: { enum { rows = most }; BODY; break; } \
  }

INLINE void unpack(unpacked *w, const uint8_t *panel, size_t supers, load_packed_step *load, const packed_form form) {
  const int steps = form.columns / (4 * form.lines);
  for (size_t s = 0; s < supers; s++, panel += form.bytes) {
#pragma clang loop unroll(full)
    for (int number = 0; number < steps; number++) {
      prefetch_share(panel, number, steps, form);
      size_t at = s * (size_t)steps + (size_t)number;
      step now;
      load(panel, number, &now);
      for (int j = 0; j < form.lines; j++) store_line(w->lines, at * (size_t)form.lines + (size_t)j, now.lines[j], form);
      f_store(w->scales[at], now.scale);
      if (form.shift == 0) f_store(w->minima[at], now.minimum);
    }
  }
}

typedef struct shape { size_t out_stride, rows, supers, x_stride, batch; } shape;

// A piece of `panels` panels, `valid` rows in all, against many activation rows: unpacked once, then multiplied with all of them.
// `is_first`: nothing to add to.
INLINE void panel_tiles(
  float *out, shape s, const unpacked *w, size_t supers, const ck_activations *x, const packed_form form, const int panels,
  size_t valid, int is_first) {
  const size_t steps = supers * (size_t)(form.columns / (4 * form.lines));
  for (size_t b = 0, n; b < s.batch; b += n) {
    float sums[TILE_ROWS][TILE_PANELS][CK_PANEL] = {{{0}}};
    n = s.batch - b < TILE_ROWS ? s.batch - b : TILE_ROWS;
    if (!is_first)
      for (size_t k = 0; k < n; k++) memcpy(sums[k], out + (b + k) * s.out_stride, valid * sizeof(float));
    WITH_ROWS(n, TILE_ROWS, unpacked_products(sums, w, steps, x + b * s.x_stride, s.x_stride, form, rows, panels))
    for (size_t k = 0; k < n; k++) memcpy(out + (b + k) * s.out_stride, sums[k], valid * sizeof(float));
  }
}

// Piece by piece of the columns, so that the activations of a piece stay in the second-level cache while all panels meet them.
INLINE void product_by_tiles(
  float *out, const uint8_t *panels, const ck_activations *x, shape s, load_packed_step *load, const packed_form form) {
  const size_t piece = UNPACKED_LINES * 4 / (size_t)(form.columns * stored_lines(form)), panel_bytes = s.supers * (size_t)form.bytes;
  unpacked w[TILE_PANELS];
  for (size_t start = 0; start < s.supers; start += piece) {
    const size_t count = s.supers - start < piece ? s.supers - start : piece;
    const ck_activations *columns = x + start * (size_t)(form.columns / CK_QK);
    const uint8_t *part = panels + start * (size_t)form.bytes;
    for (size_t first = 0; first < s.rows; first += TILE_PANELS * CK_PANEL, part += TILE_PANELS * panel_bytes) {
      const size_t left = s.rows - first, valid = left < TILE_PANELS * CK_PANEL ? left : TILE_PANELS * CK_PANEL;
      for (size_t p = 0; p * CK_PANEL < valid; p++) unpack(w + p, part + p * panel_bytes, count, load, form);
      if (valid > CK_PANEL) panel_tiles(out + first, s, w, count, columns, form, TILE_PANELS, valid, start == 0);
      else panel_tiles(out + first, s, w, count, columns, form, 1, valid, start == 0);
    }
  }
}

INLINE void product_by_rows(
  float *out, const uint8_t *panels, const ck_activations *x, shape s, load_packed_step *load, const packed_form form) {
  for (size_t first = 0; first < s.rows; first += CK_PANEL, panels += s.supers * (size_t)form.bytes) {
    const size_t valid = s.rows - first < CK_PANEL ? s.rows - first : CK_PANEL;
    for (size_t b = 0, n; b < s.batch; b += n) {
      float *place = out + b * s.out_stride + first;
      n = s.batch - b < ROWS ? s.batch - b : ROWS;
      WITH_ROWS(
        n, ROWS, panel_products(place, s.out_stride, panels, s.supers, x + b * s.x_stride, s.x_stride, load, form, rows, valid))
    }
  }
}

#define DEFINE_PRODUCT(type, TYPE) \
  static TARGET void NAME(product_##type)( \
    float *out, size_t out_stride, const void *panels, size_t rows_in_all, size_t cols, const void *x, size_t x_stride, size_t batch) { \
    const packed_form form = FORM_##TYPE; \
    const size_t columns = (size_t)form.columns; \
    shape s = {out_stride, rows_in_all, (cols + columns - 1) / columns, x_stride / sizeof(ck_activations), batch}; \
    if (batch >= unpacked_from(form) && cols != 0) product_by_tiles(out, panels, x, s, load_##type, form); \
    else product_by_rows(out, panels, x, s, load_##type, form); \
  }

DEFINE_PRODUCT(q4_0, Q4_0)
DEFINE_PRODUCT(iq4_nl, IQ4_NL)
DEFINE_PRODUCT(q4_1, Q4_1)
DEFINE_PRODUCT(q5_0, Q5_0)
DEFINE_PRODUCT(q5_1, Q5_1)
DEFINE_PRODUCT(q8_0, Q8_0)
DEFINE_PRODUCT(q2_k, Q2_K)
DEFINE_PRODUCT(q3_k, Q3_K)
DEFINE_PRODUCT(q4_k, Q4_K)
DEFINE_PRODUCT(q5_k, Q5_K)
DEFINE_PRODUCT(q6_k, Q6_K)

INLINE int32_t sum_bytes(signed16 v) { return __builtin_reduce_add(__builtin_convertvector(v, I)); }

// A block with a number that is none gets such a scale, so that it shows in every result.
INLINE void round_block(ck_activations *out, const float *x) {
  F low = f_load(x), high = f_load(x + 16);
  // Without their signs, floats are in the order of their bits, and those that are no numbers above all others.
  int32_t bits = __builtin_reduce_max(__builtin_elementwise_max((I)low & 0x7fffffff, (I)high & 0x7fffffff));
  float largest;
  memcpy(&largest, &bits, sizeof largest);
  // A block of nothing but tiny numbers counts as zeros: its inverse would overflow.
  int is_tiny = largest <= 1e-30f;
  float d = is_tiny ? 0 : largest / 127, inverse = is_tiny ? 0 : 127 / largest;
  signed16 bytes[2] = {
    __builtin_convertvector(nearest(low * f_all(inverse)), signed16), __builtin_convertvector(nearest(high * f_all(inverse)), signed16)};
  memcpy(out->q, bytes, sizeof bytes);
  int32_t sums[2] = {sum_bytes(bytes[0]), sum_bytes(bytes[1])};
  out->d = d;
  out->minus_8_sum = -8 * (sums[0] + sums[1]);
  out->minus_128_sum = -128 * (sums[0] + sums[1]);
  out->sum = d * (float)(sums[0] + sums[1]);
  for (int part = 0; part < 2; part++) {
    out->minus_32_half_sums[part] = -32 * sums[part];
    out->half_sums[part] = d * (float)sums[part];
  }
}

static TARGET void NAME(round_activations)(void *out, const float *x, size_t cols) {
  ck_activations *block = out;
  for (size_t c = 0; c < cols; c += CK_QK) round_block(block++, x + c);
  if (cols % CK_SUPER_SMALL != 0) memset(block, 0, sizeof *block);
}

static TARGET uint64_t NAME(read)(const void *p, size_t bytes) {
  const uint8_t *line = p;
  B bits[4] = {{0}};
  uint64_t words[8], mixed = 0;
  size_t i = 0;
  for (; i + 4 * CK_LINE <= bytes; i += 4 * CK_LINE) {
    prefetch_ahead(line + i, 4 * CK_LINE);
    for (int k = 0; k < 4; k++) bits[k] ^= b_load(line + i + CK_LINE * k);
  }
  for (; i < bytes; i += CK_LINE) bits[0] ^= b_load(line + i);
  b_store((uint8_t *)words, bits[0] ^ bits[1] ^ bits[2] ^ bits[3]);
  for (int k = 0; k < 8; k++) mixed ^= words[k];
  return mixed;
}
