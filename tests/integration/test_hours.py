# SPDX-License-Identifier: Apache-2.0
"""`hours` of a system: a run outside them waits, one that meets their end goes on when they begin again, and neither loses an attempt."""
import datetime
import sqlite3
import time

import pytest
from postgresql import Place, Server
from test_daemons import CTL, Service, grow, harness  # noqa: F401

NIGHT = "20:00-06:00"
N = 80000


def zone_in_which_it_is(hour, minute, second):
    """A zone of its own, with seconds in its offset: the test need not wait for the clock."""
    now = int(time.time()) % 86400
    ahead = (hour * 3600 + minute * 60 + second - now) % 86400
    if ahead > 43200:
        ahead -= 86400
    sign, ahead = ("-", ahead) if ahead >= 0 else ("", -ahead)
    return f"TST{sign}{ahead // 3600:02d}:{ahead // 60 % 60:02d}:{ahead % 60:02d}"


class Night(Service):
    zone = "UTC"

    def environment(self):
        return super().environment() | {"TZ": self.zone, "TERRAFUSION_BATCH_RECORDS": "20"}

    def settings(self, hours=None, limits=None):
        text = harness.SETTINGS.format(folder=self.county.folder)
        more = (f'    hours: "{hours}"\n' if hours else "") + (f"    limits: {limits}\n" if limits else "")
        text = text.replace("/pacs.db\n", "/pacs.db\n" + more)
        (self.county.folder / "etc/terrafusion.yaml").write_text(text)


@pytest.fixture
def night(tmp_path):
    service = Night(harness.County.create(tmp_path / "county"))
    yield service
    if service.process and service.process.poll() is None:
        service.stop()


def begin(service, **body):
    return service.post("/api/sync/operations", {"sync_pair_id": "pacs_to_cama", "kind": "full", **body})


def shown(service, operation):
    return service.get(f"/api/sync/operations/{operation}")[1]


def test_a_run_waits_for_the_hours(night):
    night.settings(hours=NIGHT)
    night.zone = zone_in_which_it_is(19, 59, 54)
    night.start()
    status, operation, _ = begin(night)
    assert status == 202
    operation = shown(night, operation["id"])
    assert operation["status"] == "PENDING" and operation["waiting_for"] == "hours" and operation["attempts"] == 0, operation
    assert "hours of its systems" in operation["message"]
    assert night.get("/api/systems/pacs")[1]["hours"] == NIGHT
    # A check reads no records: it need not wait.
    check = night.ctl("check", "pacs_to_cama")
    assert check.returncode == 0, check
    done = night.finished(operation["id"])
    assert done["status"] == "COMPLETED" and done["attempts"] == 1, done
    assert done["start_time"] > operation["created_at"]


def test_now_goes_on_and_is_logged(night):
    night.settings(hours=NIGHT)
    night.zone = zone_in_which_it_is(12, 0, 0)
    night.start()
    waiting = begin(night)[1]["id"]
    done = night.ctl("run", "pacs_to_cama", "--full", "--now", "--wait")
    assert done.returncode == 3, done
    assert any("in spite of guards" in line and "hours" in line for line in night.text().splitlines())
    assert shown(night, waiting)["waiting_for"] == "hours"
    assert night.ctl("cancel", waiting).returncode == 0
    assert shown(night, waiting)["status"] == "CANCELLED"
    status, problem, _ = begin(night, allow=["hour"])
    assert status == 422 and 'did you mean "hours"' in problem["remedy"]


def test_a_run_stops_at_the_end_and_goes_on_the_next_night(night):
    grow(night.county, N)
    night.settings(hours=NIGHT)
    night.zone = zone_in_which_it_is(5, 59, 58)
    night.start()
    operation = begin(night)[1]["id"]
    night.wait(lambda: shown(night, operation)["waiting_for"] == "hours", "the hours to end")
    stopped = shown(night, operation)
    assert stopped["status"] == "PENDING" and stopped["attempts"] == 0, stopped
    with sqlite3.connect(night.county.folder / "cama.db") as db:
        written = db.execute("select count(*) from parcel").fetchone()[0]
    assert written < N
    for attempt in stopped["attempt_list"]:  # none where it took until then to be ready
        assert attempt["error"]["code"] == "TF-5003" and NIGHT in attempt["error"]["detail"] and "--now" in attempt["error"]["remedy"]
        # Opens again after some 14 hours: that is when it is planned.
        planned = datetime.datetime.fromisoformat(stopped["next_attempt_at"]).timestamp() - time.time()
        assert 13.9 * 3600 < planned < 14.1 * 3600, stopped["next_attempt_at"]
    # A service that is started anew meanwhile knows it, too.
    night.stop()
    night.start()
    night.wait(lambda: shown(night, operation)["waiting_for"] == "hours", "the operation to be taken up")
    # The next night: it goes on from its checkpoint.
    night.stop()
    night.zone = zone_in_which_it_is(20, 0, 0)
    night.start()
    done = night.finished(operation)
    assert done["status"] == "COMPLETED", done
    assert done["attempts"] == 1 and len(done["attempt_list"]) == 1 + len(stopped["attempt_list"])
    read, inserted, updated, deleted, unchanged, held = harness.results(night.county, operation)["parcel"]
    assert (read, updated, deleted, unchanged) == (N + 240, 0, 0, 0) and inserted + held == read
    harness.check_against_source(night.county)


def test_hours_that_never_meet(night):
    night.settings(hours="08:00-12:00")
    settings = night.county.folder / "etc/terrafusion.yaml"
    settings.write_text(settings.read_text().replace("access: write", 'access: write\n    hours: "12:00-13:00"'))
    night.start()
    done = night.ctl("check")
    assert done.returncode == 1 and "no minute in common" in done.stderr and "pacs_to_cama.yaml:" in done.stderr, done


def test_connections_of_a_system(night):
    grow(night.county, 15000)
    night.settings(limits="{connections: 1}")
    mapping = next(night.county.folder.rglob("pacs_to_cama.yaml"))
    other = mapping.parent / "other.yaml"
    other.write_text(mapping.read_text().replace("pair: pacs_to_cama", "pair: other"))
    night.start()
    first = begin(night)[1]["id"]
    second = begin(night, sync_pair_id="other", allow=["first_write"])[1]["id"]
    night.wait(lambda: shown(night, first)["status"] == "RUNNING", "the first to run")
    waiting = shown(night, second)
    assert waiting["status"] == "PENDING" and waiting["waiting_for"] == "connections", waiting
    assert night.finished(first)["status"] == "COMPLETED"
    assert night.finished(second)["status"] in ("COMPLETED", "FAILED")


def test_a_source_that_becomes_slow_gets_pauses(tmp_path):
    """Its records take ten times longer from the middle on: the run pauses, says so, and ends as ever."""
    server = Server()
    try:
        source, target = server.database("source"), server.database("target")
        server.sql("create table parcel (id integer primary key, name text)", "insert into parcel select i, 'p' || i from generate_series(1, 2400) i",
                   "create function slow(id integer) returns boolean language plpgsql volatile as $$ begin "
                   "if id % 10 = 0 then perform pg_sleep(case when id > 1500 then 0.02 else 0.002 end); end if; return true; end $$",
                   database="source")
        server.sql("create table parcel (id integer primary key, name text)", database="target")
        mapping = ("pair: pair\nsource: one\ntarget: two\nentities:\n  parcel:\n    from: parcel\n    to: parcel\n    where: slow(source.id)\n"
                   "    key: {id: id}\n    fields: {name: name}\n")
        systems = {"one": {"kind": "postgresql", "connection": source, "limits": {"throttle": 3}},
                   "two": {"kind": "postgresql", "access": "write", "connection": target}}
        place = Place(tmp_path, systems, mapping)
        operation = place.insert("full")
        assert place.worker(operation, TERRAFUSION_BATCH_RECORDS="100") == 0
        assert "The source has become slow" in place.stderr and place.stderr.count("has become slow") == 1
        assert place.result(operation)["parcel"] == (2400, 2400, 0, 0, 0, 0)
        place.systems({**systems, "one": {**systems["one"], "limits": {"throttle": 100}}})
        operation = place.insert("full")
        assert place.worker(operation, TERRAFUSION_BATCH_RECORDS="100") == 0 and "has become slow" not in place.stderr
    finally:
        server.remove()
