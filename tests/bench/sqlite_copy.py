# SPDX-License-Identifier: Apache-2.0
"""Copying within SQLite: 25 mixed columns, some 250 bytes a record, ten constraints (roll.yaml).
  sqlite-copy-ratio      rate of a first full sync, with conversion, constraints, baseline, journal and checkpoint, over the
                         rate of one "insert into … select" of the same columns into an attached WAL database, synced
  sqlite-resync-ratio    rate of a full sync that finds nothing changed, over a C program that steps the same select
  sqlite-copy-rss-mb-N   peak resident memory of the worker in a first full sync of N records"""
import sqlite3
import statistics

from place import Place, compile_program, demand_equal, seconds_of

FIGURES = {
    "sqlite-copy-ratio": ("ratio", ">= 0.25; >= 0.45"),
    "sqlite-resync-ratio": ("ratio", ">= 0.5; >= 0.85"),
    "sqlite-copy-rss-mb": ("MiB", "<= 128; <= 48"),
}
SETTINGS = """\
systems:
  pacs: {{kind: sqlite, path: {folder}/pacs.db}}
  cama: {{kind: sqlite, path: {folder}/cama.db, access: write}}
"""
# What performance figures of such tools are commonly quoted for: numbers, texts, decimals as text, dates as text.
INTEGERS = ["prop_val_yr", "sup_num", "land_hstd_val", "land_non_hstd_val", "imprv_hstd_val", "market", "appraised_val", "assessed_val"]
TEXTS = ["geo_id", "use_cd", "legal_desc", "hood_cd", "subdv_cd", "block", "lot", "situs", "city", "owner", "remarks"]
DECIMALS = ["acreage", "tax_rate", "tax_due"]
DATES = ["deed_dt", "inspected_dt"]
COLUMNS = ", ".join(["prop_id", *INTEGERS, *TEXTS, *DECIMALS, *DATES])
TABLE = ("(prop_id integer primary key, " + ", ".join(f"{name} integer" for name in INTEGERS) + ", " +
         ", ".join(f"{name} text" for name in [*TEXTS, *DECIMALS, *DATES]) + ") strict;")
SOURCE = """
create table roll """ + TABLE + """
with recursive counted (n) as (select 1 union all select n + 1 from counted where n < {records})
insert into roll select n, 2025, 0, n % 90000, n % 7000, n % 400000, n * 7919 % 900000, n * 7919 % 900000, n * 7919 % 900000,
        printf('LC-%07d', n), '510', 'LOT ' || (n % 90) || ' OF THE ORIGINAL PLAT OF BLOCK ' || (n % 300), 'H' || (n % 120),
        'S' || (n % 900), 'B' || (n % 40), n % 90, (n % 9999) || ' NORTH MAIN STREET', 'TOLEDO', 'OWNER NUMBER ' || n,
        'no remark of any kind', printf('%d.%04d', n % 40, n % 9999), '0.0198', printf('%d.%02d', n % 9000, n % 100),
        '1996-0' || (1 + n % 9) || '-1' || (n % 10), '1995-0' || (1 + n % 9) || '-2' || (n % 9)
   from counted;"""
CHECK = "select count(*), sum(assessed_val), count(deed_dt), sum(length(owner)), sum(cast(tax_due as real)), sum(cast(acreage as real))"


class Roll(Place):
    def __init__(self, folder, records):
        super().__init__(folder / f"sqlite-{records}", SETTINGS.format(folder=folder / f"sqlite-{records}"), "roll.yaml")
        self.records = records
        db = sqlite3.connect(self.folder / "pacs.db")
        db.executescript(SOURCE.format(records=records))
        db.close()
        self.expected = self.sums("pacs.db", "roll")

    def empty(self, name):
        for path in self.folder.glob(name + "*"):
            path.unlink()
        db = sqlite3.connect(self.folder / name)
        db.executescript("pragma journal_mode=wal; create table bench_roll " + TABLE)
        db.close()

    def sums(self, name, table):
        db = sqlite3.connect(self.folder / name)
        try:
            return [round(value, 2) for value in db.execute(f"{CHECK} from {table}").fetchone()]
        finally:
            db.close()

    def first_sync(self):
        self.forget()
        self.empty("cama.db")
        result = self.sync()
        demand_equal("what the sync wrote", self.sums("cama.db", "bench_roll"), self.expected)
        return result

    def copy(self):
        self.empty("copy.db")
        sql = (f"attach '{self.folder}/copy.db' as target; pragma target.synchronous=full;"
               f"insert into target.bench_roll select {COLUMNS} from roll;")
        seconds = seconds_of(["sqlite3", self.folder / "pacs.db", sql])
        demand_equal("what SQLite copied", self.sums("copy.db", "bench_roll"), self.expected)
        return seconds


def measure_copy(place, options):
    ratios = []
    place.first_sync()      # warm
    for _ in range(options.turns):
        ours, memory = place.first_sync()
        theirs = place.copy()
        options.note(f"first sync {ours:.2f} s ({place.records / ours:,.0f} records/s, {memory:.0f} MiB); insert … select {theirs:.2f} s")
        ratios.append(theirs / ours)
    return statistics.median(ratios)


def measure_resync(place, options):
    ratios = []
    reader = compile_program(options.folder, "read", "-lsqlite3")
    place.first_sync()
    for _ in range(options.turns):
        ours, _ = place.sync()
        theirs = seconds_of([reader, place.folder / "pacs.db", f"select {COLUMNS} from roll"])
        options.note(f"nothing changed {ours:.2f} s ({place.records / ours:,.0f} records/s); read {theirs:.2f} s")
        ratios.append(theirs / ours)
    demand_equal("the target after syncs that had nothing to do", place.sums("cama.db", "bench_roll"), place.expected)
    return statistics.median(ratios)


def measure(names, options):
    place = Roll(options.folder, options.records) if {"sqlite-copy-ratio", "sqlite-resync-ratio"} & set(names) else None
    if "sqlite-copy-ratio" in names:
        yield "sqlite-copy-ratio", measure_copy(place, options)
    if "sqlite-resync-ratio" in names:
        yield "sqlite-resync-ratio", measure_resync(place, options)
    if "sqlite-copy-rss-mb" in names:
        for records in sorted({min(100_000, options.records), options.records}):
            yield f"sqlite-copy-rss-mb-{records}", Roll(options.folder / "rss", records).first_sync()[1]
