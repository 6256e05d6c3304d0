#if defined(__x86_64__)
#include "vectors_avx2.h"

enum { TILE = 6, PART = 4, CHAINED = 2 };

#include "attention_kernels.h"

const ck_attention_kernels ck_attention_avx2 = ATTENTION_TABLE;
#endif
