/* SPDX-License-Identifier: Apache-2.0 */
#include "config/unit-files.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "basic/text.h"

#define DROP_IN  "terrafusion-operation@.service.d/50-config.conf"
#define WANTS    "terrafusion.target.wants/"
#define SUFFIX   ".timer"
#define WATCHDOG_USEC        900000000ULL      /* of terrafusion-operation@.service */
#define WATCHDOG_MARGIN_USEC 300000000ULL
#define DELAY    "5s"   /* spreads pairs that are due at the same time, the same for a pair at each run */

void unit_files_done(UnitFiles *u) {
        for (size_t i = 0; i < u->n_files; i++) {
                free(u->files[i].path);
                free(u->files[i].text);
        }
        free(u->files);
        *u = (UnitFiles) {};
}

bool unit_file_is_timer(const UnitFile *f) {
        return f->text && !text_equal(f->path, DROP_IN);
}

/* Takes both texts over; path NULL: there was no memory for it. */
static int file_add(UnitFiles *u, char *path, char *text) {
        if (!path || array_grow(&u->files, &u->capacity, u->n_files + 1, sizeof(UnitFile)) < 0) {
                free(path);
                free(text);
                return -ENOMEM;
        }
        u->files[u->n_files++] = (UnitFile) { path, text };
        return 0;
}

static char *timer_name(const char *folder, const char *pair, const char *kind) {
        char *name;

        return asprintf(&name, "%sterrafusion-sync@%s:%s" SUFFIX, folder, pair, kind) < 0 ? NULL : name;
}

/* In a unit file a percent sign begins a specifier, and a line ends a setting. */
static void value_print(FILE *file, const char *value) {
        for (; *value; value++)
                if (*value == '%')
                        (void) fputs("%%", file);
                else if ((unsigned char) *value >= ' ')
                        (void) fputc(*value, file);
}

/* PartOf: a stop of the sync service that was asked for is not undone by the next quarter of an hour; it starts
 * the timers of its schedule when it is back. */
static int timer_add(UnitFiles *u, const Pair *pair, const char *kind, const char *schedule) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *file;

        if (!schedule)
                return 0;
        file = open_memstream(&text, &size);
        if (!file)
                return -ENOMEM;
        (void) fprintf(file, "# Made by terrafusion-generator from the schedule in the mapping file below.\n"
                             "[Unit]\nDescription=TerraFusion schedule of %s: %s\n"
                             "Documentation=man:terrafusion-mapping(5)\nSourcePath=", pair->name, kind);
        value_print(file, pair->file);
        (void) fputs("\nPartOf=terrafusion-syncd.service\n\n[Timer]\nOnCalendar=", file);
        value_print(file, schedule);
        (void) fputs("\nPersistent=yes\nAccuracySec=1s\nRandomizedDelaySec=" DELAY "\nFixedRandomDelay=yes\n", file);
        if (fclose(file) != 0)
                return -ENOMEM;
        if (file_add(u, timer_name("", pair->name, kind), TAKE_PTR(text)) < 0)
                return -ENOMEM;
        return file_add(u, timer_name(WANTS, pair->name, kind), NULL);
}

/* Below these the unit sees nothing (ProtectHome=, PrivateTmp=) unless it is bound there. */
static bool is_hidden(const char *path) {
        static const char *const hidden[] = { "/home", "/root", "/run/user", "/tmp", "/var/tmp" };

        for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
                if (text_starts_with(path, hidden[i]) && path[strlen(hidden[i])] == '/')
                        return true;
        return false;
}

/* "SETTING="-PATH"": one that is not there is no mistake, its system says so when it is opened. */
static void path_print(FILE *file, const char *setting, const char *path, size_t size) {
        (void) fprintf(file, "%s=\"-", setting);
        for (size_t i = 0; i < size; i++)
                if (path[i] == '%')
                        (void) fputs("%%", file);
                else if (path[i] == '"' || path[i] == '\\')
                        (void) fprintf(file, "\\%c", path[i]);
                else if ((unsigned char) path[i] >= ' ')
                        (void) fputc(path[i], file);
        (void) fputs("\"\n", file);
}

static bool is_geopackage(const char *path) {
        const char *dot = path ? strrchr(path, '.') : NULL;

        return dot && strcasecmp(dot, ".gpkg") == 0;
}

/* SQLite keeps -wal and -shm beside the file, also for one that is only read (a GeoPackage is one), and a CSV or GeoJSON file is written anew
 * beside the old one: so their folder is to be written to. Other kinds with a path are read. */
static void system_print(FILE *file, const System *system, bool *is_bound) {
        const char *path = system->path, *slash = path ? strrchr(path, '/') : NULL;
        bool is_sqlite = text_equal(system->kind, "sqlite") || (text_equal(system->kind, "ogr") && is_geopackage(path)),
             is_written = is_sqlite || ((text_equal(system->kind, "csv") || text_equal(system->kind, "ogr")) && system->may_write);
        size_t size = path ? strlen(path) : 0;
        struct stat st;
        bool is_folder = !is_sqlite && path && !(stat(path, &st) == 0 && S_ISREG(st.st_mode));

        if (!path || *path != '/' || (is_written && !is_folder && slash == path))
                return;
        if (is_written && !is_folder)
                size = (size_t) (slash - path);
        if (is_hidden(path)) {
                if (!*is_bound && !text_starts_with(path, "/tmp/") && !text_starts_with(path, "/var/tmp/")) {
                        (void) fputs("ProtectHome=tmpfs\n", file);
                        *is_bound = true;
                }
                path_print(file, is_written ? "BindPaths" : "BindReadOnlyPaths", path, size);
        } else if (is_written)
                path_print(file, "ReadWritePaths", path, size);
}

/* A worker tells its life between two batches, so the unit's own patience (15 min) has to be longer than any statement may take. */
static void watchdog_print(FILE *file, const Settings *settings) {
        uint64_t longest = 0;

        for (size_t i = 0; i < settings->n_systems; i++) {
                const System *system = settings->systems[i];
                bool is_database = text_equal(system->kind, "postgresql") || text_equal(system->kind, "odbc");

                /* Requests of a web service end in any case. */
                if (is_database && system->statement_timeout_usec == 0) {
                        (void) fputs("WatchdogSec=0\n", file);
                        return;
                }
                if (system->statement_timeout_usec > longest)
                        longest = system->statement_timeout_usec;
        }
        if (longest > WATCHDOG_USEC - WATCHDOG_MARGIN_USEC)
                (void) fprintf(file, "WatchdogSec=%ju\n", (uintmax_t) ((longest + WATCHDOG_MARGIN_USEC) / 1000000U));
}

static int drop_in_add(UnitFiles *u, const Settings *settings) {
        _cleanup_free_ char *text = NULL;
        bool is_bound = false;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        (void) fprintf(file, "# Made by terrafusion-generator from terrafusion.yaml; change that, then reload terrafusion-syncd.\n"
                             "[Service]\nMemoryMax=%ju\n", (uintmax_t) settings->worker_memory_bytes);
        watchdog_print(file, settings);
        for (size_t i = 0; i < settings->n_systems; i++)
                system_print(file, settings->systems[i], &is_bound);
        if (fclose(file) != 0)
                return -ENOMEM;
        return file_add(u, strdup(DROP_IN), TAKE_PTR(text));
}

int unit_files_make(const Settings *settings, const PairSet *pairs, UnitFiles *ret) {
        _cleanup_unit_files_ UnitFiles u = {};
        int r;

        r = drop_in_add(&u, settings);
        for (size_t i = 0; r >= 0 && i < pairs->n_pairs; i++) {
                const Pair *pair = pairs->pairs[i];

                r = timer_add(&u, pair, "incremental", pair->schedule_incremental);
                if (r >= 0)
                        r = timer_add(&u, pair, "full", pair->schedule_full);
                if (r >= 0)
                        r = timer_add(&u, pair, "continuous", pair->schedule_continuous);
        }
        if (r < 0)
                return r;
        *ret = u;
        u = (UnitFiles) {};
        return 0;
}
