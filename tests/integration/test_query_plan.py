# SPDX-License-Identifier: Apache-2.0
"""What a pair asks of its databases: plans that are refused with the index that mends them, and the grants that a DBA has to run."""
import re

import pytest

from postgresql import FAILED, OK, Place, Server

MAPPING = """\
pair: pair
source: one
target: two
entities:
  parcel:
    from: parcel
    join:
      owner: {{from: owner, by: {{id: owner_id}}, optional: true}}
    to: parcel
    key: {{id: id}}
    detect: {{strategy: watermark, column: changed_at, sweep: daily{allow}}}
    fields:
      market: market
      owner: owner.name
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class Case(Place):
    def __init__(self, server, folder, name, login="postgres"):
        self.server, self.source, self.target, self.login = server, f"{name}_source", f"{name}_target", login
        systems = {"one": {"kind": "postgresql", "connection": server.database(self.source).replace("user=postgres", f"user={login}")},
                   "two": {"kind": "postgresql", "access": "write", "connection": server.database(self.target).replace("user=postgres", f"user={login}")}}
        self.at_source("create table owner (id integer primary key, name text)",
                       "create table parcel (id integer primary key, market numeric(10,2), owner_id integer, changed_at timestamptz not null default now())",
                       "insert into owner select i, 'owner ' || i from generate_series(1, 2000) i",
                       "insert into parcel select i, i, i, now() - interval '1 day' * i from generate_series(1, 2000) i", "analyze")
        self.at_target("create table parcel (id integer primary key, market numeric(10,2), owner text)")
        super().__init__(folder, systems, MAPPING.format(allow=""))

    def at_source(self, *sql):
        return self.server.sql(*sql, database=self.source)

    def at_target(self, *sql):
        return self.server.sql(*sql, database=self.target)

    def seem_large(self, table):
        """As if it had been analysed with so many records."""
        self.at_source(f"update pg_class set reltuples = 5e6 where relname = '{table}'")

    def refused(self, kind):
        operation = self.run(kind, expect=FAILED)
        return self.error(operation), self.report(operation)


@pytest.fixture
def case(server, tmp_path, request):
    return Case(server, tmp_path, re.sub(r"\W+", "_", request.node.name)[:40].lower())


def test_the_queries_and_their_plans(case):
    rows = case.report(case.run("query-plan"))
    assert [(row["what"], row["ok"]) for row in rows] == [("query of entity parcel (full compare)", True), ("query of entity parcel (increment)", True)]
    assert "order by" not in rows[0]["query"] and '"market"' in rows[0]["query"] and "changed_at" not in rows[0]["query"]
    assert "changed_at" in rows[1]["query"] and "Seq Scan on parcel" in rows[1]["plan"]
    assert [scan["table"] for scan in rows[1]["scans"] if scan["alias"] == "source"] == ["parcel"]
    assert case.at_target("select count(*) from parcel") == "0"


def test_an_increment_that_reads_a_large_table(case):
    case.run("full")
    case.seem_large("parcel")
    error, rows = case.refused("query-plan")
    assert "reads the 5000000 records of parcel without an index" in error["detail"]
    index = re.search(r'create index .*?\)', error["remedy"])[0]
    assert "allow_scan: true" in error["remedy"] and index.endswith('on "parcel" ("changed_at")')
    assert [row["ok"] for row in rows] == [True, False]
    for kind in ("check", "incremental"):
        operation = case.run(kind, expect=FAILED)
        assert case.error(operation)["detail"].endswith("without an index"), case.error(operation)
    case.mapping(MAPPING.format(allow=", allow_scan: true"))
    assert case.run("check")
    case.run("incremental")
    case.mapping(MAPPING.format(allow=""))
    case.at_source(index)
    case.at_source("analyze parcel")
    case.seem_large("parcel")
    rows = case.report(case.run("query-plan"))
    assert "parcel_changed_at" in rows[1]["plan"] and not [scan for scan in rows[1]["scans"] if scan["table"] == "parcel"]
    case.run("incremental")


@pytest.mark.parametrize("allow", [", allow_scan: yes", ", allow_scans: true"])
def test_bad_words(case, allow):
    case.mapping(MAPPING.format(allow=allow))
    operation = case.insert("full")
    assert case.worker(operation) == 78
    error = case.error(operation)
    assert error["line"] == 11 and "allow_scan" in error["detail"], error


def test_grants(server, tmp_path):
    server.sql("drop role if exists reader", "create role reader login")
    case = Case(server, tmp_path, "grants", login="reader")
    case.at_source("revoke all on schema public from public")
    rows = case.report(case.run("check", expect=FAILED, grants=True))
    assert {row["sql"] for row in rows if not row["ok"] and "system one" in row["what"]} == {
        "grant usage on schema public to reader", "grant select on parcel to reader"}  # more cannot be seen from outside
    case.at_source("grant usage on schema public to reader")
    rows = case.report(case.run("check", expect=FAILED, grants=True))
    wanted = {row["sql"] for row in rows if "sql" in row and not row["ok"]}
    assert 'grant pg_read_all_stats to reader' in wanted
    assert "grant select (name, id) on public.owner to reader" in wanted
    assert "grant insert on public.parcel to reader" in wanted and "grant delete on public.parcel to reader" in wanted
    assert not [sql for sql in wanted if "connect" in sql]
    [strategy] = [row for row in rows if row["what"] == "strategy"]
    assert strategy["entity"] == "parcel" and strategy["strategy"] != "watermark" and strategy["blind"]
    # What it says is enough: after it the pair runs.
    for row in rows:
        if "sql" in row and not row["ok"]:
            (case.at_source if "system one" in row["what"] else case.at_target)(row["sql"])
    rows = case.report(case.run("check", grants=True))
    assert all(row["ok"] for row in rows)
    case.run("check")
    case.run("full")
    assert case.at_target("select count(*) from parcel") == "2000"
    assert case.run("incremental") and OK == 0


def test_grants_of_a_kind_that_cannot_tell_them(server, tmp_path):
    """A script for the DBA that leaves out a system says so."""
    case = Case(server, tmp_path, "untold")
    (tmp_path / "parcel.csv").write_text("id,market,name\n1,1.50,Ann\n")
    settings = tmp_path / "etc/terrafusion.yaml"
    settings.write_text("systems:\n  one: {kind: csv, path: %s}\n  two:\n" % tmp_path + settings.read_text().split("  two:\n")[1])
    case.mapping("pair: pair\nsource: one\ntarget: two\nentities:\n  parcel:\n    from: parcel.csv\n    to: parcel\n    key: {id: id}\n"
                 "    fields: {market: market}\n")
    rows = case.report(case.run("check", grants=True))
    [untold] = [row for row in rows if row["what"] == "rights at system one"]
    assert untold["ok"] and "terrafusion-csv(5)" in untold["message"], untold


def test_a_reader_that_could_write_is_told(server, tmp_path):
    case = Case(server, tmp_path, "modest")
    rows = case.report(case.run("check"))
    assert [row for row in rows if row["ok"] and "could write it too" in row["message"] and "revoke" in row["remedy"]]
