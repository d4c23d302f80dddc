/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the files and folders of the command line through a fuzz target: each corpus is also a plain test. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "basic/text.h"

#define INPUT_BYTES_MAX (16U * 1024 * 1024)

static unsigned n_inputs;

static int file_run(const char *path) {
        _cleanup_free_ char *bytes = NULL;
        uint8_t *exact;
        size_t size;
        int r;

        r = file_read(path, INPUT_BYTES_MAX, &bytes, &size);
        if (r < 0)
                return r;
        /* A copy without the NUL that file_read() appends lets the sanitizer see a read past the end. */
        exact = malloc(size > 0 ? size : 1);
        if (!exact)
                return -ENOMEM;
        memcpy(exact, bytes, size);
        fprintf(stderr, "%s\n", path); /* the last line names the input of a crash */
        (void) LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        n_inputs++;
        return 0;
}

static int path_run(const char *path);

static int folder_run(const char *path) {
        struct dirent **entries;
        int n, r = 0;

        n = scandir(path, &entries, NULL, alphasort);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *inside = NULL;

                if (r == 0 && entries[i]->d_name[0] != '.') {
                        if (asprintf(&inside, "%s/%s", path, entries[i]->d_name) < 0)
                                inside = NULL;
                        r = inside ? path_run(inside) : -ENOMEM;
                }
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int path_run(const char *path) {
        struct stat status;

        if (stat(path, &status) < 0)
                return -errno;
        return S_ISDIR(status.st_mode) ? folder_run(path) : file_run(path);
}

int main(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++) {
                int r = path_run(argv[i]);

                if (r < 0) {
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }
        fprintf(stderr, "%u inputs\n", n_inputs);
        /* An empty corpus would be a test that cannot fail. */
        return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
