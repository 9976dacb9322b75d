/* open.h -- opening what the shared options name, and walking a data set in bounded memory. */
#ifndef BNN_TOOLS_OPEN_H
#define BNN_TOOLS_OPEN_H

#include "hardware.h"

/* A network, a runtime on it and a data set for it; what was not opened is NULL. */
typedef struct tool_session {
    bnn_network     *network;
    bnn_network_info info;
    bnn_runtime     *runtime;
    bnn_dataset     *data;
    size_t           count; /* images of `data` */
    unsigned         threads; /* that read pictures; 0 = one per core */
    tool_hardware    hardware;
} tool_session;

/* Each opens one thing more; on failure tool_close frees what there is. */
int  tool_open_network(tool_session *s, const tool_common *c, bnn_error *err);
int  tool_open_runtime(tool_session *s, const tool_common *c, bnn_error *err); /* TOOL_USAGE: no such level, rule, ... */
int  tool_check_runtime(const tool_common *c, bnn_error *err); /* TOOL_USAGE: names that do not exist */
int  tool_open_data(tool_session *s, const tool_common *c, char *const *paths, int n_paths, bnn_error *err);
void tool_close(tool_session *s);

/* class_of[label], for each class of the network: the class that a label of the
 * data set means. Labels with names (a folder per class) are matched by name,
 * when the network knows any of them, otherwise by number. ESHAPE. */
int  tool_match_classes(const tool_session *s, const tool_common *c, const char *path, uint32_t *class_of, bnn_error *err);

/* A piece of a data set, with what the network makes of it. While it is in
 * hand, the next one is being read (feeder.h). */
typedef struct tool_chunk {
    struct tool_feeder *feeder;
    size_t    pending;      /* images that it reads */
    double    waited;       /* seconds until they were there */
    size_t    first, count; /* images of the data set */
    size_t    size;         /* of the next chunk: grows while chunks are quick, so that progress shows */
    size_t    capacity;
    uint8_t  *images;
    uint16_t *truth;        /* BNN_NO_LABEL where unlabelled */
    uint16_t *labels;
    int32_t  *scores;       /* count x info.rows */
} tool_chunk;

/* Memory for chunks of a few MiB. ENOMEM. */
int  tool_chunk_new(tool_chunk *k, const tool_session *s, bnn_error *err);
/* Reads and runs the next images; count = 0 at the end. `first` may be set before the first call. */
int  tool_chunk_next(tool_chunk *k, const tool_session *s, bnn_error *err);
void tool_chunk_free(tool_chunk *k);

#endif
