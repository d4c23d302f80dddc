# SPDX-License-Identifier: Apache-2.0
"""A generated county of any size, and what happens to it from year to year.

The same seed makes the same county and the same changes, but for last_update_dt, which is the real time of
writing. Memory does not grow with the county: parcels are made and written a chunk at a time. Everything here
is synthetic.
"""
import math
import random
import struct
from pathlib import Path

from county import schema
from county.schema import SampleError

FIRST_YEAR = 2024
CHUNK = 10_000                  # parcels written, or changed in one transaction
CELL = 40.0                     # metres between the corners of neighbouring lots
ORIGIN = 500_000.0, 200_000.0
YEARLY_FRACTION = 0.02          # of the parcels that change between two roll years, beside the reappraisal
# Ohio's land use codes with their weights; 500 and 400 are vacant.
USES, USE_WEIGHTS = ("510", "520", "550", "500", "400", "420", "101", "640"), (70, 6, 8, 7, 2, 4, 2, 1)
VACANT = {"500", "400", "101"}
STORIES = ("one", "one", "one", "two", "two", "one+half", "bilevel", "multilvl")
WALLS = ("wood", "wood", "partbrk", "metlvnyl", "brick", "stucdrvt", "ccbtile", "stone")
GARAGES = ("detached", "detached", "attached", "attached", "no garage", "carport", "basement")


def geo_id(prop_id: int) -> str:
    return f"GN-{prop_id:07d}"


def rectangle_wkb(left: float, bottom: float, right: float, top: float) -> bytes:
    return struct.pack("<BIII10d", 1, 3, 1, 5,
                       left, bottom, right, bottom, right, top, left, top, left, bottom)


def rectangle_of(wkb: bytes) -> tuple:
    corners = struct.unpack("<BIII10d", wkb)[4:]
    return corners[0], corners[1], corners[4], corners[5]


def point_wkb(left: float, bottom: float, right: float, top: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, (left + right) / 2, (bottom + top) / 2)


def building(rng: random.Random, year: int) -> tuple:
    """From imprv_type_cd to rooms."""
    area = 600 + int(rng.random() * 3000)
    garage = GARAGES[int(rng.random() * 7)]
    beds = 1 + area // 800
    return ("RES", year - int(rng.random() ** 2 * 120), area, STORIES[int(rng.random() * 8)],
            WALLS[int(rng.random() * 8)], garage, 0 if garage == "no garage" else 200 + area // 8,
            beds, 1 + area // 1800, int(rng.random() * 2), beds + 3)


class Rows:
    """Rows of new parcels, collected by table until they are written."""

    def __init__(self, pacs, gis, year: int):
        self.pacs, self.gis, self.year = pacs, gis, year
        self.tables = {name: [] for name in ("property", "property_val", "prop_supp_assoc", "land_detail",
                                             "imprv", "sale", "bill")}
        self.points, self.polygons = [], []

    def add(self, prop_id: int, use: str, value: int, rectangle: tuple, house, sale, stamp: str):
        """house: from imprv_type_cd to rooms, or None; sale: date and price, or None."""
        tables, year, name = self.tables, self.year, geo_id(prop_id)
        width, depth = rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]
        square_feet = int(width * depth * 10.7639)
        size = schema.acres(square_feet)
        tables["property"].append((prop_id, "R", name, sale and sale[0], stamp))
        tables["property_val"].append((year, 0, prop_id, use, size, value, None, stamp))
        tables["prop_supp_assoc"].append((year, 0, prop_id, stamp))
        tables["land_detail"].append((year, 0, prop_id, 1, square_feet, size,
                                      int(width * 3.28), int(depth * 3.28), stamp))
        if house:
            tables["imprv"].append((year, 0, prop_id, 1, *house, stamp))
        if sale:
            tables["sale"].append((None, prop_id, *sale, "100", stamp))
        tables["bill"].append((None, prop_id, year, "GEN", schema.bill_amount(value), "COMPUTED", stamp))
        self.points.append((name, point_wkb(*rectangle), schema.SRID, stamp))
        self.polygons.append((name, rectangle_wkb(*rectangle), schema.SRID, stamp))

    def write(self):
        for table, rows in self.tables.items():
            schema.insert(self.pacs, table, rows)
            rows.clear()
        schema.insert(self.gis, "parcel_point", self.points)
        schema.insert(self.gis, "parcel_polygon", self.polygons)
        self.points.clear()
        self.polygons.clear()


def date_in(rng: random.Random, year: int) -> str:
    return f"{1 + int(rng.random() * 12):02d}/{1 + int(rng.random() * 28):02d}/{year}"


def levy(pacs, year: int, stamp: str):
    schema.insert(pacs, "levy", [("GEN", year, f"General levy {year}, computed for the sample", schema.RATE,
                                  f"311.10.{year}", stamp)])


def fill(pacs, gis, parcels: int, seed: int, stamp: str):
    rng = random.Random(f"{seed}/parcels")
    chance, columns, year = rng.random, math.isqrt(parcels - 1) + 1, FIRST_YEAR
    rows = Rows(pacs, gis, year)
    for first in range(1, parcels + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, parcels + 1))
        for prop_id, use in zip(numbers, rng.choices(USES, USE_WEIGHTS, k=len(numbers))):
            down, across = divmod(prop_id - 1, columns)
            left, bottom = ORIGIN[0] + across * CELL, ORIGIN[1] + down * CELL
            rectangle = (left, bottom, left + 15 + int(chance() * 50) / 2,
                         bottom + 20 + int(chance() * 40) / 2)
            house = None if use in VACANT else building(rng, year)
            value = 5000 + int(chance() * 40000) + (house[2] * (60 + int(chance() * 120)) if house else 0)
            sale = (date_in(rng, year - 1 - int(chance() * 10)), value * (80 + int(chance() * 40)) // 100) \
                if chance() < 0.33 else None
            rows.add(prop_id, use, value, rectangle, house, sale, stamp)
        rows.write()


def generate(folder: Path, parcels: int, seed: int, years: int) -> str:
    if parcels > 9_999_999:
        raise SampleError("A generated county has at most 9,999,999 parcels: "
                          "its parcel numbers have seven digits")
    with schema.NewCounty(folder) as county:
        pacs, gis = county.db["pacs"], county.db["gis"]
        with schema.writing(gis), schema.writing(pacs) as stamp:
            levy(pacs, FIRST_YEAR, stamp)
            fill(pacs, gis, parcels, seed, stamp)
            for name, value in (("county", "generated"), ("seed", seed), ("year", FIRST_YEAR), ("step", 0)):
                schema.state_set(pacs, name, value)
        for year in range(FIRST_YEAR + 1, FIRST_YEAR + years):
            next_year(pacs, gis, year)
    rolls = f"roll years {FIRST_YEAR} to {FIRST_YEAR + years - 1}" if years > 1 else f"roll year {FIRST_YEAR}"
    return f"Generated a county of {parcels:,} parcels (seed {seed}) with the {rolls} in {folder}."


def opened(folder: Path) -> tuple:
    pacs, gis = schema.connect(folder / "pacs.db"), schema.connect(folder / "gis.db")
    if schema.state_get(pacs, "county") != "generated":
        raise SampleError(f"{folder} holds Lucas County, which goes by months: "
                          f"'terrafusion-sample advance {folder} YYYY-MM'")
    return pacs, gis


def advance(folder: Path, year: int) -> str:
    pacs, gis = opened(folder)
    present = int(schema.state_get(pacs, "year"))
    if year < present:
        raise SampleError(f"The county is at {present} already and does not go back to {year}: "
                          "make another with 'terrafusion-sample generate FOLDER'")
    if year > present + 50:
        raise SampleError(f"{year} is more than 50 years after {present}: advance in smaller steps")
    if year == present:
        return f"The county is at {present} already: nothing to do."
    return "\n".join(next_year(pacs, gis, step) for step in range(present + 1, year + 1))


def change(folder: Path, fraction: float) -> str:
    pacs, gis = opened(folder)
    return play(pacs, gis, int(schema.state_get(pacs, "year")), fraction)


# What of a year's active roll goes on into the next. The reappraisal moves a value by -2 to +8 percent.
ROLL_OVER = (
    "insert into property_val (prop_val_yr, sup_num, prop_id, property_use_cd, legal_acreage, assessed_val, "
    "prop_inactive_dt, last_update_dt) "
    "select :year, 0, t.prop_id, t.property_use_cd, t.legal_acreage, "
    "t.assessed_val * (980 + (t.prop_id * 7919 + :seed) % 101) / 1000, null, :stamp {active}",
    "insert into land_detail (prop_val_yr, sup_num, prop_id, land_seg_id, size_sqft, size_acres, frontage, "
    "depth, last_update_dt) "
    "select :year, 0, l.prop_id, l.land_seg_id, l.size_sqft, l.size_acres, l.frontage, l.depth, :stamp "
    "{active_join} cross join land_detail l on l.prop_val_yr = t.prop_val_yr and l.sup_num = t.sup_num "
    "and l.prop_id = +t.prop_id {active_where}",
    "insert into imprv (prop_val_yr, sup_num, prop_id, imprv_id, imprv_type_cd, year_built, living_area, "
    "stories_cd, ext_wall_cd, garage_cd, garage_sqft, bedrooms, baths, half_baths, rooms, last_update_dt) "
    "select :year, 0, i.prop_id, i.imprv_id, i.imprv_type_cd, i.year_built, i.living_area, i.stories_cd, "
    "i.ext_wall_cd, i.garage_cd, i.garage_sqft, i.bedrooms, i.baths, i.half_baths, i.rooms, :stamp "
    "{active_join} cross join imprv i on i.prop_val_yr = t.prop_val_yr and i.sup_num = t.sup_num "
    "and i.prop_id = +t.prop_id {active_where}",
    "insert into prop_supp_assoc (owner_tax_yr, sup_num, prop_id, last_update_dt) "
    "select :year, 0, prop_id, :stamp from property_val "
    "where prop_val_yr = :year and sup_num = 0 and prop_id >= :first and prop_id < :end",
    "insert into bill (prop_id, tax_yr, levy_cd, amount_due, basis_cd, last_update_dt) "
    "select prop_id, :year, 'GEN', printf('%d.%02d', (assessed_val * :rate + 50) / 10000, "
    "(assessed_val * :rate + 50) / 100 % 100), 'COMPUTED', :stamp from property_val "
    "where prop_val_yr = :year and sup_num = 0 and prop_id >= :first and prop_id < :end",
)
# cross join keeps this order, and "+" keeps the range of prop_id off the joined tables: left to itself
# SQLite 3.40 starts from the whole of property_val, or searches land_detail by the range, for each parcel.
ACTIVE_JOIN = ("from prop_supp_assoc a cross join property_val t on t.prop_val_yr = a.owner_tax_yr "
               "and t.sup_num = a.sup_num and t.prop_id = a.prop_id")
ACTIVE_WHERE = ("where a.owner_tax_yr = :year - 1 and a.prop_id >= :first and a.prop_id < :end "
                "and t.prop_inactive_dt is null")


def next_year(pacs, gis, year: int) -> str:
    """The next roll: what is active goes on with a new value, chunk by chunk; then the year's changes."""
    seed = int(schema.state_get(pacs, "seed"))
    last = pacs.execute("select max(prop_id) from property").fetchone()[0]
    with schema.writing(pacs) as stamp:
        pacs.execute("delete from levy where levy_yr = ?", (year,))
        levy(pacs, year, stamp)
    done = pacs.execute("select coalesce(max(prop_id), 0) from property_val where prop_val_yr = ?",
                        (year,)).fetchone()[0]
    for first in range(done + 1, last + 1, CHUNK):         # goes on where a killed run stopped
        with schema.writing(pacs) as stamp:
            for sql in ROLL_OVER:
                pacs.execute(sql.format(active=f"{ACTIVE_JOIN} {ACTIVE_WHERE}", active_join=ACTIVE_JOIN,
                                        active_where=ACTIVE_WHERE),
                             {"year": year, "seed": seed, "stamp": stamp, "rate": schema.RATE_BASIS_POINTS,
                              "first": first, "end": first + CHUNK})
    with schema.writing(pacs):
        schema.state_set(pacs, "year", year)
    return f"Rolled over to {year}. " + play(pacs, gis, year, YEARLY_FRACTION)


class Changes:
    """One round of changes within a roll year: each takes a parcel of the active roll and does one thing."""

    def __init__(self, pacs, gis, year: int, rng: random.Random):
        self.pacs, self.gis, self.year, self.rng = pacs, gis, year, rng
        self.last = pacs.execute("select max(prop_id) from property").fetchone()[0]
        self.done = {"corrected": 0, "sold": 0, "rebuilt": 0, "split": 0, "merged": 0, "retired": 0}
        self.kinds = (("corrected", 60, self.correct), ("sold", 20, self.sell),
                      ("rebuilt", 10, self.rebuild), ("split", 4, self.split),
                      ("merged", 3, self.merge), ("retired", 3, self.retire))

    def active(self, prop_id: int):
        """sup_num, use, value of a parcel that is on the roll and not retired; None."""
        return self.pacs.execute(
            "select t.sup_num, t.property_use_cd, t.assessed_val from prop_supp_assoc a join property_val t "
            "on t.prop_val_yr = a.owner_tax_yr and t.sup_num = a.sup_num and t.prop_id = a.prop_id "
            "where a.owner_tax_yr = ? and a.prop_id = ? and t.prop_inactive_dt is null",
            (self.year, prop_id)).fetchone()

    def one(self, prop_id: int, stamp: str):
        parcel = self.active(prop_id)
        kind, _, do = self.rng.choices(self.kinds, [weight for _, weight, _ in self.kinds])[0]
        if parcel and do(prop_id, *parcel, stamp) is not False:
            self.done[kind] += 1

    def correct(self, prop_id, sup_num, use, value, stamp):
        """A correction is a new supplement: a copy of the year's rows with the next number; the pointer last."""
        value = max(0, value * (85 + int(self.rng.random() * 30)) // 100 + 1)
        key = {"year": self.year, "old": sup_num, "new": sup_num + 1, "prop_id": prop_id, "value": value,
               "stamp": stamp}
        where = "where prop_val_yr = :year and sup_num = :old and prop_id = :prop_id"
        self.pacs.execute("insert into property_val select prop_val_yr, :new, prop_id, property_use_cd, "
                          f"legal_acreage, :value, prop_inactive_dt, :stamp from property_val {where}", key)
        self.pacs.execute("insert into land_detail select prop_val_yr, :new, prop_id, land_seg_id, "
                          f"size_sqft, size_acres, frontage, depth, :stamp from land_detail {where}", key)
        self.pacs.execute("insert into imprv select prop_val_yr, :new, prop_id, imprv_id, imprv_type_cd, "
                          "year_built, living_area, stories_cd, ext_wall_cd, garage_cd, garage_sqft, bedrooms, "
                          f"baths, half_baths, rooms, :stamp from imprv {where}", key)
        self.pacs.execute("update prop_supp_assoc set sup_num = :new, last_update_dt = :stamp "
                          "where owner_tax_yr = :year and prop_id = :prop_id", key)
        self.bill(prop_id, schema.bill_amount(value), stamp)

    def sell(self, prop_id, sup_num, use, value, stamp):
        day = date_in(self.rng, self.year)
        self.pacs.execute("insert into sale values (null, ?, ?, ?, '100', ?)",
                          (prop_id, day, value * (80 + int(self.rng.random() * 40)) // 100, stamp))
        self.pacs.execute("update property set deed_dt = ?, last_update_dt = ? where prop_id = ?",
                          (day, stamp, prop_id))

    def rebuild(self, prop_id, sup_num, use, value, stamp):
        more = 50 + int(self.rng.random() * 400)
        changed = self.pacs.execute(
            "update imprv set living_area = living_area + ?, last_update_dt = ? "
            "where prop_val_yr = ? and sup_num = ? and prop_id = ? and imprv_id = 1",
            (more, stamp, self.year, sup_num, prop_id)).rowcount
        if not changed:
            house = building(self.rng, self.year)
            schema.insert(self.pacs, "imprv", [(self.year, sup_num, prop_id, 1, *house, stamp)])

    def split(self, prop_id, sup_num, use, value, stamp):
        left, bottom, right, top = self.shape(prop_id)
        middle = (left + right) / 2
        self.retire(prop_id, sup_num, use, value, stamp)
        half = value // 2
        self.succeed([prop_id], "SPLIT", use, half, (left, bottom, middle, top), stamp)
        self.succeed([prop_id], "SPLIT", use, value - half, (middle, bottom, right, top), stamp)

    def merge(self, prop_id, sup_num, use, value, stamp):
        """With its neighbour, where that is on the roll too."""
        other = self.active(prop_id + 1)
        if not other:
            return False
        both = self.shape(prop_id), self.shape(prop_id + 1)
        self.retire(prop_id, sup_num, use, value, stamp)
        self.retire(prop_id + 1, *other, stamp)
        whole = (*map(min, both[0][:2], both[1][:2]), *map(max, both[0][2:], both[1][2:]))
        self.succeed([prop_id, prop_id + 1], "MERGE", use, value + other[2], whole, stamp)
        return True

    def retire(self, prop_id, sup_num, use, value, stamp):
        self.pacs.execute("update property_val set prop_inactive_dt = ?, last_update_dt = ? "
                          "where prop_val_yr = ? and sup_num = ? and prop_id = ?",
                          (date_in(self.rng, self.year), stamp, self.year, sup_num, prop_id))
        self.bill(prop_id, "0.00", stamp)
        for table in ("parcel_point", "parcel_polygon"):
            self.gis.execute(f"delete from {table} where parcel_id = ?", (geo_id(prop_id),))

    def succeed(self, parents, kind, use, value, rectangle, stamp):
        self.last += 1
        rows = Rows(self.pacs, self.gis, self.year)
        house = None if use in VACANT else building(self.rng, self.year)
        rows.add(self.last, use, value, rectangle, house, None, stamp)
        rows.write()
        schema.insert(self.pacs, "prop_lineage",
                      ((parent, self.last, kind, self.year, stamp) for parent in parents))

    def shape(self, prop_id: int) -> tuple:
        return rectangle_of(self.gis.execute("select shape from parcel_polygon where parcel_id = ?",
                                             (geo_id(prop_id),)).fetchone()[0])

    def bill(self, prop_id: int, amount: str, stamp: str):
        self.pacs.execute("update bill set amount_due = ?, last_update_dt = ? "
                          "where prop_id = ? and tax_yr = ?", (amount, stamp, prop_id, self.year))


def play(pacs, gis, year: int, fraction: float) -> str:
    """Changes about that share of the parcels: one in each stretch of 1 / fraction, so none is met twice."""
    step = int(schema.state_get(pacs, "step")) + 1
    rng = random.Random(f"{schema.state_get(pacs, 'seed')}/changes/{step}")
    changes = Changes(pacs, gis, year, rng)
    wanted = max(1, round(changes.last * fraction))
    last, stretch = changes.last, changes.last / wanted
    for first in range(0, wanted, CHUNK):
        with schema.writing(pacs) as stamp, schema.writing(gis):
            for number in range(first, min(first + CHUNK, wanted)):
                start = int(number * stretch)
                width = min(int((number + 1) * stretch), last) - start
                changes.one(1 + start + int(rng.random() * width), stamp)
            schema.state_set(pacs, "step", step)
    return "Changed: " + ", ".join(f"{number:,} {kind}" for kind, number in changes.done.items()) + "."
