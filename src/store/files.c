/* SPDX-License-Identifier: Apache-2.0 */
#include "store/files.h"
#include <sys/stat.h>
#include "basic/text.h"

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
