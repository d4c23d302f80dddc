/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where things are in the state folder: STATE/FOLDER/PAIR+suffix. In syncd and workers; inside this room
 * only. */
#include "store/database.h"

extern const Migration state_migrations[];
extern const Migration pair_migrations[];
extern const Migration journal_migrations[];

/* Makes STATE/folder (mode 0750) where it is missing; folder NULL: STATE itself. */
_must_check_ int store_folder_make(const char *state_directory, const char *folder, Error *error);
/* STATE/folder/pair+suffix, allocated. The name is checked: it may come from a request, and must not lead
 * elsewhere. ERROR_ARGUMENT. */
_must_check_ int store_path(const char *state_directory, const char *folder, const char *pair,
                            const char *suffix, char **ret, Error *error);
typedef enum StorePart { PART_STATE, PART_PAIR, PART_JOURNAL } StorePart;
/* What database_open() takes: STATE/state.db, STATE/pairs/PAIR.db or STATE/journals/PAIR-MONTH.db; where the
 * store is on a server the schema terrafusion, terrafusion_pair_PAIR or terrafusion_journal_PAIR_MONTH (a long
 * name is cut and gets its hash). pair and month may be NULL where the part has none; month: "YYYY-MM".
 * ERROR_ARGUMENT. */
_must_check_ int store_database_path(const char *state_directory, StorePart part, const char *pair,
                                     const char *month, char **ret, Error *error);
#define STORE_HOLD_MSEC \
        5000U /* how long a worker waits for another's session to end: as for a locked file */
_must_check_ int store_no_memory(Error *error); /* ERROR_OUT_OF_MEMORY */
