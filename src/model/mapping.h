/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A mapping: one entity of a pair, as config/pairs.c reads it from the file. Plain data, owned by its pair, read-only later. */
#include "basic/csv.h"
#include "basic/pattern.h"
#include "model/geometry.h"
#include "model/value.h"

/* A column that is read at the source: "hood_cd" (alias is the entity's own table) or "owner.owner_id" (of a join). */
typedef struct MappingColumn {
        char *join;             /* name of the join, NULL: the entity's own table */
        char *name;
        unsigned line, column;  /* where it was first named */
} MappingColumn;

typedef struct MappingPair { char *left, *right; } MappingPair;         /* by: {left column of the joined table: right column} */

typedef struct MappingJoin {
        char *name;             /* alias in `from:` */
        char *from;             /* table */
        MappingPair *by;        /* right is "column" of the entity's table or "join.column" of an earlier join */
        size_t n_by;
        char **order;           /* column names, "-name" descending; NULL */
        bool take_first;        /* at most one row, the first by order */
        bool optional;          /* left join */
        char *watermark;        /* its own watermark column, or NULL */
        unsigned line, column;
} MappingJoin;

/* A code table: rows of code → value, sorted by code for bsearch. */
typedef struct LookupRow { char *code, *value; } LookupRow;
typedef enum LookupOtherwise { LOOKUP_ERROR, LOOKUP_NULL, LOOKUP_KEEP, LOOKUP_TEXT } LookupOtherwise;
typedef struct Lookup {
        char *path;             /* as written in the mapping */
        LookupRow *rows;
        size_t n_rows;
        LookupOtherwise otherwise;
        char *otherwise_text;
} Lookup;

/* kind GEOMETRY_ANY without has_z and has_m: as it comes. */
typedef struct GeometryWish { GeometryKind kind; bool has_z, has_m; } GeometryWish;
typedef enum RingPolicy { RINGS_WARN, RINGS_HOLD, RINGS_IGNORE } RingPolicy;

typedef enum FieldAccept { ACCEPT_NOTHING, ACCEPT_ROUNDS, ACCEPT_TRUNCATES } FieldAccept;

typedef struct MappingField {
        char *name;             /* column of the target */
        bool is_key;
        ssize_t column;         /* index into Mapping.columns, or -1: constant */
        Value constant;         /* of `value:`; variables are filled in; bytes owned by constant_bytes */
        char *constant_bytes;
        ValueType type;         /* VALUE_ABSENT: as the source gives it */
        uint8_t precision, scale;       /* of decimal(p,s) */
        uint32_t srid;          /* of geometry; 0 unknown */
        GeometryWish geometry;  /* the kind of geometry that the target holds */
        RingPolicy invalid;     /* what a ring that is wrong means */
        FieldAccept accept;
        char *format;           /* strptime-like, of dates and timestamps in text */
        char **more_formats;    /* tried in this order where format does not fit; NULL: none */
        char **null_values;     /* texts that mean null */
        bool trim;
        bool compare_exactly;   /* what is written differently and means the same is a change, too */
        Lookup *lookup;
        /* constraints, Table Schema's names */
        bool required, unique;
        Value minimum, maximum; /* VALUE_ABSENT: none; INTEGER, DECIMAL, DATE or TIMESTAMP; TEXT is never compared */
        int64_t min_length, max_length;         /* characters; -1: none */
        char *pattern_text;
        Pattern *pattern;
        char **enumeration;     /* allowed texts; NULL: any */
        unsigned line, column_number;           /* of the field in the file */
        uint64_t definition;    /* what its values come of, hashed: equal ones give equal values of equal records */
} MappingField;

/* How the changes of an entity are found. Which of them a kind of system has: model/system-kind.h. */
typedef enum DetectStrategy {
        DETECT_FULL,            /* every record is read and compared with the baseline */
        DETECT_WATERMARK,       /* records whose column of last changes lies below a proved horizon */
        DETECT_DIGEST,          /* the source sums up ranges of keys; those that differ from the last time are read */
        DETECT_LOG,             /* the database's own log of changes */
        DETECT_FILE,            /* nothing is read of a file whose content is the last one's; else every record */
        DETECT_FEED,            /* the service's own list of changes */
        _DETECT_STRATEGY_MAX, _DETECT_STRATEGY_INVALID = -1,
} DetectStrategy;
#define DETECT_BIT(strategy) (1U << (strategy))         /* in a set of strategies */
const char *detect_strategy_to_string(DetectStrategy strategy);        /* "watermark" */
DetectStrategy detect_strategy_from_string(const char *name);           /* _DETECT_STRATEGY_INVALID */
typedef enum DeletePolicy { DELETES_MIRROR, DELETES_IGNORE, DELETES_MARK } DeletePolicy;

typedef struct Mapping {
        char *entity;           /* "parcel" */
        char **aliases;
        char *from, *to;        /* tables or files */
        char *where;            /* the source's own SQL; :variable is bound as a parameter */
        MappingJoin *joins;
        size_t n_joins;
        MappingColumn *columns; /* every source column that is read, each once */
        size_t n_columns;
        MappingField *fields;   /* the key's fields first */
        size_t n_fields, n_key;
        DetectStrategy strategy;
        char *watermark;        /* column of `from` */
        bool allow_scan;        /* plans that sort or read a large table are not refused */
        uint64_t sweep_usec;    /* an incremental run compares everything when the last full one is older; 0: never */
        bool sweeps_keys;       /* incremental runs look for deletes, by reading every key … */
        uint64_t sweep_keys_usec;       /* … when they did so longer ago; 0: each run */
        DeletePolicy deletes;
        size_t *mark_fields;    /* deletes: mark: {field: value}: indexes into fields … */
        Value *mark_values;     /* … and what they become; bytes owned by mark_bytes */
        char **mark_bytes;
        size_t n_marks;
        char **depends_on;      /* entities of the same pair */
        unsigned line, column;
} Mapping;

void mapping_done(Mapping *m);
/* Index of a target field by name, -1 where there is none. */
ssize_t mapping_field_index(const Mapping *m, const char *name);
/* Is a field of the key made of the source column with this index? */
bool mapping_column_is_of_key(const Mapping *m, size_t column);
/* Index of a source column, added when new. -ENOMEM. */
_must_check_ int mapping_column_add(Mapping *m, const char *join, const char *name, unsigned line, unsigned column, size_t *ret_index);
/* The value of a code; NULL where the table has none. */
/* rows are sorted by memcmp() of the codes, a prefix before what continues it. */
const char *lookup_find(const Lookup *l, const char *code, size_t size);
