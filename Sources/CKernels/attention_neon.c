#if defined(__aarch64__)
#include "vectors_neon.h"

enum { TILE = 12, PART = 8, CHAINED = 4 };

#include "attention_kernels.h"

const ck_attention_kernels ck_attention_neon = ATTENTION_TABLE;
#endif
