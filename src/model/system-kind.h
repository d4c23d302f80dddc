/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every process knows of the kinds of systems without their connectors: how changes are found in them.
 * Only workers link connectors, but a mapping is checked wherever it is read. In every process; a test
 * compares the rows with the connectors. */
#include "model/mapping.h"

typedef struct SystemKind {
        const char *name;                       /* "postgresql", as a system's kind: says */
        unsigned strategies;                    /* DETECT_BIT()s of what its connector can */
        DetectStrategy default_strategy;        /* of mappings that name none */
} SystemKind;

/* NULL where there is no such kind. */
const SystemKind *system_kind_find(const char *name);
/* The strategies' names, as a sentence has them: "full, watermark or digest". Allocated; NULL without
 * memory. */
char *detect_strategies_to_text(unsigned strategies);
