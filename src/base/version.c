/* version.c -- the version of the library that was linked. */
#include "bnn/bnn.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

unsigned bnn_version(void)
{
    return BNN_VERSION_MAJOR << 16 | BNN_VERSION_MINOR << 8 | BNN_VERSION_PATCH;
}

const char *bnn_version_string(void)
{
    return TEXT(BNN_VERSION_MAJOR) "." TEXT(BNN_VERSION_MINOR) "." TEXT(BNN_VERSION_PATCH);
}
