/* tool.h -- what every command of `bnn` shares: its shape and its errors.
 *
 * To add a command: write tools/NAME.c that defines `const tool_command
 * tool_NAME`, and add NAME to BNN_COMMANDS in CMakeLists.txt. Its man page is
 * docs/man/bnn-NAME.1; tests/cli checks that page and the completion know its
 * options. A command sees only include/bnn/ and the headers of this folder:
 *
 *     tool.h       commands and errors         options.h  reading the command line
 *     open.h       network, runtime, data set  output.h   standard output, JSON, progress
 *     board.h      figures of the 2018 board   hardware.h what backend overlay needs
 */
#ifndef BNN_TOOLS_TOOL_H
#define BNN_TOOLS_TOOL_H

#include <bnn/bnn.h>

/* What a command returns: BNN_OK, a BNN_E... code of the library (exit status
 * 1), or one of these. A failed command fills `err`; only main.c prints it. */
enum {
    TOOL_USAGE = 1, /* bad usage: exit status 2 and a pointer to --help */
    TOOL_HELP  = 2, /* --help was given and answered: exit status 0 */
};

typedef struct tool_command tool_command;

/* The command line of one command; argv[0] is the command's name. After
 * tool_parse (options.h) only the arguments that are not options are left. */
typedef struct tool_line {
    const tool_command *command;
    int                 argc;
    char              **argv;
} tool_line;

struct tool_command {
    const char *name;      /* "classify" */
    const char *arguments; /* "NET FILE...", for the usage line */
    const char *summary;   /* a few words, for `bnn help` */
    const char *about;     /* a paragraph, for --help */
    int       (*run)(tool_line *line, bnn_error *err);
};

#define TOOL_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Fills `err` and returns `code`. One line: where, what was found, what was expected. */
int tool_fail(bnn_error *err, int code, const char *format, ...) TOOL_PRINTF(3, 4);

/* A line on standard error about something that is no failure. */
void tool_warn(const char *format, ...) TOOL_PRINTF(1, 2);

#endif
