# SPDX-License-Identifier: Apache-2.0
"""The same 5,000 typed records from every kind that can be read to every kind that can be written, and back. Compared exactly and typed, by the
systems' own drivers and Python, not by our engine. What a target cannot hold is a finding, and which ones is asserted."""
import json

import pytest

from matrix import FIELDS, KINDS, N_RECORDS, NAMES, PostgreSQL, comparable, records
from postgresql import OK, QUARANTINED, Place, Server

RECORDS = records()
SOURCES = [kind for kind in KINDS if kind.source]
PAIRS = [(source, target) for source in SOURCES for target in KINDS
         if target.target and (not (source.variant or target.variant) or PostgreSQL in (source, target))]


@pytest.fixture(scope="module")
def server():
    one = Server("fsync=off")
    yield one
    one.remove()


@pytest.fixture(scope="module")
def sources(tmp_path_factory, server):
    """Each source is filled once."""
    made = {}
    for kind in SOURCES:
        folder = tmp_path_factory.mktemp(f"source_{len(made)}_{kind.__name__.lower()}")
        source = kind(folder, server)
        source.empty()
        source.rows = [record for record in RECORDS if source.holds(record)]
        source.load(source.rows)
        made[kind] = source
    return made


def mapping(source, target, names):
    fields = "\n".join(f"      {name}: {source.field(name)}" for name in names if name != "id")
    return (f"pair: pair\nsource: one\ntarget: two\nguards: {{max_changes: 100%, max_errors: {N_RECORDS}}}\nentities:\n  thing:\n"
            f"    from: {source.table}\n    to: {target.table}\n    key:\n      id: {source.field('id')}\n    fields:\n{fields}\n")


def move(folder, source, target, rows, names):
    """Moves them; gives what has to be there and checks that each record that is not has its finding."""
    lost = {record["id"]: target.lacks(record) & set(names) for record in rows}
    n_lost = sum(map(bool, lost.values()))
    place = Place(folder, {"one": source.system() | {"access": "read"}, "two": target.system()}, mapping(source, target, names))
    operation = place.run(expect=QUARANTINED if n_lost else OK)
    held = {int(json.loads(text)["id"]): {finding["field"] for finding in json.loads(findings)}
            for text, findings in place.rows("pairs/pair.db", "select source, findings from quarantine")}
    for number in held.keys() | {number for number, fields in lost.items() if fields}:
        record = next(record for record in rows if record["id"] == number)
        assert held.get(number) and held[number] <= lost[number], (record, held.get(number), lost[number])
    assert place.result(operation)["thing"] == (len(rows), len(rows) - n_lost, 0, 0, 0, n_lost)
    return place, [record for record in rows if not lost[record["id"]]]


def assert_same(found, expected, names):
    found = {row["id"]: comparable({name: row[name] for name in names}) for row in found}
    expected = {row["id"]: comparable({name: row[name] for name in names}) for row in expected}
    assert found.keys() == expected.keys()
    for number, row in expected.items():
        assert found[number] == row, number


@pytest.mark.parametrize(("source_kind", "target_kind"), PAIRS, ids=lambda kind: kind.name.replace(" ", "-"))
def test_there_and_back(tmp_path, server, sources, source_kind, target_kind):
    source = sources[source_kind]
    names = [name for name in NAMES if source.field(name)]
    (tmp_path / "there").mkdir()
    target = target_kind(tmp_path / "there", server)
    target.empty()
    rows = [record for record in source.rows if target.meets(record)]
    if len(rows) < len(source.rows):
        source = source_kind(tmp_path, server)
        source.empty()
        source.load(rows)
    place, expected = move(tmp_path / "go", source, target, rows, names)
    assert len(expected) > 400
    assert_same(target.dump(), expected, names)

    # Without its memory the pair compares with what the target holds, and nothing is a change.
    place.forget()
    operation = place.insert(allow=["first_write"])
    assert place.worker(operation) in (OK, QUARANTINED), place.error(operation)
    n_read, n_inserted, n_updated, _, n_unchanged, _ = place.result(operation)["thing"]
    assert (n_read, n_inserted, n_updated, n_unchanged) == (len(rows), 0, 0, len(expected))

    if not target_kind.source or not source_kind.target:
        return
    (tmp_path / "back").mkdir()
    back = source_kind(tmp_path / "back", server)
    back.empty()
    _, expected = move(tmp_path / "return", target, back, expected, names)
    assert_same(back.dump(), expected, names)


def test_the_records_have_what_they_promise():
    assert len(RECORDS) == N_RECORDS and len({record["id"] for record in RECORDS}) == N_RECORDS
    for name in FIELDS:
        assert {type(record[name]) for record in RECORDS} >= ({type(None)} if name != "id" else set())
