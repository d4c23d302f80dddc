/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values of JSON documents into ours and back, exactly: by the type a service declares, or by what stands there. Pure; in
 * the worker. */
#include "basic/json-item.h"
#include "basic/text-buffer.h"
#include "connect/odata-metadata.h"
#include "model/value.h"

/* property: its declared type; NULL: as it stands (numbers as INTEGER or DECIMAL, objects and arrays as JSON). What is not of its
 * type, or beyond what our types hold, is given as TEXT: the field's own type decides. Texts are borrowed from item, others live in
 * the arena. -ENOMEM. */
_must_check_ int rest_value_read(const JsonItem *item, const ODataProperty *property, Arena *arena, Value *ret);
/* Appends a value as JSON. Of a declared type as IEEE754Compatible=true wants it: decimals and 64-bit integers in quotes.
 * -ERANGE: the property cannot hold it exactly. */
_must_check_ int rest_value_write(const Value *v, const ODataProperty *property, Arena *arena, TextBuffer *b);
/* Appends a value as it stands in a key or $filter ('O''Hara', 17, 2026-01-02), not yet encoded for a URL. -ERANGE. */
_must_check_ int odata_literal(const Value *v, const ODataProperty *property, Arena *arena, TextBuffer *b);
/* Whether what a service holds now is what was written. */
bool rest_value_same(const Value *written, const JsonItem *present, const ODataProperty *property, Arena *arena);
