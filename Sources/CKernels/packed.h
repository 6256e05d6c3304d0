// How weights lie once they are packed: panels of 16 rows, interleaved so that one 64-byte line holds 4 columns of all 16 rows
// (byte 4 r + k: row r, column k), which is what one dot-product instruction multiplies. A panel is a run of superblocks, each a
// whole number of lines with its scales in front; columns beyond the matrix and rows beyond its last are zeros.
//
// In a superblock, one after the other, with S the number of its steps (a step: columns that share one scale):
//   blocks of 32 (64 columns, S = 2):  d: S x 16 f16 | minimum: the same (Q4_1, Q5_1) | fifth bits: S lines (Q5) | lines
//   blocks of 256 (256 columns):       d: 16 f16 | d of the minima: 16 f16 | scales: S x 16 bytes | minima: S x 16 bytes (Q4_K, Q5_K)
//                                      | lines of low bits (Q4_K: of each step in turn) | lines of high bits
//   F16, BF16, F32 (64 columns):       16 numbers a column
#ifndef CK_PACKED_H
#define CK_PACKED_H

#include "tables.h"

enum { CK_PANEL = CK_PANEL_ROWS, CK_ARRANGED = CK_ARRANGED_ROWS, CK_LINE = 64, CK_SUPER_SMALL = 64, CK_SUPER_LARGE = 256 };

// Bytes of a superblock.
enum {
  CK_PACKED_Q4_0 = 576, CK_PACKED_IQ4_NL = 576, CK_PACKED_Q4_1 = 640, CK_PACKED_Q5_0 = 704, CK_PACKED_Q5_1 = 768,
  CK_PACKED_Q8_0 = 1088, CK_PACKED_Q2_K = 1344, CK_PACKED_Q3_K = 1856, CK_PACKED_Q4_K = 2368, CK_PACKED_Q5_K = 2880,
  CK_PACKED_Q6_K = 3392, CK_PACKED_F16 = 2048, CK_PACKED_BF16 = 2048, CK_PACKED_F32 = 4096
};

// 32 activations as integers: value = d q. With them what the offsets and minima of weights are multiplied with: the sum of q by
// the usual offsets, negative, and the sum of the values; for all 32 and for each 16.
typedef struct ck_activations {
  int8_t q[CK_QK];
  float d;
  int32_t minus_8_sum, minus_128_sum;
  float sum;
  int32_t minus_32_half_sums[2];
  float half_sums[2];
} ck_activations;

#endif
