/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses by what the system names, and is itself the connector of what GDAL reads. */
#include "connect/ogr-database.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "build-config.h"
#include "connect/module.h"

static void ogr_close(Connection *connection) {
        OgrConnection *c = (OgrConnection *) connection;

        (void) ogr_rollback(connection);
        if (c->dataset)
                (void) GDALClose(c->dataset);
        free(c);
}

static int gdal_open(const System *system, bool write, Connection **ret, Error *error) {
        OgrConnection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &ogr_gdal_connector;
        c->system = system;
        r = ogr_dataset_open(system, write, c, error);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret = &c->base;
        return 0;
}

static bool name_ends(const char *name, const char *end) {
        size_t size = strlen(name), n = strlen(end);

        return size >= n && text_equal_ignoring_case(name + size - n, end);
}

/* A file by its name; a folder unless there is a file of GDAL's in it: an empty one gets its first GeoJSON file. */
static bool is_geojson(const char *path) {
        struct dirent *entry;
        struct stat st;
        bool found = true;
        DIR *folder;

        if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                return name_ends(path, ".geojson") || name_ends(path, ".json");
        folder = opendir(path);
        while (folder && found && (entry = readdir(folder)))
                found = !name_ends(entry->d_name, ".shp") && !name_ends(entry->d_name, ".dbf") && !name_ends(entry->d_name, ".gdbtable");
        if (folder)
                (void) closedir(folder);
        return found;
}

static int ogr_open(const System *system, bool write, Connection **ret, Error *error) {
        if (json_object_get(system->options, "url"))
                return ogr_service_connector.open(system, write, ret, error);
        if (!system->path)
                return error_set(error, ERROR_CONFIGURATION, "Add path: with the file or folder, or url: of a FeatureServer", "System \"%s\" has no path",
                                 system->name);
        if (is_geojson(system->path))
                return ogr_geojson_connector.open(system, write, ret, error);
        return gdal_open(system, write, ret, error);
}

/* ---- checking ---- */

static int check_source(OgrConnection *c, const Pair *pair, const Mapping *m, json_t *report) {
        _cleanup_free_ char *what = NULL, *message = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        const ReadPlan plan = {.pair = pair, .mapping = m};
        Reader *reader = NULL;
        OgrLayer layer = {};
        int r;

        if (asprintf(&what, "layer %s", m->from) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        r = ogr_mapping_refuse(m, pair, &failure);
        if (r == 0)
                r = ogr_layer_open(c, m->from, &layer, &failure);
        if (r == 0)
                r = table_check_source(layer.table, NULL, pair, m, report, &failure);
        ogr_layer_done(&layer);
        if (r == 0 && json_array_size(report) > n_before)
                return 0;
        if (r == 0)
                r = ogr_reader_open(&c->base, &plan, &reader, &failure);
        if (reader)
                ogr_reader_close(reader);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, what, &failure);
        if (asprintf(&message, "Can be read: %zu columns", m->n_columns) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, NULL);
}

static int check_target(OgrConnection *c, const Mapping *m, json_t *report) {
        _cleanup_error_ Error failure = {};
        Writer *writer = NULL;
        OgrLayer layer = {};
        int r;

        r = ogr_layer_open(c, m->to, &layer, &failure);
        ogr_layer_done(&layer);
        if (r == 0)
                r = ogr_writer_open(&c->base, m, &writer, &failure);
        if (writer)
                ogr_writer_close(writer);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, m->to, &failure);
        return report_add(report, m->to, true, "Can be written", NULL);
}

static int gdal_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        OgrConnection *c = (OgrConnection *) connection;

        return target ? check_target(c, m, report) : check_source(c, pair, m, report);
}

static int gdal_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret, Error *error) {
        OgrLayer layer = {};
        int r;

        r = ogr_layer_look((OgrConnection *) connection, table, &layer, error);
        if (r == 0)
                *ret = TAKE_PTR(layer.table);
        ogr_layer_done(&layer);
        return r;
}

/* ---- what the data consists of: all files of the dataset ---- */

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *) a, *(char *const *) b); }

static int names_of(const char *path, char ***ret) {
        const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
        _cleanup_free_ char *folder = NULL, *stem = NULL;
        _cleanup_strings_ char **names = NULL;
        struct dirent *entry;
        struct stat st;
        DIR *d;
        int r = 0;

        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                folder = strdup(path);
        else {
                folder = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
                stem = dot && dot > slash ? strndup(slash ? slash + 1 : path, (size_t) (dot - (slash ? slash : path - 1) - 1)) : strdup(slash ? slash + 1 : path);
                if (!stem)
                        return -ENOMEM;
        }
        d = folder ? opendir(folder) : NULL;
        if (!d)
                return folder ? -errno : -ENOMEM;
        while (r == 0 && (entry = readdir(d))) {
                _cleanup_free_ char *whole = NULL;

                if (entry->d_name[0] == '.' || (stem && !text_starts_with(entry->d_name, stem)) || name_ends(entry->d_name, "-shm"))
                        continue;
                if (asprintf(&whole, "%s/%s", folder, entry->d_name) < 0) {
                        whole = NULL;
                        r = -ENOMEM;
                } else
                        r = strings_append(&names, whole);
        }
        (void) closedir(d);
        if (r == 0 && names)
                qsort(names, strings_count(names), sizeof(char *), compare_names);
        *ret = TAKE_PTR(names);
        return r;
}

static int gdal_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error) {
        const System *system = ((OgrConnection *) connection)->system;
        _cleanup_free_ Digest *digests = NULL;
        _cleanup_strings_ char **names = NULL;
        size_t n, n_digests = 0;
        int r;

        r = names_of(system->path, &names);
        n = strings_count(names);
        digests = calloc(n + 1, sizeof(*digests));
        if (!digests)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < n; i++) {
                _cleanup_close_ int fd = open(names[i], O_RDONLY | O_CLOEXEC | O_NOCTTY);

                r = fd < 0 ? -errno : file_digest(fd, digests + n_digests);
                if (r == -EISDIR)
                        r = 0;
                n_digests++;
        }
        if (r < 0)
                return r == -ENOMEM ? r : error_set(error, ERROR_IO, NULL, "System \"%s\": cannot read \"%s\": %s", system->name, system->path, strerror(-r));
        bytes_digest(digests, n_digests * sizeof(*digests), ret);
        return 0;
}

const Connector ogr_gdal_connector = {
        .kind = "ogr",
        .summary = "A GeoPackage, Shapefile, file geodatabase or FlatGeobuf file",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FULL,
        .open = gdal_open,
        .close = ogr_close,
        .check = gdal_check,
        .describe = gdal_describe,
        .content_digest = gdal_content_digest,
        .reader_open = ogr_reader_open,
        .reader_next = ogr_reader_next,
        .reader_close = ogr_reader_close,
        .writer_open = ogr_writer_open,
        .writer_close = ogr_writer_close,
        .count = ogr_count,
        .fetch = ogr_fetch,
        .begin = ogr_begin,
        .write = ogr_write,
        .commit = ogr_commit,
        .rollback = ogr_rollback,
};

const Connector ogr_connector = {
        .kind = "ogr",
        .summary = "Layers of geographic data: GeoPackage, Shapefile, GeoJSON, ArcGIS FeatureServer",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE),
        .default_strategy = DETECT_FULL,
        .open = ogr_open,
};

CONNECTOR_MODULE(ogr);
