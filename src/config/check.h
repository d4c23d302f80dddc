/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A YAML document against Field[]: every mistake at once, with place and the nearest valid name. In every process that reads configuration. */
#include "config/yaml.h"
#include "model/field.h"

/* Checks an object against a table, and what is below it. what names it in messages: "the pair", "system \"pacs\"". id: kind of mistake. */
void check_object(const YamlDocument *d, const json_t *object, const Field *fields, const char *what, ErrorId id, Mistakes *mistakes);
/* The remedy `Did you mean "…"?` for a name that is none of the candidates, or the list of them. Allocated; NULL without memory or candidates. */
char *check_suggestion(const char *name, const char *const *candidates, size_t n_candidates);
/* Is node what the type wants? Nothing is reported. */
bool check_scalar(const json_t *node, FieldType type);
