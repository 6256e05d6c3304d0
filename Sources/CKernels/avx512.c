#if defined(__x86_64__)
#include "vectors_avx512.h"

#define PRODUCTS &ck_avx512_products
#include "simd_kernels.h"

const ck_kernels ck_avx512_kernels = KERNEL_TABLE;
#endif
