/* SPDX-License-Identifier: Apache-2.0 */
/* A GeoPackage as a target: SQLite's transactions through GDAL. A record is found by its key with a filter, which the unique index
 * that is asked for answers; an update reads the feature, changes what differs and writes it back. */
#include "connect/ogr-database.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>

#include "connect/sql.h"

typedef struct OgrWriter {
        Writer base;
        OgrConnection *connection;
        const Mapping *mapping;
        OgrLayer layer;
        OgrColumn *columns; /* of each field */
        OgrWkb wkb;
        Arena *arena; /* of decoded keys */
        bool notes_count; /* the file has GDAL's table of counts: those of other programs may not */
} OgrWriter;

void ogr_writer_close(Writer *writer) {
        OgrWriter *w = (OgrWriter *) writer;

        ogr_layer_done(&w->layer);
        arena_free(w->arena);
        free(w->columns);
        free(w->wkb.bytes);
        free(w);
}

static void writerp(OgrWriter **w) {
        if (*w)
                ogr_writer_close(&(*w)->base);
}

/* The layer's unique indexes, of SQLite itself: GDAL does not tell of them. */
static int indexes_load(OgrWriter *w) {
        _cleanup_free_ char *sql = NULL, *last = NULL;
        _cleanup_strings_ char **columns = NULL;
        OGRFeatureH feature;
        OGRLayerH result;
        int r = 0;

        if (asprintf(&sql, "select l.name as an_index, i.name as a_column from pragma_index_list('%s') l, pragma_index_info(l.name) i "
                     "where l.\"unique\" = 1 and l.partial = 0 order by l.name, i.seqno", w->mapping->to) < 0) {
                sql = NULL;
                return -ENOMEM;
        }
        result = strchr(w->mapping->to, '\'') ? NULL : GDALDatasetExecuteSQL(w->connection->dataset, sql, NULL, NULL);
        if (!result)
                return 0;
        while (r == 0 && (feature = OGR_L_GetNextFeature(result))) {
                const char *index = OGR_F_GetFieldAsString(feature, 0);

                if (last && !text_equal(last, index))
                        r = table_index_add(w->layer.table, TAKE_PTR(columns), true);
                free(last);
                last = strdup(index);
                if (r == 0)
                        r = last ? strings_append(&columns, OGR_F_GetFieldAsString(feature, 1)) : -ENOMEM;
                OGR_F_Destroy(feature);
        }
        if (r == 0 && columns)
                r = table_index_add(w->layer.table, TAKE_PTR(columns), true);
        GDALDatasetReleaseResultSet(w->connection->dataset, result);
        return r;
}

static bool has_table(const OgrWriter *w, const char *sql) {
        OGRLayerH result = GDALDatasetExecuteSQL(w->connection->dataset, sql, NULL, NULL);
        OGRFeatureH feature = result ? OGR_L_GetNextFeature(result) : NULL;
        bool found = feature != NULL;

        if (feature)
                OGR_F_Destroy(feature);
        if (result)
                GDALDatasetReleaseResultSet(w->connection->dataset, result);
        return found;
}

static int key_require(const OgrWriter *w, Error *error) {
        _cleanup_free_ const char **key = calloc(w->mapping->n_key + 1, sizeof(char *));

        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < w->mapping->n_key; i++)
                key[i] = w->mapping->fields[i].name;
        if (table_is_unique(w->layer.table, key, w->mapping->n_key))
                return 0;
        return error_set(error, ERROR_MAPPING,
                         "Create a unique index: ogrinfo FILE -sql 'create unique index NAME on LAYER (COLUMNS)'",
                         "Nothing keeps the key of entity \"%s\" unique in layer \"%s\"", w->mapping->entity,
                         w->mapping->to);
}

static int columns_find(OgrWriter *w, Error *error) {
        const Mapping *m = w->mapping;
        int r = 0;

        for (size_t i = 0; r == 0 && i < m->n_fields; i++) {
                const MappingField *field = m->fields + i;

                r = table_column_require(w->layer.table, field->name, error);
                if (r == 0)
                        r = ogr_column_find(&w->layer, field->name, w->columns + i, error);
                if (r == 0 && w->columns[i].place == OGR_PLACE_GEOMETRY && field->srid != 0 && field->srid != w->layer.srid)
                        r = error_set(error, ERROR_MAPPING, "Give the field the layer's srid:",
                                      "Field \"%s\" is of another coordinate system than layer \"%s\"", field->name, m->to);
        }
        return r;
}

int ogr_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        OgrConnection *c = (OgrConnection *) connection;
        _cleanup_(writerp) OgrWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &ogr_gdal_connector;
        w->connection = c;
        w->mapping = mapping;
        w->columns = calloc(mapping->n_fields + 1, sizeof(*w->columns));
        if (!w->columns)
                return -ENOMEM;
        if (!c->is_geopackage)
                return error_set(error, ERROR_NOT_YET, "Use a GeoPackage or GeoJSON file as the target",
                                 "System \"%s\": writing to files of this format is not there yet", c->system->name);
        r = arena_new(&w->arena);
        if (r == 0)
                r = ogr_layer_open(c, mapping->to, &w->layer, error);
        if (r == 0)
                r = indexes_load(w);
        w->notes_count = r == 0 && has_table(w, "select 1 from sqlite_master where name = 'gpkg_ogr_contents'");
        if (r == 0)
                r = columns_find(w, error);
        if (r == 0)
                r = key_require(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

int ogr_count(Writer *writer, uint64_t *ret, Error *error) {
        OgrWriter *w = (OgrWriter *) writer;
        GIntBig n;

        /* With a filter GDAL counts; without one it would believe the number that the file notes. */
        if (OGR_L_SetAttributeFilter(w->layer.handle, "1 = 1") != OGRERR_NONE)
                return ogr_fail(w->connection->system, "cannot count", error);
        n = OGR_L_GetFeatureCount(w->layer.handle, TRUE);
        if (n < 0)
                return ogr_fail(w->connection->system, "cannot count", error);
        *ret = (uint64_t) n;
        return 0;
}

/* ---- by key ---- */

static const Value *key_value(const void *context, const char *name, size_t size) {
        size_t i = (size_t) (name[0] - 'a') * 26 + (size_t) (name[1] - 'a');

        return size == 2 ? (const Value *) context + i : NULL;
}

/* "map_lot" = 'x' and "unit" = 2, as sql_fill() writes literals: places are named aa, ab, … */
static int filter_make(const OgrWriter *w, const Value *key, char **ret, Error *error) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; text && i < w->mapping->n_key; i++) {
                _cleanup_free_ char *name = sql_identifier(w->mapping->fields[i].name);
                char *longer = NULL;

                if (!name || asprintf(&longer, "%s%s%s = :%c%c", text, i ? " and " : "", name, (char) ('a' + i / 26 % 26),
                                      (char) ('a' + i % 26)) < 0)
                        longer = NULL;
                free(text);
                text = longer;
        }
        return text ? sql_fill(text, key_value, key, ret, error) : -ENOMEM;
}

/* The feature of a key, or NULL; owned. */
static int feature_find(OgrWriter *w, const Value *key, OGRFeatureH *ret, Error *error) {
        _cleanup_free_ char *filter = NULL;
        int r;

        *ret = NULL;
        for (size_t i = 0; i < w->mapping->n_key; i++) /* a text that is no UTF-8 or a geometry is no key of a layer */
                if (value_type_has_bytes(key[i].type) && key[i].type != VALUE_TEXT)
                        return error_set(error, ERROR_RECORD_REFUSED, "Give the key's field type: text", "Column \"%s\": such a key cannot be looked for",
                                         w->mapping->fields[i].name);
        if (w->mapping->n_key == 1 && w->columns[0].place == OGR_PLACE_FID && key[0].type == VALUE_INTEGER) {
                *ret = OGR_L_GetFeature(w->layer.handle, key[0].integer);
                return 0;
        }
        r = filter_make(w, key, &filter, error);
        if (r < 0)
                return r;
        CPLErrorReset();
        if (OGR_L_SetAttributeFilter(w->layer.handle, filter) != OGRERR_NONE)
                return ogr_fail(w->connection->system, "cannot look for a key", error);
        *ret = OGR_L_GetNextFeature(w->layer.handle);
        if (!*ret && CPLGetLastErrorType() >= CE_Failure)
                return ogr_fail(w->connection->system, "cannot look for a key", error);
        OGR_L_ResetReading(w->layer.handle);
        return 0;
}

static int values_take(OgrWriter *w, OGRFeatureH feature, Arena *arena, Value **ret) {
        Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value));
        int r = values ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < w->mapping->n_fields; i++) {
                Value value;

                r = ogr_value_read(feature, w->columns + i, w->layer.srid, &w->wkb, NULL, &value);
                if (r == 0)
                        r = value_copy(&value, arena, values + i);
        }
        *ret = values;
        return r;
}

int ogr_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        OgrWriter *w = (OgrWriter *) writer;

        for (size_t i = 0; i < n_fetches; i++) {
                RecordFetch *fetch = fetches + i;
                OGRFeatureH feature = NULL;
                int r;

                fetch->values = NULL;
                r = feature_find(w, fetch->key, &feature, &fetch->refusal);
                if (r < 0 && error_class(fetch->refusal.id) == ERROR_CLASS_RECORD)
                        continue;
                if (r == 0 && feature)
                        r = values_take(w, feature, arena, &fetch->values);
                if (feature)
                        OGR_F_Destroy(feature);
                if (r < 0 && fetch->refusal.id != ERROR_NONE && error)
                        error_move(error, &fetch->refusal);
                if (r < 0)
                        return r == -EBADMSG ? ogr_fail(w->connection->system, "a geometry cannot be read", error) : r;
        }
        return 0;
}

/* ---- writing ---- */

static int refused(const OgrWriter *w, const char *what, Error *error) {
        const char *message = CPLGetLastErrorMsg();

        if (message && (strstr(message, "disk is full") || strstr(message, "I/O") || strstr(message, "locked") || strstr(message, "readonly")))
                return ogr_fail(w->connection->system, what, error);
        return error_set(error, ERROR_RECORD_REFUSED, "Correct the record at the source, or the layer's constraint",
                         "\"%s\" refused the record: %s", w->mapping->to, message && *message ? message : what);
}

static int feature_fill(OgrWriter *w, OGRFeatureH feature, const Change *change, size_t first, Error *error) {
        int r = 0;

        for (size_t i = first; r == 0 && i < w->mapping->n_fields; i++)
                if (change->target[i].type != VALUE_ABSENT && (!change->changed || change->changed[i]))
                        r = ogr_value_write(feature, &w->layer, w->columns + i, w->mapping->fields[i].name, change->target + i, error);
        return r;
}

static int insert(OgrWriter *w, const Change *change, Error *error) {
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(w->layer.handle));
        int r;

        r = feature_fill(w, feature, &(Change){.target = change->target}, 0, error);
        CPLErrorReset();
        if (r == 0 && OGR_L_CreateFeature(w->layer.handle, feature) != OGRERR_NONE)
                r = refused(w, "cannot insert", error);
        OGR_F_Destroy(feature);
        return r;
}

static int change_key(OgrWriter *w, const Change *change, const Value **ret) {
        Value *key;

        *ret = change->before ? change->before : change->target;
        if (*ret)
                return 0;
        arena_reset(w->arena);
        key = arena_alloc_zero(w->arena, w->mapping->n_key * sizeof(Value));
        *ret = key;
        return key ? key_decode(change->key, w->arena, key, w->mapping->n_key) : -ENOMEM;
}

static int change_apply(OgrWriter *w, const Change *change, Error *error) {
        OGRFeatureH feature = NULL;
        const Value *key = NULL;
        int r;

        r = change_key(w, change, &key);
        if (r == 0)
                r = feature_find(w, key, &feature, error);
        if (r == 0 && !feature)
                r = error_set(error, ERROR_RECORD_REFUSED, "Run the pair again: it compares anew",
                              "Layer \"%s\" has no feature of this key; it is gone since it was read", w->mapping->to);
        if (r < 0)
                return r;
        CPLErrorReset();
        if (change->kind == CHANGE_DELETE) {
                if (OGR_L_DeleteFeature(w->layer.handle, OGR_F_GetFID(feature)) != OGRERR_NONE)
                        r = refused(w, "cannot delete", error);
        } else {
                r = feature_fill(w, feature, change, w->mapping->n_key, error);
                if (r == 0 && OGR_L_SetFeature(w->layer.handle, feature) != OGRERR_NONE)
                        r = refused(w, "cannot update", error);
        }
        OGR_F_Destroy(feature);
        return r;
}

static int sql_run(OgrWriter *w, const char *sql, Error *error) {
        OGRLayerH result;

        CPLErrorReset();
        result = GDALDatasetExecuteSQL(w->connection->dataset, sql, NULL, NULL);
        if (result)
                GDALDatasetReleaseResultSet(w->connection->dataset, result);
        return CPLGetLastErrorType() >= CE_Failure ? ogr_fail(w->connection->system, "cannot keep its count of features", error) : 0;
}

static int count_trigger_make(OgrWriter *w, const char *event, char sign, const char *literal, Error *error) {
        const char *layer = OGR_L_GetName(w->layer.handle);
        _cleanup_free_ char *table = sql_identifier(layer), *name = NULL, *trigger = NULL, *sql = NULL;

        if (!table || asprintf(&name, "trigger_%s_feature_count_%s", event, layer) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        trigger = sql_identifier(name);
        if (!trigger || asprintf(&sql, "create trigger if not exists %s after %s on %s begin update gpkg_ogr_contents set feature_count = "
                                 "feature_count %c 1 where lower(table_name) = lower('%s'); end", trigger, event, table, sign, literal) < 0) {
                sql = NULL;
                return -ENOMEM;
        }
        return sql_run(w, sql, error);
}

/* GDAL drops its triggers that count features while it writes, and makes them anew when it closes the file: after kill -9 the number would be wrong for
 * good. So each batch has them again before it is committed, and the number is unknown, until the next who asks counts. */
static int count_keep(OgrWriter *w, Error *error) {
        _cleanup_free_ char *sql = NULL;
        char *literal;
        int r = 0;

        if (!w->notes_count)
                return 0;
        literal = CPLEscapeString(OGR_L_GetName(w->layer.handle), -1, CPLES_SQL);
        if (asprintf(&sql, "update gpkg_ogr_contents set feature_count = null where lower(table_name) = lower('%s')", literal) < 0) {
                sql = NULL;
                r = -ENOMEM;
        }
        if (r == 0)
                r = count_trigger_make(w, "insert", '+', literal, error);
        if (r == 0)
                r = count_trigger_make(w, "delete", '-', literal, error);
        if (r == 0)
                r = sql_run(w, sql, error);
        CPLFree(literal);
        return r;
}

int ogr_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        OgrWriter *w = (OgrWriter *) writer;
        int n_refused = 0, r;

        for (size_t i = 0; i < n_writes; i++) {
                Error *refusal = &writes[i].refusal;

                r = writes[i].change->kind == CHANGE_INSERT ? insert(w, writes[i].change, refusal)
                                                            : change_apply(w, writes[i].change, refusal);
                if (r < 0 && error_class(refusal->id) != ERROR_CLASS_RECORD) {
                        if (error)
                                error_move(error, refusal);
                        return r;
                }
                n_refused += r < 0;
        }
        r = count_keep(w, error);
        return r < 0 ? r : n_refused;
}

/* ---- the transaction ---- */

int ogr_begin(Connection *connection, Error *error) {
        OgrConnection *c = (OgrConnection *) connection;

        CPLErrorReset();
        if (GDALDatasetStartTransaction(c->dataset, FALSE) != OGRERR_NONE)
                return ogr_fail(c->system, "cannot begin a transaction", error);
        c->in_transaction = true;
        return 0;
}

int ogr_rollback(Connection *connection) {
        OgrConnection *c = (OgrConnection *) connection;

        if (!c->in_transaction)
                return 0;
        c->in_transaction = false;
        return GDALDatasetRollbackTransaction(c->dataset) == OGRERR_NONE ? 0 : -EIO;
}

int ogr_commit(Connection *connection, Error *error) {
        OgrConnection *c = (OgrConnection *) connection;

        CPLErrorReset();
        c->in_transaction = false;
        return GDALDatasetCommitTransaction(c->dataset) == OGRERR_NONE ? 0 : ogr_fail(c->system, "cannot commit", error);
}
