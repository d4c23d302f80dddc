/* SPDX-License-Identifier: Apache-2.0 */
/* Which journals a pair has: one for each month in which something changed. */
#include "store/journal-internal.h"
#include <dirent.h>
#include "basic/text.h"
#include "store/server.h"

/* A month and nothing longer: pair "a" must not take the journals of pair "a-2020-01". */
static bool is_month(const char *text) {
        static const char shape[] = "dddd-dd";

        if (strlen(text) != sizeof(shape) - 1)
                return false;
        for (size_t i = 0; i < sizeof(shape) - 1; i++)
                if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
                        return false;
        return true;
}

static int path_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void closedirp(DIR **folder) {
        if (*folder)
                (void) closedir(*folder);
}

static int names_in_folder(const char *state_directory, char ***names, Error *error) {
        _cleanup_(closedirp) DIR *folder = NULL;
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/journals", state_directory) < 0)
                return store_no_memory(error);
        folder = opendir(path);
        if (!folder && errno != ENOENT)
                return error_set(error, ERROR_IO, "Check that the folder belongs to the service's user.",
                                 "Cannot read the folder \"%s\": %m", path);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
                _cleanup_free_ char *file = NULL;

                if (asprintf(&file, "%s/%s", path, entry->d_name) < 0 || strings_append(names, file) < 0)
                        return store_no_memory(error);
        }
        return 0;
}

/* path is PREFIX MONTH SUFFIX, the two as store_database_path() puts them around "YYYY-MM". */
static bool is_journal(const char *path, const char *model) {
        size_t before = (size_t) (strstr(model, "YYYY-MM") - model), size = strlen(path);
        const char *suffix = model + before + strlen("YYYY-MM");
        char month[sizeof("YYYY-MM")];

        if (size != strlen(model) || strncmp(path, model, before) != 0 ||
            !text_equal(path + before + strlen("YYYY-MM"), suffix))
                return false;
        memcpy(month, path + before, sizeof(month) - 1);
        month[sizeof(month) - 1] = 0;
        return is_month(month);
}

int journal_files(const char *state_directory, const char *pair, char ***ret, Error *error) {
        _cleanup_strings_ char **names = NULL, **paths = NULL;
        _cleanup_free_ char *model = NULL;
        int r;

        r = store_database_path(state_directory, PART_JOURNAL, pair, "YYYY-MM", &model, error);
        if (r < 0)
                return r;
        r = store_server_is_used() ? database_list(&names, error)
                                   : names_in_folder(state_directory, &names, error);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++)
                if (is_journal(*name, model) && strings_append(&paths, *name) < 0)
                        return store_no_memory(error);
        if (paths)
                qsort(paths, strings_count(paths), sizeof(*paths), path_compare);
        *ret = TAKE_PTR(paths);
        return 0;
}
