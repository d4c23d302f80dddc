# SPDX-License-Identifier: Apache-2.0
"""Two real assessment rolls of Cambridge, Massachusetts: FY2013 is loaded, then FY2014 comes under the same file name.
What must change is computed here from the files alone, with Python's own decimals and dates."""
import collections
import csv
import datetime
import decimal
import pathlib
import shutil
import sqlite3
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
import harness  # noqa: E402  (found by the line above)

ROLLS = harness.TOP.parent / "shared/data/cambridge"
pytestmark = pytest.mark.skipif(not (ROLLS / "assessment_fy2013.csv").exists(),
                                reason="Cambridge's rolls are not beside the project (../shared/data/cambridge); "
                                       "their licence keeps them out of it")

SETTINGS = """\
systems:
  roll:
    kind: csv
    path: {folder}/roll
  cama:
    kind: sqlite
    path: {folder}/cama.db
    access: write
"""
MAPPING = """\
pair: roll_to_cama
source: roll
target: cama
guards:
  max_errors: 20
entities:
  account:
    from: assessment.csv
    key: {map_lot: ML, location: Location}
    fields:
      use_code: UseCode
      use_description: UseDescription
      land_area: {from: LandArea, type: "decimal(14,2)", accept: rounds}
      land_value: {from: TotalAppraisedLandValue, type: integer}
      improvement_value: {from: TotalAppraisedImprovements, type: integer}
      total_value: {from: TotalAppraisedParcelValue, type: integer, required: true}
      book_page: {from: BookPage, trim: true}
      sale_date:
        from: SaleDate
        type: date
        format: ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y"]
      style: StyleDesc
      gross_area: {from: GrossArea, type: "decimal(12,2)"}
      occupancy: Occupancy
      year_built: {from: AYBYrBuilt, type: integer}
      stories: {from: BldgStories, type: "decimal(5,2)"}
"""
COLUMNS = ("map_lot", "location", "use_code", "use_description", "land_area", "land_value", "improvement_value", "total_value",
           "book_page", "sale_date", "style", "gross_area", "occupancy", "year_built", "stories")
INTEGERS = ("land_value", "improvement_value", "total_value", "year_built")
DECIMALS = ("land_area", "gross_area", "stories")
# The triggers are the target's own witness of which columns each update named.
TARGET = "create table account (" + ", ".join(f"{name} {'integer' if name in INTEGERS else 'text'}" for name in COLUMNS) + \
    ", primary key (map_lot, location)) strict;\ncreate table witness (name text) strict;\n" + \
    "".join(f"create trigger on_{name} after update of {name} on account begin insert into witness values ('{name}'); end;\n"
            for name in COLUMNS[2:])


def date_of(text):
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y"):
        try:
            return datetime.datetime.strptime(text, form).date().isoformat()
        except ValueError:
            pass
    raise ValueError(text)


def meaning(row):
    """A roll's row as the target must hold it; decimals as numbers, for 10.00 and 10 are the same."""
    values = dict(zip(COLUMNS, row))
    values = {name: None if value == "" else value for name, value in values.items()}
    for name in INTEGERS:
        values[name] = int(values[name]) if values[name] else None
    for name in DECIMALS:
        values[name] = decimal.Decimal(values[name]) if values[name] else None
    values["land_area"] = values["land_area"].quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_EVEN)
    values["book_page"] = values["book_page"].strip() if values["book_page"] else None
    values["sale_date"] = date_of(values["sale_date"]) if values["sale_date"] else None
    return values


class Roll:
    """One year: what it means by key, the first record of a key counting, and the keys that come again."""

    def __init__(self, year):
        self.path = ROLLS / f"assessment_fy{year}.csv"
        with open(self.path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        self.n_rows = len(rows)
        self.records, self.repeated = {}, collections.Counter()
        for row in rows:
            values = meaning(row)
            key = (values["map_lot"], values["location"])
            if key in self.records:
                self.repeated[key] += 1
            else:
                self.records[key] = values


class Changes:
    def __init__(self, old, new):
        common = old.records.keys() & new.records.keys()
        self.added, self.removed = new.records.keys() - common, old.records.keys() - common
        self.columns = collections.Counter()
        self.updated = 0
        for key in common:
            differing = [name for name in COLUMNS if old.records[key][name] != new.records[key][name]]
            self.columns.update(differing)
            self.updated += bool(differing)
        self.common = len(common)
        self.unchanged = self.common - self.updated


@pytest.fixture(scope="module")
def old():
    return Roll(2013)


@pytest.fixture(scope="module")
def new():
    return Roll(2014)


class Place(harness.County):
    def __init__(self, folder, batch="10000"):
        super().__init__(folder)
        self.batch = batch
        (self.folder / "etc/mappings").mkdir(parents=True)
        (self.folder / "roll").mkdir()
        (self.folder / "etc/terrafusion.yaml").write_text(SETTINGS.format(folder=self.folder))
        (self.folder / "etc/mappings/roll_to_cama.yaml").write_text(MAPPING)
        db = sqlite3.connect(self.folder / "cama.db")
        db.executescript(TARGET)
        db.close()

    def year(self, roll):
        shutil.copyfile(roll.path, self.folder / "roll/assessment.csv")

    def sync(self, status, **parameters):
        operation = self.insert_operation("full", "roll_to_cama", parameters)
        done = self.worker(operation, TERRAFUSION_BATCH_RECORDS=self.batch)
        assert done.returncode == status, done.stderr
        return operation

    def result(self, operation):
        rows = self.rows("state/pairs/roll_to_cama.db", """
            select n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held, n_deletes_withheld
              from result where operation_id = ?""", operation)
        assert len(rows) == 1
        return rows[0]

    def records(self):
        found = {}
        for row in self.rows("cama.db", f"select {', '.join(COLUMNS)} from account"):
            values = dict(zip(COLUMNS, row))
            for name in DECIMALS:
                values[name] = decimal.Decimal(values[name]) if values[name] is not None else None
            found[row[:2]] = values
        return found

    def witness(self):
        return dict(self.rows("cama.db", "select name, count(*) from witness group by name"))

    def quarantined(self):
        return self.rows("state/pairs/roll_to_cama.db", "select count(*) from quarantine")[0][0]


def test_what_is_computed_here_is_what_is_known_of_the_rolls(old, new):
    changes = Changes(old, new)
    assert (old.n_rows, new.n_rows) == (5909, 5933)
    assert (sum(old.repeated.values()), sum(new.repeated.values())) == (12, 11)
    assert (changes.common, len(changes.added), len(changes.removed)) == (5788, 134, 109)
    # 581 are known, with the last record of each repeated key counting; here the first counts.
    assert changes.columns["sale_date"] == 579


@pytest.mark.parametrize("batch", ["10000", "700"])
def test_exactly_the_meant_changes_arrive(tmp_path, old, new, batch):
    place = Place(tmp_path, batch)
    changes = Changes(old, new)
    place.year(old)
    operation = place.sync(3)
    assert place.result(operation) == (5909, 5897, 0, 0, 0, 12, 0)
    assert place.records() == old.records
    assert place.witness() == {}
    assert place.quarantined() == len(old.repeated)
    place.year(new)
    operation = place.sync(3, allow=["max_changes"])
    assert place.result(operation) == (5933, 134, changes.updated, 109, changes.unchanged, 11, 0)
    assert place.records() == new.records
    assert place.witness() == dict(changes.columns)
    assert place.quarantined() == len(new.repeated)


def test_the_same_roll_again_changes_nothing(tmp_path, new):
    place = Place(tmp_path)
    place.year(new)
    place.sync(3)
    entries = harness.journalled(place, place.sync(3))
    assert entries == []
    operation = place.sync(3)
    assert place.result(operation) == (5933, 0, 0, 0, 5922, 11, 0)
    assert place.witness() == {}


def test_repeated_keys_are_told_with_their_key(tmp_path, old):
    place = Place(tmp_path)
    place.year(old)
    place.sync(3)
    findings = [row[0] for row in place.rows("state/pairs/roll_to_cama.db", "select findings from quarantine")]
    for key in old.repeated:
        text = "|".join(key)
        assert any("key_unique" in finding and text in finding for finding in findings), text


def test_a_reappraised_year_trips_the_guard_and_nothing_is_written(tmp_path, old, new):
    place = Place(tmp_path)
    place.year(old)
    place.sync(3)
    place.year(new)
    operation = place.sync(4)
    error = place.rows("state/state.db", "select status, error from operation where id = ?", operation)[0]
    assert error[0] == "FAILED" and "max_changes" in error[1] and "589 are allowed" in error[1]
    assert place.records() == old.records
    assert place.witness() == {}
    assert harness.journalled(place, operation) == []
