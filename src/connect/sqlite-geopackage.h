/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A GeoPackage is a SQLite file whose geometries have a form of their own. Kind ogr reads and writes them; kind sqlite would pass on bytes that nobody
 * takes for a geometry. In the worker. */
#include "connect/sqlite-database.h"

/* ERROR_MAPPING, naming table and column, where a field reads (target = false) or writes a geometry column of a GeoPackage and does not
 * say type: bytes. 0 where the file is none. */
_must_check_ int geopackage_check(sqlite3 *db, const System *system, const Pair *pair, const Mapping *m, bool target, Error *error);
