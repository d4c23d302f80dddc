/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Schema drift: what became of a column's declared type since the last run. In workers and syncd; pure. */
#include "basic/alloc.h"

typedef enum DriftKind {
        DRIFT_ADDED,    /* a column that was not there */
        DRIFT_WIDENED,  /* holds every value that it held before, unchanged, and more */
        DRIFT_NARROWED, /* anything else that is another type: values may be lost, cut or read otherwise */
        DRIFT_REMOVED,
        _DRIFT_KIND_MAX,
        DRIFT_NONE = -1,
        _DRIFT_KIND_INVALID = -EINVAL,
} DriftKind;
const char *drift_kind_to_string(DriftKind kind);       /* "widened"; NULL for none */
DriftKind drift_kind_from_string(const char *name);

/* Types in the systems' own words ("character varying(20)", "NUMERIC(14,2)"), case and spaces aside; NULL: the column has none
 * declared and takes anything. What neither is known to hold is narrowed when it differs: who is asked once too often is better off than who is not asked. */
DriftKind drift_of_types(const char *before, const char *now);
