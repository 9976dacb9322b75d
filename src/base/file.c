/* file.c -- mapped reading and atomic writing. */
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mapping keeps its size when the file shrinks meanwhile: that is a fault
 * of the other program, and SIGBUS its answer, as with every mapped file. */
static int map(bnn_file *out, int fd, size_t size, const char *path, bnn_error *err)
{
    static const uint8_t nothing[1];
    if (size == 0) {
        *out = (bnn_file){ .data = nothing };
        return BNN_OK;
    }
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return bnn_fail_errno(err, "cannot map", path);
    *out = (bnn_file){ .data = p, .size = size, .mapped = true };
    return BNN_OK;
}

int bnn_file_open(bnn_file *out, const char *path, bnn_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return bnn_fail_errno(err, "cannot open", path);
    struct stat st;
    int rc;
    if (fstat(fd, &st) != 0)
        rc = bnn_fail_errno(err, "cannot stat", path);
    else if (S_ISDIR(st.st_mode))
        rc = bnn_fail(err, BNN_EIO, "%s: a folder, expected a file", path);
    else if (!S_ISREG(st.st_mode))
        rc = bnn_fail(err, BNN_EIO, "%s: not a regular file", path);
    else
        rc = map(out, fd, (size_t)st.st_size, path, err);
    close(fd);
    return rc;
}

void bnn_file_close(bnn_file *file)
{
    if (file->mapped)
        munmap((void *)(uintptr_t)file->data, file->size);
    *file = (bnn_file){ 0 };
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A file beside `path` that did not exist, with the permissions that the
 * user's umask gives (mkstemp's would be 0600). */
static int create_beside(char *temporary, size_t room, const char *path)
{
    for (unsigned i = 0; i < 100; i++) {
        snprintf(temporary, room, "%s.%ld-%u.part", path, (long)getpid(), i);
        const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int bnn_file_write(const char *path, const void *data, size_t size, bnn_error *err)
{
    const size_t room = strlen(path) + 48;
    char *temporary = bnn_alloc(room, 1);
    if (!temporary)
        return bnn_fail_memory(err, room);

    int rc = BNN_OK;
    const int fd = create_beside(temporary, room, path);
    if (fd < 0) {
        rc = bnn_fail_errno(err, "cannot create", path);
    } else {
        const bool good = write_all(fd, data, size) == 0 && fsync(fd) == 0;
        const int  why  = errno;
        if (close(fd) != 0 || !good || rename(temporary, path) != 0) {
            if (!good)
                errno = why;
            rc = bnn_fail_errno(err, "cannot write", path);
            unlink(temporary);
        }
    }
    bnn_free(temporary);
    return rc;
}

bool bnn_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_add(bnn_names *names, size_t *room, const char *name)
{
    if (names->count == *room) {
        const size_t more = *room ? 2 * *room : 64;
        char **grown = realloc(names->name, more * sizeof *grown);
        if (!grown)
            return -1;
        names->name = grown;
        *room = more;
    }
    names->name[names->count] = bnn_strdup(name);
    return names->name[names->count] ? (names->count++, 0) : -1;
}

int bnn_names_read(bnn_names *out, const char *folder, bnn_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return bnn_fail_errno(err, "cannot open folder", folder);
    bnn_names names = { 0 };
    size_t room = 0;
    int rc = BNN_OK;
    for (struct dirent *entry; rc == BNN_OK && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names_add(&names, &room, entry->d_name) != 0)
            rc = bnn_fail_memory(err, room);
    }
    closedir(dir);
    if (rc != BNN_OK) {
        bnn_names_free(&names);
        return rc;
    }
    if (names.count)
        qsort(names.name, names.count, sizeof *names.name, by_bytes);
    *out = names;
    return BNN_OK;
}

void bnn_names_free(bnn_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        bnn_free(names->name[i]);
    free(names->name);
    *names = (bnn_names){ 0 };
}

char *bnn_path_join(const char *folder, const char *name)
{
    const size_t a = strlen(folder), b = strlen(name);
    char *path = bnn_alloc(a + b + 2, 1);
    if (!path)
        return NULL;
    memcpy(path, folder, a);
    size_t at = a;
    if (a > 0 && folder[a - 1] != '/')
        path[at++] = '/';
    memcpy(path + at, name, b);
    return path;
}
