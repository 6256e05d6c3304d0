#ifndef CKENCODER_H
#define CKENCODER_H

#include <stddef.h>

/* What an encoder does that a decoder does not. Plain loops that the compiler turns into vectors, for the processor's widest. */

/* values[i] = x/2 (1 + erf(x/sqrt 2)) of x = values[i], to 1e-6. */
void ck_gelu(float *values, size_t count);

/* row = (row + term) normalised about its mean, times weight, plus bias; term may be NULL. */
void ck_layer_norm(float *row, const float *term, const float *weight, const float *bias, size_t width, float epsilon);

/* One head of attention of `rows` rows to all of them. Query, key and value stand `stride` floats apart from row to row; the result of row r
   goes to output + r * output_stride. `scratch` holds rows * (dimension + 1) floats. */
void ck_attend_to_all(const float *query, const float *key, const float *value, size_t stride, float *output, size_t output_stride,
                      size_t rows, size_t dimension, float *scratch);

#endif
