# SPDX-License-Identifier: Apache-2.0
"""Layers for the tests of kind ogr, made and read by GDAL's own Python binding in a process of its own: it shares no code with the connector, and
the sanitized worker's libraries do not meet it."""
import json
import subprocess

PYTHON = "/usr/bin/python3"
MAKE = """
import json, sys
from osgeo import gdal, ogr, osr
gdal.UseExceptions()
todo = json.load(sys.stdin)
driver = ogr.GetDriverByName(todo["driver"])
dataset = driver.Open(todo["path"], 1) if todo["update"] else driver.CreateDataSource(todo["path"])
reference = None
if todo["srid"]:
    reference = osr.SpatialReference()
    reference.SetFromUserInput(todo["srid"])
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
layer = dataset.CreateLayer(todo["layer"], reference, getattr(ogr, "wkb" + todo["geometry"]), options=todo["options"])
for name, kind, width, precision in todo["fields"]:
    subtype = None
    if ":" in kind:
        kind, subtype = kind.split(":")
    field = ogr.FieldDefn(name, getattr(ogr, "OFT" + kind))
    if subtype:
        field.SetSubType(getattr(ogr, "OFST" + subtype))
    field.SetWidth(width)
    field.SetPrecision(precision)
    layer.CreateField(field)
layer.StartTransaction()
for record in todo["records"]:
    feature = ogr.Feature(layer.GetLayerDefn())
    wkt = record.pop("wkt", None)
    for name, value in record.items():
        if name == "fid":
            feature.SetFID(value)
        elif value is None:
            feature.SetFieldNull(name)
        elif isinstance(value, dict):
            feature.SetFieldBinaryFromHexString(name, value["hex"])
        else:
            feature.SetField(name, value)
    if wkt is not None:
        feature.SetGeometryDirectly(ogr.CreateGeometryFromWkt(wkt))
    layer.CreateFeature(feature)
layer.CommitTransaction()
for statement in todo["sql"]:
    dataset.ExecuteSQL(statement)
dataset = None
"""
READ = """
import json, sys
from osgeo import gdal, ogr
gdal.UseExceptions()
path, name = sys.argv[1:]
layer = (dataset := gdal.OpenEx(path)).GetLayerByName(name)
rows = []
for feature in layer:
    row = {}
    for i in range(feature.GetFieldCount()):
        value = feature.GetField(i) if feature.IsFieldSetAndNotNull(i) else None
        row[feature.GetFieldDefnRef(i).GetName()] = bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value
    geometry = feature.GetGeometryRef()
    rows.append({**row, "fid": feature.GetFID(), "wkt": geometry.ExportToIsoWkt() if geometry else None})
print(json.dumps(rows))
"""


def available():
    return subprocess.run([PYTHON, "-c", "from osgeo import ogr"], capture_output=True, check=False).returncode == 0


def run(program, *arguments, text=None):
    done = subprocess.run([PYTHON, "-c", program, *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(path, layer, fields, records, srid="EPSG:2927", geometry="MultiPolygon", driver="GPKG", options=(), sql=(), update=False):
    """fields: (name, OGR's type without OFT, width, precision)."""
    run(MAKE, text=json.dumps({"path": str(path), "layer": layer, "fields": [(*f, 0, 0)[:4] for f in fields], "records": records, "srid": srid,
                               "geometry": geometry, "driver": driver, "options": list(options), "sql": list(sql), "update": update}))


def read(path, layer):
    return json.loads(run(READ, str(path), layer))
