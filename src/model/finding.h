/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a rule has to say of one record. */
#include "basic/alloc.h"
#include "basic/arena.h"
#include <jansson.h>

typedef enum FindingSeverity { FINDING_WARNING, FINDING_ERROR, _FINDING_SEVERITY_MAX, _FINDING_SEVERITY_INVALID = -1 } FindingSeverity;
const char *finding_severity_to_string(FindingSeverity severity);
FindingSeverity finding_severity_from_string(const char *name);

typedef struct Finding {
        FindingSeverity severity;
        const char *rule;       /* "required", "maximum", "type", "lookup", "key_unique", "target_refused" … */
        const char *field;      /* of the target, or NULL */
        const char *value;      /* at fault, as text, or NULL */
        const char *message;    /* a sentence */
        const char *remedy;     /* what the user does */
        struct Finding *next;
} Finding;

/* Prepends a finding whose texts are copied into the arena. NULL texts stay NULL. -ENOMEM. */
_must_check_ int finding_add(Finding **findings, Arena *arena, FindingSeverity severity, const char *rule, const char *field,
                             const char *value, const char *message, const char *remedy);
bool findings_hold(const Finding *findings);    /* is an error among them? */
json_t *findings_to_json(const Finding *findings);      /* array; NULL without memory */
