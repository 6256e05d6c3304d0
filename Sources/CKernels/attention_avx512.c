#if defined(__x86_64__)
#include "vectors_avx512.h"

enum { TILE = 12, PART = 8, CHAINED = 4 };

#include "attention_kernels.h"

const ck_attention_kernels ck_attention_avx512 = ATTENTION_TABLE;
#endif
