/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What journal.c and journal-read.c share. In the worker, the reading part in syncd too; inside this room
 * only. */
#include "store/files.h"
#include "store/journal-pack.h"

struct Journal {
        Database *database; /* of the month in which the worker began */
        char *path, *state_directory, *pair;
        JournalPack pack;
};

/* Paths of all the pair's journal files, the oldest first; NULL-terminated, owned; *ret is NULL where
 * there are none. */
_must_check_ int journal_files(const char *state_directory, const char *pair, char ***ret, Error *error);
/* Number and id of the newest batch of one file: 1, or 0 where it has none. */
_must_check_ int journal_newest(Database *d, uint64_t *ret_number, int64_t *ret_id, Error *error);
/* Finds the newest batch of all files. *ret_older owns the older file's connection where it is not in j's
 * own. 1, 0. */
_must_check_ int journal_find_newest(Journal *j, Database **ret_older, uint64_t *ret_number, int64_t *ret_id,
                                     Error *error);
/* One month's file, also one that an older version wrote. -ENOENT quietly where nothing is in it yet. */
_must_check_ int journal_file_open(const char *path, Database **ret, Error *error);
_must_check_ int journal_damaged(Database *d, Error *error); /* ERROR_FILE_FORMAT naming the file */
/* Entries first … last of table entry, where batches had them before they were packed (format of
 * journal-001); fills ret->entries. */
_must_check_ int journal_rows_read(Database *d, int64_t first, int64_t last, const char *const *fields,
                                   size_t n_fields, Arena *arena, JournalBatch *ret, Error *error);
