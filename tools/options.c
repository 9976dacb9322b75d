/* options.c -- getopt_long over a table of options. */
#include "options.h"
#include "output.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, HELP = 'h', FIRST_LONG = 256 };

tool_common tool_common_default(void)
{
    tool_common c = { 0 };
    bnn_open_options_default(&c.open);
    bnn_options_default(&c.run);
    bnn_dataset_options_default(&c.data);
    return c;
}

/* ----------------------------------------------------------- values -- */

/* The choice that equals `text`; the caller's string lives as long as argv. */
static int is_choice(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (const char *at = choices; n > 0 && (at = strstr(at, text)) != NULL; at++)
        if ((at == choices || at[-1] == '|') && (at[n] == '|' || at[n] == '\0') && !strchr(text, '|'))
            return 1;
    return 0;
}

/* Digits only: no sign, no blank, no fraction. */
static int read_number(const char **text, double min, double max, uint32_t *out)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**text))
        return 0;
    const unsigned long long n = strtoull(*text, &end, 10);
    if (errno || (double)n < min || (double)n > max)
        return 0;
    *out  = (uint32_t)n;
    *text = end;
    return 1;
}

static int read_real(const char *text, double min, double max, double *out)
{
    char *end;
    const double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x < min || x > max)
        return 0;
    *out = x;
    return 1;
}

static int read_shape(const char *text, double min, double max, bnn_shape *out)
{
    bnn_shape s;
    if (!read_number(&text, min, max, &s.height) || *text++ != 'x' || !read_number(&text, min, max, &s.width)
        || *text++ != 'x' || !read_number(&text, min, max, &s.channels) || *text)
        return 0;
    *out = s;
    return 1;
}

/* 1 when `text` fits the option and is stored. */
static int store(const tool_option *o, const char *text)
{
    uint32_t number;
    switch (o->kind) {
    case OPTION_IS_FLAG:
        *(int *)o->to = 1;
        return 1;
    case OPTION_IS_CHOICE:
        if (!is_choice(o->value, text))
            return 0;
        *(const char **)o->to = text;
        return 1;
    case OPTION_IS_TEXT:
        *(const char **)o->to = text;
        return *text != '\0';
    case OPTION_IS_NUMBER:
        if (!read_number(&text, o->min, o->max, &number) || *text)
            return 0;
        *(uint32_t *)o->to = number;
        return 1;
    case OPTION_IS_REAL:
        return read_real(text, o->min, o->max, o->to);
    case OPTION_IS_SHAPE:
        return read_shape(text, o->min, o->max, o->to);
    }
    return 0;
}

static void describe_expected(const tool_option *o, char *out, size_t size)
{
    if (o->kind == OPTION_IS_NUMBER)
        snprintf(out, size, "a whole number from %.0f to %.0f", o->min, o->max);
    else if (o->kind == OPTION_IS_REAL)
        snprintf(out, size, "a number from %g to %g", o->min, o->max);
    else if (o->kind == OPTION_IS_SHAPE)
        snprintf(out, size, "HEIGHTxWIDTHxCHANNELS, each from %.0f to %.0f", o->min, o->max);
    else
        snprintf(out, size, "%s", o->value ? o->value : "no value");
}

/* ------------------------------------------------------------- help -- */

static void print_option(const tool_option *o)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
    if (o->letter)
        tool_print("  -%c, ", o->letter);
    else
        tool_print("      ");
    if (strlen(left) < 24)
        tool_print("%-24s%s\n", left, o->help);
    else
        tool_print("%s\n%30s%s\n", left, "", o->help);
}

static int print_help(const tool_command *c, const tool_option *options)
{
    tool_print("usage: bnn %s [OPTION]... %s\n\n%s\n\n", c->name, c->arguments, c->about);
    for (const tool_option *o = options; o->name; o++)
        print_option(o);
    print_option(&(tool_option){ .letter = HELP, .name = "help", .help = "print this" });
    return TOOL_HELP;
}

/* ------------------------------------------------------------ parse -- */

/* The two forms in which getopt_long wants the table. */
static void to_getopt(const tool_option *options, struct option *longs, char *shorts)
{
    int n = 0;
    *shorts++ = ':'; /* a missing value gives ':' */
    *shorts++ = HELP;
    for (const tool_option *o = options; o->name && n < MAX_OPTIONS - 2; o++, n++) {
        const int has_value = o->kind == OPTION_IS_FLAG ? no_argument : required_argument;
        longs[n] = (struct option){ o->name, has_value, NULL, FIRST_LONG + n };
        if (o->letter)
            *shorts++ = o->letter;
        if (o->letter && has_value)
            *shorts++ = ':';
    }
    longs[n++] = (struct option){ "help", no_argument, NULL, HELP };
    longs[n]   = (struct option){ 0 };
    *shorts    = '\0';
}

static const tool_option *find(const tool_option *options, int code)
{
    if (code >= FIRST_LONG)
        return &options[code - FIRST_LONG];
    while (options->name && options->letter != code)
        options++;
    return options->name ? options : NULL;
}

static int count_prefix(const tool_option *options, const char *prefix)
{
    int n = 0;
    for (; options->name; options++)
        n += strncmp(options->name, prefix, strcspn(prefix, "=")) == 0;
    return n;
}

static int fail_option(const tool_line *line, const tool_option *options, int code, bnn_error *err)
{
    const tool_option *o = optopt ? find(options, optopt) : NULL;
    char expected[96];
    if (o && code == ':') {
        describe_expected(o, expected, sizeof expected);
        return tool_fail(err, TOOL_USAGE, "option --%s without a value; expected %s", o->name, expected);
    }
    if (o)
        return tool_fail(err, TOOL_USAGE, "option --%s with a value; expected none", o->name);
    if (optopt && optopt != HELP)
        return tool_fail(err, TOOL_USAGE, "unknown option -%c", optopt);
    const char *given = line->argv[optind - 1];
    return tool_fail(err, TOOL_USAGE, "%s option %s", count_prefix(options, given + 2) > 1 ? "ambiguous" : "unknown", given);
}

int tool_parse(tool_line *line, const tool_option *options, bnn_error *err)
{
    struct option longs[MAX_OPTIONS];
    char shorts[2 * MAX_OPTIONS + 3], expected[96];
    int  code;
    to_getopt(options, longs, shorts);
    opterr = optind = 0;
    while ((code = getopt_long(line->argc, line->argv, shorts, longs, NULL)) != -1) {
        if (code == HELP)
            return print_help(line->command, options);
        if (code == '?' || code == ':')
            return fail_option(line, options, code, err);
        const tool_option *o = find(options, code);
        if (!store(o, optarg)) {
            describe_expected(o, expected, sizeof expected);
            return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --%s; expected %s", optarg, o->name, expected);
        }
    }
    line->argc -= optind;
    line->argv += optind;
    return BNN_OK;
}

int tool_take_network(tool_line *line, tool_common *common, bnn_error *err)
{
    if (common->network)
        return BNN_OK;
    if (line->argc == 0)
        return tool_fail(err, TOOL_USAGE, "no network; expected -n NET, or NET as the first argument");
    common->network = *line->argv++;
    line->argc--;
    return BNN_OK;
}

int tool_expect(const tool_line *line, int min, int max, const char *what, bnn_error *err)
{
    if (line->argc > max)
        return tool_fail(err, TOOL_USAGE, "unexpected argument \"%s\"; expected %s", line->argv[max], what);
    if (line->argc < min)
        return tool_fail(err, TOOL_USAGE, "too few arguments; expected %s", what);
    return BNN_OK;
}
