/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-error.h"

#include "basic/text.h"
#include "connect/sqlstate.h"

#include <strings.h>

#define AGAIN "Nothing: it is tried again"
#define STAYS "; look at the network and the server if it stays so"

typedef struct Native {
        OdbcFamily family;
        long number;
        ErrorId id;
        const char *remedy;
} Native;

/* Sources: MariaDB Knowledge Base, "MariaDB Error Code Reference"; Microsoft, "Database Engine events and errors"; sqlite3.h. */
static const Native natives[] = {
        {ODBC_MARIADB, 1040, ERROR_SYSTEM_BUSY, AGAIN "; if it stays so, let the DBA raise max_connections"},
        {ODBC_MARIADB, 1203, ERROR_SYSTEM_BUSY,
         AGAIN "; if it stays so, let the DBA raise max_user_connections"},
        {ODBC_MARIADB, 1044, ERROR_SYSTEM_REFUSED,
         "Let the DBA grant the login rights in the database, or correct Database= in connection:"},
        {ODBC_MARIADB, 1045, ERROR_SYSTEM_REFUSED,
         "Write the right password into the file of the system's credential, or let the DBA run: set "
         "password for USER = password('…')"},
        {ODBC_MARIADB, 1698, ERROR_SYSTEM_REFUSED,
         "Let the DBA give the login a password: alter user USER identified by '…'"},
        {ODBC_MARIADB, 1049, ERROR_SYSTEM_REFUSED,
         "Correct Database= in connection:, or let the DBA create the database"},
        {ODBC_MARIADB, 1142, ERROR_SYSTEM_REFUSED,
         "Let the DBA grant it: terrafusionctl check PAIR shows what is missing"},
        {ODBC_MARIADB, 1143, ERROR_SYSTEM_REFUSED,
         "Let the DBA grant it: terrafusionctl check PAIR shows what is missing"},
        {ODBC_MARIADB, 1227, ERROR_SYSTEM_REFUSED, "Let the DBA grant the privilege that is named"},
        {ODBC_MARIADB, 1146, ERROR_TABLE_MISSING,
         "Correct the table's name in the mapping, or let the DBA create it"},
        {ODBC_MARIADB, 1054, ERROR_COLUMN_MISSING, "Correct the column's name in the mapping"},
        {ODBC_MARIADB, 1205, ERROR_SYSTEM_BUSY,
         AGAIN "; another session holds a lock: information_schema.innodb_trx shows which"},
        {ODBC_MARIADB, 1213, ERROR_SYSTEM_BUSY, AGAIN "; another session wrote the same records"},
        {ODBC_MARIADB, 1020, ERROR_SYSTEM_BUSY, AGAIN "; another session wrote the same records"},
        {ODBC_MARIADB, 1969, ERROR_SYSTEM_BUSY,
         AGAIN "; raise limits: statement_timeout of the system if the statement needs longer"},
        {ODBC_MARIADB, 1053, ERROR_SYSTEM_UNAVAILABLE, AGAIN "; the server is being stopped"},
        {ODBC_MARIADB, 1317, ERROR_SYSTEM_UNAVAILABLE,
         AGAIN "; the server, or its DBA, stopped the statement"},
        {ODBC_MARIADB, 1927, ERROR_SYSTEM_UNAVAILABLE, AGAIN "; the server, or its DBA, ended the session"},
        {ODBC_MARIADB, 2002, ERROR_SYSTEM_UNAVAILABLE,
         "Check that the server runs and can be reached; it is tried again"},
        {ODBC_MARIADB, 2003, ERROR_SYSTEM_UNAVAILABLE,
         "Check that the server runs and can be reached; it is tried again"},
        {ODBC_MARIADB, 2005, ERROR_SYSTEM_UNAVAILABLE,
         "Correct Server= in connection:, or the name service"},
        {ODBC_MARIADB, 2006, ERROR_SYSTEM_UNAVAILABLE, AGAIN STAYS},
        {ODBC_MARIADB, 2013, ERROR_SYSTEM_UNAVAILABLE, AGAIN STAYS},
        {ODBC_MARIADB, 1290, ERROR_SYSTEM_READ_ONLY,
         "Name the primary server in connection:; this one is read-only"},
        {ODBC_MARIADB, 1792, ERROR_SYSTEM_READ_ONLY,
         "Give the system access: write if it is meant to be a target"},
        {ODBC_MARIADB, 1021, ERROR_DISK_FULL,
         "Make room on the disk of the database server; it is tried again"},
        {ODBC_MARIADB, 1114, ERROR_DISK_FULL,
         "Make room for the table on the database server; it is tried again"},
        {ODBC_SQLSERVER, 1205, ERROR_SYSTEM_BUSY, AGAIN "; another session wrote the same records"},
        {ODBC_SQLSERVER, 1222, ERROR_SYSTEM_BUSY,
         AGAIN "; another session holds a lock: sys.dm_tran_locks shows which"},
        {ODBC_SQLSERVER, 3960, ERROR_SYSTEM_BUSY, AGAIN "; another session wrote the same records"},
        {ODBC_SQLSERVER, 40197, ERROR_SYSTEM_UNAVAILABLE, AGAIN STAYS},
        {ODBC_SQLSERVER, 40501, ERROR_SYSTEM_BUSY, AGAIN "; the service is busy"},
        {ODBC_SQLSERVER, 40613, ERROR_SYSTEM_UNAVAILABLE, AGAIN STAYS},
        {ODBC_SQLSERVER, 49918, ERROR_SYSTEM_BUSY, AGAIN "; the service is busy"},
        {ODBC_SQLSERVER, 10928, ERROR_SYSTEM_BUSY, AGAIN "; the database has too many requests at work"},
        {ODBC_SQLSERVER, 10929, ERROR_SYSTEM_BUSY, AGAIN "; the database has too many requests at work"},
        {ODBC_SQLSERVER, 18456, ERROR_SYSTEM_REFUSED,
         "Write the right password into the file of the system's credential, or let the DBA look why in the "
         "server's error log"},
        {ODBC_SQLSERVER, 4060, ERROR_SYSTEM_REFUSED,
         "Correct Database= in connection:, or let the DBA make a user for the login in it"},
        {ODBC_SQLSERVER, 208, ERROR_TABLE_MISSING,
         "Correct the table's name in the mapping, or let the DBA create it"},
        {ODBC_SQLSERVER, 207, ERROR_COLUMN_MISSING, "Correct the column's name in the mapping"},
        {ODBC_SQLSERVER, 229, ERROR_SYSTEM_REFUSED,
         "Let the DBA grant it: terrafusionctl check PAIR shows what is missing"},
        {ODBC_SQLSERVER, 230, ERROR_SYSTEM_REFUSED,
         "Let the DBA grant it: terrafusionctl check PAIR shows what is missing"},
        {ODBC_SQLSERVER, 300, ERROR_SYSTEM_REFUSED, "Let the DBA grant the permission that is named"},
        {ODBC_SQLSERVER, 3906, ERROR_SYSTEM_READ_ONLY,
         "Name the database that can be written in connection:"},
        {ODBC_SQLSERVER, 3952, ERROR_SYSTEM_REFUSED,
         "Let the DBA run: alter database NAME set allow_snapshot_isolation on"},
        {ODBC_SQLSERVER, 1105, ERROR_DISK_FULL,
         "Make room on the disk of the database server; it is tried again"},
        {ODBC_SQLSERVER, 9002, ERROR_DISK_FULL,
         "Let the DBA back up or enlarge the transaction log; it is tried again"},
        {ODBC_SQLSERVER, 22105, ERROR_SYSTEM_REFUSED,
         "Let the DBA switch change tracking on: terrafusionctl check PAIR shows the statements"},
        {ODBC_SQLITE, 5, ERROR_SYSTEM_BUSY, AGAIN "; another program holds a lock on the file"},
        {ODBC_SQLITE, 6, ERROR_SYSTEM_BUSY, AGAIN "; another program holds a lock on the file"},
        {ODBC_SQLITE, 8, ERROR_SYSTEM_READ_ONLY,
         "Give the service write permission to the file and its folder"},
        {ODBC_SQLITE, 13, ERROR_DISK_FULL, "Make room on the disk; it is tried again"},
        {ODBC_SQLITE, 14, ERROR_SYSTEM_UNAVAILABLE,
         "Correct Database= in connection:, or give the service permission to the file"},
        {ODBC_SQLITE, 26, ERROR_FILE_FORMAT, "Name a SQLite database in Database="},
};

/* Of one record while it is written, where the SQLSTATE is too general. */
static const struct {
        OdbcFamily family;
        long number;
} of_records[] = {
        {ODBC_MARIADB, 1048},   {ODBC_MARIADB, 1062},   {ODBC_MARIADB, 1153},   {ODBC_MARIADB, 1264},
        {ODBC_MARIADB, 1265},   {ODBC_MARIADB, 1292},   {ODBC_MARIADB, 1364},   {ODBC_MARIADB, 1366},
        {ODBC_MARIADB, 1406},   {ODBC_MARIADB, 1411},   {ODBC_MARIADB, 1451},   {ODBC_MARIADB, 1452},
        {ODBC_MARIADB, 1644},   {ODBC_MARIADB, 3819},   {ODBC_MARIADB, 4025},   {ODBC_SQLSERVER, 220},
        {ODBC_SQLSERVER, 515},  {ODBC_SQLSERVER, 547},  {ODBC_SQLSERVER, 2601}, {ODBC_SQLSERVER, 2627},
        {ODBC_SQLSERVER, 2628}, {ODBC_SQLSERVER, 8114}, {ODBC_SQLSERVER, 8115}, {ODBC_SQLSERVER, 8152},
        {ODBC_SQLSERVER, 3609}, {ODBC_SQLITE, 18},      {ODBC_SQLITE, 19},      {ODBC_SQLITE, 20},
};

/* The driver manager's and the drivers' own states. */
static const struct {
        const char *state;
        ErrorId id;
        const char *remedy;
} states[] = {
        {"IM002", ERROR_SYSTEM_REFUSED,
         "Correct Driver= or DSN= in connection:; odbcinst -q -d lists the drivers, odbcinst -q -s the "
         "sources"},
        {"IM003", ERROR_SYSTEM_REFUSED, "Install the driver anew; its library cannot be loaded"},
        {"IM004", ERROR_SYSTEM_REFUSED, "Install the driver anew; it cannot be used"},
        {"HY001", ERROR_OUT_OF_MEMORY, AGAIN "; raise limits: worker_memory if it stays so"},
        {"HY013", ERROR_OUT_OF_MEMORY, AGAIN "; raise limits: worker_memory if it stays so"},
        {"HY008", ERROR_SYSTEM_BUSY,
         AGAIN "; raise limits: statement_timeout of the system if the statement needs longer"},
        {"HYT", ERROR_SYSTEM_BUSY,
         AGAIN "; raise limits: statement_timeout of the system if the statement needs longer"},
        {"HYC00", ERROR_SYSTEM_REFUSED, "Report it, with the name and version of the driver"},
        {"42S02", ERROR_TABLE_MISSING, "Correct the table's name in the mapping, or let the DBA create it"},
        {"42S22", ERROR_COLUMN_MISSING, "Correct the column's name in the mapping"},
        {"42", ERROR_SYSTEM_REFUSED,
         "Correct the mapping: its tables, columns and where: are the server's SQL"},
        {"28", ERROR_SYSTEM_REFUSED,
         "Write the right password into the file of the system's credential, or correct UID= in "
         "connection:"},
};

static const Native *native_find(OdbcFamily family, long number) {
        for (size_t i = 0; i < ELEMENTSOF(natives); i++)
                if (natives[i].family == family && natives[i].number == number)
                        return &natives[i];
        return NULL;
}

static bool is_of_record(OdbcFamily family, long number) {
        for (size_t i = 0; i < ELEMENTSOF(of_records); i++)
                if (of_records[i].family == family && of_records[i].number == number)
                        return true;
        return family == ODBC_SQLSERVER && number >= 50000; /* raised by a trigger */
}

ErrorId odbc_error(OdbcFamily family, const char *sqlstate, long native, bool of_record,
                   const char **ret_remedy) {
        const Native *known = native_find(family, native);

        if (of_record && is_of_record(family, native)) {
                *ret_remedy = native == 1153
                                      ? "Shorten the record's largest value, or let the DBA raise "
                                        "max_allowed_packet"
                                      : "Correct the record at the source, or the target's constraint";
                return ERROR_RECORD_REFUSED;
        }
        if (known) {
                *ret_remedy = known->remedy;
                return known->id;
        }
        for (size_t i = 0; family != ODBC_POSTGRESQL && sqlstate && i < ELEMENTSOF(states); i++)
                if (text_starts_with(sqlstate, states[i].state)) {
                        *ret_remedy = states[i].remedy;
                        return states[i].id;
                }
        return sqlstate_error(sqlstate, of_record, ret_remedy);
}

const char *odbc_driver_package(const char *driver) {
        static const struct {
                const char *part, *package;
        } packages[] = {{"maria", "odbc-mariadb"},       {"maodbc", "odbc-mariadb"},
                        {"mysql", "odbc-mariadb"},       {"postgres", "odbc-postgresql"},
                        {"psqlodbc", "odbc-postgresql"}, {"sqlite", "libsqliteodbc"},
                        {"freetds", "tdsodbc"},          {"tdsodbc", "tdsodbc"}};

        for (size_t i = 0; driver && i < ELEMENTSOF(packages); i++)
                if (strcasestr(driver, packages[i].part))
                        return packages[i].package;
        return NULL;
}

OdbcFamily odbc_family_of_message(const char *message) {
        static const struct {
                const char *beginning;
                OdbcFamily family;
        } drivers[] = {{"[ma-", ODBC_MARIADB},
                       {"[MySQL]", ODBC_MARIADB},
                       {"[FreeTDS]", ODBC_SQLSERVER},
                       {"[Microsoft]", ODBC_SQLSERVER},
                       {"[SQLite]", ODBC_SQLITE},
                       {"[unixODBC][ma-", ODBC_MARIADB},
                       {"[unixODBC][MySQL]", ODBC_MARIADB},
                       {"[unixODBC][FreeTDS]", ODBC_SQLSERVER},
                       {"[unixODBC][Microsoft]", ODBC_SQLSERVER},
                       {"[unixODBC][SQLite]", ODBC_SQLITE}};

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                if (text_starts_with(message, drivers[i].beginning))
                        return drivers[i].family;
        return ODBC_UNKNOWN;
}

/* "Duplicate entry '17-2026' for key 'PRIMARY'": the first text in quotes is the record's. */
static bool shows_value(OdbcFamily family, long native) {
        return family == ODBC_MARIADB &&
               (native == 1062 || native == 1292 || native == 1366 || native == 1411);
}

char *odbc_message_clean(OdbcFamily family, long native, const char *message) {
        char *clean, *quote, *end;

        while (*message == '[' && strchr(message, ']'))
                message = strchr(message, ']') + 1;
        message += strspn(message, " ");
        clean = strdup(message);
        if (!clean)
                return NULL;
        for (char *at = clean; *at; at++)
                if (*at == '\n' || *at == '\r' || *at == '\t')
                        *at = ' ';
        for (size_t n = strlen(clean); n > 0 && clean[n - 1] == ' '; n--)
                clean[n - 1] = '\0';
        quote = shows_value(family, native) ? strchr(clean, '\'') : NULL;
        end = quote ? strstr(quote + 1, "' for ") : NULL; /* the value may have quotes of its own */
        for (char *next = end; next; next = strstr(next + 1, "' for "))
                end = next;
        if (end)
                (void) memmove(quote + 1, end, strlen(end) + 1);
        else if (quote)
                *quote = '\0';
        return clean;
}
