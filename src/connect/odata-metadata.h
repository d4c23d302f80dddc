/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an OData service says of itself ($metadata, CSDL XML 4.0): its entity sets with their properties, keys and
 * navigations. Pure; in the worker. Everything lives in one arena.
 * Source: OData CSDL XML Representation 4.01. */
#include "connect/table.h"

typedef enum EdmType {
        EDM_STRING, EDM_BOOLEAN, EDM_INTEGER, EDM_INT64, EDM_DECIMAL, EDM_DOUBLE, EDM_DATE, EDM_TIME_OF_DAY,
        EDM_DATE_TIME_OFFSET, EDM_GUID, EDM_BINARY,
        EDM_ENUM,       /* its members' names, as text */
        EDM_DURATION,   /* as text */
        EDM_STRUCTURE,  /* complex types and collections: as JSON */
        EDM_GEO,        /* not read yet */
        EDM_STREAM,     /* has no value in a record */
} EdmType;

typedef struct ODataProperty {
        const char *name, *type_name;   /* "Edm.Decimal(18,2)", "Collection(Edm.String)" */
        EdmType type;
        unsigned key_place;             /* 1-based; 0: not of the key */
        int precision, scale;           /* of decimals; precision: digits of a second's fraction, too; -1: not told */
        bool required;                  /* not nullable, no default */
        bool computed;                  /* the service gives its value */
} ODataProperty;

typedef struct ODataNavigation {
        const char *name, *type_name;   /* of the entity type, without Collection() */
        bool is_collection;
        const struct { const char *property, *referenced; } *constraints;
        size_t n_constraints;
} ODataNavigation;

typedef struct ODataSet {
        const char *name, *type_name;
        const ODataProperty *properties;
        size_t n_properties, n_key;
        const ODataNavigation *navigations;
        size_t n_navigations;
} ODataSet;

typedef struct ODataService {
        const ODataSet *sets;
        size_t n_sets;
} ODataService;

/* ERROR_FILE_FORMAT: no XML, no CSDL, a type that is not described. */
_must_check_ int odata_metadata_parse(const char *bytes, size_t size, Arena *arena, const ODataService **ret, Error *error);
const ODataSet *odata_set(const ODataService *service, const char *name);       /* NULL */
const ODataProperty *odata_property(const ODataSet *set, const char *name);     /* by its exact name; NULL */
const ODataProperty *odata_key(const ODataSet *set, unsigned place);            /* 1 to n_key */
/* As a Table, for the checks that all kinds share. -ENOMEM. */
_must_check_ int odata_set_table(const ODataSet *set, Table **ret);
/* ERROR_TABLE_MISSING with the nearest name. */
int odata_set_missing(const ODataService *service, const char *name, const char *system, Error *error);
