#ifndef CK_TABLES_H
#define CK_TABLES_H

#include "ckernels.h"

// Values and bytes of one quantised block.
enum { CK_QK = 32, CK_Q8_0_BYTES = 34, CK_Q4_0_BYTES = 18, CK_QK_K = 256, CK_Q6_K_BYTES = 210 };

#if defined(__x86_64__)
extern const ck_kernels ck_avx2_kernels;
extern const ck_kernels ck_avx512_kernels;
#endif

#endif
