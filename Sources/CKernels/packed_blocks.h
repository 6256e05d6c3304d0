// One step of packed weights as unsigned bytes, with the scale and minimum of each row. Included once for each instruction set.
// weight = scale (byte - 2^SHIFT) where SHIFT is given, else scale byte + minimum.
#include "lanes.h"

typedef struct step {
  B lines[8];
  F scale, minimum;
} step;

// Columns of a superblock; its bytes; lines of a step (8: 32 columns, 4: 16 columns); log2 of the offset (0: minima instead);
// the largest byte.
typedef struct packed_form { int columns, bytes, lines, shift, most; } packed_form;

typedef void load_packed_step(const uint8_t *p, int number, step *s);

#define FORM_Q4_0 ((packed_form){CK_SUPER_SMALL, CK_PACKED_Q4_0, 8, 3, 15})
#define FORM_IQ4_NL ((packed_form){CK_SUPER_SMALL, CK_PACKED_IQ4_NL, 8, 7, 255})
#define FORM_Q4_1 ((packed_form){CK_SUPER_SMALL, CK_PACKED_Q4_1, 8, 0, 15})
#define FORM_Q5_0 ((packed_form){CK_SUPER_SMALL, CK_PACKED_Q5_0, 8, 4, 31})
#define FORM_Q5_1 ((packed_form){CK_SUPER_SMALL, CK_PACKED_Q5_1, 8, 0, 31})
#define FORM_Q8_0 ((packed_form){CK_SUPER_SMALL, CK_PACKED_Q8_0, 8, 7, 255})
#define FORM_Q2_K ((packed_form){CK_SUPER_LARGE, CK_PACKED_Q2_K, 4, 0, 3})
#define FORM_Q3_K ((packed_form){CK_SUPER_LARGE, CK_PACKED_Q3_K, 4, 2, 7})
#define FORM_Q4_K ((packed_form){CK_SUPER_LARGE, CK_PACKED_Q4_K, 8, 0, 15})
#define FORM_Q5_K ((packed_form){CK_SUPER_LARGE, CK_PACKED_Q5_K, 8, 0, 31})
#define FORM_Q6_K ((packed_form){CK_SUPER_LARGE, CK_PACKED_Q6_K, 4, 5, 63})

// Low nibbles are the first four lines, high nibbles the last.
INLINE void nibble_lines(const uint8_t *p, B lines[8]) {
  for (int j = 0; j < 4; j++) {
    B pair = b_load(p + CK_LINE * j);
    lines[j] = pair & 15;
    lines[j + 4] = pair >> 4;
  }
}

// Bit j of a byte belongs to line j.
INLINE void add_fifth_bits(const uint8_t *p, B lines[8]) {
  B bits = b_load(p);
  for (int j = 0; j < 8; j++) lines[j] |= (j < 4 ? bits << (4 - j) : bits >> (j - 4)) & 16;
}

INLINE void load_q4_0(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p + 32 * number);
  nibble_lines(p + 64 + 256 * number, s->lines);
}

INLINE void load_iq4_nl(const uint8_t *p, int number, step *s) {
  // The values of the table and 128.
  static const uint8_t table[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
  load_q4_0(p, number, s);
  for (int j = 0; j < 8; j++) s->lines[j] = look_up(table, s->lines[j]);
}

INLINE void load_q4_1(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p + 32 * number);
  s->minimum = half_lanes(p + 64 + 32 * number);
  nibble_lines(p + 128 + 256 * number, s->lines);
}

INLINE void load_q5_0(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p + 32 * number);
  nibble_lines(p + 192 + 256 * number, s->lines);
  add_fifth_bits(p + 64 + 64 * number, s->lines);
}

INLINE void load_q5_1(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p + 32 * number);
  s->minimum = half_lanes(p + 64 + 32 * number);
  nibble_lines(p + 256 + 256 * number, s->lines);
  add_fifth_bits(p + 128 + 64 * number, s->lines);
}

INLINE void load_q8_0(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p + 32 * number);
  for (int j = 0; j < 8; j++) s->lines[j] = b_load(p + 64 + 512 * number + CK_LINE * j);
}

INLINE void load_scale_and_minimum(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p) * byte_lanes(p + 64 + 16 * number);
  s->minimum = -(half_lanes(p + 32) * byte_lanes(p + 192 + 16 * number));
}

INLINE void load_q4_k(const uint8_t *p, int number, step *s) {
  load_scale_and_minimum(p, number, s);
  nibble_lines(p + 320 + 256 * number, s->lines);
}

INLINE void load_q5_k(const uint8_t *p, int number, step *s) {
  load_scale_and_minimum(p, number, s);
  for (int j = 0; j < 8; j++) {
    B pair = b_load(p + 320 + number / 2 * 512 + CK_LINE * j), bits = b_load(p + 2368 + CK_LINE * j);
    s->lines[j] = (number % 2 == 0 ? pair & 15 : pair >> 4) | ((number < 4 ? bits << (4 - number) : bits >> (number - 4)) & 16);
  }
}

// Steps of 16 columns: eight in each half, two in each run of 32.
INLINE void load_q6_k(const uint8_t *p, int number, step *s) {
  int half = number / 8, run = number % 8 / 2, part = number % 2;
  s->scale = half_lanes(p) * signed_lanes(p + 64 + 16 * number);
  const uint8_t *low = p + 320 + CK_LINE * (half * 16 + run % 2 * 8 + part * 4);
  const uint8_t *high = p + 2368 + CK_LINE * (half * 8 + part * 4);
  for (int j = 0; j < 4; j++) {
    B lows = b_load(low + CK_LINE * j), highs = b_load(high + CK_LINE * j);
    highs = run < 2 ? highs << (4 - 2 * run) : highs >> (2 * run - 4);
    s->lines[j] = (run < 2 ? lows & 15 : lows >> 4) | (highs & 48);
  }
}

INLINE void load_two_bits(const uint8_t *p, int number, B lines[8]) {
  const uint8_t *low = p + CK_LINE * (number / 8 * 8 + number % 2 * 4);
  for (int j = 0; j < 4; j++) lines[j] = (b_load(low + CK_LINE * j) >> (number % 8 / 2 * 2)) & 3;
}

INLINE void load_q2_k(const uint8_t *p, int number, step *s) {
  bytes16 both;
  memcpy(&both, p + 64 + 16 * number, sizeof both);
  s->scale = half_lanes(p) * __builtin_convertvector(__builtin_convertvector(both & 15, I), F);
  s->minimum = -(half_lanes(p + 32) * __builtin_convertvector(__builtin_convertvector(both >> 4, I), F));
  load_two_bits(p + 320, number, s->lines);
}

INLINE void load_q3_k(const uint8_t *p, int number, step *s) {
  s->scale = half_lanes(p) * signed_lanes(p + 64 + 16 * number);
  load_two_bits(p + 320, number, s->lines);
  for (int j = 0; j < 4; j++) {
    B bits = b_load(p + 1344 + CK_LINE * (number % 2 * 4 + j));
    int bit = number / 2;
    s->lines[j] |= (bit < 2 ? bits << (2 - bit) : bits >> (bit - 2)) & 4;
  }
}
