/* coarse.c -- gradients to a few bits, and the two products of conv and dense layers with them.
 *
 *     d_weights[o][s] = sum over rows p  q[p][o] x[p][s]        tables down the rows, blocks of the map before
 *     d_in[y][x][c]   = sum over taps, o  q[y - ky][x - kx][o] w[o][ky][kx][c]
 *                                                               tables along a row, blocks of the weights
 * Neither unfolds a window: the first reads windows from the map when it makes
 * its blocks, the second has a row of tables with K - 1 empty ones at its ends,
 * so that the taps of one ky are neighbours.
 */
#include "train/coarse.h"
#include "train/clones.h"
#include "train/random.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { DEPTH = BNN_LOOKUP_DEPTH, TABLE = BNN_LOOKUP_TABLE, COLUMNS = BNN_LOOKUP_COLUMNS, BLOCK = BNN_LOOKUP_BLOCK, TILE = BNN_LOOKUP_ROWS };

static size_t up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static size_t parts(size_t n, size_t of) { return (n + of - 1) / of; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static uint32_t input_bits(const bnn_block *b) { return b->layer->input_bits; }

/* Neurons of a row of q, with zeros at its end. */
static size_t row_of(const bnn_block *b) { return up(b->layer->MH, COLUMNS); }

/* A layer whose window is its whole map is dense: one tap of MW channels. */
static size_t taps(const bnn_block *b) { return b->flat ? 1 : b->layer->kernel; }
static size_t channels(const bnn_block *b) { return b->flat ? b->layer->MW : b->layer->in.channels; }

/* ------------------------------------------------------------- rounding -- */

/* Rounds down after adding a uniform number of [0, 1): the mean is v. The hash is murmur3's finaliser. */
BNN_CLONES static void round_all(int8_t *restrict q, const float *restrict v, float per_step, uint32_t key, uint32_t key2,
                                 uint32_t first, size_t n)
{
    const int most = BNN_LOOKUP_SUM;
    for (size_t i = 0; i < n; i++) {
        uint32_t h = first + (uint32_t)i + key;
        h = (h ^ h >> 16) * 0x85ebca6bu ^ key2;
        h = (h ^ h >> 13) * 0xc2b2ae35u;
        const float uniform = ((float)(int32_t)(h >> 17) + 0.5f) * (1.0f / (1 << 15)); /* exact when added to a whole number */
        const int x = (int)(v[i] * per_step + uniform + 128) - 128; /* the argument is positive: truncation rounds down */
        q[i] = (int8_t)(x < -most ? -most : x > most ? most : x);
    }
}

void bnn_coarse_round(int8_t *q, const float *v, float per_step, uint64_t key, uint32_t first, size_t n)
{
    round_all(q, v, per_step, (uint32_t)key, (uint32_t)(key >> 32), first, n);
}

/* Sums of magnitudes that meet in a table: of rows r, r + 4, r + 8, r + 12 of 16, in each of n columns. sum[4][n]
 * gathers them, top[n] keeps the largest. */
BNN_CLONES static void sum_down(float *restrict sum, float *restrict top, const float *restrict v, size_t row, size_t rows, size_t n)
{
    for (size_t end = row + rows; row < end; row++, v += n) {
        float *restrict s = sum + row % 4 * n;
        const float kept = row % DEPTH < 4 ? 0.0f : 1.0f;
        for (size_t c = 0; c < n; c++) {
            s[c] = kept * s[c] + fabsf(v[c]);
            top[c] = s[c] > top[c] ? s[c] : top[c];
        }
    }
}

/* And of columns c, c + 4, c + 8, c + 12 of 16, in a row. */
BNN_CLONES static void sum_across(float top[4], const float *restrict v, size_t n)
{
    float t[4] = { top[0], top[1], top[2], top[3] };
    for (; n >= DEPTH; n -= DEPTH, v += DEPTH)
        for (size_t k = 0; k < 4; k++) {
            const float s = fabsf(v[k]) + fabsf(v[k + 4]) + (fabsf(v[k + 8]) + fabsf(v[k + 12]));
            t[k] = s > t[k] ? s : t[k];
        }
    for (size_t k = 0; k < 4 && k < n; k++) {
        float s = 0;
        for (size_t c = k; c < n; c += 4)
            s += fabsf(v[c]);
        t[k] = s > t[k] ? s : t[k];
    }
    for (size_t k = 0; k < 4; k++)
        top[k] = t[k];
}

/* 1 / step of a group whose largest sum of four is `most`: 0 where all are 0. Rounding adds less than 1 to each, and
 * 127 is a byte's most. */
static float per_step_of(float most) { return most > 1e-30f ? (float)(BNN_LOOKUP_SUM - 4) / most : 0; }

static uint64_t key_of(const bnn_model *m, const bnn_block *b)
{
    bnn_random r = bnn_random_at(m->seed, BNN_FOR_ROUNDING, m->steps * BNN_MAX_LAYERS + b->index);
    return bnn_random_next(&r);
}

/* The largest sum of four gradients of some images; `sums` has room for 5 MH floats. */
static float largest_sum(const bnn_block *b, float *line, float *sums, size_t image, size_t count)
{
    const size_t height = b->layer->out.height, width = b->layer->out.width, MH = b->layer->MH, lines = count * height;
    float *top = sums + 4 * MH, across[4] = { 0 }, most = 0;
    const bool whole = MH % DEPTH == 0; /* no group of 16 goes over a row's end */
    memset(sums, 0, 5 * MH * sizeof *sums);
    for (size_t i = 0; i < lines; i++) {
        bnn_norm_gradient(b, line, image * height + i);
        sum_down(sums, top, line, i * width, width, MH);
        for (size_t x = 0; x < (whole ? 1 : width); x++)
            sum_across(across, line + x * MH, whole ? width * MH : MH);
    }
    for (size_t c = 0; c < MH; c++)
        most = fmaxf(most, top[c]);
    return fmaxf(fmaxf(most, fmaxf(across[0], across[1])), fmaxf(across[2], across[3]));
}

/* Their gradients to rows of q. */
static void round_images(const bnn_block *b, int8_t *q, float *line, uint64_t key, float per_step, size_t image, size_t count)
{
    const size_t height = b->layer->out.height, width = b->layer->out.width, MH = b->layer->MH, stride = row_of(b);
    for (size_t i = image * height; i < (image + count) * height; i++, q += width * stride) {
        const uint32_t first = (uint32_t)(i * width * MH);
        bnn_norm_gradient(b, line, i);
        if (stride == MH) {
            bnn_coarse_round(q, line, per_step, key, first, width * MH);
            continue;
        }
        for (size_t x = 0; x < width; x++) {
            bnn_coarse_round(q + x * stride, line + x * MH, per_step, key, first + (uint32_t)(x * MH), MH);
            memset(q + x * stride + MH, 0, stride - MH);
        }
    }
}

/* --------------------------------------------------------------- blocks -- */

/* Blocks of one run of values in 16 rows: block i to out + i * stride. */
static void put_blocks(uint8_t *out, size_t stride, const int8_t *const row[DEPTH], size_t count, int shape)
{
    const int8_t *at[DEPTH];
    for (size_t first = 0; first < count; first += COLUMNS, out += stride) {
        for (size_t i = 0; i < DEPTH; i++)
            at[i] = row[i] + first;
        bnn_lookup_block(out, at, least(COLUMNS, count - first), shape);
    }
}

/* [plane][64 channels][ky][kx, last first][16 neurons] */
static size_t weight_blocks(const bnn_block *b)
{
    return taps(b) * taps(b) * parts(channels(b), COLUMNS) * (row_of(b) / DEPTH);
}

struct pack { bnn_block *b; };

static void pack_neurons(void *context, size_t g, unsigned thread)
{
    const struct pack *p = context;
    const bnn_block *b = p->b;
    const size_t K = taps(b), C = channels(b), MW = b->layer->MW, depth = row_of(b) / DEPTH;
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, b->layer->weight_bits);
    const int8_t *row[DEPTH], *w = b->weights;
    (void)thread;
    for (size_t k = 0; k < planes; k++)
        for (size_t tap = 0; tap < K * K; tap++) {
            for (size_t i = 0; i < DEPTH; i++) /* neurons that are not there have q = 0 and may be any */
                row[i] = w + least(g * DEPTH + i, b->layer->MH - 1) * MW + tap * C;
            const size_t to = (tap / K * K + (K - 1 - tap % K)) * depth + g;
            put_blocks(b->w_blocks + (k * weight_blocks(b) + to) * BLOCK, K * K * depth * BLOCK, row, C, plane[k].shape);
        }
}

void bnn_coarse_weights(bnn_model *m, bnn_block *b)
{
    struct pack p = { b };
    if (b->w_blocks)
        bnn_pool_run(m->pool, row_of(b) / DEPTH, pack_neurons, &p);
}

/* ------------------------------------------------------------ by weights -- */

/* [64 neurons / 4][rows / 16][4] tables of q's columns o .. o + 63. */
static void tables_down(uint8_t *out, const int8_t *q, size_t stride, size_t rows)
{
    const size_t depth = rows / DEPTH;
    for (size_t k = 0; k < depth; k++)
        bnn_lookup_tables_down(out + k * TILE * TABLE, depth * TILE * TABLE, q + k * DEPTH * stride, stride);
}

/* Rows o .. o + 63 of d_weights from their tables and all blocks [plane][MW / 64][depth]. */
static void weight_gradients(const bnn_block *b, float *d_weights, size_t o, const uint8_t *tables, const uint8_t *blocks,
                             size_t depth, float step, bool add)
{
    const size_t MW = b->layer->MW, MH = b->layer->MH, across = parts(MW, COLUMNS);
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, input_bits(b));
    bnn_lookup_tile t = { .table_row = TABLE, .table_step = TILE * TABLE, .segments = 1, .steps = depth };
    for (size_t end = least(o + COLUMNS, MH); o < end; o += TILE, tables += depth * TILE * TABLE)
        for (size_t c = 0; c < across; c++)
            for (size_t k = 0; k < planes; k++) {
                t.tables = tables;
                t.blocks = blocks + (k * across + c) * depth * BLOCK;
                bnn_lookup_product(&t, least(TILE, end - o), least(COLUMNS, MW - c * COLUMNS), d_weights + o * MW + c * COLUMNS,
                                   MW, step * plane[k].weight, add || k > 0);
            }
}

/* -------------------------------------------------------------- by input -- */

/* One row of d_in: `width` pixels of all channels; tables [height of acc][width + K - 1][neurons / 16]. */
struct sums {
    const bnn_block *b;
    const uint8_t   *tables;
    size_t           height, width; /* rows of the tables; pixels of a row of d_in */
    float            step;
};

static void input_pixels(const struct sums *s, float *d_in, size_t y, size_t x)
{
    const bnn_block *b = s->b;
    const size_t K = taps(b), C = channels(b), depth = row_of(b) / DEPTH, row = (s->width + K - 1) * depth * TABLE;
    const size_t first = y + 1 > s->height ? y + 1 - s->height : 0, last = least(K - 1, y); /* ky that meet the tables */
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, b->layer->weight_bits);
    bnn_lookup_tile t = {
        .tables = s->tables + (y - first) * row + x * depth * TABLE, .table_row = depth * TABLE, .table_step = TABLE,
        .table_segment = -(ptrdiff_t)row, .block_segment = K * depth * BLOCK, .segments = last - first + 1, .steps = K * depth,
    };
    for (size_t c = 0; c < C; c += COLUMNS)
        for (size_t k = 0; k < planes; k++) {
            t.blocks = b->w_blocks + (k * weight_blocks(b) + (c / COLUMNS * K * K + first * K) * depth) * BLOCK;
            bnn_lookup_product(&t, least(TILE, s->width - x), least(COLUMNS, C - c), d_in + (y * s->width + x) * C + c, C,
                               s->step * plane[k].weight, k > 0);
        }
}

static void input_rows(const struct sums *s, float *d_in, size_t rows)
{
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < s->width; x += TILE)
            input_pixels(s, d_in, y, x);
}

/* ------------------------------------------------------------------ conv -- */

struct pass {
    bnn_model    *m;
    bnn_block    *b;
    const int8_t *in;
    float        *d_in;
    size_t        n;
    uint64_t      key;
    float         per_step; /* dense */
};

/* Working memory of one thread for some images of a convolution; the sizes in bytes. */
struct room { size_t q, blocks, down, along, windows; };

static struct room room_of(const bnn_block *b)
{
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, input_bits(b)), MW = b->layer->MW;
    if (b->flat)
        return (struct room){ .down = up(b->batch, DEPTH) / DEPTH * COLUMNS * TABLE, .along = DEPTH * (row_of(b) / DEPTH) * TABLE };
    const size_t rows = up(bnn_conv_chunk(b) * b->positions, DEPTH);
    return (struct room){
        .q       = rows * row_of(b),
        .blocks  = planes * parts(MW, COLUMNS) * (rows / DEPTH) * BLOCK,
        .down    = rows / DEPTH * row_of(b) * TABLE,
        .along   = b->layer->out.height * (b->layer->out.width + 2 * (b->layer->kernel - 1)) * (row_of(b) / DEPTH) * TABLE,
        .windows = DEPTH * up(MW, COLUMNS),
    };
}

/* Where the windows of rows r .. r + 15 begin in the map; rows beyond the last take any place: their q are 0. */
static void find_windows(const struct pass *p, const int8_t *at[DEPTH], size_t image, size_t r, size_t rows)
{
    const bnn_layer *l = p->b->layer;
    for (size_t i = 0; i < DEPTH; i++) {
        const size_t row = least(r + i, rows - 1), position = row % p->b->positions;
        const size_t y = position / l->out.width, x = position % l->out.width;
        at[i] = p->in + (image + row / p->b->positions) * bnn_shape_size(l->in) + (y * l->in.width + x) * l->in.channels;
    }
}

/* Blocks of 16 windows, of all planes. A window is K runs of neighbours; runs that are not
 * whole blocks are copied together first. */
static void window_blocks(const bnn_block *b, uint8_t *out, size_t depth, const int8_t *const at[DEPTH], int8_t *windows)
{
    const bnn_layer *l = b->layer;
    const size_t K = l->kernel, run = K * l->in.channels, line = (size_t)l->in.width * l->in.channels, across = parts(l->MW, COLUMNS);
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, input_bits(b));
    const int8_t *row[DEPTH];
    for (size_t k = 0; run % COLUMNS == 0 && k < planes; k++)
        for (size_t ky = 0; ky < K; ky++) {
            for (size_t i = 0; i < DEPTH; i++)
                row[i] = at[i] + ky * line;
            put_blocks(out + (k * across + ky * run / COLUMNS) * depth * BLOCK, depth * BLOCK, row, run, plane[k].shape);
        }
    if (run % COLUMNS == 0)
        return;
    for (size_t i = 0; i < DEPTH; i++) {
        row[i] = windows + i * up(l->MW, COLUMNS);
        for (size_t ky = 0; ky < K; ky++)
            memcpy(windows + i * up(l->MW, COLUMNS) + ky * run, at[i] + ky * line, run);
    }
    for (size_t k = 0; k < planes; k++)
        put_blocks(out + k * across * depth * BLOCK, depth * BLOCK, row, l->MW, plane[k].shape);
}

/* Tables of one image along its rows of positions, with K - 1 empty ones at both ends. */
static void image_tables(const bnn_block *b, uint8_t *out, const int8_t *q)
{
    const size_t depth = row_of(b) / DEPTH, margin = (b->layer->kernel - 1) * depth * TABLE, width = b->layer->out.width;
    for (uint32_t y = 0; y < b->layer->out.height; y++, q += width * row_of(b)) {
        memset(out, 0, margin);
        bnn_lookup_tables(out + margin, q, width * depth);
        out += margin + width * depth * TABLE;
        memset(out, 0, margin);
        out += margin;
    }
}

static void conv_group(const struct pass *p, float *d_weights, size_t image, size_t count, bool add, unsigned thread)
{
    const bnn_block *b = p->b;
    const struct room size = room_of(b);
    const size_t rows = count * b->positions, padded = up(rows, DEPTH), depth = padded / DEPTH, stride = row_of(b);
    uint8_t *room = p->m->room[thread];
    int8_t *q = (int8_t *)room;
    uint8_t *blocks = room + size.q, *down = blocks + size.blocks, *along = down + size.down;
    int8_t *windows = (int8_t *)(along + size.along);
    const int8_t *at[DEPTH];
    const float per_step = per_step_of(largest_sum(b, p->m->line[thread], (float *)(void *)down, image, count));
    const float step = per_step > 0 ? 1 / per_step : 0;
    round_images(b, q, p->m->line[thread], p->key, per_step, image, count);
    memset(q + rows * stride, 0, (padded - rows) * stride);
    for (size_t k = 0; k < depth; k++) {
        find_windows(p, at, image, k * DEPTH, rows);
        window_blocks(b, blocks + k * BLOCK, depth, at, windows);
    }
    for (size_t o = 0; o < b->layer->MH; o += COLUMNS) {
        tables_down(down, q + o, stride, padded);
        weight_gradients(b, d_weights, o, down, blocks, depth, step, add);
    }
    const struct sums s = { b, along, b->layer->out.height, b->layer->in.width, step };
    for (size_t i = 0; p->d_in && i < count; i++) {
        image_tables(b, along, q + i * b->positions * stride);
        input_rows(&s, p->d_in + (image + i) * bnn_shape_size(b->layer->in), b->layer->in.height);
    }
}

static void conv_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t start = bnn_slice_at(p->n, b->slices, i), end = bnn_slice_at(p->n, b->slices, i + 1), chunk = bnn_conv_chunk(b);
    const size_t size = (size_t)b->layer->MW * b->layer->MH;
    if (start == end)
        memset(b->d_weights + i * size, 0, size * sizeof(float));
    for (size_t at = start, count; at < end; at += count) {
        count = least(chunk, end - at);
        conv_group(p, b->d_weights + i * size, at, count, at > start, thread);
    }
}

void bnn_coarse_conv(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n)
{
    struct pass p = { m, b, in, d_in, n, key_of(m, b), 0 };
    bnn_pool_run(m->pool, b->slices, conv_slice, &p);
}

/* ----------------------------------------------------------------- dense -- */

static void round_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const size_t start = bnn_slice_at(p->n, BNN_SLICES, i), end = bnn_slice_at(p->n, BNN_SLICES, i + 1);
    round_images(p->b, (int8_t *)p->b->d_acc + start * row_of(p->b), p->m->line[thread], p->key, p->per_step, start, end - start);
}

/* Blocks of 64 inputs of all images: [plane][MW / 64][n / 16]. */
static void input_blocks(void *context, size_t c, unsigned thread)
{
    const struct pass *p = context;
    const size_t MW = p->b->layer->MW, across = parts(MW, COLUMNS), depth = parts(p->n, DEPTH);
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, input_bits(p->b));
    const int8_t *row[DEPTH];
    (void)thread;
    for (size_t k = 0; k < planes; k++)
        for (size_t g = 0; g < depth; g++) {
            for (size_t i = 0; i < DEPTH; i++)
                row[i] = p->in + least(g * DEPTH + i, p->n - 1) * MW + c * COLUMNS;
            bnn_lookup_block(p->b->in_blocks + ((k * across + c) * depth + g) * BLOCK, row, least(COLUMNS, MW - c * COLUMNS), plane[k].shape);
        }
}

static void dense_weights(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t o = i * COLUMNS, rows = up(p->n, DEPTH);
    uint8_t *tables = p->m->room[thread];
    tables_down(tables, (const int8_t *)b->d_acc + o, row_of(b), rows);
    weight_gradients(b, b->d_weights, o, tables, b->in_blocks, rows / DEPTH, p->per_step > 0 ? 1 / p->per_step : 0, false);
}

/* 16 images are a row of pixels of MW channels. */
static void dense_input(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t first = i * DEPTH, count = least(DEPTH, p->n - first);
    uint8_t *tables = p->m->room[thread];
    const struct sums s = { b, tables, 1, count, p->per_step > 0 ? 1 / p->per_step : 0 };
    bnn_lookup_tables(tables, (const int8_t *)b->d_acc + first * row_of(b), count * (row_of(b) / DEPTH));
    input_rows(&s, p->d_in + first * b->layer->MW, 1);
}

void bnn_coarse_dense(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n)
{
    struct pass p = { m, b, in, d_in, n, key_of(m, b), 0 };
    p.per_step = per_step_of(largest_sum(b, m->line[0], (float *)(void *)m->room[0], 0, n));
    bnn_pool_run(m->pool, BNN_SLICES, round_slice, &p);
    memset((int8_t *)b->d_acc + n * row_of(b), 0, (up(n, DEPTH) - n) * row_of(b));
    bnn_pool_run(m->pool, parts(b->layer->MW, COLUMNS), input_blocks, &p);
    bnn_pool_run(m->pool, row_of(b) / COLUMNS, dense_weights, &p);
    if (d_in)
        bnn_pool_run(m->pool, parts(n, DEPTH), dense_input, &p);
}

/* ---------------------------------------------------------------- set-up -- */

static int new_block(bnn_block *b, size_t batch, bool first, bnn_error *err)
{
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t in = bnn_lookup_planes(plane, input_bits(b)), w = bnn_lookup_planes(plane, b->layer->weight_bits);
    b->batch     = batch;
    b->w_blocks  = first ? NULL : bnn_alloc(w * weight_blocks(b), BLOCK);
    if (b->flat) {
        bnn_free(b->d_acc);
        b->d_acc = bnn_alloc(up(batch, DEPTH) * row_of(b), 1);
    }
    b->in_blocks = b->flat ? bnn_alloc(in * parts(b->layer->MW, COLUMNS) * parts(batch, DEPTH), BLOCK) : NULL;
    if ((!first && !b->w_blocks) || (b->flat && (!b->d_acc || !b->in_blocks)))
        return bnn_fail_memory(err, weight_blocks(b) * BLOCK);
    return BNN_OK;
}

int bnn_coarse_new(bnn_model *m, bnn_error *err)
{
    size_t most = 0;
    for (uint32_t i = 0; i < m->blocks; i++) {
        const int rc = new_block(&m->block[i], m->batch, i == 0, err);
        if (rc != BNN_OK)
            return rc;
        const struct room r = room_of(&m->block[i]);
        const size_t size = r.q + r.blocks + r.down + r.along + r.windows;
        most = size > most ? size : most;
    }
    m->room = bnn_alloc(bnn_pool_threads(m->pool), sizeof *m->room);
    for (unsigned t = 0; m->room && t < bnn_pool_threads(m->pool); t++)
        if (!(m->room[t] = bnn_alloc(most, 1)))
            return bnn_fail_memory(err, most);
    return m->room ? BNN_OK : bnn_fail_memory(err, most);
}

int bnn_coarse_want_input(bnn_model *m, bnn_error *err)
{
    bnn_block *b = &m->block[0];
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, b->layer->weight_bits);
    b->w_blocks = bnn_alloc(planes * weight_blocks(b), BLOCK);
    return b->w_blocks ? BNN_OK : bnn_fail_memory(err, planes * weight_blocks(b) * BLOCK);
}

void bnn_coarse_free(bnn_model *m)
{
    for (unsigned t = 0; m->room && t < bnn_pool_threads(m->pool); t++)
        bnn_free(m->room[t]);
    bnn_free(m->room);
}
