// Integer products with AVX2, whose instruction multiplies bytes and adds pairs of them in 16 bits: sums of several lines wait in 16 bits
// as long as the largest bytes leave room, so that few are widened. Included after packed_products.h.

// Else the compiler adds in another order, for which the registers do not suffice.
INLINE __m256i in_place(__m256i v) {
  __asm__("" : "+x"(v));
  return v;
}

INLINE __m256i add_pairs(__m256i sum, __m256i bytes, __m256i x) {
  return in_place(_mm256_add_epi16(sum, _mm256_maddubs_epi16(bytes, x)));
}

// A part of a step that is a power of two; for bytes of all sizes a pair fills the 16 bits.
INLINE int lines_at_once(const packed_form form) {
  const int fit = INT16_MAX / (2 * 127 * form.most), lines = fit >= 8 ? 8 : fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
  return lines < form.lines ? lines : form.lines;
}

INLINE partial partial_from(I sum) {
  (void)sum;
  return (partial){_mm256_setzero_si256(), _mm256_setzero_si256()};
}

// Bytes of all sizes, less 128: their signs go over to the other factor.
INLINE __m256i wide_pairs(__m256i bytes, __m256i x) {
  bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8((char)0x80));
  return _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8(x, bytes));
}

INLINE partial dot(partial sum, B line, four x4, const packed_form form) {
  const halves h = halves_of(line);
  const __m256i x = _mm256_set1_epi32(x4);
  if (form.most > 127) return (partial){wide_pairs(h.low, x), wide_pairs(h.high, x)};
  return (partial){add_pairs(sum.low, h.low, x), add_pairs(sum.high, h.high, x)};
}

INLINE I whole(I sum, partial waiting) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i sums[2] = {_mm256_madd_epi16(waiting.low, ones), _mm256_madd_epi16(waiting.high, ones)};
  I products;
  memcpy(&products, sums, sizeof products);
  return sum + products;
}

INLINE __m256i half_line(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

// One half of the weight rows of a step against an activation row: adds the product, and what minima add, to its sum.
INLINE __m256 add_half_step(
  __m256 sum, __m256i product, const unpacked *w, size_t at, int half, const ck_activations *a, int part, const packed_form form) {
  const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(w->scales[at] + 8 * half), _mm256_set1_ps(a->d));
  sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(product), scale, sum);
  if (form.shift != 0) return sum;
  const float activations = form.lines == 8 ? a->sum : a->half_sums[part];
  return _mm256_fmadd_ps(_mm256_loadu_ps(w->minima[at] + 8 * half), _mm256_set1_ps(activations), sum);
}

// Bytes of at most 7 bits: each activation meets both halves of the weight rows.
INLINE void narrow_tile(
  __m256 (*sums)[2], const unpacked *w, size_t at, const ck_activations *x, size_t x_stride, int part, const packed_form form,
  const int rows) {
  const int group = lines_at_once(form);
  const uint8_t *lines = w->lines + at * (size_t)form.lines * CK_LINE;
  __m256i products[TILE_ROWS][2];
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int h = 0; h < 2; h++) products[b][h] = _mm256_set1_epi32(offset_of(x + (size_t)b * x_stride, part, form));
  UNROLLED for (int first = 0; first < form.lines; first += group) {
    __m256i waiting[TILE_ROWS][2];
    UNROLLED for (int j = first; j < first + group; j++) {
      const __m256i line[2] = {half_line(lines + CK_LINE * j), half_line(lines + CK_LINE * j + 32)};
      UNROLLED for (int b = 0; b < rows; b++) {
        const __m256i x4 = _mm256_set1_epi32(four_at(x[(size_t)b * x_stride].q + 16 * part, j));
        UNROLLED for (int h = 0; h < 2; h++)
          waiting[b][h] = j == first ? _mm256_maddubs_epi16(line[h], x4) : add_pairs(waiting[b][h], line[h], x4);
      }
    }
    UNROLLED for (int b = 0; b < rows; b++)
      UNROLLED for (int h = 0; h < 2; h++)
        products[b][h] = _mm256_add_epi32(products[b][h], _mm256_madd_epi16(waiting[b][h], _mm256_set1_epi16(1)));
  }
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int h = 0; h < 2; h++)
      sums[b][h] = add_half_step(sums[b][h], products[b][h], w, at, h, x + (size_t)b * x_stride, part, form);
}

// Reading twice the bytes costs more than taking nibbles apart, where that is all; words are no faster for few rows.
INLINE size_t unpacked_from(const packed_form form) { return form.shift == 3 ? SIZE_MAX : form.most > 127 ? 24 : 12; }

// Bytes of all sizes lie unpacked as words of 16 bits less 128, those of even and of odd columns apart, and so do the activations: pairs
// of their products are added in 32 bits.
INLINE __m256i even_words(__m256i bytes) { return _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8); }

INLINE __m256i odd_words(__m256i bytes) { return _mm256_srai_epi16(bytes, 8); }

INLINE int stored_lines(const packed_form form) { return form.most > 127 ? 2 : 1; }

INLINE void store_line(uint8_t *lines, size_t index, B line, const packed_form form) {
  if (form.most <= 127) return b_store(lines + index * CK_LINE, line);
  const halves h = halves_of(line ^ 128);
  const __m256i words[4] = {even_words(h.low), even_words(h.high), odd_words(h.low), odd_words(h.high)};
  memcpy(lines + index * sizeof words, words, sizeof words);
}

// Pairs of the words of even columns and of those of odd ones.
typedef struct pairs { int32_t even_and_odd[2][8]; } pairs;

INLINE pairs pairs_of(const ck_activations *a) {
  const __m256i bytes = half_line((const uint8_t *)a->q), words[2] = {even_words(bytes), odd_words(bytes)};
  pairs result;
  memcpy(&result, words, sizeof result);
  return result;
}

INLINE void wide_tile(
  __m256 (*sums)[2], const unpacked *w, size_t at, const ck_activations *x, const pairs *words, size_t x_stride, const packed_form form,
  const int rows) {
  const uint8_t *lines = w->lines + at * 16 * CK_LINE;
  __m256i products[TILE_ROWS][2];
  UNROLLED for (int k = 0; k < 16; k++) {
    const __m256i line[2] = {half_line(lines + CK_LINE * k), half_line(lines + CK_LINE * k + 32)};
    UNROLLED for (int b = 0; b < rows; b++) {
      const __m256i pair = _mm256_set1_epi32(words[b].even_and_odd[k % 2][k / 2]);
      UNROLLED for (int h = 0; h < 2; h++) {
        const __m256i more = _mm256_madd_epi16(line[h], pair);
        products[b][h] = k == 0 ? more : in_place(_mm256_add_epi32(products[b][h], more));
      }
    }
  }
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int h = 0; h < 2; h++)
      sums[b][h] = add_half_step(sums[b][h], products[b][h], w, at, h, x + (size_t)b * x_stride, 0, form);
}

INLINE void unpacked_products(
  float (*sums)[TILE_PANELS][CK_PANEL], const unpacked *w, size_t steps, const ck_activations *x, size_t x_stride,
  const packed_form form, const int rows, const int panels) {
  (void)panels;
  const int parts = 8 / form.lines;
  __m256 running[TILE_ROWS][2];
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int h = 0; h < 2; h++) running[b][h] = _mm256_loadu_ps(sums[b][0] + 8 * h);
  pairs words[UNPACKED_LINES / 16][TILE_ROWS];
  if (form.most > 127)
    for (size_t s = 0; s < steps; s++)
      for (int b = 0; b < rows; b++) words[s][b] = pairs_of(x + (size_t)b * x_stride + s);
  for (size_t s = 0; s < steps; s += (size_t)parts, x++) {
    UNROLLED for (int part = 0; part < parts; part++) {
      if (form.most > 127) wide_tile(running, w, s, x, words[s], x_stride, form, rows);
      else narrow_tile(running, w, s + (size_t)part, x, x_stride, part, form, rows);
    }
  }
  UNROLLED for (int b = 0; b < rows; b++)
    UNROLLED for (int h = 0; h < 2; h++) _mm256_storeu_ps(sums[b][0] + 8 * h, running[b][h]);
}
