/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-database.h"

#include <cpl_error.h>
#include <fcntl.h>

#include "connect/sql.h"

typedef struct OgrReader {
        Reader base;
        OgrConnection own; /* its own dataset: one scan from open to close, whatever else the connection does */
        OgrLayer layer;
        OgrColumn *columns;
        size_t n_columns;
        OGRFeatureH feature;
        OgrWkb wkb;
        DbfFile *dbf;
        int fd; /* of a Shapefile's table: does it change while it is read? */
        FileIdentity identity;
        char *path;
        bool at_end;
} OgrReader;

void ogr_reader_close(Reader *reader) {
        OgrReader *r = (OgrReader *) reader;

        if (r->feature)
                OGR_F_Destroy(r->feature);
        ogr_layer_done(&r->layer);
        if (r->own.dataset)
                (void) GDALClose(r->own.dataset);
        dbf_close(r->dbf);
        closep(&r->fd);
        free(r->path);
        free(r->wkb.bytes);
        free(r->columns);
        free(r);
}

static void readerp(OgrReader **r) {
        if (*r)
                ogr_reader_close(&(*r)->base);
}

int ogr_mapping_refuse(const Mapping *m, const Pair *pair, Error *error) {
        const char *what = m->n_joins > 0                                                       ? "join:"
                           : m->strategy != DETECT_FULL && m->strategy != DETECT_FILE ? "such strategy"
                                                                                                : NULL;
        int r;

        if (!what)
                return 0;
        r = error_set(error, ERROR_MAPPING, m->n_joins ? "Load the layers into a database to join them" : "Use strategy: full or file",
                      "Entity \"%s\" reads a layer, which knows no %s", m->entity, what);
        return pair ? error_at(error, pair->file, m->line, m->column) : r;
}

static const Value *variable_find(const void *context, const char *name, size_t size) {
        const Variable *variable = context ? pair_variable(context, name, size) : NULL;

        return variable ? &variable->value : NULL;
}

static int where_set(OgrReader *r, const ReadPlan *plan, Error *error) {
        _cleanup_free_ char *where = NULL;
        int q;

        if (!plan->mapping->where)
                return 0;
        q = sql_fill(plan->mapping->where, variable_find, plan->pair, &where, error);
        if (q < 0)
                return q;
        CPLErrorReset();
        if (OGR_L_SetAttributeFilter(r->layer.handle, where) == OGRERR_NONE)
                return 0;
        q = error_set(error, ERROR_MAPPING, "Correct where: in the mapping; it is SQLite's SQL for a GeoPackage, else OGR's",
                      "Entity \"%s\": GDAL refuses where: %s", plan->mapping->entity, CPLGetLastErrorMsg());
        return plan->pair ? error_at(error, plan->pair->file, plan->mapping->line, plan->mapping->column) : q;
}

static bool is_mapped(const OgrReader *r, int index) {
        for (size_t i = 0; i < r->n_columns; i++)
                if (r->columns[i].place == OGR_PLACE_FIELD && r->columns[i].index == index)
                        return true;
        return false;
}

/* What is not mapped is not decoded either; a filter may look at any of it. */
static int others_ignore(OgrReader *r, bool has_where) {
        OGRFeatureDefnH definition = OGR_L_GetLayerDefn(r->layer.handle);
        _cleanup_strings_ char **names = NULL;
        bool geometry = false;
        int q = 0;

        for (int i = 0; q == 0 && !has_where && i < OGR_FD_GetFieldCount(definition); i++)
                if (!is_mapped(r, i))
                        q = strings_append(&names, OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(definition, i)));
        for (size_t i = 0; i < r->n_columns; i++)
                geometry = geometry || r->columns[i].place == OGR_PLACE_GEOMETRY;
        if (q == 0 && !geometry)
                q = strings_append(&names, "OGR_GEOMETRY");
        if (q == 0 && names)
                (void) OGR_L_SetIgnoredFields(r->layer.handle, (const char **) names);
        return q;
}

/* A Shapefile's numbers are read beside GDAL, from the same folder. */
static int dbf_begin(OgrReader *r, const char *layer, Error *error) {
        const char *path = r->own.system->path, *dot = strrchr(path, '.');
        int q;

        if (!r->own.is_shapefile)
                return 0;
        if (dot && text_equal_ignoring_case(dot, ".shp"))
                q = asprintf(&r->path, "%.*s.dbf", (int) (dot - path), path);
        else
                q = asprintf(&r->path, "%s/%s.dbf", path, layer);
        if (q < 0) {
                r->path = NULL;
                return -ENOMEM;
        }
        q = dbf_open(r->path, &r->dbf);
        if (q == -ENOENT)
                return 0; /* geometry alone, or the name in capitals: GDAL's numbers do */
        if (q == 0) {
                r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
                q = r->fd < 0 ? -errno : file_identity_read(r->fd, &r->identity);
        }
        return q < 0 && q != -ENOMEM ? error_set(error, ERROR_FILE_FORMAT, "Write the Shapefile anew; its table is damaged",
                                                 "Cannot read \"%s\": %s", r->path, strerror(-q))
                                     : q;
}

static int columns_find(OgrReader *r, const Mapping *m, Error *error) {
        int q = 0;

        r->columns = calloc(m->n_columns + 1, sizeof(*r->columns));
        if (!r->columns)
                return -ENOMEM;
        r->n_columns = m->n_columns;
        for (size_t i = 0; q == 0 && i < m->n_columns; i++)
                q = ogr_column_find(&r->layer, m->columns[i].name, r->columns + i, error);
        return q;
}

int ogr_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        OgrConnection *c = (OgrConnection *) connection;
        _cleanup_(readerp) OgrReader *r = calloc(1, sizeof(*r));
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &ogr_gdal_connector;
        r->own.system = c->system;
        r->fd = -EBADF;
        q = ogr_mapping_refuse(plan->mapping, plan->pair, error);
        if (q == 0)
                q = ogr_dataset_open(c->system, false, &r->own, error);
        if (q == 0)
                q = ogr_layer_open(&r->own, plan->mapping->from, &r->layer, error);
        if (q == 0)
                q = table_check_source(r->layer.table, NULL, plan->pair, plan->mapping, NULL, error);
        if (q == 0)
                q = columns_find(r, plan->mapping, error);
        if (q == 0)
                q = where_set(r, plan, error);
        if (q == 0)
                q = others_ignore(r, plan->mapping->where);
        if (q == 0)
                q = dbf_begin(r, plan->mapping->from, error);
        if (q < 0)
                return q;
        OGR_L_ResetReading(r->layer.handle);
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

static int end_check(OgrReader *r, Error *error) {
        r->at_end = true;
        if (CPLGetLastErrorType() >= CE_Failure)
                return ogr_fail(r->own.system, "cannot read on", error);
        return r->fd >= 0 ? file_check_unchanged(r->fd, &r->identity, r->path, error) : 0;
}

int ogr_reader_next(Reader *reader, Value *values, Error *error) {
        OgrReader *r = (OgrReader *) reader;
        int q = 0;

        if (r->at_end)
                return 0;
        if (r->feature)
                OGR_F_Destroy(r->feature);
        CPLErrorReset();
        r->feature = OGR_L_GetNextFeature(r->layer.handle);
        if (!r->feature)
                return end_check(r, error);
        for (size_t i = 0; q == 0 && i < r->n_columns; i++)
                q = ogr_value_read(r->feature, r->columns + i, r->layer.srid, &r->wkb, r->dbf, values + i);
        if (q == 0 || q == -ENOMEM)
                return q == 0 ? 1 : q;
        return error_set(error, ERROR_FILE_FORMAT, "Write the layer anew with ogr2ogr",
                         "System \"%s\": feature %lld of layer \"%s\" cannot be read", r->own.system->name,
                         (long long) OGR_F_GetFID(r->feature), r->layer.table->name);
}
