// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#define REAL double
#define SQRT __builtin_sqrt
#define NAME(kernel) kernel##_f64
#include "float_kernels.inc"
#undef REAL
#undef SQRT
#undef NAME

#define REAL float
#define SQRT __builtin_sqrtf
#define NAME(kernel) kernel##_f32
#include "float_kernels.inc"

const struct bench float_benches[] = {
    {"float", "nbody-f64", nbody_f64, 4136, 0},   {"float", "nbody-f32", nbody_f32, 4136, 0},
    {"float", "matmul-f64", matmul_f64, 16344, 0}, {"float", "matmul-f32", matmul_f32, 16344, 0},
    {"float", "mandelbrot-f64", mandelbrot_f64, 33773, 0}, {"float", "mandelbrot-f32", mandelbrot_f32, 33773, 0},
    {"float", "fft-f64", fft_f64, 333, 0},       {"float", "fft-f32", fft_f32, 333, 0},
    {0, 0, 0, 0, 0},
};
