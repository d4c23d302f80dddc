/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/credential.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/text.h"

#define SECRET_BYTES_MAX 4096U
#define SHOWN_FOLDER     "/etc/terrafusion/credentials"

char *secret_free(char *secret) {
        if (secret)
                explicit_bzero(secret, strlen(secret));
        free(secret);
        return NULL;
}

/* Where the units put it, or a folder of files as it is. NULL without memory. */
static char *credential_path(const char *name) {
        const char *folder = getenv("CREDENTIALS_DIRECTORY"), *own = getenv("CONFIGURATION_DIRECTORY");
        char *path = NULL;
        int n;

        if (folder)
                n = asprintf(&path, "%s/terrafusion_%s", folder, name);
        else if (own)
                n = asprintf(&path, "%.*s/credentials/%s", (int) strcspn(own, ":"), own, name);
        else
                n = asprintf(&path, SHOWN_FOLDER "/%s", name);
        return n < 0 ? NULL : path;
}

static int unusable(const char *name, const char *why, const char *remedy, Error *error) {
        return error_set(error, ERROR_CONFIGURATION, remedy, "The credential \"%s\" cannot be used: %s", name,
                         why);
}

int credential_find(const char *name, char **ret, Error *error) {
        _cleanup_free_ char *path = NULL;
        _cleanup_secret_ char *text = NULL;
        size_t size = 0;
        int r;

        if (!*name || strchr(name, '/'))
                return unusable(name, "this is no file name",
                                "Name a file of " SHOWN_FOLDER ", without a slash", error);
        path = credential_path(name);
        if (!path)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read a credential");
        r = file_read(path, SECRET_BYTES_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return unusable(name, strerror(-r),
                                "Make " SHOWN_FOLDER "/NAME a file of root's with at most 4096 bytes", error);
        while (size > 0 && isspace((unsigned char) text[size - 1]))
                text[--size] = '\0';
        if (size == 0 || strlen(text) != size)
                return unusable(name, size == 0 ? "it is empty" : "it has a zero byte",
                                "Write the secret into its file in " SHOWN_FOLDER, error);
        *ret = TAKE_PTR(text);
        return 1;
}

int credential_need(const char *name, char **ret, Error *error) {
        _cleanup_free_ char *remedy = NULL;
        int r;

        r = credential_find(name, ret, error);
        if (r != 0)
                return r < 0 ? r : 0;
        if (asprintf(&remedy, "Write it into " SHOWN_FOLDER "/%s (owner root, mode 0600); the next attempt reads it", name) < 0)
                remedy = NULL;
        return error_set(error, ERROR_CONFIGURATION, remedy, "The credential \"%s\" is missing", name);
}
