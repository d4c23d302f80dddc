/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Geometries and values as ArcGIS services write them. Pure; in the worker. Source: ArcGIS REST API, "Geometry objects". */
#include "connect/ogr-json.h"

/* An Esri geometry as EWKB into *wkb. Of a polygon's rings those that go round clockwise are shells, the others holes of the shell that they
 * lie in; a hole without one is a shell. 0; 1: it is empty (null); -EBADMSG: arcs, or no geometry; -ENOMEM. */
_must_check_ int esri_geometry(const JsonItem *item, uint32_t srid, bool has_z, bool has_m, TextBuffer *wkb);
/* EWKB as an Esri geometry: shells clockwise, holes the other way. -EOPNOTSUPP: arcs, collections. -ENOMEM. */
_must_check_ int esri_geometry_put(const char *wkb, size_t size, TextBuffer *ret);
