/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-geopackage.h"

static int is_geopackage(sqlite3 *db, const System *system, bool *ret, Error *error) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        int rc, r;

        r = sqlite_prepare(db, system, "select 1 from pragma_table_list where name = 'gpkg_geometry_columns'", &statement, error);
        if (r < 0)
                return r;
        rc = sqlite3_step(statement);
        *ret = rc == SQLITE_ROW;
        return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : sqlite_fail(db, rc, system, "cannot list its tables", error);
}

/* 1: a geometry column; 0: none. */
static int is_geometry(sqlite3 *db, const System *system, sqlite3_stmt *statement, const char *table, const char *column, Error *error) {
        int rc;

        (void) sqlite3_reset(statement);
        (void) sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
        (void) sqlite3_bind_text(statement, 2, column, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                return sqlite_fail(db, rc, system, "cannot look up its geometry columns", error);
        return rc == SQLITE_ROW;
}

static const char *table_of(const Mapping *m, const char *join) {
        for (size_t i = 0; join && i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, join))
                        return m->joins[i].from;
        return m->from;
}

static int field_check(sqlite3 *db, const System *system, const Pair *pair, sqlite3_stmt *statement, const char *table,
                       const char *column, const MappingField *field, Error *error) {
        int r;

        r = is_geometry(db, system, statement, table, column, error);
        if (r <= 0 || field->type == VALUE_BYTES)
                return r < 0 ? r : 0;
        r = error_set(error, ERROR_MAPPING, "Give the system kind: ogr, which reads and writes GeoPackages; or leave the column out",
                      "System \"%s\" is a GeoPackage: column \"%s\" of \"%s\" is a geometry in a form that kind sqlite does not know",
                      system->name, column, table);
        (void) error_field(error, field->name);
        return pair ? error_at(error, pair->file, field->line, field->column_number) : r;
}

int geopackage_check(sqlite3 *db, const System *system, const Pair *pair, const Mapping *m, bool target, Error *error) {
        static const char sql[] = "select 1 from gpkg_geometry_columns where table_name = ?1 collate nocase"
                                  " and column_name = ?2 collate nocase";
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        bool found;
        int r;

        r = is_geopackage(db, system, &found, error);
        if (r < 0 || !found)
                return r;
        r = sqlite_prepare(db, system, sql, &statement, error);
        for (size_t i = 0; i < m->n_fields && r == 0; i++) {
                const MappingField *field = &m->fields[i];

                if (target)
                        r = field_check(db, system, pair, statement, m->to, field->name, field, error);
                else if (field->column >= 0) {
                        const MappingColumn *column = &m->columns[field->column];

                        r = field_check(db, system, pair, statement, table_of(m, column->join), column->name, field, error);
                }
        }
        return r;
}
