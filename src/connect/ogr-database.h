/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the OGR connector share for data that GDAL reads: dataset, layer, features. In the worker. */
#include <gdal.h>
#include <ogr_api.h>

#include "basic/text.h"
#include "connect/file.h"
#include "connect/ogr.h"
#include "connect/ogr-dbf.h"
#include "connect/real.h"
#include "model/geometry.h"

#define OGR_GEOMETRY_NAME "geometry" /* of a layer's geometry where the format gives it no name */
#define OGR_FID_NAME      "fid"      /* of a feature's number where the format gives it no name */

typedef struct OgrConnection {
        Connection base;
        const System *system;
        GDALDatasetH dataset;
        bool is_shapefile, is_geopackage, in_transaction;
} OgrConnection;

/* Where a mapped column is in a layer. */
typedef enum OgrPlace { OGR_PLACE_FIELD, OGR_PLACE_FID, OGR_PLACE_GEOMETRY } OgrPlace;
typedef struct OgrColumn {
        OgrPlace place;
        int index; /* of the field */
        OGRFieldType type;
        OGRFieldSubType subtype;
        int width;
        char text[REAL_TEXT_MAX]; /* of a number that no decimal holds */
} OgrColumn;

typedef struct OgrLayer {
        OGRLayerH handle;
        uint32_t srid; /* of its geometry; 0: it has none */
        OGRwkbGeometryType geometry; /* wkbNone: none */
        const char *fid_name, *geometry_name;
        Table *table;
} OgrLayer;

/* GDAL's last message as one of ours. what: "cannot read on". */
int ogr_fail(const System *system, const char *what, Error *error);
/* Registers drivers, opens the dataset. ERROR_SYSTEM_UNAVAILABLE, ERROR_FILE_FORMAT, ERROR_CONFIGURATION (a driver is missing). */
_must_check_ int ogr_dataset_open(const System *system, bool write, OgrConnection *c, Error *error);
/* Finds a layer and describes it. A geometry without a known reference system is refused unless the system names one (srid:).
 * ERROR_TABLE_MISSING with the nearest name. */
_must_check_ int ogr_layer_open(OgrConnection *c, const char *name, OgrLayer *ret, Error *error);
/* The same for who only wants to know what is there: srid may stay 0. */
_must_check_ int ogr_layer_look(OgrConnection *c, const char *name, OgrLayer *ret, Error *error);
void ogr_layer_done(OgrLayer *l);
/* The place of a column that the table has. ERROR_NOT_YET: its type is a list. */
_must_check_ int ogr_column_find(const OgrLayer *l, const char *name, OgrColumn *ret, Error *error);
/* srid: of the system's options; 0: none. ERROR_CONFIGURATION: it cannot be one. */
_must_check_ int ogr_system_srid(const System *system, uint32_t *ret, Error *error);

/* A buffer for the WKB of one geometry, grown and used again. */
typedef struct OgrWkb {
        char *bytes;
        size_t capacity;
} OgrWkb;
/* One value of a feature; text and bytes are the feature's own, or the buffer's. dbf: its numbers as the file writes them, or NULL.
 * -ENOMEM; -EBADMSG: a geometry that has no WKB. */
_must_check_ int ogr_value_read(OGRFeatureH feature, OgrColumn *column, uint32_t srid, OgrWkb *wkb, DbfFile *dbf, Value *ret);
/* Sets one value of a feature that is to be written. ERROR_RECORD_REFUSED where the layer cannot hold it exactly. */
_must_check_ int ogr_value_write(OGRFeatureH feature, const OgrLayer *l, const OgrColumn *column, const char *name, const Value *value, Error *error);

/* What ogr_gdal_connector consists of, beside connection and check. */
int ogr_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int ogr_reader_next(Reader *reader, Value *values, Error *error);
void ogr_reader_close(Reader *reader);
int ogr_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void ogr_writer_close(Writer *writer);
int ogr_count(Writer *writer, uint64_t *ret, Error *error);
int ogr_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int ogr_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);
int ogr_begin(Connection *connection, Error *error);
int ogr_commit(Connection *connection, Error *error);
int ogr_rollback(Connection *connection);
/* What the connector has no SQL for is refused by name: joins, watermarks. */
_must_check_ int ogr_mapping_refuse(const Mapping *m, const Pair *pair, Error *error);

/* The connectors that ogr_open() chooses from. */
extern const Connector ogr_gdal_connector, ogr_geojson_connector, ogr_service_connector;
