/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlstate.h"

#include "basic/text.h"

#define AGAIN "Nothing: it is tried again"

/* The first row whose code the SQLSTATE begins with. Source: PostgreSQL 15 manual, appendix A. */
static const struct {
        const char *code;
        ErrorId id;
        const char *remedy;
} states[] = {
        {"08", ERROR_SYSTEM_UNAVAILABLE, AGAIN "; look at the network and the server if it stays so"},
        {"25006", ERROR_SYSTEM_READ_ONLY,
         "Name the primary server: several hosts with target_session_attrs=read-write in connection: find it; "
         "or let the DBA set default_transaction_read_only = off"},
        {"25P02", ERROR_INTERNAL, "Report it, with the journal of this operation"},
        {"25P03", ERROR_SYSTEM_UNAVAILABLE,
         AGAIN "; raise idle_in_transaction_session_timeout of this login if it stays so"},
        {"26", ERROR_SYSTEM_UNAVAILABLE,
         "Let the connection pool keep a session for the length of a transaction, or name the server itself"},
        {"28P01", ERROR_SYSTEM_REFUSED,
         "Write the right password into the file of the system's credential, or let the DBA run: alter role NAME "
         "password '…'"},
        {"28", ERROR_SYSTEM_REFUSED,
         "Let the DBA allow this login from this machine (pg_hba.conf, then pg_reload_conf()), or correct "
         "user= in connection:"},
        {"3D", ERROR_SYSTEM_REFUSED, "Correct dbname= in connection:, or let the DBA create the database"},
        {"40", ERROR_SYSTEM_BUSY, AGAIN "; another session wrote the same records"},
        {"42501", ERROR_SYSTEM_REFUSED,
         "Let the DBA grant it: terrafusionctl check PAIR shows the statements"},
        {"42P01", ERROR_TABLE_MISSING, "Correct the table's name in the mapping, or let the DBA create it"},
        {"3F", ERROR_TABLE_MISSING, "Correct the schema's name in the mapping, or let the DBA create it"},
        {"42703", ERROR_COLUMN_MISSING, "Correct the column's name in the mapping"},
        {"53100", ERROR_DISK_FULL, "Make room on the disk of the database server; it is tried again"},
        {"53300", ERROR_SYSTEM_BUSY,
         AGAIN "; if it stays so, let the DBA raise max_connections or the login's connection limit, or lower "
               "limits: operations"},
        {"53", ERROR_SYSTEM_BUSY, AGAIN "; the server is short of memory or of another resource"},
        {"54", ERROR_SYSTEM_REFUSED, "Shorten the query or the record; the server has a limit"},
        {"55P03", ERROR_SYSTEM_BUSY,
         AGAIN "; another session holds a lock on the table: pg_locks and pg_stat_activity show which"},
        {"55006", ERROR_SYSTEM_BUSY, AGAIN "; another session uses it"},
        {"57014", ERROR_SYSTEM_BUSY,
         AGAIN "; raise limits: statement_timeout of the system if the statement needs longer"},
        {"57P01", ERROR_SYSTEM_UNAVAILABLE, AGAIN "; the server is being stopped or restarted"},
        {"57P", ERROR_SYSTEM_UNAVAILABLE, AGAIN "; the server is starting, or recovers from a crash"},
        {"58", ERROR_IO, AGAIN "; let the DBA look at the server's disk and log if it stays so"},
        {"0A", ERROR_SYSTEM_REFUSED, "Use a table for which the server can do it"},
        {"22", ERROR_SYSTEM_REFUSED, "Correct where: in the mapping, or the data it compares"},
        {"42", ERROR_SYSTEM_REFUSED, "Correct the mapping: its tables, columns and where: are the server's SQL"},
        {"XX", ERROR_SYSTEM_REFUSED, "Let the DBA look at the server's log: it reports an error of its own"},
};

/* Of one record, while it is written: 54000 is an index entry that is too long, XX000 what PostGIS says of a geometry that it cannot hold (a ring of
 * three points); XX001 and XX002, damaged files, are not. */
static bool is_of_record(const char *sqlstate) {
        static const char *const classes[] = {"22", "23", "44", "P0001", "54000", "XX000"};

        for (size_t i = 0; i < ELEMENTSOF(classes); i++)
                if (text_starts_with(sqlstate, classes[i]))
                        return true;
        return false;
}

ErrorId sqlstate_error(const char *sqlstate, bool of_record, const char **ret_remedy) {
        if (!sqlstate || !*sqlstate) {
                *ret_remedy = "Check that the server runs and can be reached; it is tried again";
                return ERROR_SYSTEM_UNAVAILABLE;
        }
        if (of_record && is_of_record(sqlstate)) {
                *ret_remedy = "Correct the record at the source, or the target's constraint";
                return ERROR_RECORD_REFUSED;
        }
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (text_starts_with(sqlstate, states[i].code)) {
                        *ret_remedy = states[i].remedy;
                        return states[i].id;
                }
        if (text_starts_with(sqlstate, "23") || text_starts_with(sqlstate, "44") ||
            text_starts_with(sqlstate, "P0")) {
                *ret_remedy = "Correct the constraint or the trigger at the server";
                return ERROR_SYSTEM_REFUSED;
        }
        *ret_remedy = AGAIN "; look at the server's log if it stays so";
        return ERROR_SYSTEM_BUSY;
}
