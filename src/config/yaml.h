/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* YAML 1.1 (libyaml) into jansson's types, with the place of every node. In every process that reads configuration.
 * Each scalar becomes a string: what type it has is decided by the member that reads it, never guessed (0100 stays "0100").
 * Refused, since they surprise or explode: duplicate keys, anchors and aliases, tags, several documents, keys that are no texts,
 * nesting over 64, invalid UTF-8, NUL, tabs as indentation. */
#include "config/mistake.h"

typedef struct YamlNode {
        const json_t *node;
        Mark place;             /* where the value begins */
        Mark key_place;         /* of its key; 0, 0 for list items and the root */
        bool plain;             /* a scalar without quotes */
} YamlNode;

typedef struct YamlDocument YamlDocument;
/* Parses bytes of the file named so. -EBADMSG: the mistakes tell; -ENOMEM. An empty document is an empty object. Where keys are
 * doubled the document is still given, with the first of them, and the mistakes tell. */
_must_check_ int yaml_parse(const char *bytes, size_t size, const char *file, YamlDocument **ret, Mistakes *mistakes);
/* The same of a file; one that cannot be read is a mistake too. */
_must_check_ int yaml_load(const char *path, YamlDocument **ret, Mistakes *mistakes);
YamlDocument *yaml_document_free(YamlDocument *d);
DEFINE_CLEANUP(YamlDocument, yaml_document_free)
#define _cleanup_yaml_document_ _cleanup_(yaml_document_freep)
const char *yaml_file(const YamlDocument *d);
const json_t *yaml_root(const YamlDocument *d);         /* borrowed */
/* Of any node within the root; {} where node is no part of it. */
YamlNode yaml_node(const YamlDocument *d, const json_t *node);
/* Nothing after the colon, ~ or null, without quotes. NULL counts as null. */
bool yaml_is_null(const YamlDocument *d, const json_t *node);
/* Place of the key where there is one, else of the value. */
Mark yaml_place(const YamlDocument *d, const json_t *node);
