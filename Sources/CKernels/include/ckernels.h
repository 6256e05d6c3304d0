// CKernels: the arithmetic of a transformer on plain memory, in a scalar form and in SIMD forms chosen at run time.
// It holds the kernels, one table of them per instruction set, and the pool of threads that runs them.
// It must never know a model, a file, a sequence or who asks; it never allocates except for the pool itself.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "ckattention.h"
#include "ckencoder.h"
#include "ckpool.h"

/// Instruction sets, in rising order of preference. NEON is that of 64-bit Arm, with dot products of bytes where the processor has them.
typedef enum ck_isa { CK_ISA_SCALAR = 0, CK_ISA_AVX2 = 1, CK_ISA_AVX512 = 2, CK_ISA_NEON = 3 } ck_isa;

// Element layouts (GGUF). F16 is IEEE binary16. Q8_0: blocks of 32 values in 34 bytes, f16 d then 32 int8, value = d q.
// Q4_0: blocks of 32 values in 18 bytes, f16 d then 16 bytes whose low nibbles are values 0-15 and high nibbles 16-31,
// value = d (q - 8). Q6_K: blocks of 256 values in 210 bytes: 128 bytes of low and 64 of high bits, 16 int8 scales, f16 d; value
// = d scale (q - 32), runs of 32 as in the scalar twin. The other layouts are in block_decoders.h; BF16 is the upper half
// of a binary32. A weight is the f32 that its definition gives step by step, so every path multiplies the same weights.
// Weights may have any alignment; float pointers are aligned to 4 bytes. Counts may be 0. Little-endian machines only.

/// Element layouts, by the names that files give them.
typedef enum ck_type {
  CK_F32, CK_F16, CK_BF16, CK_Q8_0, CK_Q4_0, CK_Q4_1, CK_Q5_0, CK_Q5_1, CK_IQ4_NL, CK_Q2_K, CK_Q3_K, CK_Q4_K, CK_Q5_K, CK_Q6_K
} ck_type;

/// Rows of weights that lie interleaved in one panel.
#define CK_PANEL_ROWS 16

/// Bytes of a panel of CK_PANEL_ROWS rows, a multiple of 64.
size_t ck_panel_bytes(ck_type type, size_t cols);

/// Lays the rows of a matrix out in panels, adjacent and at a multiple of 64 bytes; the last one is filled up with zeros. Nothing is
/// rounded. w: (rows, cols) row-major in its own layout, rows adjacent; cols: a multiple of the block. No overlap.
void ck_pack(void *panels, ck_type type, const void *w, size_t rows, size_t cols);

/// Bytes of `cols` activations that ck_round has rounded, a multiple of 64.
size_t ck_activation_bytes(size_t cols);

/// Rounds activations to integers of -127...127, each 32 with a scale of their own: d = max |x| / 127. cols: a multiple of 32.
typedef void ck_round(void *out, const float *x, size_t cols);

/// Rows of activations that stand side by side once they are arranged.
#define CK_ARRANGED_ROWS 12

/// A group of activation rows, column by column: out[c * CK_ARRANGED_ROWS + b] = x[b * x_stride + c], b < rows <= CK_ARRANGED_ROWS, and 0
/// for the rows that are missing. Many rows of a power of two of numbers would meet in the same places of a cache.
void ck_arrange(float *out, const float *x, size_t x_stride, size_t rows, size_t cols);

/// out[b * out_stride + r] = sum over c of w[r, c] * x[b, c].
/// panels: `rows` packed rows. x of F32, F16 and BF16: `batch` f32 rows, x_stride bytes apart; from CK_ARRANGED_ROWS rows on groups of
/// them as ck_arrange makes them, x_stride bytes apart. x of all others: what ck_round makes, x_stride bytes apart.
/// out: (batch, rows). `out` overlaps no input. Integer products are exact; the order of f32 additions and their rounding depend on
/// cols alone: a result has the same bits in any batch, in any piece of a matrix and with every instruction set.
typedef void ck_product(
  float *out, size_t out_stride, const void *panels, size_t rows, size_t cols, const void *x, size_t x_stride, size_t batch);

/// out[i] = value i of w, exactly. `count`: a multiple of the block. No overlap.
typedef void ck_dequantize(float *out, const void *w, size_t count);

/// out[i] = x[i] * weight[i] / sqrt(mean(x^2) + epsilon), i < n. `out` may be `x`, else no overlap. n = 0 writes nothing.
typedef void ck_rmsnorm(float *out, const float *x, const float *weight, size_t n, float epsilon);

/// Rotates adjacent pairs (2 i, 2 i + 1), i < pairs, of each of `heads` vectors by the angle whose cosine and sine are given:
/// (a, b) -> (a cos - b sin, a sin + b cos). x: (heads, head_stride), 2 * pairs <= head_stride; cosine, sine: (pairs,).
/// Values of a head from 2 * pairs on stay. No overlap.
typedef void ck_rope(
  float *x, size_t heads, size_t head_stride, const float *cosine, const float *sine, size_t pairs);

// rope_halves, of the same type, rotates (i, pairs + i) instead: the order in which some files keep the rows of their matrices.

/// gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i], i < n. No overlap.
typedef void ck_silu_mul(float *gate, const float *up, size_t n);

/// x[i] = exp(x[i] - max x) / sum of the same, i < n, in place. Values are finite.
typedef void ck_softmax(float *x, size_t n);

/// y[i] += a * x[i], i < n. No overlap.
typedef void ck_axpy(float *y, float a, const float *x, size_t n);

/// Reads memory as a product does and computes next to nothing: what a product could at best take. Returns the bits of all lines, each
/// of 64 bytes, mixed. bytes: a multiple of 64.
typedef uint64_t ck_read(const void *p, size_t bytes);

/// The products of each layout, and the rounding that those of quantised layouts need, in one instruction set.
typedef struct ck_products {
  ck_product *f32, *f16, *bf16, *q8_0, *q4_0, *q4_1, *q5_0, *q5_1, *iq4_nl, *q2_k, *q3_k, *q4_k, *q5_k, *q6_k;
  ck_round *round;
  ck_read *read;
} ck_products;

/// The kernels of one instruction set.
typedef struct ck_kernels {
  const ck_products *products;
  ck_rmsnorm *rmsnorm;
  ck_rope *rope, *rope_halves;
  ck_silu_mul *silu_mul;
  ck_softmax *softmax;
  ck_axpy *axpy;
} ck_kernels;

/// The table of an instruction set, or NULL where this build or this processor lacks it. Scalar is always there.
const ck_kernels *ck_kernels_for(ck_isa isa);

/// The values of a layout by its definition.
ck_dequantize ck_dequantize_f32_ref, ck_dequantize_f16_ref, ck_dequantize_q8_0_ref, ck_dequantize_q4_0_ref,
  ck_dequantize_q6_k_ref, ck_dequantize_bf16_ref, ck_dequantize_q4_1_ref, ck_dequantize_q5_0_ref, ck_dequantize_q5_1_ref,
  ck_dequantize_iq4_nl_ref, ck_dequantize_q2_k_ref, ck_dequantize_q3_k_ref, ck_dequantize_q4_k_ref, ck_dequantize_q5_k_ref;

// The scalar twins: what every other form must compute, up to the order of additions and the last bits of exp.
ck_rmsnorm ck_rmsnorm_ref;
ck_rope ck_rope_ref, ck_rope_halves_ref;
ck_silu_mul ck_silu_mul_ref;
ck_softmax ck_softmax_ref;
ck_axpy ck_axpy_ref;

/// Stores `count` values, a multiple of the block, in a layout; they are finite and fit binary16. Q8_0 and Q4_0 round as the layouts'
/// other writers do; Q4_K and Q6_K look for the scales with the least weighted error. No overlap.
typedef void ck_quantize(void *out, const float *x, size_t count);
ck_quantize ck_quantize_f16, ck_quantize_q8_0, ck_quantize_q4_0, ck_quantize_q4_k, ck_quantize_q6_k;

/// Gives what was freed back to the system, where the C library keeps it otherwise.
void ck_trim_heap(void);

#endif
