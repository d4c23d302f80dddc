/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* GeoJSON files as layers: what reading and writing share. A file is a layer; its columns are the properties that its features
 * have, `id` (unless a property is called so) and `geometry`. In the worker. */
#include "connect/file.h"
#include "connect/ogr-features.h"
#include "connect/ogr-json.h"
#include "connect/ogr.h"

#define GEOJSON_MEMORY_MAX (256U * 1024 * 1024) /* of one feature as a tree: its numbers are items */

typedef struct GeojsonConnection {
        Connection base;
        const System *system;
        bool is_folder, may_write;
        uint32_t srid;  /* of the system's options; 0: none */
        /* of the transaction */
        char *path, *new_path; /* the file, and the one that takes its place */
} GeojsonConnection;

/* One feature as a tree; an error names the line. */
_must_check_ int geojson_parse(const FeatureFile *f, const char *path, const char *bytes, size_t size, Arena *arena, const JsonItem **ret,
                               Error *error);
/* The value of a column. wkb: for its geometry, which the value borrows. -ENOMEM. */
_must_check_ int geojson_column(const JsonItem *feature, const char *name, uint32_t srid, TextBuffer *wkb, Value *ret);
/* The reference system of a file: its own, else the system's, else WGS 84 as RFC 7946 has it. */
uint32_t geojson_file_srid(const GeojsonConnection *c, const FeatureFile *f, Arena *arena);

int geojson_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int geojson_reader_next(Reader *reader, Value *values, Error *error);
void geojson_reader_close(Reader *reader);
int geojson_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void geojson_writer_close(Writer *writer);
int geojson_count(Writer *writer, uint64_t *ret, Error *error);
int geojson_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int geojson_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
int geojson_begin(Connection *connection, Error *error);
int geojson_commit(Connection *connection, Error *error);
int geojson_rollback(Connection *connection);
