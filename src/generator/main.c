/* SPDX-License-Identifier: Apache-2.0 */
/* terrafusion-generator NORMAL EARLY LATE: systemd runs it at boot and at each daemon-reload, before any unit; see
 * systemd.generator(7). Steps: say where to → read the configuration → make the units → write them.
 * It never keeps a machine from booting: whatever is wrong is told, and its exit status is only for people. */
#include "build-config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <systemd/sd-journal.h>

#include "basic/log.h"
#include "basic/text.h"
#include "config/unit-files.h"

/* systemd gives a generator no place to talk to: the journal where it runs already, else the kernel's log. */
static void log_prepare(void) {
        _cleanup_free_ char *stream = NULL;
        struct stat status;
        int fd;

        if (!getenv("SYSTEMD_SCOPE"))
                return; /* by hand: the terminal */
        fd = sd_journal_stream_fd("terrafusion-generator", LOG_WARNING, true);
        if (fd >= 0 && fstat(fd, &status) >= 0 &&
            asprintf(&stream, "%ju:%ju", (uintmax_t) status.st_dev, (uintmax_t) status.st_ino) >= 0)
                (void) setenv("JOURNAL_STREAM", stream, true);
        else
                stream = NULL;
        if (fd < 0)
                fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        (void) dup2(fd, STDERR_FILENO);
        if (fd != STDERR_FILENO)
                (void) close(fd);
}

static int folder_make(const char *path) {
        _cleanup_free_ char *folder = strndup(path, (size_t) (strrchr(path, '/') - path));

        if (!folder)
                return -ENOMEM;
        return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int link_write(const UnitFile *file, const char *path) {
        _cleanup_free_ char *target = NULL;

        if (asprintf(&target, "..%s", strrchr(file->path, '/')) < 0) {
                target = NULL;
                return -ENOMEM;
        }
        return symlink(target, path) < 0 && errno != EEXIST ? -errno : 0;
}

static int text_write(const UnitFile *file, const char *path) {
        FILE *f = fopen(path, "we");

        if (!f)
                return -errno;
        if (fputs(file->text, f) == EOF) {
                (void) fclose(f);
                return -EIO;
        }
        return fclose(f) != 0 ? -errno : 0;
}

static int file_write(const UnitFile *file, const char *folder) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", folder, file->path) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = folder_make(path);
        if (r >= 0)
                r = file->text ? text_write(file, path) : link_write(file, path);
        return r < 0 ? log_errno(r, "\"%s\" cannot be written", path) : 0;
}

static int generate(const char *folder) {
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_settings_ Settings *settings = NULL;
        _cleanup_pairs_ PairSet *pairs = NULL;
        _cleanup_unit_files_ UnitFiles units = {};
        size_t n_of_settings;
        int r;

        if (settings_load(&settings, &mistakes) < 0)
                return log_errno(-ENOMEM, "The configuration could not be read");
        n_of_settings = mistakes_count(&mistakes);
        if (pairs_load(settings, &pairs, &mistakes) < 0 || unit_files_make(settings, pairs, &units) < 0)
                return log_errno(-ENOMEM, "The mappings could not be read");
        mistakes_print(&mistakes, stderr);
        if (n_of_settings > 0) {
                log_event(LOG_ERR, MESSAGE_CONFIGURATION,
                          "terrafusion.yaml has mistakes: no timers, and workers may write into /var/lib/terrafusion only. "
                          "Mend the lines above, then `systemctl daemon-reload`.", NULL);
                return -EINVAL;
        }
        for (size_t i = 0; i < units.n_files; i++) {
                r = file_write(units.files + i, folder);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int usage(FILE *file, int status) {
        (void) fputs("terrafusion-generator FOLDER [EARLY LATE]\n\n"
                     "Makes unit files in FOLDER of what the configuration says: a timer for each schedule of a pair, and what\n"
                     "workers may use. systemd runs it at boot and at `systemctl daemon-reload`.\n", file);
        return status;
}

int main(int argc, char *argv[]) {
        if (argc == 2 && text_equal(argv[1], "--version"))
                return puts("terrafusion-generator " PROJECT_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc == 2 && text_equal(argv[1], "--help"))
                return usage(stdout, EXIT_SUCCESS);
        if ((argc != 2 && argc != 4) || *argv[1] == '-')
                return usage(stderr, 2);
        log_prepare();
        log_open("terrafusion-generator");
        (void) umask(0022);
        return generate(argv[1]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
