# SPDX-License-Identifier: Apache-2.0
"""The tables of the four sample systems, and how their files are opened, stamped and filled.

PACS keeps its own rule: everything is keyed by (year, sup_num, prop_id), and prop_supp_assoc names the
active supplement. Whole dollars are integers, dollars with cents and acres are text: a binary float never
holds either. Dates of the county are MM/DD/YYYY as PACS exports them; last_update_dt is the real time of
writing, in UTC.
"""
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path

SRID = 32122            # NAD83 / Ohio North, metres: the projection that the county's file states
RATE = "0.021500"       # of the assessed value; ours, stated, and marked COMPUTED wherever it shows
RATE_BASIS_POINTS = 215


class SampleError(Exception):
    """What the user should read, and nothing else."""


PACS = """
create table property (
        prop_id integer primary key,
        prop_type_cd text not null,
        geo_id text not null unique,
        deed_dt text,
        last_update_dt text not null
) strict;
create table property_val (
        prop_val_yr integer not null,
        sup_num integer not null,
        prop_id integer not null,
        property_use_cd text not null,
        legal_acreage text,
        assessed_val integer not null,
        prop_inactive_dt text,
        last_update_dt text not null,
        primary key (prop_val_yr, sup_num, prop_id)
) strict;
create table prop_supp_assoc (
        owner_tax_yr integer not null,
        sup_num integer not null,
        prop_id integer not null,
        last_update_dt text not null,
        primary key (owner_tax_yr, prop_id)
) strict;
create table land_detail (
        prop_val_yr integer not null,
        sup_num integer not null,
        prop_id integer not null,
        land_seg_id integer not null,
        size_sqft integer not null,
        size_acres text not null,
        frontage integer not null,
        depth integer not null,
        last_update_dt text not null,
        primary key (prop_val_yr, sup_num, prop_id, land_seg_id)
) strict;
create table imprv (
        prop_val_yr integer not null,
        sup_num integer not null,
        prop_id integer not null,
        imprv_id integer not null,
        imprv_type_cd text not null,
        year_built integer not null,
        living_area integer not null,
        stories_cd text not null,
        ext_wall_cd text not null,
        garage_cd text not null,
        garage_sqft integer not null,
        bedrooms integer not null,
        baths integer not null,
        half_baths integer not null,
        rooms integer not null,
        last_update_dt text not null,
        primary key (prop_val_yr, sup_num, prop_id, imprv_id)
) strict;
create table sale (
        chg_of_owner_id integer primary key,
        prop_id integer not null,
        sl_dt text not null,
        sl_price integer not null,
        sl_county_ratio_cd text not null,
        last_update_dt text not null
) strict;
create table levy (
        levy_cd text not null,
        levy_yr integer not null,
        levy_description text not null,
        levy_rate text not null,
        revenue_acct text not null,
        last_update_dt text not null,
        primary key (levy_cd, levy_yr)
) strict;
create table bill (
        bill_id integer primary key,
        prop_id integer not null,
        tax_yr integer not null,
        levy_cd text not null,
        amount_due text not null,
        basis_cd text not null check (basis_cd = 'COMPUTED'),
        last_update_dt text not null,
        unique (prop_id, tax_yr)
) strict;
create table prop_lineage (
        parent_prop_id integer not null,
        child_prop_id integer not null,
        kind_cd text not null check (kind_cd in ('SPLIT', 'MERGE')),
        lineage_yr integer not null,
        last_update_dt text not null,
        primary key (parent_prop_id, child_prop_id)
) strict;
create table sample_state (
        name text primary key,
        value text not null
) strict;
"""
PACS_TABLES = ("property", "property_val", "prop_supp_assoc", "land_detail", "imprv", "sale", "levy", "bill",
               "prop_lineage")
# Built after a bulk load, which is three times as fast as keeping them up to date during it.
PACS_INDEXES = """
create index property_val_by_prop on property_val (prop_id, prop_val_yr, sup_num);
create index prop_supp_assoc_by_prop on prop_supp_assoc (prop_id, owner_tax_yr);
create index sale_by_prop on sale (prop_id);
""" + "".join(f"create index {t}_by_update on {t} (last_update_dt);\n" for t in PACS_TABLES)

GIS = """
create table parcel_point (
        parcel_id text primary key,
        shape blob not null,
        srid integer not null,
        last_update_dt text not null
) strict;
create table parcel_polygon (
        parcel_id text primary key,
        shape blob not null,
        srid integer not null,
        last_update_dt text not null
) strict;
"""
GIS_INDEXES = """
create index parcel_point_by_update on parcel_point (last_update_dt);
create index parcel_polygon_by_update on parcel_polygon (last_update_dt);
"""

CAMA = """
create table parcel (
        parcel_id text primary key,
        land_use_code text,
        deed_date text,
        retired_date text,
        status_code text not null,
        source_system text not null
) strict;
create table assessment (
        parcel_id text not null,
        tax_year integer not null,
        land_use_code text,
        assessed_value text not null,
        revision integer not null,
        primary key (parcel_id, tax_year)
) strict;
create table land (
        parcel_id text not null,
        tax_year integer not null,
        line_number integer not null,
        square_footage integer not null,
        acreage text not null,
        frontage integer,
        depth integer,
        primary key (parcel_id, tax_year, line_number)
) strict;
create table improvement (
        parcel_id text not null,
        tax_year integer not null,
        improvement_number integer not null,
        structure_type text not null,
        year_built integer,
        gross_area integer,
        story_code text,
        wall_code text,
        garage_code text,
        garage_area integer,
        bedrooms integer,
        full_baths integer,
        half_baths integer,
        room_count integer,
        primary key (parcel_id, tax_year, improvement_number)
) strict;
create table sale (
        sale_id integer primary key,
        parcel_id text not null,
        sale_date text not null,
        price text not null,
        validity_code text
) strict;
create table parcel_location (
        parcel_id text primary key,
        shape blob not null,
        srid integer not null
) strict;
"""

ERP = """
create table ledger_account (
        ledger_account_id text primary key,
        account_name text not null,
        revenue_account_code text not null,
        fiscal_year integer not null,
        tax_rate text not null
) strict;
create table charge (
        parcel_number text not null,
        tax_year integer not null,
        levy_code text not null,
        principal text not null,
        basis text not null,
        primary key (parcel_number, tax_year)
) strict;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Opens a system's file that must be there. Transactions are begun by hand."""
    if not path.is_file():
        raise SampleError(f"{path} is not there: make a county with "
                          f"'terrafusion-sample create {path.parent}'")
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.execute("pragma foreign_keys = on")
    return db


@contextmanager
def writing(db: sqlite3.Connection):
    """A write transaction; gives the stamp for its rows.

    The stamp is taken after the write lock: whoever holds the lock later has a later stamp, which is what
    lets a reader of watermarks prove that nothing older is still to come.
    """
    db.execute("begin immediate")
    try:
        yield db.execute("select strftime('%Y-%m-%d %H:%M:%f', 'now')").fetchone()[0]
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


class NewCounty:
    """The four files of a county in the making: filled beside their place, moved into it when whole."""

    FILES = {"pacs": PACS, "gis": GIS, "cama": CAMA, "erp": ERP}

    def __init__(self, folder: Path):
        self.folder = folder
        for name in self.FILES:
            if (folder / f"{name}.db").exists():
                raise SampleError(f"{folder} already holds a county ({name}.db): choose another folder, "
                                  f"or remove {folder}/*.db first")
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self.db = {}
        for name, tables in self.FILES.items():
            part = self._part(name)
            part.unlink(missing_ok=True)
            db = self.db[name] = sqlite3.connect(part, isolation_level=None)
            # Nobody else sees the file before it is whole, so it needs no journal while it is filled.
            db.execute("pragma journal_mode = off")
            db.execute("pragma synchronous = off")
            db.execute("pragma cache_size = -16384")
            db.executescript(tables)
        return self

    def __exit__(self, kind, value, trace):
        for name, db in self.db.items():
            if kind is None:
                db.executescript({"pacs": PACS_INDEXES, "gis": GIS_INDEXES}.get(name, ""))
                db.execute("pragma journal_mode = wal")
            db.close()
        for name in self.db:
            if kind is None:
                self._publish(name)
            else:
                self._part(name).unlink(missing_ok=True)
        return False

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.db.part"

    def _publish(self, name: str):
        part = self._part(name)
        if os.geteuid() == 0:           # the service, not root, must be able to write beside them
            owner = self.folder.stat()
            os.chown(part, owner.st_uid, owner.st_gid)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.rename(self.folder / f"{name}.db")


def state_get(db: sqlite3.Connection, name: str):
    row = db.execute("select value from sample_state where name = ?", (name,)).fetchone()
    return row and row[0]


def state_set(db: sqlite3.Connection, name: str, value):
    db.execute("insert into sample_state (name, value) values (?, ?) "
               "on conflict (name) do update set value = excluded.value", (name, str(value)))


def insert(db: sqlite3.Connection, table: str, rows):
    """Rows of all columns of the table, in its order."""
    rows = list(rows)
    if rows:
        db.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def bill_amount(assessed_val: int) -> str:
    """Half a cent goes up; integers all the way, so it is exact."""
    cents = (assessed_val * RATE_BASIS_POINTS + 50) // 100
    return f"{cents // 100}.{cents % 100:02d}"


def acres(square_feet: int) -> str:
    ten_thousandths = (square_feet * 10000 + 21780) // 43560
    return f"{ten_thousandths // 10000}.{ten_thousandths % 10000:04d}"
