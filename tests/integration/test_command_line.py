# SPDX-License-Identifier: Apache-2.0
"""terrafusionctl: verbs, signals, exit statuses, and that --json is the JSON of the HTTP API."""
import json
import signal
import sqlite3
import subprocess

import pytest
from test_daemons import CTL, Service, grow, harness, service  # noqa: F401 (a fixture)


def start(service, *arguments):  # noqa: F811
    return subprocess.Popen([str(CTL), *arguments], env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_pair_with_its_kind(service, kind):  # noqa: F811
    done = service.ctl("run", f"pacs_to_cama:{kind}", "--wait", "--json")
    assert json.loads(done.stdout)["kind"] == kind, done.stderr


def test_a_pair_with_a_wrong_kind(service):  # noqa: F811
    done = service.ctl("run", "pacs_to_cama:ful", "--wait")
    assert done.returncode == 2 and 'Did you mean "full"' in done.stderr, done
    done = service.ctl("run", "pacs_to_cama:full", "--incremental")
    assert done.returncode == 2 and "names the kind already" in done.stderr, done


def running(service):  # noqa: F811
    active = service.get("/api/sync/active")[1]
    return active and active[0]["status"] == "RUNNING" and active[0]["id"]


def test_a_stopped_unit_cancels_its_operation(service):  # noqa: F811
    """systemctl stop sends SIGTERM to the command that waits."""
    grow(service.county, 200000)
    waiting = start(service, "run", "pacs_to_cama:full", "--wait")
    operation = service.wait(lambda: running(service), "the operation to run")
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(60) == 143, waiting.communicate()
    assert service.get(f"/api/sync/status/{operation}")[1]["status"] == "CANCELLED"


def test_an_interrupted_wait_leaves_the_operation(service):  # noqa: F811
    grow(service.county, 60000)
    waiting = start(service, "run", "pacs_to_cama:full", "--wait")
    operation = service.wait(lambda: running(service), "the operation to run")
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(60) == 130
    assert f"terrafusionctl cancel {operation}" in waiting.communicate()[1]
    assert service.finished(operation)["status"] == "COMPLETED"


def test_what_an_operation_changed_and_found(service):  # noqa: F811
    service.run("full")
    db = sqlite3.connect(service.county.folder / "pacs.db")
    db.execute("update property set market = '4.25', last_update_dt = strftime('%Y-%m-%d %H:%M:%f','now') where prop_id = 1")
    db.commit()
    db.close()
    operation = service.run("incremental")
    changes = json.loads(service.ctl("show", operation["id"], "--changes", "--json").stdout)
    assert changes == service.get(f"/api/sync/operations/{operation['id']}/changes")[1]
    assert [(c["entity"], c["key"], c["kind"], c["fields"]["total_value"]["after"]) for c in changes] == [("parcel", "LC-00001", "update", "4.25")]
    table = service.ctl("show", operation["id"], "--changes").stdout
    assert "LC-00001" in table and "total_value" in table and "4.25" in table
    first = service.get("/api/sync/operations")[1][-1]["id"]
    assert "enum" in service.ctl("show", first, "--findings").stdout
    pages = [service.get(f"/api/sync/operations/{first}/changes?limit=100&offset={n}")[1] for n in (0, 100)]
    assert len(pages[0]) == 100 and pages[0][0] not in pages[1]
    both = service.ctl("show", first, "--changes", "--log")
    assert both.returncode == 2 and "exclude" in both.stderr


def test_the_log_without_a_journal(service):  # noqa: F811
    """Started by hand, lines go to standard error: that is said, and no empty list."""
    operation = service.run("full")["id"]
    status, problem, _ = service.get(f"/api/sync/operations/{operation}/log")
    assert status == 409 and problem["code"] == "TF-6014" and "standard error" in problem["detail"] and "OPERATION_ID" in problem["remedy"]
    done = service.ctl("show", operation, "--log")
    assert done.returncode == 1 and "standard error" in done.stderr
    lines = [line for line in service.text().splitlines() if f"OPERATION_ID={operation}" in line]
    story = ["asked for a run of pacs_to_cama", "Began attempt 1", "Held parcel", "Finished sale: read", "Finished parcel: read",
             # children before parents, as their deletes go
             "The full run of pacs_to_cama completed"]
    places = [next(i for i, line in enumerate(lines) if words in line) for words in story]
    assert places == sorted(places), lines
    assert sum("Held parcel" in line for line in lines) <= 20
    assert all("API_KEY_NAME=default" in line and "SYNC_PAIR=pacs_to_cama" in line for line in lines)
    assert all("ATTEMPT=1" in line for line in lines if "terrafusion-worker" in line)


def journal_of(service, folder):  # noqa: F811
    """A journal of the lines that went to standard error."""
    folder.mkdir()
    entries = ""
    for n, line in enumerate(service.text().splitlines()):
        if not line.startswith("time="):
            continue
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word and word.split("=")[0].isupper())
        message = line.split('message="', 1)[1].split('"')[0]
        entries += f"__REALTIME_TIMESTAMP={1764000000000000 + n}\n__MONOTONIC_TIMESTAMP={n + 1}\n_BOOT_ID={'0' * 31}1\nPRIORITY=6\nMESSAGE={message}\n"
        entries += "".join(f"{k}={v}\n" for k, v in fields.items()) + "\n"
    subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", str(folder / "x.journal"), "-"], input=entries, text=True, check=True,
                   capture_output=True)


def test_the_log_of_an_operation(tmp_path):
    service = Service(harness.County.create(tmp_path / "county"))  # noqa: F811
    plain = service.environment
    service.environment = lambda: {**plain(), "TERRAFUSION_JOURNAL": str(tmp_path / "journal")}
    service.start()
    try:
        operation = service.run("full")["id"]
        status, problem, _ = service.get(f"/api/sync/operations/{operation}/log")
        assert status == 409 and "cannot be read" in problem["detail"]
        journal_of(service, tmp_path / "journal")
        lines = service.get(f"/api/sync/operations/{operation}/log")[1]
        assert len(lines) > 10 and {line["operation_id"] for line in lines} == {operation}
        assert json.loads(service.ctl("show", operation, "--log", "--json").stdout) == lines
        told = service.ctl("show", operation, "--log").stdout
        assert told.count("\n") == len(lines) and "Finished parcel" in told
        status, page, headers = service.get(f"/api/sync/operations/{operation}/log?limit=3")
        assert page == lines[:3] and 'rel="next"' in headers["Link"]
        following = headers["Link"].split("<")[1].split(">")[0]
        assert service.get(following)[1] == lines[3:6]
        assert service.get(f"/api/sync/operations/{operation}/log?cursor=x")[0] == 422
        assert service.get("/api/sync/operations/0192aaaa-0000-7000-8000-000000000001/log")[0] == 404
    finally:
        service.stop()


def test_reload(service):  # noqa: F811
    mapping = service.county.folder / "mappings" / "pacs_to_cama.yaml"
    mapping = mapping if mapping.exists() else next(service.county.folder.rglob("pacs_to_cama.yaml"))
    done = service.ctl("reload")
    assert done.returncode == 0 and "1 pairs and 2 systems are in force" in done.stdout, done
    good = mapping.read_text()
    mapping.write_text(good.replace("minimum: 0", "minimun: 0"))
    done = service.ctl("reload")
    assert done.returncode == 1 and "minimun" in done.stderr and "minimum" in done.stderr and "pacs_to_cama.yaml:" in done.stderr
    assert service.get("/api/pairs/pacs_to_cama")[1]["status"] == "BROKEN"
    status, answer, _ = service.post("/api/reload")
    assert status == 200 and answer["in_force"] and len(answer["mistakes"]) == 1
    mapping.write_text(good)
    assert service.ctl("reload", "--json").returncode == 0
    assert service.get("/api/pairs/pacs_to_cama")[1]["status"] == "ACTIVE"
    settings = next(service.county.folder.rglob("terrafusion.yaml"))
    good = settings.read_text()
    settings.write_text(good + "limts: {operations: 1}\n")
    done = service.ctl("reload")
    assert done.returncode == 1 and "stays as it was" in done.stdout and "limits" in done.stderr
    assert service.get("/api/pairs")[1][0]["status"] == "ACTIVE"
    # A run meanwhile says why it cannot be, with place and remedy, each once; nothing is started that its worker would refuse.
    n = len(service.get("/api/sync/operations?limit=100")[1])
    done = service.ctl("run", "pacs_to_cama", "--wait")
    assert done.returncode == 1
    line = len(settings.read_text().splitlines())
    assert f"{settings}:{line}:1: " in done.stderr and '"limts"' in done.stderr and "terrafusionctl reload" in done.stderr, done
    assert done.stderr.count("Did you mean") == 1
    assert len(service.get("/api/sync/operations?limit=100")[1]) == n
    assert service.get("/health/status")[1]["components"]["configuration"]["status"] == "DOWN"
    settings.write_text(good)
    assert service.ctl("reload").returncode == 0
    assert service.ctl("run", "pacs_to_cama", "--wait").returncode in (0, 3)


def test_what_waits_when_a_reload_is_refused(service):  # noqa: F811
    grow(service.county, 100000)
    settings = next(service.county.folder.rglob("terrafusion.yaml"))
    good = settings.read_text()
    first = service.post("/api/sync/operations", {"sync_pair_id": "pacs_to_cama", "kind": "full"})[1]["id"]
    second = service.post("/api/sync/operations", {"sync_pair_id": "pacs_to_cama", "kind": "incremental"})[1]["id"]
    service.wait(lambda: service.get(f"/api/sync/operations/{first}")[1]["records_processed"] > 0, "the first to read")
    settings.write_text(good + "limts: {operations: 1}\n")
    assert service.ctl("reload").returncode == 1
    assert service.finished(first)["status"] == "COMPLETED"  # what runs keeps what it began with
    waiting = service.get(f"/api/sync/operations/{second}")[1]
    assert waiting["status"] == "PENDING" and waiting["waiting_for"] == "configuration" and "mended" in waiting["message"], waiting
    settings.write_text(good)
    assert service.ctl("reload").returncode == 0
    assert service.finished(second)["status"] == "COMPLETED"


def test_check_reads_the_files_as_they_are(service):  # noqa: F811
    mapping = next(service.county.folder.rglob("pacs_to_cama.yaml"))
    good = mapping.read_text()
    mapping.write_text(good.replace("minimum: 0", "minimun: 0"))
    for arguments in ([], ["pacs_to_cama"]):
        done = service.ctl("check", *arguments)
        assert done.returncode == 1 and "minimun" in done.stderr and "pacs_to_cama.yaml:" in done.stderr and "terrafusionctl reload" in done.stderr, done
    service.ctl("reload")
    mapping.write_text(good)
    done = service.ctl("check", "pacs_to_cama")  # mended, and not read again yet
    assert done.returncode == 0 and "all is there" in done.stdout and "terrafusionctl reload" in done.stderr, done
    assert service.get("/api/config/check")[1] == {"in_force": False, "mistakes": []}
    service.ctl("reload")
    assert service.get("/api/config/check")[1]["in_force"]


def test_drift_and_query_plans(service):  # noqa: F811
    assert service.ctl("drift").stdout.startswith("No column has changed")
    service.run("full")
    with sqlite3.connect(service.county.folder / "pacs.db") as db:
        db.executescript("alter table property rename column use_cd to use_code")
    done = service.ctl("run", "pacs_to_cama", "--wait")
    assert done.returncode == 4 and "use_cd" in done.stdout and "terrafusionctl drift accept pacs_to_cama" in done.stdout, done
    done = service.ctl("drift", "list", "--pair", "pacs_to_cama")
    assert done.returncode == 0 and "removed" in done.stdout and "stops" in done.stdout, done
    rows = service.get("/api/drift")[1]
    assert (rows[0]["column"], rows[0]["kind"], rows[0]["status"], rows[0]["old_type"]) == ("use_cd", "removed", "stops", "TEXT")
    assert service.get("/api/drift?sync_pair_id=pacs_to_cma")[0] == 404
    done = service.ctl("drift", "accept", "pacs_to_cma")
    assert done.returncode == 1 and "pacs_to_cama" in done.stderr, done
    done = service.ctl("drift", "accept", "pacs_to_cama")
    assert done.returncode == 0 and "Accepted" in done.stdout, done
    assert service.get("/api/drift")[1][0]["accepted_by"]
    with sqlite3.connect(service.county.folder / "pacs.db") as db:
        db.executescript("alter table property rename column use_code to use_cd")
    assert service.ctl("run", "pacs_to_cama", "--wait").returncode in (0, 3)
    assert service.ctl("drift", "accept", "pacs_to_cama").returncode == 0
    done = service.ctl("drift", "accept", "pacs_to_cama")
    assert "nothing to accept" in done.stdout and "Accepted" not in done.stdout, done
    done = service.ctl("query-plan", "pacs_to_cama")
    assert done.returncode == 0 and "SCAN" in done.stdout and "select" in done.stdout and "increment" in done.stdout, done
    operation = json.loads(service.ctl("query-plan", "pacs_to_cama", "--json").stdout)
    assert operation["kind"] == "query-plan" and operation["report"][0]["query"]
    done = service.ctl("check", "pacs_to_cama", "--grants")
    assert done.returncode == 0 and "setfacl -m u:terrafusion:r " in done.stdout and "It cannot see" in done.stdout, done
    assert service.ctl("check", "cama", "--grants").stdout == service.ctl("check", "pacs_to_cama", "--grants").stdout
    assert "can be opened" in service.ctl("check", "pacs").stdout
    assert service.ctl("check", "pcas").returncode == 1


def test_an_unknown_pair_is_no_empty_list(service):  # noqa: F811
    for path in ("/api/sync/operations", "/api/sync/metrics"):
        status, problem, _ = service.get(f"{path}?sync_pair_id=pacs_to_cma")
        assert status == 404 and "pacs_to_cama" in problem["remedy"], problem
        assert service.get(f"{path}?sync_pair_id=pacs_to_cama")[0] == 200
    done = service.ctl("operations", "--pair", "pacs_to_cma")
    assert done.returncode == 1 and "pacs_to_cama" in done.stderr
    assert service.get("/api/sync/operations?sync_pair_id=system:pacs")[0] == 200


def test_a_missing_table(service):  # noqa: F811
    with sqlite3.connect(service.county.folder / "cama.db") as db:
        db.execute("alter table sale rename to sales")
    done = service.ctl("check", "pacs_to_cama")
    assert done.returncode == 1
    missing = next(line for line in done.stdout.splitlines() if line.startswith("MISSING"))
    assert 'has no table "sale". ' in missing, missing


def test_a_server_that_stays_away(service):  # noqa: F811
    settings = service.county.folder / "etc/terrafusion.yaml"
    settings.write_text(settings.read_text().replace(f"kind: sqlite\n    path: {service.county.folder}/cama.db",
                                                     'kind: postgresql\n    connection: "host=127.0.0.1 port=1 dbname=cama"'))
    assert service.ctl("reload").returncode == 0
    done = service.ctl("run", "pacs_to_cama", "--wait")
    assert done.returncode == 1 and "Gave up after 8 attempts" in done.stdout, done
    assert "can be reached; then start the run again" in done.stdout and "it is tried again" not in done.stdout


def test_nobody_is_there(service):  # noqa: F811
    service.stop()
    done = service.ctl("status")
    assert done.returncode == 1
    assert "/terrafusion/terrafusion-gateway --standalone." in done.stderr or "systemctl start terrafusion.target" in done.stderr, done
    assert "/status" in done.stderr
