# SPDX-License-Identifier: Apache-2.0
"""Systems of kind odbc, with real drivers and servers: what check says of them, and what moves through them."""
import shutil

import pytest

from mariadb import Server
from postgresql import CONFIGURATION, FAILED, OK, Place, harness

pytestmark = pytest.mark.skipif(not shutil.which("mariadbd") and not shutil.which("mariadb-install-db"), reason="mariadb-server is not installed")
SECRET = "cana}ry;5321"


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.sql(f"create user tester identified by '{SECRET}'")
    yield server
    server.remove()


MAPPING = """\
pair: pair
source: one
target: two
entities:
  parcel:
    from: source
    to: target
    key: {id: id}
    fields: {number: number, area: area}
"""


class Case(Place):
    """One database as source and target, as the user "tester" with a password in a credential."""

    def __init__(self, server, folder, name, **parts):
        server.database(name)
        server.sql(f"grant all on `{name}`.* to tester")
        super().__init__(folder, {}, MAPPING)
        self.password(SECRET)
        self.system(server.connection(name, user="tester", password=None, **parts))

    def system(self, connection):
        one = {"kind": "odbc", "connection": connection, "credential": "one-password"}
        self.systems({"one": one, "two": {**one, "access": "write"}})

    def password(self, text):
        folder = self.folder / "etc/credentials"
        folder.mkdir(exist_ok=True)
        (folder / "one-password").write_text(text + "\n")

    def check_system(self, expect):
        operation = harness.insert_operation(self.folder / "state", self.environment(), "check", "system:one", {})
        status = self.worker(operation)
        assert status == expect, self.stderr
        assert SECRET not in self.stderr
        return self.report(operation)[0]


def test_a_system_that_answers(server, tmp_path):
    assert Case(server, tmp_path, "answers").check_system(OK)["ok"]


@pytest.mark.parametrize("parts, detail, remedy", [
    ({"Driver": "{Nobody's Driver}"}, "the ODBC driver \"Nobody's Driver\" is not installed", "odbcinst -q -d"),
    ({"Driver": "/nowhere/libmaodbc.so"}, "is not installed", "apt install odbc-mariadb"),
    ({"Port": 1}, "cannot connect", "server runs"),
    ({"UID": "nobody"}, "Access denied", "password"),
    ({"Database": "nothing"}, "nothing", "Database="),
], ids=["driver", "library", "port", "login", "database"])
def test_what_is_missing_is_named_with_its_remedy(server, tmp_path, parts, detail, remedy):
    row = Case(server, tmp_path, "missing", **parts).check_system(FAILED if "Port" not in parts else 75)
    assert not row["ok"] and detail in row["message"] and remedy in row["remedy"], row


def test_a_wrong_password_is_not_shown(server, tmp_path):
    case = Case(server, tmp_path, "secret")
    case.password("canary-wrong")
    row = case.check_system(FAILED)
    assert "Access denied" in row["message"] and "credential" in row["remedy"]
    assert "canary" not in str(row) + case.stderr


def test_a_module_that_is_missing_is_named(server, tmp_path):
    case = Case(server, tmp_path, "module")
    case.more = {"TERRAFUSION_MODULES": str(tmp_path)}
    row = case.check_system(CONFIGURATION)
    assert "connect-odbc.so" in row["message"] and "TERRAFUSION_MODULES" in row["remedy"]
