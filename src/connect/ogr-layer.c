/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets and layers as GDAL has them, described in our words. */
#include "connect/ogr-database.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <ogr_srs_api.h>
#include <pthread.h>
#include <sys/stat.h>

#define MATCH_SURE 90 /* of 100: how sure GDAL is that a .prj without a code is that system */

static const char *const drivers[] = {"GPKG", "ESRI Shapefile", "OpenFileGDB", "FlatGeobuf", NULL};

static void CPL_STDCALL be_quiet(CPLErr class, CPLErrorNum number, const char *message) {}

/* Of the library, but declared in headers for C++ only. All 200 drivers would take 60 ms. */
void RegisterOGRFlatGeobuf(void);
void RegisterOGRGeoPackage(void);
void RegisterOGROpenFileGDB(void);
void RegisterOGRShape(void);

static void register_drivers(void) {
        (void) CPLSetErrorHandler(be_quiet); /* what fails is told by us */
        RegisterOGRFlatGeobuf();
        RegisterOGRGeoPackage();
        RegisterOGROpenFileGDB();
        RegisterOGRShape();
}

int ogr_fail(const System *system, const char *what, Error *error) {
        const char *message = CPLGetLastErrorMsg();
        bool busy = message && (strstr(message, "locked") || strstr(message, "busy"));

        return error_set(error, busy ? ERROR_SYSTEM_BUSY : ERROR_FILE_FORMAT,
                         busy ? "Another program holds the file; it is tried again, or close it there"
                              : "Check path: of the system, or open the file with ogrinfo",
                         "System \"%s\" (%s): %s: %s", system->name, system->path, what,
                         message && *message ? message : "GDAL does not say why");
}

static int driver_missing(const System *system, Error *error) {
        for (size_t i = 0; drivers[i]; i++)
                if (!GDALGetDriverByName(drivers[i]))
                        return error_set(error, ERROR_CONFIGURATION, "Install a GDAL that has it: apt install libgdal32",
                                         "System \"%s\": GDAL has no driver \"%s\"", system->name, drivers[i]);
        return 0;
}

int ogr_dataset_open(const System *system, bool write, OgrConnection *c, Error *error) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        const char *encoding = json_string_value(json_object_get(system->options, "encoding"));
        char **options = NULL;
        struct stat st;
        int r;

        if (stat(system->path, &st) < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Check path: of the system; a dataset is never created",
                                 "System \"%s\": cannot find \"%s\": %m", system->name, system->path);
        (void) pthread_once(&once, register_drivers);
        r = driver_missing(system, error);
        if (r < 0)
                return r;
        if (encoding)
                options = CSLSetNameValue(options, "ENCODING", encoding);
        CPLErrorReset();
        c->dataset = GDALOpenEx(system->path, GDAL_OF_VECTOR | (write ? GDAL_OF_UPDATE : GDAL_OF_READONLY), drivers,
                                (const char *const *) options, NULL);
        CSLDestroy(options);
        if (!c->dataset && write && access(system->path, W_OK) < 0)
                return error_set(error, ERROR_SYSTEM_READ_ONLY, "Give the service write permission to the file and its folder",
                                 "System \"%s\": \"%s\" cannot be written", system->name, system->path);
        if (!c->dataset)
                return ogr_fail(system, "cannot open it as GeoPackage, Shapefile, file geodatabase or FlatGeobuf", error);
        c->is_shapefile = text_equal(GDALGetDriverShortName(GDALGetDatasetDriver(c->dataset)), "ESRI Shapefile");
        c->is_geopackage = text_equal(GDALGetDriverShortName(GDALGetDatasetDriver(c->dataset)), "GPKG");
        return 0;
}

int ogr_system_srid(const System *system, uint32_t *ret, Error *error) {
        const char *text = json_string_value(json_object_get(system->options, "srid"));
        int64_t number;

        *ret = 0;
        if (!text)
                return 0;
        if (text_to_int64(text_starts_with(text, "EPSG:") || text_starts_with(text, "ESRI:") ? text + 5 : text, 1, 999999,
                          &number) < 0)
                return error_set(error, ERROR_CONFIGURATION, "Write it as EPSG:2927 or ESRI:102748",
                                 "System \"%s\": srid: \"%s\" is no coordinate system", system->name, text);
        *ret = (uint32_t) number;
        return 0;
}

static uint32_t code_of(OGRSpatialReferenceH system) {
        const char *authority = OSRGetAuthorityName(system, NULL), *code = OSRGetAuthorityCode(system, NULL);
        int64_t number;

        if (!authority || !code || (!text_equal(authority, "EPSG") && !text_equal(authority, "ESRI")) ||
            text_to_int64(code, 1, 999999, &number) < 0)
                return 0;
        return (uint32_t) number;
}

/* A .prj says what the system is and not what it is called: GDAL looks for the one like it. */
static uint32_t code_guess(OGRSpatialReferenceH system) {
        int *sure = NULL, n = 0;
        OGRSpatialReferenceH *matches = OSRFindMatches(system, NULL, &n, &sure);
        uint32_t code = n > 0 && sure[0] >= MATCH_SURE ? code_of(matches[0]) : 0;

        OSRFreeSRSArray(matches);
        CPLFree(sure);
        return code;
}

static int srid_find(OgrConnection *c, OgrLayer *l, Error *error) {
        OGRSpatialReferenceH system = OGR_L_GetSpatialRef(l->handle);
        uint32_t told = 0;
        int r;

        if (l->geometry == wkbNone)
                return 0;
        r = ogr_system_srid(c->system, &told, error);
        if (r < 0)
                return r;
        l->srid = system ? code_of(system) : 0;
        if (l->srid == 0 && system)
                l->srid = code_guess(system);
        if (l->srid == 0)
                l->srid = told;
        return 0;
}

static int srid_require(const OgrConnection *c, const OgrLayer *l, Error *error) {
        if (l->srid != 0 || l->geometry == wkbNone)
                return 0;
        return error_set(error, ERROR_CONFIGURATION, "Say what it is: srid: EPSG:2927 in the system's configuration (a Shapefile needs a .prj)",
                         "System \"%s\": layer \"%s\" names no coordinate system that is known by a number",
                         c->system->name, l->table->name);
}

static bool is_list(OGRFieldType type) {
        return type == OFTIntegerList || type == OFTInteger64List || type == OFTRealList || type == OFTStringList;
}

static int field_describe(OGRFieldDefnH field, TableColumn *column) {
        OGRFieldType type = OGR_Fld_GetType(field);
        OGRFieldSubType subtype = OGR_Fld_GetSubType(field);
        const char *name = subtype == OFSTNone ? OGR_GetFieldTypeName(type) : OGR_GetFieldSubTypeName(subtype);
        int width = OGR_Fld_GetWidth(field), precision = OGR_Fld_GetPrecision(field), n;

        if (width > 0 && precision > 0)
                n = asprintf(&column->type, "%s(%d,%d)", name, width, precision);
        else if (width > 0)
                n = asprintf(&column->type, "%s(%d)", name, width);
        else
                n = asprintf(&column->type, "%s", name);
        if (n < 0) {
                column->type = NULL;
                return -ENOMEM;
        }
        column->required = !OGR_Fld_IsNullable(field) && !OGR_Fld_GetDefault(field);
        return 0;
}

static int table_describe(OgrLayer *l) {
        OGRFeatureDefnH definition = OGR_L_GetLayerDefn(l->handle);
        TableColumn *column;

        column = table_column_add(l->table, l->fid_name);
        if (!column || !(column->type = strdup("Integer64")))
                return -ENOMEM;
        column->key_place = 1;
        for (int i = 0; i < OGR_FD_GetFieldCount(definition); i++) {
                OGRFieldDefnH field = OGR_FD_GetFieldDefn(definition, i);

                column = table_column_add(l->table, OGR_Fld_GetNameRef(field));
                if (!column || field_describe(field, column) < 0)
                        return -ENOMEM;
        }
        if (l->geometry == wkbNone)
                return 0;
        column = table_column_add(l->table, l->geometry_name);
        return column && asprintf(&column->type, "%s %s:%u", OGRGeometryTypeToName(l->geometry),
                                  l->srid <= 32767 ? "EPSG" : "ESRI", l->srid) > 0
                       ? 0
                       : -ENOMEM;
}

static int layer_missing(OgrConnection *c, const char *name, Error *error) {
        _cleanup_strings_ char **names = NULL;
        int r = 0;

        for (int i = 0; r == 0 && i < GDALDatasetGetLayerCount(c->dataset); i++)
                r = strings_append(&names, OGR_L_GetName(GDALDatasetGetLayer(c->dataset, i)));
        return r < 0 ? r : table_missing("layer", name, c->system->name, names, error);
}

static const char *name_or(const char *name, const char *otherwise) { return name && *name ? name : otherwise; }

int ogr_layer_look(OgrConnection *c, const char *name, OgrLayer *ret, Error *error) {
        OgrLayer l = {.handle = GDALDatasetGetLayerByName(c->dataset, name)};
        int r;

        if (!l.handle)
                return layer_missing(c, name, error);
        l.geometry = OGR_L_GetGeomType(l.handle);
        l.fid_name = name_or(OGR_L_GetFIDColumn(l.handle), OGR_FID_NAME);
        l.geometry_name = name_or(OGR_L_GetGeometryColumn(l.handle), OGR_GEOMETRY_NAME);
        l.table = calloc(1, sizeof(*l.table));
        if (!l.table || !(l.table->name = strdup(name))) {
                ogr_layer_done(&l);
                return -ENOMEM;
        }
        r = srid_find(c, &l, error);
        if (r == 0)
                r = table_describe(&l);
        if (r < 0) {
                ogr_layer_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

int ogr_layer_open(OgrConnection *c, const char *name, OgrLayer *ret, Error *error) {
        int r;

        r = ogr_layer_look(c, name, ret, error);
        if (r == 0) {
                r = srid_require(c, ret, error);
                if (r < 0)
                        ogr_layer_done(ret);
        }
        return r;
}

void ogr_layer_done(OgrLayer *l) {
        l->table = table_free(l->table);
        l->handle = NULL;
}

int ogr_column_find(const OgrLayer *l, const char *name, OgrColumn *ret, Error *error) {
        OGRFeatureDefnH definition = OGR_L_GetLayerDefn(l->handle);
        OGRFieldDefnH field;
        int index = OGR_FD_GetFieldIndex(definition, name);

        if (index < 0) {
                *ret = (OgrColumn){.place = text_equal_ignoring_case(name, l->fid_name) ? OGR_PLACE_FID : OGR_PLACE_GEOMETRY};
                return 0;
        }
        field = OGR_FD_GetFieldDefn(definition, index);
        *ret = (OgrColumn){
                .place = OGR_PLACE_FIELD,
                .index = index,
                .type = OGR_Fld_GetType(field),
                .subtype = OGR_Fld_GetSubType(field),
                .width = OGR_Fld_GetWidth(field),
        };
        if (!is_list(ret->type))
                return 0;
        return error_set(error, ERROR_NOT_YET, "Map another column, or make it a JSON text at the source",
                         "Column \"%s\" of layer \"%s\" is a list, which is not there yet", name, l->table->name);
}
