/* SPDX-License-Identifier: Apache-2.0 */
#include "build-config.h"
#include "connect/module.h"
#include "connect/odbc-check.h"
#include "connect/odbc-horizon.h"
#include "connect/odbc-reader.h"
#include "connect/odbc-writer.h"

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

const Connector odbc_connector = {
        .kind = "odbc",
        .summary = "A database through unixODBC and its driver",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST),
        .default_strategy = DETECT_FULL,
        .open = odbc_open,
        .close = odbc_close,
        .check = odbc_check,
        .horizon = odbc_horizon,
        .horizon_is_exact = odbc_horizon_is_exact,
        .describe = odbc_describe,
        .reader_open = odbc_reader_open,
        .reader_next = odbc_reader_next,
        .reader_position = odbc_reader_position,
        .reader_resumed = odbc_reader_resumed,
        .reader_keys_are_unique = odbc_reader_keys_are_unique,
        .reader_ranges_by_key = odbc_reader_ranges_by_key,
        .ranges_plan = odbc_ranges_plan,
        .ranges_sum = odbc_ranges_sum,
        .reader_range = odbc_reader_range,
        .reader_close = odbc_reader_close,
        .writer_open = odbc_writer_open,
        .writer_close = odbc_writer_close,
        .count = odbc_count,
        .fetch = odbc_fetch,
        .begin = odbc_begin,
        .write = odbc_write,
        .commit = odbc_commit,
        .rollback = odbc_rollback,
};

CONNECTOR_MODULE(odbc);
