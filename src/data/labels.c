/* labels.c -- labels (IDX1 or text) and class names. */
#include "data/labels.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_idx1(uint16_t **out, size_t *count, bnn_stream *s, const char *path, bnn_error *err)
{
    uint8_t head[8];
    int rc = bnn_stream_read(s, 0, sizeof head, head, err);
    bnn_bytes b = bnn_bytes_of(head, sizeof head);
    if (rc != BNN_OK)
        return rc;
    const uint32_t magic = bnn_bytes_u32be(&b), n = bnn_bytes_u32be(&b);
    if (magic != 0x00000801)
        return bnn_fail(err, BNN_EMAGIC, "%s: magic number 0x%08x; expected 0x00000801, an IDX file of labels", path, magic);
    char what[64];
    bnn_printer p = { what, sizeof what, 0 };
    bnn_print(&p, "%u labels", n);
    rc = bnn_stream_expect(s, 8 + (uint64_t)n, what, err);
    if (rc != BNN_OK)
        return rc;
    uint16_t *labels = bnn_alloc(n, sizeof *labels);
    uint8_t  *bytes  = bnn_alloc(n, 1);
    rc = labels && bytes ? bnn_stream_read(s, 8, n, bytes, err) : bnn_fail_memory(err, (size_t)n * 3);
    for (size_t i = 0; rc == BNN_OK && i < n; i++)
        labels[i] = bytes[i];
    bnn_free(bytes);
    if (rc != BNN_OK) {
        bnn_free(labels);
        return rc;
    }
    *out   = labels;
    *count = n;
    return BNN_OK;
}

static size_t count_lines(bnn_span text)
{
    size_t n = 0;
    for (bnn_span line; bnn_next_line(&text, &line);)
        n++;
    return n;
}

static int read_text(uint16_t **out, size_t *count, bnn_span text, const char *path, bnn_error *err)
{
    uint16_t *labels = bnn_alloc(count_lines(text), sizeof *labels);
    if (!labels)
        return bnn_fail_memory(err, text.size);
    size_t n = 0;
    unsigned number = 1;
    for (bnn_span line, word, extra; bnn_next_line(&text, &line); number++) {
        uint32_t v;
        if (!bnn_next_word(&line, &word))
            continue;
        if (!bnn_span_number(word, &v) || v > BNN_MAX_LABEL || bnn_next_word(&line, &extra)) {
            bnn_free(labels);
            return bnn_fail(err, BNN_ECORRUPT, "%s line %u: label '%.*s'; expected an integer from 0 to %d", path, number,
                            BNN_SPAN(word), BNN_MAX_LABEL);
        }
        labels[n++] = (uint16_t)v;
    }
    *out   = labels;
    *count = n;
    return BNN_OK;
}

int bnn_labels_read(uint16_t **out, size_t *count, const char *path, bnn_error *err)
{
    bnn_file file;
    bnn_stream *s;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    const bool binary = memchr(file.data, 0, file.size < 16 ? file.size : 16) || (file.size >= 2 && file.data[0] == 0x1f);
    if (!binary)
        rc = read_text(out, count, (bnn_span){ (const char *)file.data, file.size }, path, err);
    bnn_file_close(&file);
    if (!binary)
        return rc;
    rc = bnn_stream_open(&s, path, err);
    if (rc == BNN_OK) {
        rc = read_idx1(out, count, s, path, err);
        bnn_stream_close(s);
    }
    return rc;
}

int bnn_classes_read(bnn_names *out, const char *path, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    bnn_span text = { (const char *)file.data, file.size };
    while (text.size > 0 && strchr(" \t\r\n", text.at[text.size - 1]))
        text.size--;
    bnn_names names = { .name = calloc(count_lines(text) + 1, sizeof *names.name) };
    if (!names.name)
        rc = bnn_fail_memory(err, text.size);
    while (rc == BNN_OK && text.size > 0) {
        const char *end = memchr(text.at, '\n', text.size);
        const size_t size = end ? (size_t)(end - text.at) : text.size;
        const size_t kept = size > 0 && text.at[size - 1] == '\r' ? size - 1 : size;
        char *name = bnn_strndup(text.at, kept);
        if (!name)
            rc = bnn_fail_memory(err, kept);
        else
            names.name[names.count++] = name;
        text = bnn_span_skip(text, end ? size + 1 : size);
    }
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_names_free(&names);
    else
        *out = names;
    return rc;
}

int bnn_classes_find(bnn_names *out, const char *folder, const char *const *names, bnn_error *err)
{
    int rc = BNN_OK;
    bool found = false;
    *out = (bnn_names){ 0 };
    for (; rc == BNN_OK && !found && *names; names++) {
        char *path = bnn_path_join(folder, *names);
        if (!path)
            return bnn_fail_memory(err, strlen(folder));
        found = access(path, F_OK) == 0;
        if (found)
            rc = bnn_classes_read(out, path, err);
        bnn_free(path);
    }
    return rc;
}
