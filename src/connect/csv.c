/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv.h"

#include <sys/stat.h>

#include "connect/csv-writer.h"

static void csv_close(Connection *connection) {
        CsvConnection *c = (CsvConnection *) connection;

        (void) csv_rollback(connection);
        csv_options_done(&c->options);
        free(c);
}

static void connectionp(CsvConnection **c) {
        if (*c)
                csv_close(&(*c)->base);
}

static int csv_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_(connectionp) CsvConnection *c = calloc(1, sizeof(*c));
        struct stat st;
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &csv_connector;
        c->system = system;
        r = csv_options_take(system, &c->options, error);
        if (r < 0)
                return r;
        if (!system->path)
                return error_set(error, ERROR_CONFIGURATION, "Add path: to the system", "System \"%s\" has no path",
                                 system->name);
        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE,
                                 "Check path: of the system, and that the service may read it",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        c->is_folder = S_ISDIR(st.st_mode);
        c->may_write = write;
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

static int csv_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        CsvConnection *c = (CsvConnection *) connection;

        return target ? csv_target_check(c, m, report) : csv_scan_check(c, pair, m, report, error);
}

static int csv_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error) {
        const CsvConnection *c = (const CsvConnection *) connection;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        r = file_table_open(c->system, c->is_folder, m->from, &path, &fd, error);
        if (r < 0)
                return r;
        r = file_digest(fd, ret);
        return r < 0 && r != -ENOMEM ? error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", path, strerror(-r)) : r;
}

const Connector csv_connector = {
        .kind = "csv",
        .summary = "A folder of CSV files, or one such file",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FILE,
        .open = csv_open,
        .close = csv_close,
        .check = csv_check,
        .reader_open = csv_scan_open,
        .reader_next = csv_scan_next,
        .reader_position = csv_scan_position,
        .reader_resumed = csv_scan_resumed,
        .reader_close = csv_scan_close,
        .writer_open = csv_writer_open,
        .writer_close = csv_writer_close,
        .count = csv_count,
        .fetch = csv_fetch,
        .begin = csv_begin,
        .write = csv_write,
        .commit = csv_commit,
        .rollback = csv_rollback,
        .content_digest = csv_content_digest,
};
