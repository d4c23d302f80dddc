/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv.h"

#include <sys/stat.h>

#include "connect/csv-file.h"

static void csv_close(Connection *connection) {
        CsvConnection *c = (CsvConnection *) connection;

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
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

static int csv_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        if (target)
                return report_add(report, m->to, false, "Writing CSV files is not there yet",
                                  "Use a system of kind: sqlite as the target");
        return csv_scan_check((CsvConnection *) connection, pair, m, report);
}

const Connector csv_connector = {
        .kind = "csv",
        .summary = "A folder of CSV files, or one such file",
        .capabilities = CONNECTOR_READS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL),
        .default_strategy = DETECT_FULL,
        .open = csv_open,
        .close = csv_close,
        .check = csv_check,
        .reader_open = csv_scan_open,
        .reader_next = csv_scan_next,
        .reader_position = csv_scan_position,
        .reader_resumed = csv_scan_resumed,
        .reader_close = csv_scan_close,
};
