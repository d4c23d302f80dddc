/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files as tables: finding, telling apart, noticing that one changes while it is read. For the kinds csv and fixed; in the worker. */
#include "basic/error.h"
#include "model/record.h"
#include "model/system.h"

/* What a position rests on: the same file, not touched since. */
typedef struct FileIdentity {
        int64_t size, modified_nsec;
        uint64_t inode, hash; /* hash: of its first bytes */
} FileIdentity;
_must_check_ int file_identity_read(int fd, FileIdentity *ret);
bool file_identity_equal(const FileIdentity *a, const FileIdentity *b);

/* The path of a table: the system's own file, or from in its folder. Allocated; NULL without memory. */
char *file_path(const System *system, bool is_folder, const char *from);
/* Opens it for reading. ERROR_TABLE_MISSING with the nearest name, ERROR_SYSTEM_UNAVAILABLE, ERROR_FILE_FORMAT (no file),
 * ERROR_SYSTEM_BUSY where another program has it open for writing (known only of files of the service's own user). */
_must_check_ int file_table_open(const System *system, bool is_folder, const char *from, char **ret_path, int *ret_fd,
                                 Error *error);
/* ERROR_SYSTEM_BUSY unless the file is still what it was. */
_must_check_ int file_check_unchanged(int fd, const FileIdentity *then, const char *path, Error *error);
/* What comes of a check that failed with r: a row of the report, but of what passes by itself (a file that is still written) the error,
 * so that it is tried again. */
_must_check_ int file_check_report(int r, json_t *report, const char *what, Error *failure, Error *error);
/* Digest of all its bytes, read from the beginning in pieces. */
_must_check_ int file_digest(int fd, Digest *ret);
/* Reads up to size bytes at an offset; the number read (less only at the end), or a negative errno. */
ssize_t file_read_at(int fd, void *bytes, size_t size, off_t offset);
