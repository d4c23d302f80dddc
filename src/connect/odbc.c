/* SPDX-License-Identifier: Apache-2.0 */
#include "build-config.h"
#include "connect/module.h"
#include "connect/odbc-database.h"
#include "connect/table.h"

static int odbc_open(const System *system, bool write, Connection **ret, Error *error) {
        OdbcConnection *c = NULL;
        int r;

        r = odbc_session_open(system, write, &c, error);
        if (r < 0)
                return r;
        *ret = &c->base;
        return 0;
}

static void odbc_close(Connection *connection) { odbc_session_close((OdbcConnection *) connection); }

static int odbc_check(Connection *connection, const Pair *pair, const Mapping *m, bool target,
                      json_t *report, Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        _cleanup_free_ char *message = NULL;

        if (asprintf(&message, "Connected to %s by the driver %s", c->dialect->name, c->driver) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, c->system->name, true, message, NULL);
}

static int not_yet(const OdbcConnection *c, Error *error) {
        return error_set(error, ERROR_NOT_YET,
                         "Use kind: postgresql or kind: sqlite where the database is one",
                         "System \"%s\": records through ODBC are not there yet", c->system->name);
}

static int odbc_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        return not_yet((OdbcConnection *) connection, error);
}

const Connector odbc_connector = {
        .kind = "odbc",
        .summary = "A database through unixODBC and its driver",
        .capabilities = CONNECTOR_READS,
        .strategies = DETECT_BIT(DETECT_FULL),
        .default_strategy = DETECT_FULL,
        .open = odbc_open,
        .close = odbc_close,
        .check = odbc_check,
        .reader_open = odbc_reader_open,
};

CONNECTOR_MODULE(odbc);
