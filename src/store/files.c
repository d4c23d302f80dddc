/* SPDX-License-Identifier: Apache-2.0 */
#include "store/files.h"
#include <sys/stat.h>
#include "basic/text.h"
#include "model/record.h"
#include "store/server.h"

int store_no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "Out of memory in the state store");
}

static int folder_make(const char *path, Error *error) {
        if (mkdir(path, 0750) == 0 || errno == EEXIST)
                return 0;
        if (errno == ENOSPC || errno == EDQUOT)
                return error_set(error, ERROR_DISK_FULL,
                                 "Make room on the disk that holds the state folder.",
                                 "Cannot make the folder \"%s\": %m", path);
        return error_set(error, ERROR_IO,
                         "Check that the state folder exists and belongs to the service's user.",
                         "Cannot make the folder \"%s\": %m", path);
}

int store_folder_make(const char *state_directory, const char *folder, Error *error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = folder_make(state_directory, error);
        if (r < 0 || !folder)
                return r;
        if (asprintf(&path, "%s/%s", state_directory, folder) < 0)
                return store_no_memory(error);
        return folder_make(path, error);
}

/* Identifiers have 63 bytes, of which "terrafusion_journal_" and "_YYYY-MM" take 28. */
#define SCHEMA_PAIR_MAX  35U
#define SCHEMA_PAIR_KEPT 18U

static void schema_pair(const char *pair, char *ret) {
        Digest digest;

        if (strlen(pair) <= SCHEMA_PAIR_MAX) {
                memcpy(ret, pair, strlen(pair) + 1);
                return;
        }
        bytes_digest(pair, strlen(pair), &digest);
        memcpy(ret, pair, SCHEMA_PAIR_KEPT);
        ret[SCHEMA_PAIR_KEPT] = '_';
        hex_encode(digest.bytes, 8, ret + SCHEMA_PAIR_KEPT + 1);
}

static int schema_name(StorePart part, const char *pair, const char *month, char **ret) {
        char short_name[SCHEMA_PAIR_MAX + 1] = "";

        if (pair)
                schema_pair(pair, short_name);
        return asprintf(ret, "terrafusion%s%s%s%s",
                        part == PART_PAIR      ? "_pair_"
                        : part == PART_JOURNAL ? "_journal_"
                                               : "",
                        short_name, month ? "_" : "", month ? month : "");
}

int store_database_path(const char *state_directory, StorePart part, const char *pair, const char *month,
                        char **ret, Error *error) {
        char *path = NULL;
        int r;

        if (part != PART_STATE && !name_is_valid(pair))
                return store_path(state_directory, "", pair, "", ret, error);
        if (store_server_is_used())
                r = schema_name(part, pair, month, &path);
        else if (part == PART_STATE)
                r = asprintf(&path, "%s/state.db", state_directory);
        else if (part == PART_PAIR)
                r = asprintf(&path, "%s/pairs/%s.db", state_directory, pair);
        else
                r = asprintf(&path, "%s/journals/%s-%s.db", state_directory, pair, month);
        if (r < 0)
                return store_no_memory(error);
        *ret = path;
        return 0;
}

int store_path(const char *state_directory, const char *folder, const char *pair, const char *suffix,
               char **ret, Error *error) {
        char *path = NULL;

        if (!name_is_valid(pair))
                return error_set(error, ERROR_ARGUMENT, "List the pairs with \"terrafusionctl pairs\".",
                                 "\"%s\" is not a pair's name", pair);
        if (asprintf(&path, "%s/%s/%s%s", state_directory, folder, pair, suffix) < 0)
                return store_no_memory(error);
        *ret = path;
        return 0;
}
