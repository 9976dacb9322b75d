/* main.c -- the `bnn` command: the table of commands; errors are printed here and nowhere else. */
#include "output.h"
#include "tool.h"

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* commands.inc, written by CMakeLists.txt, has a line COMMAND(NAME) for each. */
#define COMMAND(name) extern const tool_command tool_##name;
#include "commands.inc"
#undef COMMAND

static const tool_command *const commands[] = {
#define COMMAND(name) &tool_##name,
#include "commands.inc"
#undef COMMAND
};

enum { COMMANDS = sizeof commands / sizeof *commands };

int tool_fail(bnn_error *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}

/* One line whatever file names hold. */
static void print_line(const char *kind, char *message)
{
    for (char *c = message; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    fflush(stdout); /* what was found before comes before */
    fprintf(stderr, "bnn: %s%s\n", kind, message);
}

void tool_warn(const char *format, ...)
{
    char message[sizeof ((bnn_error *)0)->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    print_line("warning: ", message);
}

static const tool_command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name, bnn_error *err)
{
    return tool_fail(err, TOOL_USAGE, "unknown command \"%s\"; expected one of those that `bnn help` lists", name);
}

static int print_version(bnn_error *err)
{
    const unsigned built = BNN_VERSION_MAJOR << 16 | BNN_VERSION_MINOR << 8 | BNN_VERSION_PATCH;
    if (bnn_version() != built)
        return tool_fail(err, BNN_EVERSION, "library %s; this command was built for %u.%u.%u", bnn_version_string(),
                         built >> 16, built >> 8 & 255, built & 255);
    tool_print("bnn %s\n", bnn_version_string());
    return BNN_OK;
}

static int print_commands(void)
{
    tool_print("usage: bnn COMMAND [OPTION]... [ARGUMENT]...\n"
               "       bnn help [COMMAND] | --version\n\n"
               "Networks of one and two bits: classify pictures, measure, look inside, convert.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        tool_print("  %-10s%s\n", commands[i]->name, commands[i]->summary);
    tool_print("\n`bnn COMMAND --help` tells a command's options; `bnn info` lists the networks that ship.\n");
    return BNN_OK;
}

static int help(int argc, char **argv, bnn_error *err)
{
    if (argc == 0)
        return print_commands();
    const tool_command *c = find(argv[0]);
    char *words[] = { argv[0], (char[]){ "--help" }, NULL };
    tool_line line = { c, 2, words };
    return c ? c->run(&line, err) : unknown(argv[0], err);
}

static int run(int argc, char **argv, const tool_command **command, bnn_error *err)
{
    if (argc < 2)
        return tool_fail(err, TOOL_USAGE, "no command; expected one of those that `bnn help` lists");
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version(err);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 2, argv + 2, err);
    *command = find(name);
    tool_line line = { *command, argc - 1, argv + 1 };
    return *command ? (*command)->run(&line, err) : unknown(name, err);
}

int main(int argc, char **argv)
{
    const tool_command *command = NULL;
    bnn_error err = { 0 };
    signal(SIGPIPE, SIG_IGN); /* a closed pipe and a limit on files are errors of write(), told like a full disk */
    signal(SIGXFSZ, SIG_IGN);
    int rc = run(argc, argv, &command, &err);
    if (rc == BNN_OK || rc == TOOL_HELP)
        rc = tool_flush(&err);
    if (rc == BNN_OK)
        return 0;
    print_line("", err.message);
    if (rc != TOOL_USAGE)
        return 1;
    fprintf(stderr, "bnn: see `bnn %s%s--help`\n", command ? command->name : "", command ? " " : "");
    return 2;
}
