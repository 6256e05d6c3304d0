// From the rows of a file to panels; packed.h says where what goes.
#include <string.h>

#include "packed.h"

// `words` words of 4 bytes of one row, to its place in as many lines; `flip` turns signed bytes into unsigned ones.
static void spread(uint8_t *lines, size_t row, const uint8_t *p, size_t words, uint32_t flip) {
  for (size_t i = 0; i < words; i++) {
    uint32_t word;
    memcpy(&word, p + 4 * i, 4);
    word ^= flip;
    memcpy(lines + CK_LINE * i + 4 * row, &word, 4);
  }
}

static void put_half(uint8_t *scales, size_t row, const uint8_t *p) { memcpy(scales + 2 * row, p, 2); }

// Bit c of the word belongs to column c; bit j of a byte of the line to column 4 j + k.
static void put_fifth_bits(uint8_t *line, size_t row, const uint8_t *p) {
  uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  for (int k = 0; k < 4; k++) {
    uint32_t byte = 0;
    for (int j = 0; j < 8; j++) byte |= (bits >> (4 * j + k) & 1) << j;
    line[4 * row + (size_t)k] = (uint8_t)byte;
  }
}

// The first `count` blocks of one row, to their places in a superblock.
typedef void put_blocks(uint8_t *super, size_t row, const uint8_t *p, size_t count);

static void put_q4_0(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t number = 0; number < count; number++, p += CK_Q4_0_BYTES) {
    put_half(super + 32 * number, row, p);
    spread(super + 64 + 256 * number, row, p + 2, 4, 0);
  }
}

static void put_q4_1(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t number = 0; number < count; number++, p += CK_Q4_1_BYTES) {
    put_half(super + 32 * number, row, p);
    put_half(super + 64 + 32 * number, row, p + 2);
    spread(super + 128 + 256 * number, row, p + 4, 4, 0);
  }
}

static void put_q5_0(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t number = 0; number < count; number++, p += CK_Q5_0_BYTES) {
    put_half(super + 32 * number, row, p);
    put_fifth_bits(super + 64 + 64 * number, row, p + 2);
    spread(super + 192 + 256 * number, row, p + 6, 4, 0);
  }
}

static void put_q5_1(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t number = 0; number < count; number++, p += CK_Q5_1_BYTES) {
    put_half(super + 32 * number, row, p);
    put_half(super + 64 + 32 * number, row, p + 2);
    put_fifth_bits(super + 128 + 64 * number, row, p + 4);
    spread(super + 256 + 256 * number, row, p + 8, 4, 0);
  }
}

static void put_q8_0(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t number = 0; number < count; number++, p += CK_Q8_0_BYTES) {
    put_half(super + 32 * number, row, p);
    spread(super + 64 + 512 * number, row, p + 2, 8, 0x80808080);
  }
}

static void put_q2_k(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  (void)count;
  put_half(super, row, p + 80);
  put_half(super + 32, row, p + 82);
  for (size_t run = 0; run < 16; run++) super[64 + 16 * run + row] = p[run];
  spread(super + 320, row, p + 16, 16, 0);
}

static void put_q3_k(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  (void)count;
  put_half(super, row, p + 108);
  const uint8_t *scales = p + 96;
  for (size_t run = 0; run < 16; run++) {
    int low = run < 8 ? scales[run] & 15 : scales[run - 8] >> 4, high = scales[8 + run % 4] >> (run / 4 * 2) & 3;
    super[64 + 16 * run + row] = (uint8_t)((low | high << 4) - 32);
  }
  spread(super + 320, row, p + 32, 16, 0);
  spread(super + 1344, row, p, 8, 0);
}

static void put_scales_and_minima(uint8_t *super, size_t row, const uint8_t *p) {
  put_half(super, row, p);
  put_half(super + 32, row, p + 2);
  const uint8_t *s = p + 4;
  for (size_t run = 0; run < 8; run++) {
    int scale = run < 4 ? s[run] & 63 : (s[run + 4] & 15) | (s[run - 4] >> 2 & 48);
    int minimum = run < 4 ? s[run + 4] & 63 : s[run + 4] >> 4 | (s[run] >> 2 & 48);
    super[64 + 16 * run + row] = (uint8_t)scale;
    super[192 + 16 * run + row] = (uint8_t)minimum;
  }
}

// A run of 32 columns, whose nibbles are all low or all high: in the order in which they are read, as in the blocks of 32.
static void put_q4_k(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  (void)count;
  put_scales_and_minima(super, row, p);
  for (size_t run = 0; run < 8; run++) {
    const uint8_t *nibbles = p + 16 + run / 2 * 32;
    const int shift = (int)(run % 2 * 4);
    uint8_t bytes[16];
    for (size_t c = 0; c < 16; c++) bytes[c] = (uint8_t)((nibbles[c] >> shift & 15) | (nibbles[c + 16] >> shift & 15) << 4);
    spread(super + 320 + 256 * run, row, bytes, 4, 0);
  }
}

static void put_q5_k(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  (void)count;
  put_scales_and_minima(super, row, p);
  spread(super + 320, row, p + 48, 32, 0);
  spread(super + 2368, row, p + 16, 8, 0);
}

static void put_q6_k(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  (void)count;
  put_half(super, row, p + 208);
  for (size_t run = 0; run < 16; run++) super[64 + 16 * run + row] = p[192 + run];
  spread(super + 320, row, p, 32, 0);
  spread(super + 2368, row, p + 128, 16, 0);
}

static void put_half_numbers(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t c = 0; c < count; c++) memcpy(super + 32 * c + 2 * row, p + 2 * c, 2);
}

static void put_numbers(uint8_t *super, size_t row, const uint8_t *p, size_t count) {
  for (size_t c = 0; c < count; c++) memcpy(super + 64 * c + 4 * row, p + 4 * c, 4);
}

typedef struct layout {
  size_t block, block_bytes, super, super_bytes;
  put_blocks *put;
} layout;

static layout layout_of(ck_type type) {
  switch (type) {
    case CK_F32: return (layout){1, 4, CK_SUPER_SMALL, CK_PACKED_F32, put_numbers};
    case CK_F16: return (layout){1, 2, CK_SUPER_SMALL, CK_PACKED_F16, put_half_numbers};
    case CK_BF16: return (layout){1, 2, CK_SUPER_SMALL, CK_PACKED_BF16, put_half_numbers};
    case CK_Q8_0: return (layout){CK_QK, CK_Q8_0_BYTES, CK_SUPER_SMALL, CK_PACKED_Q8_0, put_q8_0};
    case CK_Q4_0: return (layout){CK_QK, CK_Q4_0_BYTES, CK_SUPER_SMALL, CK_PACKED_Q4_0, put_q4_0};
    case CK_Q4_1: return (layout){CK_QK, CK_Q4_1_BYTES, CK_SUPER_SMALL, CK_PACKED_Q4_1, put_q4_1};
    case CK_Q5_0: return (layout){CK_QK, CK_Q5_0_BYTES, CK_SUPER_SMALL, CK_PACKED_Q5_0, put_q5_0};
    case CK_Q5_1: return (layout){CK_QK, CK_Q5_1_BYTES, CK_SUPER_SMALL, CK_PACKED_Q5_1, put_q5_1};
    case CK_IQ4_NL: return (layout){CK_QK, CK_IQ4_NL_BYTES, CK_SUPER_SMALL, CK_PACKED_IQ4_NL, put_q4_0};
    case CK_Q2_K: return (layout){CK_QK_K, CK_Q2_K_BYTES, CK_SUPER_LARGE, CK_PACKED_Q2_K, put_q2_k};
    case CK_Q3_K: return (layout){CK_QK_K, CK_Q3_K_BYTES, CK_SUPER_LARGE, CK_PACKED_Q3_K, put_q3_k};
    case CK_Q4_K: return (layout){CK_QK_K, CK_Q4_K_BYTES, CK_SUPER_LARGE, CK_PACKED_Q4_K, put_q4_k};
    case CK_Q5_K: return (layout){CK_QK_K, CK_Q5_K_BYTES, CK_SUPER_LARGE, CK_PACKED_Q5_K, put_q5_k};
    case CK_Q6_K: break;
  }
  return (layout){CK_QK_K, CK_Q6_K_BYTES, CK_SUPER_LARGE, CK_PACKED_Q6_K, put_q6_k};
}

size_t ck_panel_bytes(ck_type type, size_t cols) {
  layout l = layout_of(type);
  return (cols + l.super - 1) / l.super * l.super_bytes;
}

size_t ck_activation_bytes(size_t cols) {
  return (cols + CK_SUPER_SMALL - 1) / CK_SUPER_SMALL * (CK_SUPER_SMALL / CK_QK) * sizeof(ck_activations);
}

void ck_pack(void *panels, ck_type type, const void *w, size_t rows, size_t cols) {
  layout l = layout_of(type);
  const uint8_t *source = w;
  uint8_t *super = panels;
  const size_t row_bytes = cols / l.block * l.block_bytes;
  for (size_t first = 0; first < rows; first += CK_PANEL, source += CK_PANEL * row_bytes) {
    const size_t count = rows - first < CK_PANEL ? rows - first : CK_PANEL;
    for (size_t c = 0; c < cols; c += l.super, super += l.super_bytes) {
      const size_t columns = cols - c < l.super ? cols - c : l.super;
      if (count < CK_PANEL || columns < l.super) memset(super, 0, l.super_bytes);
      const uint8_t *p = source + c / l.block * l.block_bytes;
      for (size_t row = 0; row < count; row++, p += row_bytes) l.put(super, row, p, columns / l.block);
    }
  }
}

void ck_arrange(float *out, const float *x, size_t x_stride, size_t rows, size_t cols) {
  for (size_t c = 0; c < cols; c++, out += CK_ARRANGED)
    for (size_t b = 0; b < CK_ARRANGED; b++) out[b] = b < rows ? x[b * x_stride + c] : 0;
}
