# SPDX-License-Identifier: Apache-2.0
"""Lucas County, Ohio: its own records of 25,357 houses, and its own sales from 1993 to 1998 as time line.

A house is on the roll from the year it was built in or first sold in; what its record tells is taken as true
from then on, since the file tells each house once. The roll year 1996 holds all houses up to that year; a
later one enters with its sale. Not of the county, and marked so: parcel numbers (the row's number,
LC-00001 …), the use code (510, Ohio's code of a single-family dwelling, which all of them are), and the bills
(COMPUTED at a stated rate).
"""
import csv
import io
import lzma
import struct
from pathlib import Path

from county import schema
from county.schema import SampleError

FIRST_ROLL = 1996
START, LAST = "1996-12", "1998-10"      # what create fills in; the month of the file's last sale


class House:
    """One row of the file, as the county's systems know it."""

    def __init__(self, number: int, row: dict):
        whole = {name: int(float(row[name])) for name in ("beds", "baths", "halfbaths")}
        day = row["sdate"]              # YYMMDD
        self.prop_id = number
        self.geo_id = f"LC-{number:05d}"
        self.sale_month = f"19{day[:2]}-{day[2:4]}"
        self.sale_date = f"{day[2:4]}/{day[4:]}/19{day[:2]}"
        self.price = int(row["price"])
        self.year_built = int(row["yrbuilt"])
        self.assessed_val = int(row["avalue"])
        self.lot = int(row["lotsize"]), int(row["frontage"]), int(row["depth"])
        self.building = (self.year_built, int(row["TLA"]), row["stories"], row["wall"], row["garage"],
                         int(row["garagesqft"]), whole["beds"], whole["baths"], whole["halfbaths"],
                         int(row["rooms"]))
        self.point = float(row["long_x"]), float(row["lat_y"])
        self.roll_year = max(FIRST_ROLL, min(self.year_built, int(self.sale_month[:4])))

    def on_roll(self, month: str) -> bool:
        """Whether the county has the house on its roll by the end of that month."""
        return self.roll_year <= FIRST_ROLL or self.sold(month)

    def sold(self, month: str) -> bool:
        return self.sale_month <= month


def houses(share: Path) -> list:
    path = share / "lucas_house_sales.csv.xz"
    if not path.is_file():
        raise SampleError(f"{path}, the county's records, is not there: install the project again")
    with lzma.open(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        return [House(number, row) for number, row in enumerate(csv.DictReader(text), 1)]


def point_wkb(x: float, y: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, x, y)


def enter_points(gis, entering: list, stamp: str):
    gis.executemany("insert or ignore into parcel_point (parcel_id, shape, srid, last_update_dt) "
                    "values (?, ?, ?, ?)", ((h.geo_id, point_wkb(*h.point), schema.SRID, stamp) for h in entering))


def enter(pacs, entering: list, month: str, stamp: str):
    """Puts houses on the roll: property, value, land, building and the computed bill."""
    key = [(h.roll_year, 0, h.prop_id) for h in entering]
    schema.insert(pacs, "property",
                  ((h.prop_id, "R", h.geo_id, h.sale_date if h.sold(month) else None, stamp) for h in entering))
    schema.insert(pacs, "property_val", ((*k, "510", schema.acres(h.lot[0]), h.assessed_val, None, stamp)
                                         for k, h in zip(key, entering)))
    schema.insert(pacs, "prop_supp_assoc", ((*k, stamp) for k in key))
    schema.insert(pacs, "land_detail", ((*k, 1, h.lot[0], schema.acres(h.lot[0]), *h.lot[1:], stamp)
                                        for k, h in zip(key, entering)))
    schema.insert(pacs, "imprv", ((*k, 1, "RES", *h.building, stamp) for k, h in zip(key, entering)))
    schema.insert(pacs, "bill",
                  ((h.prop_id, h.prop_id, h.roll_year, "GEN", schema.bill_amount(h.assessed_val), "COMPUTED", stamp)
                   for h in entering))


def sell(pacs, sold: list, stamp: str):
    schema.insert(pacs, "sale", ((h.prop_id, h.prop_id, h.sale_date, h.price, "100", stamp) for h in sold))


def create(folder: Path, share: Path) -> str:
    everything = houses(share)
    entering = [h for h in everything if h.on_roll(START)]
    sold = [h for h in everything if h.sold(START)]
    with schema.NewCounty(folder) as county:
        pacs, gis = county.db["pacs"], county.db["gis"]
        with schema.writing(gis) as stamp:
            enter_points(gis, entering, stamp)
        with schema.writing(pacs) as stamp:
            schema.insert(pacs, "levy", (
                ("GEN", year, f"General levy {year}, computed for the sample", schema.RATE, f"311.10.{year}", stamp)
                for year in (1996, 1997, 1998)))
            enter(pacs, entering, START, stamp)
            sell(pacs, sold, stamp)
            schema.state_set(pacs, "county", "lucas")
            schema.state_set(pacs, "month", START)
    return (f"Made Lucas County as of the end of {START[:4]} in {folder}: "
            f"{len(entering):,} houses on the roll, {len(sold):,} sales.")


def check_month(month: str, present: str):
    year, _, number = month.partition("-")
    if not (len(month) == 7 and year.isdigit() and number.isdigit() and 1 <= int(number) <= 12):
        raise SampleError(f"'{month}' is no month: write it as YYYY-MM, for example 1997-06")
    if month < present:
        raise SampleError(f"The county is at {present} already and does not go back to {month}: "
                          "make another with 'terrafusion-sample create FOLDER'")
    if month > LAST:
        raise SampleError(f"The county's file ends with {LAST}: advance to {LAST} at most, not to {month}")


def advance(folder: Path, share: Path, month: str) -> str:
    """Plays the county's own sales up to the end of the month into pacs.db, and new houses into gis.db too.

    The points go first and are ignored where they are there: killed between the two files, a second run ends
    with the same content.
    """
    pacs, gis = schema.connect(folder / "pacs.db"), schema.connect(folder / "gis.db")
    everything = houses(share)
    with schema.writing(pacs) as stamp:
        present = schema.state_get(pacs, "month")
        if not present:
            raise SampleError(f"{folder} holds a generated county, which goes by years: "
                              f"'terrafusion-sample advance {folder} --year YYYY'")
        check_month(month, present)
        if month == present:
            return f"The county is at {month} already: nothing to do."
        sold = [h for h in everything if not h.sold(present) and h.sold(month)]
        entering = [h for h in sold if not h.on_roll(present)]
        with schema.writing(gis) as point_stamp:
            enter_points(gis, entering, point_stamp)
        enter(pacs, entering, month, stamp)
        pacs.executemany("update property set deed_dt = ?, last_update_dt = ? where prop_id = ?",
                         ((h.sale_date, stamp, h.prop_id) for h in sold))
        sell(pacs, sold, stamp)
        schema.state_set(pacs, "month", month)
    return (f"Advanced from {present} to {month}: {len(sold):,} sales, "
            f"{len(entering):,} new houses on the roll, {len(sold) - len(entering):,} deeds changed.")
