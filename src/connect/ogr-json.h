/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Features as JSON has them, GeoJSON's (RFC 7946) and Esri's, into values. Pure; in the worker. */
#include "basic/json-item.h"
#include "basic/text-buffer.h"
#include "model/geometry.h"
#include "model/value.h"

/* A scalar: numbers keep their digits (INTEGER, DECIMAL, TEXT beyond 38 digits); an array or object is its JSON text. NULL item: null. */
Value json_value(const JsonItem *item);
/* A GeoJSON geometry as EWKB into *wkb, which it fills anew. A third number of a position is Z. 0; -EBADMSG: it is none, positions
 * differ in their dimensions or have more than three numbers; -ENOMEM. */
_must_check_ int geojson_geometry(const JsonItem *item, uint32_t srid, TextBuffer *wkb);
/* The number of a "crs" member (urn:ogc:def:crs:EPSG::2927, EPSG:2927, CRS84); 0 where it cannot be told. */
uint32_t geojson_srid(const JsonItem *crs);
