/* options.h -- the command line as a table: one row an option.
 *
 *     uint32_t    top = 1;
 *     tool_common common = tool_common_default();
 *     const tool_option options[] = {
 *         OPTION_NUMBER(0, "top", "K", &top, 1, 1000, "show the K best classes"),
 *         OPTIONS_NETWORK(&common), OPTIONS_RUNTIME(&common), OPTIONS_DATA(&common),
 *         OPTIONS_END
 *     };
 *     int rc = tool_parse(line, options, err);
 *
 * The same rows give parsing, messages and --help.
 */
#ifndef BNN_TOOLS_OPTIONS_H
#define BNN_TOOLS_OPTIONS_H

#include "tool.h"

enum tool_kind { OPTION_IS_TEXT, OPTION_IS_CHOICE, OPTION_IS_NUMBER, OPTION_IS_REAL, OPTION_IS_SHAPE, OPTION_IS_FLAG };

typedef struct tool_option {
    enum tool_kind kind;
    char           letter; /* of the short form; 0 = none */
    const char    *name;   /* of the long form; NULL ends the table */
    const char    *value;  /* what --help calls the value; of a choice: "text|json" */
    void          *to;     /* const char **, const char **, uint32_t *, double *, bnn_shape *, int * */
    double         min, max;
    const char    *help;
} tool_option;

#define OPTION_TEXT(letter, name, value, to, help) { OPTION_IS_TEXT, letter, name, value, to, 0, 0, help }
#define OPTION_CHOICE(letter, name, choices, to, help) { OPTION_IS_CHOICE, letter, name, choices, to, 0, 0, help }
#define OPTION_NUMBER(letter, name, value, to, min, max, help) { OPTION_IS_NUMBER, letter, name, value, to, min, max, help }
#define OPTION_REAL(letter, name, value, to, min, max, help) { OPTION_IS_REAL, letter, name, value, to, min, max, help }
#define OPTION_SHAPE(letter, name, to, help) { OPTION_IS_SHAPE, letter, name, "HxWxC", to, 1, 4096, help }
#define OPTION_FLAG(letter, name, to, help) { OPTION_IS_FLAG, letter, name, NULL, to, 0, 0, help }
#define OPTIONS_END { OPTION_IS_FLAG, 0, NULL, NULL, NULL, 0, 0, NULL }

/* What the shared options say, in the library's own structs. */
typedef struct tool_common {
    const char         *network; /* -n, or the first argument (tool_take_network) */
    bnn_open_options    open;
    bnn_options         run;
    bnn_dataset_options data;
    const char         *overlay; /* settings of backend overlay (hardware.h) */
} tool_common;

tool_common tool_common_default(void);

#define OPTIONS_NETWORK(c)                                                                                          \
    OPTION_TEXT('n', "network", "NET", &(c)->network, "network file, BNN-PYNQ folder, or name of a shipped network"), \
    OPTION_TEXT(0, "topology", "T", &(c)->open.topology, "topology (name or file) of a folder whose name does not say"), \
    OPTION_CHOICE(0, "variant", "xilinx|workshop", &(c)->open.variant, "kind of BNN-PYNQ folder (default xilinx)"), \
    OPTION_NUMBER(0, "classes", "N", &(c)->open.classes, 1, 1000, "rows of the last layer that take part")

#define OPTIONS_RUNTIME(c)                                                                                          \
    OPTION_TEXT(0, "backend", "NAME", &(c)->run.backend, "what computes: cpu, ... (default: the best available)"),  \
    OPTION_TEXT(0, "cpu", "LEVEL", &(c)->run.cpu, "kernels of backend cpu: auto, scalar, ... (see `bnn info --cpu`)"), \
    OPTION_NUMBER(0, "threads", "N", &(c)->run.threads, 0, 1024, "worker threads; 0 = one per core (default)"),     \
    OPTION_CHOICE(0, "decode", "argmax|multi|single|margin", &(c)->run.decode, "rule from scores to label (default: the network's)"), \
    OPTION_TEXT(0, "overlay", "SETTINGS", &(c)->overlay, "of backend overlay: folding=FILE,load=WAY,stall=PERCENT,...")

#define OPTIONS_DATA(c)                                                                                             \
    OPTION_TEXT(0, "labels", "FILE", &(c)->data.labels, "labels: IDX file, or one integer a line"),                 \
    OPTION_SHAPE(0, "record", &(c)->data.record, "shape of records that are not CIFAR-10's 32x32x3"),               \
    OPTION_CHOICE(0, "input", "photo", &(c)->data.input, "prepare photographs of a dark digit on paper"),           \
    OPTION_FLAG(0, "skip-bad", &(c)->data.skip_bad, "leave out pictures that cannot be read")

/* Reads the options wherever they stand; leaves the other arguments in `line`.
 * TOOL_USAGE; TOOL_HELP after answering --help. */
int tool_parse(tool_line *line, const tool_option *options, bnn_error *err);

/* Without -n, takes the first argument as the network. TOOL_USAGE when there is neither. */
int tool_take_network(tool_line *line, tool_common *common, bnn_error *err);

/* Between `min` and `max` arguments left, called `what` in the message. TOOL_USAGE. */
int tool_expect(const tool_line *line, int min, int max, const char *what, bnn_error *err);

#endif
