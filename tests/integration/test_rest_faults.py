# SPDX-License-Identifier: Apache-2.0
"""Systems of kind rest against a stand-in: what a real server does once a year. Delta links, tokens, limits, pages that are none,
lost answers, and the paging of plain JSON."""
import datetime
import json
import pathlib
import sqlite3
import ssl
import subprocess
import sys
import time

import pytest

from postgresql import FAILED, GUARD, OK, QUARANTINED, TRY_AGAIN, Place, harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
import rest  # noqa: E402  (found by the line above)

READ = """\
pair: pair
source: one
target: two
guards: {max_deletes: 100%, max_changes: 100%, max_errors: 1000}
entities:
  account:
    from: Accounts
    to: account
    key: {account_no: account_no}
    fields:
      owner_name: owner_name
      balance: {from: balance, type: "decimal(18,2)"}
"""
WRITE = READ.replace("from: Accounts", "from: account").replace("to: account", "to: Accounts")
SECRET = "s3cr}et;word"


@pytest.fixture
def service():
    service = rest.Service()
    yield service
    service.close()


def record(number, **more):
    return {"account_no": number, "owner_name": f"Owner of {number}", "balance": "1.50", **more}


class Case(Place):
    def __init__(self, folder, service, text, target=False, **options):
        self.file = folder / "county.db"
        self.sql("create table account (account_no text primary key, owner_name text, balance text)")
        one = {"kind": "rest", "url": service.url, "limits": {"statement_timeout": "4s"}, **options}
        two = {"kind": "sqlite", "path": str(self.file)}
        super().__init__(folder, {"one": two, "two": {**one, "access": "write"}} if target else {"one": one, "two": {**two, "access": "write"}}, text)
        (self.folder / "etc/credentials").mkdir(exist_ok=True)
        (self.folder / "etc/credentials/secret").write_text(SECRET + "\n")

    def sql(self, statement, rows=None):
        db = sqlite3.connect(self.file)
        try:
            db.execute("pragma journal_mode=wal")
            found = db.execute(statement).fetchall() if rows is None else db.executemany(statement, rows)
            db.commit()
            return found
        finally:
            db.close()

    def put(self, *records):
        self.sql("insert or replace into account values (?, ?, ?)", [(one["account_no"], one["owner_name"], one["balance"]) for one in records])

    def rows(self, file="", sql="", *arguments):
        return super().rows(file, sql, *arguments) if file else self.sql("select * from account order by 1")

    def same(self, service):
        return self.rows() == [(key, one["owner_name"], one["balance"]) for key, one in sorted(service.records.items())]

    def fails(self, kind="full", expect=FAILED):
        """The error's words, in none of which the secret is."""
        operation = self.insert(kind)
        status = self.worker(operation)
        assert status == expect, f"{status}: {self.error(operation)} {self.stderr}"
        assert SECRET not in self.stderr and "token-" not in self.stderr
        error = self.error(operation) or {"detail": self.stderr, "remedy": ""}
        return error["detail"] + " " + (error.get("remedy") or "")


# ---- what is no answer ----

@pytest.mark.parametrize("fault, words, status", [
    (rest.html, ["/odata/Accounts", "a page instead of JSON", "Log in Enter your password", "auth:"], FAILED),
    (rest.redirect, ["302", "it leads to /login", "url:"], FAILED),
    (rest.truncated, ["ends in the middle", "/odata/Accounts"], FAILED),
    (rest.bomb, ["larger than 32 MiB", "page_size"], FAILED),
])
def test_what_is_no_page_is_told(service, tmp_path, fault, words, status):
    service.put(*[record(f"A-{i}") for i in range(3)])
    case = Case(tmp_path, service, READ)
    service.fault = lambda h, path: "/Accounts" in path and fault(h, path)
    text = case.fails(expect=status)
    assert all(word in text for word in words), text
    assert "ticket" not in text and "$select" not in text
    assert case.rows() == []


@pytest.mark.parametrize("fault", [rest.short, rest.reset])
def test_a_connection_that_is_lost_once_is_tried_again(service, tmp_path, fault):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    n = []
    service.fault = lambda h, path: "/Accounts" in path and (n.append(1) or len(n) in (1, 3)) and fault(h, path)
    case = Case(tmp_path, service, READ)
    case.run()
    assert len(n) > 3 and case.same(service)


def test_a_service_that_is_away_is_tried_by_the_next_attempt(service, tmp_path):
    case = Case(tmp_path, service, READ)
    service.fault = rest.reset
    assert case.worker(case.insert()) == TRY_AGAIN
    assert "/odata/$metadata" in case.stderr


def test_429_is_waited_for_and_not_for_ever(service, tmp_path):
    service.put(record("A"))
    n = []
    service.fault = lambda h, path: "/Accounts" in path and (n.append(1) or len(n) == 1) and (h.reply(429, b"{}", Retry_After="1") or True)
    case = Case(tmp_path, service, READ)
    case.run()
    assert case.same(service) and len(n) > 1
    service.fault = lambda h, path: h.reply(429, b"{}", Retry_After="3600") or True
    assert case.worker(case.insert()) == TRY_AGAIN
    assert "wants to be asked later than we may wait" in case.stderr


def test_the_first_page_for_ever_is_found_out(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    case = Case(tmp_path, service, READ, paging="link")
    pages = []

    def fault(h, path):
        if "/Accounts" not in path:
            return False
        pages.append(path)
        h.reply(200, {"value": [record("A-00")], "@odata.nextLink": f"Accounts?$skiptoken={len(pages)}"})
        return True

    service.fault = fault
    text = case.fails()
    assert "have the same records" in text and "first page for ever" in text and len(pages) < 10


def test_a_list_that_is_cut_is_not_taken_for_deletes(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(4)])
    case = Case(tmp_path, service, READ)
    case.run()
    service.fault = lambda h, path: "/Accounts?" in path and (h.reply(200, {"value": [service.shown("A-00")], "@odata.count": 4}) or True)
    assert case.worker(case.insert()) == TRY_AGAIN
    assert "counts 4 records" in case.stderr and len(case.rows()) == 4


def test_a_link_to_another_host_gets_no_key(service, tmp_path):
    service.put(record("A"))
    service.authorization = SECRET
    case = Case(tmp_path, service, READ, paging="link", auth={"api_key": {"header": "X-Key", "credential": "secret"}})
    service.fault = lambda h, path: "/Accounts" in path and (h.reply(200, {"value": [], "@odata.nextLink": "http://evil.example/x"}) or True)
    assert "leads to another host" in case.fails()


# ---- who may ----

@pytest.mark.parametrize("auth, header", [({"api_key": {"header": "X-Key", "credential": "secret"}}, SECRET),
                                          ({"bearer": {"credential": "secret"}}, f"Bearer {SECRET}"),
                                          ({"basic": {"user": "tf", "credential": "secret"}}, "Basic dGY6czNjcn1ldDt3b3Jk")])
def test_keys_come_from_credentials(service, tmp_path, auth, header):
    service.put(record("A"))
    service.authorization = header
    case = Case(tmp_path, service, READ, auth=auth)
    case.run()
    assert case.same(service)
    service.authorization = "another"
    text = case.fails()
    assert "401" in text and "credential" in text


def test_a_token_is_kept_and_asked_for_anew(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    service.secret, service.authorization = SECRET, "none"
    auth = {"oauth2": {"token_url": service.origin + "/token", "client_id": "tf", "credential": "secret"}}
    case = Case(tmp_path, service, READ, auth=auth)
    case.run()
    assert service.tokens == 1 and case.same(service)
    n = []

    def fault(h, path):     # in the middle the token is taken back
        if "/Accounts" in path and not n:
            n.append(1)
            service.authorization = "revoked"
        return False

    service.fault = fault
    case.run()
    assert service.tokens == 3 and case.same(service)
    service.secret = "changed"
    text = case.fails()
    assert "refuses the client" in text and "client_id" in text


# ---- changes ----

def test_delta_links_tell_changes_and_deletes(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    case = Case(tmp_path, service, READ.replace("    key:", "    detect: {strategy: feed}\n    key:"))
    case.run()
    assert case.same(service)
    service.put(*[record(f"A-{i:02}", balance="2.00") for i in range(7)], record("B"))
    service.remove("A-11")
    service.requests.clear()
    operation = case.run("incremental")
    assert case.same(service)
    assert case.result(operation)["account"][1:4] == (1, 7, 1)
    read = [path for method, path, _, _ in service.requests if "deltatoken" in path]
    assert len(read) == 2
    operation = case.run("incremental")
    assert case.result(operation)["account"][:4] == (0, 0, 0, 0)


def test_deletes_that_a_guard_held_back_are_told_again(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    case = Case(tmp_path, service, READ.replace("    key:", "    detect: {strategy: feed}\n    key:").replace("max_deletes: 100%", "max_deletes: 1"))
    case.run()
    service.remove("A-10")
    service.remove("A-11")
    service.put(record("A-03", balance="3.00"))
    assert case.worker(case.insert("incremental")) == GUARD
    case.run("incremental", allow=["max_deletes"])
    assert case.same(service)


def test_what_a_delta_link_left_out_is_not_taken_from_before_a_held_change(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(5)])
    case = Case(tmp_path, service, READ.replace("    key:", "    detect: {strategy: feed}\n    key:"))
    case.run()
    service.put(record("A-01", balance="no number", owner_name="Second owner"))
    case.run("incremental", expect=QUARANTINED)
    service.told = {key: ["account_no", "balance"] for key in ("A-01", "A-02")}
    service.put(record("A-01", balance="3.00", owner_name="Second owner"), record("A-02", balance="4.00"))
    case.run("incremental", expect=QUARANTINED)     # the owner of A-01 was told with the change that was held
    rows = {row[0]: row[1:] for row in case.rows()}
    assert rows["A-01"] == ("Owner of A-01", "1.50") and rows["A-02"] == ("Owner of A-02", "4.00")
    assert "full" in case.findings()[0]["remedy"]
    case.run()
    assert case.same(service) and case.rows()[1][1:] == ("Second owner", "3.00")


def test_a_delta_link_that_is_gone_is_repaired(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(12)])
    case = Case(tmp_path, service, READ.replace("    key:", "    detect: {strategy: feed}\n    key:"))
    case.run()
    service.put(record("A-03", balance="3.00"), record("B"))
    service.remove("A-11")
    service.first_delta = len(service.log)
    case.run("incremental")
    assert case.same(service)
    service.put(record("C"))
    service.requests.clear()
    case.run("incremental")
    assert case.same(service) and any("deltatoken" in path for _, path, _, _ in service.requests)


# ---- writing ----

def test_a_later_hand_is_not_overwritten(service, tmp_path):
    service.put(*[record(f"A-{i}") for i in range(4)])
    case = Case(tmp_path, service, WRITE, target=True)
    case.put(*[record(f"A-{i}") for i in range(4)])
    case.run(allow=["first_write"])
    case.sql("update account set balance = '9.00'")

    def fault(h, path):     # between our reading and our writing
        if path.endswith("$batch") and b'"PATCH"' in h.body:
            service.put(record("A-2", owner_name="changed meanwhile"))
        return False

    service.fault = fault
    operation = case.run(expect=QUARANTINED)
    assert case.result(operation)["account"][2] == 3
    assert "Another hand changed" in case.findings()[0]["message"]
    assert service.records["A-2"]["owner_name"] == "changed meanwhile"
    service.fault = None
    case.run()
    assert case.same(service)


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_loses_and_doubles_nothing(service, tmp_path, batch, done):
    case = Case(tmp_path, service, WRITE, target=True, batch_size=batch)
    case.put(*[record(f"A-{i:02}") for i in range(10)])
    n = []

    def fault(h, path):
        if h.command != "POST" or (path.endswith("$batch") and b'"POST"' not in h.body) or n:
            return False
        n.append(1)
        if done:            # it is done, and the answer is lost
            with service.lock:
                reply, h.reply = h.reply, lambda *arguments, **more: None
                service.answer(h)
                h.reply = reply
        h.cut()
        return True

    service.fault = fault
    operation = case.insert()
    assert case.worker(operation) == TRY_AGAIN
    assert case.worker(operation) == OK, case.error(operation)
    assert case.same(service) and len(service.log) == 10
    result = case.result(operation)["account"]
    assert result[:2] == (10, 10) and result[5] == 0


def test_a_refused_record_costs_itself_alone(service, tmp_path):
    case = Case(tmp_path, service, WRITE, target=True)
    case.put(*[record(f"A-{i}") for i in range(5)], record("A-2", owner_name="refused"))
    case.run(expect=QUARANTINED)
    assert set(service.records) == {"A-0", "A-1", "A-3", "A-4"}
    assert "The owner is not accepted" in case.findings()[0]["message"]


def test_batches_that_are_too_large_or_unknown_become_smaller(service, tmp_path):
    case = Case(tmp_path, service, WRITE, target=True)
    case.put(*[record(f"A-{i:02}") for i in range(20)])
    sizes = []

    def fault(h, path):
        if not path.endswith("$batch"):
            return False
        sizes.append(len(json.loads(h.body)["requests"]))
        return sizes[-1] > 6 and (h.reply(413, b"too large", "text/plain") or True)

    service.fault = fault
    case.run()
    assert case.same(service) and max(sizes) == 20 and sizes[-1] <= 5
    service.fault = lambda h, path: path.endswith("$batch") and (h.reply(501, b"") or True)
    case.sql("update account set balance = '2.00'")
    case.run()
    assert case.same(service)


# ---- plain JSON ----

JSON = READ.replace("from: Accounts", "from: accounts")
PAGINGS = {"page": {"paging": "page"}, "offset": {"paging": "offset", "total": "/meta/total"}, "more": {"paging": "page", "more": "/meta/more"},
           "cursor": {"paging": "cursor", "cursor": "/meta/next"}, "link": {"paging": "link"}}


def json_case(folder, service, text, table, **more):
    case = Case(folder, service, text, url=service.origin + "/json", protocol="json",
                tables={"accounts": {"path": "/list", "records": "/data/items", **table}}, **more)
    return case


@pytest.mark.parametrize("paging", PAGINGS)
def test_every_paging_of_json_reads_all(service, tmp_path, paging):
    service.put(*[record(f"A-{i:02}", balance=f"{i}.10") for i in range(23)])
    case = json_case(tmp_path, service, JSON, PAGINGS[paging], page_size=4)
    operation = case.run()
    assert case.result(operation)["account"][:2] == (23, 23) and case.same(service)


def test_a_parameter_that_is_not_known_is_found_out(service, tmp_path):
    service.put(*[record(f"A-{i:02}") for i in range(23)])
    case = json_case(tmp_path, service, JSON, {"paging": "page", "page_parameter": "p"})
    assert "have the same records" in case.fails()


def test_a_column_that_no_record_has_is_told(service, tmp_path):
    service.put(record("A"))
    case = json_case(tmp_path, service, JSON.replace("owner_name: owner_name", "owner_name: owner"), {})
    text = case.fails()
    assert 'has a member "owner"' in text and "omits_nulls" in text


@pytest.mark.parametrize("update", ["PATCH", "PUT"])
def test_json_is_written(service, tmp_path, update):
    table = {"path": "/accounts", "record": "/accounts/{account_no}", "records": "/data/items", "total": "/meta/total", "update": update}
    case = Case(tmp_path, service, WRITE.replace("to: Accounts", "to: accounts"), target=True, url=service.origin + "/json", protocol="json",
                tables={"accounts": table})
    case.put(*[record(f"A {i}/'") for i in range(5)])
    case.run()
    assert case.same(service)
    case.put(record("A 3/'", balance="7.00"), record("B"))
    case.sql("delete from account where account_no like 'A 1%'")
    operation = case.run()
    assert case.result(operation)["account"][1:4] == (1, 1, 1) and case.same(service)


# ---- watermark, check ----

WATERMARK = READ.replace("    key:", "    detect: {strategy: watermark, column: changed, sweep: daily}\n    key:", 1)


def stamp(seconds_ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_watermark_filters_below_the_services_clock(service, tmp_path):
    service.put(*[record(f"A-{i:02}", changed=stamp(60)) for i in range(12)])
    case = Case(tmp_path, service, WATERMARK, lag="1s")
    case.run()
    time.sleep(3)
    service.put(record("A-03", balance="3.00", changed=stamp(2)), record("A-04", balance="4.00", changed=stamp(0)))
    operation = case.run("incremental")
    assert case.result(operation)["account"][:3] == (1, 0, 1)      # the other one is above the horizon
    assert case.rows()[3:5] == [("A-03", "Owner of A-03", "3.00"), ("A-04", "Owner of A-04", "1.50")]
    time.sleep(2)
    case.run("incremental")
    assert case.same(service)
    case.mapping(WATERMARK.replace(", sweep: daily", ""))
    text = case.fails("incremental")
    assert "changes can be missed" in text and "sweep: daily" in text


def check(case):
    operation = harness.insert_operation(case.folder / "state", case.environment(), "check", "pair", {})
    case.worker(operation)
    error = case.error(operation)       # there was no connection to check anything over
    return [{"message": error["detail"], "remedy": error.get("remedy")}] if error else [one for one in case.report(operation) if not one["ok"]]


@pytest.mark.parametrize("text, options, message, remedy", [
    (READ.replace("from: Accounts", "from: Acounts"), {}, 'has no entity set "Acounts"', 'Did you mean "Accounts"?'),
    (READ.replace("owner_name: owner_name", "owner_name: owner_nam"), {}, '"Accounts" has no column "owner_nam"', 'Did you mean "owner_name"?'),
    (READ, {"url": "http://127.0.0.1:1/odata"}, "/odata/$metadata: ", "Check url:"),
    (READ, {"auth": {"bearer": {"credential": "nowhere"}}}, "nowhere", "credentials"),
    (READ.replace("    key:", "    where: nonsense eq\n    key:", 1), {}, "is answered with 400", "where:"),
], ids=["entity set", "column", "address", "credential", "filter"])
def test_check_says_what_is_missing(service, tmp_path, text, options, message, remedy):
    service.put(record("A"))
    service.fault = lambda h, path: "nonsense" in path and (h.reply(400, {"error": {"message": "Syntax error"}}) or True)
    case = Case(tmp_path, service, text, **options)
    missing = check(case)
    assert len(missing) >= 1 and message in missing[0]["message"] and remedy in (missing[0]["remedy"] or ""), missing


def test_check_says_which_right_is_missing(service, tmp_path):
    case = Case(tmp_path, service, READ)
    service.fault = lambda h, path: "/Accounts" in path and (h.reply(403, {"error": {"message": "Forbidden"}}) or True)
    assert "Ask for the right" in check(case)[0]["remedy"]


def test_a_certificate_nobody_signed_is_refused(tmp_path, service):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    service.server.socket = context.wrap_socket(service.server.socket, server_side=True)
    service.put(record("A"))
    url = service.url.replace("http://127.0.0.1", "https://localhost")
    case = Case(tmp_path, service, READ, url=url)
    text = case.fails()
    assert "cannot prove who it is" in text and "ca_file" in text
    case.systems({"one": {"kind": "rest", "url": url, "ca_file": str(tmp_path / "cert.pem")},
                  "two": {"kind": "sqlite", "path": str(case.file), "access": "write"}})
    case.run()
    assert case.same(service)
    case.systems({"one": {"kind": "rest", "url": url.replace("localhost", "127.0.0.1"), "ca_file": str(tmp_path / "cert.pem")},
                  "two": {"kind": "sqlite", "path": str(case.file), "access": "write"}})
    assert "cannot prove who it is" in case.fails()
