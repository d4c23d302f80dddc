/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The OGR connector: layers of geographic data. A module of the worker (module.h), the one place that knows GDAL.
 * path: a GeoPackage, a Shapefile or a folder of them, a file geodatabase, a FlatGeobuf file (GDAL); a GeoJSON file or a folder of them (read and
 * written by ourselves: numbers keep their digits); url: an ArcGIS FeatureServer (libcurl). */
#include "connect/connector.h"

extern const Connector ogr_connector;
