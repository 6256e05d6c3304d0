#if defined(__x86_64__)
#include "vectors_avx2.h"

#define PRODUCTS &ck_avx2_products
#include "simd_kernels.h"

const ck_kernels ck_avx2_kernels = KERNEL_TABLE;
#endif
