/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What journal.c and journal-read.c share. In the worker, the reading part in syncd too; inside this room
 * only. */
#include "store/files.h"
#include "store/journal.h"

/* Column entry.kind. Their own numbers, since files outlive the order of an enum. */
enum { ENTRY_INSERT = 1, ENTRY_UPDATE = 2, ENTRY_DELETE = 3 };

struct Journal {
        Database *database; /* of the month in which the worker began */
        char *path, *state_directory, *pair;
        char *bytes; /* one entry's changes, reused */
        size_t bytes_size, bytes_capacity;
};

/* Paths of all the pair's journal files, the oldest first; NULL-terminated, owned; *ret is NULL where
 * there are none. */
_must_check_ int journal_files(const char *state_directory, const char *pair, char ***ret, Error *error);
/* Number and id of the newest batch of one file: 1, or 0 where it has none. */
_must_check_ int journal_newest(Database *d, uint64_t *ret_number, int64_t *ret_id, Error *error);
/* Finds the newest batch of all files. *ret_older owns the older file's connection where it is not in j's
 * own. 1, 0. */
_must_check_ int journal_find_newest(Journal *j, bool write, Database **ret_older, uint64_t *ret_number,
                                     int64_t *ret_id, Error *error);
