/* The whole training loop of the post's network in C: the lower bound that the other ways are held against.

   One layer, softmax, the post's squared error, Adam; batches are gathered from the uint8 images on the fly.
   BATCH, FEATURES and CLASSES are given to the compiler. Weights and moments lie in blocks of LANES features:
   [FEATURES / LANES][CLASSES][LANES], so that both products run over whole vectors along the features. */

#include <math.h>
#include <stdint.h>
#ifdef __SSE__
#include <immintrin.h>
#endif

#define LANES 16
#define BLOCKS (FEATURES / LANES)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef uint8_t pixels __attribute__((vector_size(LANES), aligned(1)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

INLINE vector load(const uint8_t *image, int block) {
#ifdef __AVX512F__ /* GCC 12 takes the general conversion apart, pixel by pixel */
    return (vector)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(image + block * LANES))));
#else
    return __builtin_convertvector(__builtin_convertvector(*(const pixels *)(image + block * LANES), integers), vector);
#endif
}

INLINE float sum(vector v) {
    float total = 0;
    for (int lane = 0; lane < LANES; lane++) total += v[lane];
    return total;
}

/* Logits [CLASSES][BATCH]; two images at a time share every weight that is loaded. */
INLINE void forward(const uint8_t *const *x, const vector (*w)[CLASSES], float (*logits)[BATCH]) {
    for (int b = 0; b < BATCH; b += 2) {
        vector first[CLASSES] = {0}, second[CLASSES] = {0};
        for (int block = 0; block < BLOCKS; block++) {
            vector one = load(x[b], block), two = load(x[b + 1], block);
            UNROLL for (int c = 0; c < CLASSES; c++) {
                first[c] += one * w[block][c];
                second[c] += two * w[block][c];
            }
        }
        UNROLL for (int c = 0; c < CLASSES; c++) {
            logits[c][b] = sum(first[c]) * (1 / 255.0f);
            logits[c][b + 1] = sum(second[c]) * (1 / 255.0f);
        }
    }
}

/* Logits to the loss's gradient by them, times 1 / 255 for the pixels; in place. */
INLINE void softmax_gradient(float (*z)[BATCH], const int32_t *labels) {
    float largest[BATCH], total[BATCH] = {0}, along[BATCH] = {0};
    for (int b = 0; b < BATCH; b++) largest[b] = z[0][b];
    for (int c = 1; c < CLASSES; c++)
        for (int b = 0; b < BATCH; b++) largest[b] = fmaxf(largest[b], z[c][b]);
    for (int c = 0; c < CLASSES; c++)
        for (int b = 0; b < BATCH; b++) total[b] += z[c][b] = expf(z[c][b] - largest[b]);
    for (int b = 0; b < BATCH; b++) total[b] = 1 / total[b];
    for (int c = 0; c < CLASSES; c++)
        for (int b = 0; b < BATCH; b++) {
            float p = z[c][b] *= total[b];
            along[b] += p * (p - (labels[b] == c));
        }
    for (int c = 0; c < CLASSES; c++)
        for (int b = 0; b < BATCH; b++) {
            float p = z[c][b];
            z[c][b] = p * (p - (labels[b] == c) - along[b]) * (1 / (255.0f * BATCH * CLASSES));
        }
}

/* The gradient of `count` blocks (1 or 2) and Adam on it, while it is in the cache's fastest part. */
INLINE void update(const uint8_t *const *x, float (*d)[BATCH], int block, int count, float rate,
                   vector (*w)[CLASSES], vector (*m)[CLASSES], vector (*v)[CLASSES]) {
    vector gradient[2][CLASSES] = {0};
    for (int b = 0; b < BATCH; b++) {
        vector one = load(x[b], block), two = load(x[b], block + count - 1);
        UNROLL for (int c = 0; c < CLASSES; c++) {
            gradient[0][c] += one * d[c][b];
            if (count == 2) gradient[1][c] += two * d[c][b];
        }
    }
    const float *g = (const float *)gradient;
    float *weight = (float *)w[block], *mean = (float *)m[block], *square = (float *)v[block];
    for (int i = 0; i < count * CLASSES * LANES; i++) {
        mean[i] += 0.1f * (g[i] - mean[i]);
        square[i] += 0.001f * (g[i] * g[i] - square[i]);
        weight[i] -= rate * mean[i] / (sqrtf(square[i]) + 1e-8f);
    }
}

/* Moments of pixels that are rarely on fall to subnormal numbers, which are slow; XLA takes them for 0, too. */
#ifdef __SSE__
INLINE int flush_subnormal(void) {
    int was = _mm_getcsr();
    _mm_setcsr(was | 0x8040);
    return was;
}
INLINE void restore(int was) { _mm_setcsr(was); }
#else
INLINE int flush_subnormal(void) { return 0; }
INLINE void restore(int was) {}
#endif

/* order [steps][BATCH] are rows of images [n][FEATURES]; rates [steps] hold Adam's bias correction. */
void train(const uint8_t *images, const uint8_t *labels, const int32_t *order, const float *rates, int64_t steps,
           vector (*w)[CLASSES], vector (*m)[CLASSES], vector (*v)[CLASSES]) {
    int was = flush_subnormal();
    for (int64_t step = 0; step < steps; step++, order += BATCH) {
        const uint8_t *x[BATCH];
        int32_t y[BATCH];
        float d[CLASSES][BATCH] __attribute__((aligned(64)));
        for (int b = 0; b < BATCH; b++) x[b] = images + (int64_t)order[b] * FEATURES, y[b] = labels[order[b]];
        forward(x, w, d);
        softmax_gradient(d, y);
        const int32_t *next = step + 1 < steps ? order + BATCH : order; /* fetched while this step goes on */
        int block = 0;
        for (; block + 2 <= BLOCKS; block += 2) {
            update(x, d, block, 2, rates[step], w, m, v);
            for (int b = 0; b < BATCH; b++)
                if (block % 4 == 0) __builtin_prefetch(images + (int64_t)next[b] * FEATURES + block * LANES);
        }
        for (; block < BLOCKS; block++) update(x, d, block, 1, rates[step], w, m, v);
    }
    restore(was);
}
