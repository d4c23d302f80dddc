/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-geojson.h"

#include <sys/stat.h>

#include "basic/text.h"
#include "connect/ogr-database.h"

#define COLUMN_ID       "id"
#define COLUMN_GEOMETRY "geometry"

static void geojson_close(Connection *connection) {
        (void) geojson_rollback(connection);
        free(connection);
}

static int geojson_open(const System *system, bool write, Connection **ret, Error *error) {
        GeojsonConnection *c;
        struct stat st;
        int r;

        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Check path: of the system, and that the service may read it",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->base.connector = &ogr_geojson_connector;
        c->system = system;
        c->is_folder = S_ISDIR(st.st_mode);
        c->may_write = write;
        r = ogr_system_srid(system, &c->srid, error);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret = &c->base;
        return 0;
}

int geojson_parse(const FeatureFile *f, const char *path, const char *bytes, size_t size, Arena *arena, const JsonItem **ret, Error *error) {
        int r;

        r = json_item_parse(bytes, size, GEOJSON_MEMORY_MAX, arena, ret, error);
        return r < 0 && r != -ENOMEM ? error_at(error, path, (unsigned) features_line(f), 0) : r;
}

int geojson_column(const JsonItem *feature, const char *name, uint32_t srid, TextBuffer *wkb, Value *ret) {
        const JsonItem *property = json_item_member(json_item_member(feature, "properties"), name), *geometry;
        int r;

        if (!property && text_equal(name, COLUMN_ID))
                property = json_item_member(feature, COLUMN_ID);
        if (property || !text_equal(name, COLUMN_GEOMETRY)) {
                *ret = json_value(property);
                return 0;
        }
        geometry = json_item_member(feature, COLUMN_GEOMETRY);
        if (!geometry || geometry->kind == JSON_ITEM_NULL) {
                *ret = value_null();
                return 0;
        }
        r = geojson_geometry(geometry, srid, wkb);
        if (r == 0)
                *ret = (Value){.type = VALUE_GEOMETRY, .bytes = wkb->bytes, .size = wkb->size};
        else if (r == -EBADMSG) /* as it stands there: the field's type makes a finding of it */
                *ret = value_text(geometry->text, geometry->size);
        return r == -EBADMSG ? 0 : r;
}

uint32_t geojson_file_srid(const GeojsonConnection *c, const FeatureFile *f, Arena *arena) {
        const JsonItem *crs = NULL;
        uint32_t srid = 0;
        const char *bytes;
        size_t size;

        bytes = features_crs(f, &size);
        if (bytes && json_item_parse(bytes, size, GEOJSON_MEMORY_MAX, arena, &crs, NULL) == 0)
                srid = geojson_srid(crs);
        return srid ? srid : c->srid ? c->srid : 4326;
}

/* ---- reading ---- */

typedef struct GeojsonReader {
        Reader base;
        const Mapping *mapping;
        char *path;
        int fd;
        FileIdentity identity;
        FeatureFile *features;
        Arena *arena; /* of the present feature */
        TextBuffer wkb;
        uint32_t srid;
        bool at_end;
} GeojsonReader;

void geojson_reader_close(Reader *reader) {
        GeojsonReader *r = (GeojsonReader *) reader;

        features_close(r->features);
        arena_free(r->arena);
        text_buffer_done(&r->wkb);
        closep(&r->fd);
        free(r->path);
        free(r);
}

static void readerp(GeojsonReader **r) {
        if (*r)
                geojson_reader_close(&(*r)->base);
}

static int names_add(Table *t, const JsonItem *feature) {
        const JsonItem *properties = json_item_member(feature, "properties");

        for (const JsonItem *p = properties ? properties->first : NULL; p; p = p->next)
                if (!table_column(t, p->name) && !table_column_add(t, p->name))
                        return -ENOMEM;
        return 0;
}

static bool has_all(const Table *t, const Mapping *m) {
        for (size_t i = 0; i < m->n_columns; i++)
                if (!table_column(t, m->columns[i].name))
                        return false;
        return true;
}

/* Features need not have the same properties: looked at until each mapped column was met, or to the end. */
static int table_find(GeojsonReader *r, Table **ret, Error *error) {
        _cleanup_(features_closep) FeatureFile *f = NULL;
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(*t));
        const JsonItem *feature;
        const char *bytes;
        size_t size;
        int q;

        if (!t || !(t->name = strdup(r->path)) || !table_column_add(t, COLUMN_ID) || !table_column_add(t, COLUMN_GEOMETRY))
                return -ENOMEM;
        t->exact_names = true;
        q = features_open(r->fd, r->path, &f, error);
        while (q >= 0 && !has_all(t, r->mapping) && (q = features_next(f, &bytes, &size, error)) > 0) {
                arena_reset(r->arena);
                q = geojson_parse(f, r->path, bytes, size, r->arena, &feature, error);
                if (q == 0)
                        q = names_add(t, feature);
        }
        if (q < 0)
                return q;
        *ret = TAKE_PTR(t);
        return 0;
}

static int reader_new(GeojsonConnection *c, const Pair *pair, const Mapping *m, json_t *report, GeojsonReader **ret, Error *error) {
        _cleanup_(readerp) GeojsonReader *r = calloc(1, sizeof(*r));
        _cleanup_(table_freep) Table *table = NULL;
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &ogr_geojson_connector;
        r->mapping = m;
        r->fd = -EBADF;
        q = ogr_mapping_refuse(m, pair, error);
        if (q == 0 && m->where) {
                q = error_set(error, ERROR_MAPPING, "Load the file into a database to filter it", "Entity \"%s\" reads a GeoJSON file, which knows no where:", m->entity);
                if (pair)
                        q = error_at(error, pair->file, m->line, m->column);
        }
        if (q == 0)
                q = arena_new(&r->arena);
        if (q == 0)
                q = file_table_open(c->system, c->is_folder, m->from, &r->path, &r->fd, error);
        if (q == 0)
                q = file_identity_read(r->fd, &r->identity);
        if (q == 0)
                q = table_find(r, &table, error);
        if (q == 0)
                q = table_check_source(table, NULL, pair, m, report, error);
        if (q == 0)
                q = features_open(r->fd, r->path, &r->features, error);
        if (q < 0)
                return q;
        r->srid = geojson_file_srid(c, r->features, r->arena);
        *ret = TAKE_PTR(r);
        return 0;
}

int geojson_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        GeojsonReader *r = NULL;
        int q;

        q = reader_new((GeojsonConnection *) connection, plan->pair, plan->mapping, NULL, &r, error);
        if (q == 0)
                *ret = &r->base;
        return q;
}

int geojson_reader_next(Reader *reader, Value *values, Error *error) {
        GeojsonReader *r = (GeojsonReader *) reader;
        const JsonItem *feature;
        const char *bytes;
        size_t size;
        int q;

        if (r->at_end)
                return 0;
        q = features_next(r->features, &bytes, &size, error);
        if (q == 0)
                r->at_end = true;
        if (q <= 0)
                return q < 0 ? q : file_check_unchanged(r->fd, &r->identity, r->path, error);
        arena_reset(r->arena);
        q = geojson_parse(r->features, r->path, bytes, size, r->arena, &feature, error);
        for (size_t i = 0; q == 0 && i < r->mapping->n_columns; i++)
                q = geojson_column(feature, r->mapping->columns[i].name, r->srid, &r->wkb, values + i);
        return q < 0 ? q : 1;
}

/* ---- checking ---- */

static int geojson_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        GeojsonConnection *c = (GeojsonConnection *) connection;
        _cleanup_(readerp) GeojsonReader *r = NULL;
        _cleanup_free_ char *what = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        Writer *writer = NULL;
        int q;

        if (asprintf(&what, "file %s", target ? m->to : m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (target) {
                q = geojson_writer_open(connection, m, &writer, &failure);
                if (writer)
                        geojson_writer_close(writer);
        } else
                q = reader_new(c, pair, m, report, &r, &failure);
        if (q < 0)
                return q == -ENOMEM ? q : report_add_error(report, what, &failure);
        if (json_array_size(report) > n_before)
                return 0;
        return report_add(report, what, true, target ? "Can be written" : "Can be read", NULL);
}

static int geojson_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error) {
        const GeojsonConnection *c = (const GeojsonConnection *) connection;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        r = file_table_open(c->system, c->is_folder, m->from, &path, &fd, error);
        if (r < 0)
                return r;
        r = file_digest(fd, ret);
        return r < 0 && r != -ENOMEM ? error_set(error, ERROR_IO, NULL, "Cannot read \"%s\": %s", path, strerror(-r)) : r;
}

const Connector ogr_geojson_connector = {
        .kind = "ogr",
        .summary = "GeoJSON files",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FULL,
        .open = geojson_open,
        .close = geojson_close,
        .check = geojson_check,
        .content_digest = geojson_content_digest,
        .reader_open = geojson_reader_open,
        .reader_next = geojson_reader_next,
        .reader_close = geojson_reader_close,
        .writer_open = geojson_writer_open,
        .writer_close = geojson_writer_close,
        .count = geojson_count,
        .fetch = geojson_fetch,
        .begin = geojson_begin,
        .write = geojson_write,
        .commit = geojson_commit,
        .rollback = geojson_rollback,
};
