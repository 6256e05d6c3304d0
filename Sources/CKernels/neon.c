#if defined(__aarch64__)
#include "vectors_neon.h"

#define PRODUCTS &ck_neon_products
#include "simd_kernels.h"

const ck_kernels ck_neon_kernels = KERNEL_TABLE;

#undef PRODUCTS
#define PRODUCTS &ck_dotprod_products
const ck_kernels ck_dotprod_kernels = KERNEL_TABLE;
#endif
