#include "tables.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

static const ck_kernels scalar_kernels = {
  &ck_scalar_products, ck_rmsnorm_ref,
  ck_rope_ref, ck_rope_halves_ref, ck_silu_mul_ref, ck_softmax_ref, ck_axpy_ref,
};

#if defined(__x86_64__)
// __builtin_cpu_supports also asks the operating system whether it keeps the wide registers.
static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
    && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__)
static int has_dot_products(void) {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return 0;
#endif
}
#endif

const ck_kernels *ck_kernels_for(ck_isa isa) {
  switch (isa) {
    case CK_ISA_SCALAR: return &scalar_kernels;
#if defined(__x86_64__)
    case CK_ISA_AVX2: return has_avx2() ? &ck_avx2_kernels : NULL;
    case CK_ISA_AVX512: return has_avx512() ? &ck_avx512_kernels : NULL;
#elif defined(__aarch64__)
    case CK_ISA_NEON: return has_dot_products() ? &ck_dotprod_kernels : &ck_neon_kernels;
#endif
    default: return NULL;
  }
}
