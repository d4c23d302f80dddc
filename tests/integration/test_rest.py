# SPDX-License-Identifier: Apache-2.0
"""Systems of kind rest against a real OData v4 server (SAP's CAP): reading page by page, writing record by record, what it refuses."""
import base64
import json
import sqlite3

import pytest

import odata
from postgresql import FAILED, OK, QUARANTINED, Place, harness


@pytest.fixture(scope="module")
def server():
    server = odata.Server(page=7)
    yield server
    server.remove()


FIELDS = {"account_no": "text", "owner_name": "text", "balance": '"decimal(18,2)"', "long_number": "integer", "small_number": "integer",
          "ratio": '"decimal(20,10)"', "active": "boolean", "due_on": "date", "due_at": "time", "paid_at": "timestamp", "reference": "uuid",
          "photo": "bytes"}
KINDS = {"boolean": "integer", "bytes": "blob", "integer": "integer"}
TABLE = "create table {} (" + ", ".join(
    f"{name} {KINDS.get(kind, 'text')}{' primary key' if name == 'account_no' else ''}" for name, kind in FIELDS.items()) + ")"


def mapping(source, target, more="", where="", guards="max_deletes: 100%, max_changes: 100%, max_errors: 1000", fields=None):
    """The same fields on both sides; more: members of the entity."""
    fields = fields or list(FIELDS)[1:]
    text = f"pair: pair\nsource: one\ntarget: two\nguards: {{{guards}}}\nentities:\n  account:\n    from: {source}\n    to: {target}\n"
    text += (f"    where: {json.dumps(where)}\n" if where else "") + more
    text += "    key: {account_no: {from: account_no, type: text}}\n    fields:\n"
    return text + "".join(f"      {name}: {{from: {name}, type: {FIELDS[name]}}}\n" for name in fields)


def record(number, **more):
    return {"account_no": number, "owner_name": f"Owner of {number}", "balance": "1.50", **more}


BOUNDARIES = [
    record("B-1", balance="9999999999999.99", long_number="9223372036854775807", small_number=32767, ratio=0.1, active=True,
           due_on="9999-12-31", due_at="23:59:59", paid_at="2026-02-28T23:59:59.999Z", reference="01234567-89ab-cdef-0123-456789abcdef",
           photo=base64.b64encode(bytes(range(256))).decode()),
    record("B-2", balance="-9999999999999.99", long_number="-9223372036854775808", small_number=-32768, ratio=-1234567.125, active=False,
           due_on="1753-01-01", due_at="00:00:00", paid_at="1970-01-01T00:00:00.000Z", photo="AA=="),
    record("B-3", owner_name="O'Hara \"Zoë\" 😀\\\n\t", balance="0.00", long_number="9007199254740993"),
    record("B-4", balance=None), record("B'5 /?&#%", balance="0.10")]


class Case(Place):
    def __init__(self, folder, url, text, target=False, **options):
        self.file = folder / "county.db"
        db = sqlite3.connect(self.file)
        db.execute("pragma journal_mode=wal")
        db.execute(TABLE.format("account"))
        db.commit()
        db.close()
        rest = {"kind": "rest", "url": url, **options}
        sqlite = {"kind": "sqlite", "path": str(self.file)}
        super().__init__(folder, {"one": sqlite, "two": {**rest, "access": "write"}} if target
                         else {"one": rest, "two": {**sqlite, "access": "write"}}, text)

    def sql(self, statement, rows=None):
        db = sqlite3.connect(self.file)
        try:
            found = db.execute(statement).fetchall() if rows is None else db.executemany(statement, rows)
            db.commit()
            return found
        finally:
            db.close()

    def put(self, *records):
        names = list(FIELDS)
        self.sql(f"insert or replace into account values ({', '.join('?' * len(names))})",
                 [tuple(one.get(name) for name in names) for one in records])

    def check(self, expect=OK):
        operation = harness.insert_operation(self.folder / "state", self.environment(), "check", "pair", {})
        status = self.worker(operation)
        assert status == expect, f"{status}: {self.error(operation)} {self.stderr}"
        return self.report(operation)


def in_sqlite(one):
    """A record as our SQLite target holds it."""
    photo = one.get("photo")
    return (one["account_no"], one["owner_name"], one.get("balance"), int(one["long_number"]) if one.get("long_number") else None,
            one.get("small_number"), one.get("active") if one.get("active") is None else int(one["active"]), one.get("due_on"),
            base64.b64decode(photo) if photo else None)


def test_boundary_values_are_read_exactly(server, tmp_path):
    server.empty()
    server.put("Accounts", *BOUNDARIES)
    case = Case(tmp_path, server.url, mapping("Accounts", "account"))
    case.run()
    rows = case.sql("select account_no, owner_name, balance, long_number, small_number, active, due_on, photo from account order by 1")
    assert rows == sorted(in_sqlite(one) for one in BOUNDARIES)
    first = case.sql("select ratio, due_at, paid_at, reference from account where account_no = 'B-1'")[0]
    assert first[0] == "0.1000000000" and first[1].startswith("23:59:59") and first[2].startswith("2026-02-28 23:59:59.999") and first[3] == BOUNDARIES[0]["reference"]
    operation = case.run()
    assert case.result(operation)["account"] == (5, 0, 0, 0, 5, 0)


@pytest.mark.parametrize("paging", ["key", "link"])
def test_every_page_is_read_whatever_its_size(server, tmp_path, paging):
    server.empty()
    server.put("Accounts", *[record(f"N-{i:03}") for i in range(100)])
    case = Case(tmp_path, server.url, mapping("Accounts", "account"), paging=paging, page_size=3)
    operation = case.run()
    assert case.result(operation)["account"][:2] == (100, 100)
    server.call("PATCH", "Accounts('N-050')", {"balance": "7.25"}, **{"If-Match": "*"})
    server.call("DELETE", "Accounts('N-007')", **{"If-Match": "*"})
    server.put("Accounts", record("N-100"))
    operation = case.run()
    assert case.result(operation)["account"] == (100, 1, 1, 1, 98, 0)
    assert case.sql("select account_no, balance from account order by 1") == server.all("Accounts", "account_no,balance", "account_no")


def test_a_scan_goes_on_behind_the_last_key(server, tmp_path):
    """A worker that stops between two batches: the next attempt reads only the rest, and deletes nothing."""
    server.empty()
    server.put("Accounts", *[record(f"R-{i:03}") for i in range(60)])
    case = Case(tmp_path, server.url, mapping("Accounts", "account"))
    operation = case.insert()
    assert case.worker(operation, TERRAFUSION_BATCH_RECORDS="10") == OK
    assert case.result(operation)["account"][:2] == (60, 60)


def test_where_and_variables_are_pushed_down(server, tmp_path):
    server.empty()
    server.put("Accounts", *[record(f"W-{i}", small_number=i) for i in range(20)])
    text = mapping("Accounts", "account", where="small_number ge :least and owner_name ne 'O''Hara'").replace("guards:", "variables: {least: 15}\nguards:")
    case = Case(tmp_path, server.url, text)
    case.run()
    assert case.sql("select count(*), min(small_number) from account") == [(5, 15)]


def test_a_plain_join_is_expanded(server, tmp_path):
    server.empty()
    server.put("Accounts", record("J-1", owner_name="Ada"), record("J-2", owner_name="Bob"))
    server.put("Lines", *[{"account_account_no": f"J-{1 + i % 2}", "line": i, "amount": f"{i}.50"} for i in range(10)])
    text = """\
pair: pair
source: one
target: two
entities:
  line:
    from: Lines
    to: line
    join:
      account: {from: Accounts, by: {account_no: account_account_no}}
    key: {account_no: account_account_no, line: line}
    fields: {amount: {from: amount, type: "decimal(12,2)"}, owner: account.owner_name}
"""
    case = Case(tmp_path, server.url, text)
    case.sql("create table line (account_no text, line integer, amount text, owner text, primary key (account_no, line))")
    case.run()
    assert case.sql("select * from line order by 2")[:2] == [("J-1", 0, "0.50", "Ada"), ("J-2", 1, "1.50", "Bob")]
    assert len(case.sql("select * from line")) == 10
    case.mapping(text.replace("account_no: account_account_no}}", "owner_name: account_account_no}}"))
    operation = case.run(expect=FAILED)
    error = case.error(operation)
    assert 'pair.yaml:9: Join "account": "Lines" has no navigation to "Accounts" that does it' in error["detail"]
    assert "$metadata" in error["remedy"]


def in_service(server):
    names = "account_no,owner_name,balance,long_number,small_number,ratio,active,due_on,due_at,paid_at,reference,photo"
    return {row[0]: dict(zip(names.split(","), row)) for row in server.all("Accounts", names, "account_no")}


def from_sqlite(one):
    photo = one.get("photo")
    active = one.get("active")
    return {**one, "photo": base64.b64decode(photo) if photo else None, "active": active if active is None else int(active),
            "long_number": int(one["long_number"]) if one.get("long_number") else None,
            "ratio": str(one["ratio"]) if one.get("ratio") is not None else None}


def test_boundary_values_are_written_exactly(server, tmp_path):
    server.empty()
    case = Case(tmp_path, server.url, mapping("account", "Accounts"), target=True)
    case.put(*map(from_sqlite, BOUNDARIES))
    operation = case.run()
    assert case.result(operation)["account"] == (5, 5, 0, 0, 0, 0)
    found = in_service(server)
    for one in BOUNDARIES:
        for name, value in one.items():
            is_value = found[one["account_no"]][name]
            if name == "photo":     # either alphabet of base64 will do
                is_value = is_value.replace("-", "+").replace("_", "/")
            assert is_value == value, (one["account_no"], name)
    operation = case.run()
    assert case.result(operation)["account"] == (5, 0, 0, 0, 5, 0)


def test_changes_and_deletes_are_written(server, tmp_path):
    server.empty()
    case = Case(tmp_path, server.url, mapping("account", "Accounts", fields=["owner_name", "balance"]), target=True, batch_size=16)
    case.put(*[record(f"C-{i:03}") for i in range(70)])
    case.run()
    server.call("PATCH", "Accounts('C-001')", {"small_number": 5}, **{"If-Match": "*"})  # not ours: stays
    case.sql("update account set balance = '2.75' where account_no in ('C-001', 'C-002')")
    case.sql("delete from account where account_no > 'C-066'")
    case.put(record("C-100"))
    operation = case.run()
    assert case.result(operation)["account"] == (68, 1, 2, 3, 65, 0)
    assert server.all("Accounts", "account_no,owner_name,balance", "account_no") == case.sql("select account_no, owner_name, balance from account order by 1")
    assert server.call("GET", "Accounts('C-001')")["small_number"] == 5


@pytest.mark.parametrize("batch", [1, 100])
def test_what_the_service_refuses_is_held_alone(server, tmp_path, batch):
    server.empty()
    server.put("Accounts", record("X-0"))
    case = Case(tmp_path, server.url, mapping("account", "Accounts"), target=True, batch_size=batch)
    case.put(*[record(f"H-{i}") for i in range(10)])
    case.put(record("H-3", owner_name=None), record("H-5", ratio="0.12345678901234567"), record("X-0", owner_name="changed"))
    operation = case.run(expect=QUARANTINED, allow=["first_write"])
    assert case.result(operation)["account"] == (11, 8, 1, 0, 0, 2)
    found = case.findings()
    assert "NOT NULL constraint failed" in found[0]["message"] or "owner_name" in found[0]["message"], found
    assert "ratio" in found[1]["message"], found
    assert set(in_service(server)) == {f"H-{i}" for i in range(10) if i not in (3, 5)} | {"X-0"}
    case.put(record("H-3"), record("H-5"))
    operation = case.run()
    assert case.result(operation)["account"] == (11, 2, 0, 0, 9, 0)
