# SPDX-License-Identifier: Apache-2.0
"""A worker is killed at sampled system calls while a MariaDB behind ODBC is its target. Afterwards target, quarantine and counts equal an
undisturbed run's."""
import pathlib
import shutil
import sys

import pytest
import test_killed_with_postgresql as killed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import mariadb  # noqa: E402  (found by the line above)

pytestmark = pytest.mark.skipif(not shutil.which("mariadb-install-db"), reason="mariadb-server is not installed")


class Target(killed.Side):
    """One in MariaDB: batches are arrays of parameters, and a refusal halves them."""

    def __init__(self, server):
        self.server, self.role = server, server.database("target")

    def member(self):
        return {"kind": "odbc", "connection": self.server.connection("target"), "access": "write"}

    def sql(self, *statements):
        return self.server.sql(";".join(one.replace("numeric", "decimal") for one in statements), "target")


class Scenario(killed.Scenario):
    def __init__(self, server, folder):
        self.source, self.target = killed.Side(None, folder, "source", "sqlite"), Target(server)
        self.source.sql("drop table if exists source", "create table source (id integer primary key, number text, area numeric(10,2))")
        self.place = killed.Place(folder, {"one": self.source.member(), "two": self.target.member()}, killed.MAPPING,
                                  TERRAFUSION_BATCH_RECORDS="100", LOG_LEVEL="warning")


def test_killed(tmp_path, monkeypatch):
    server = mariadb.Server()
    monkeypatch.setattr(killed, "N_POINTS", 30)
    try:
        killed.killed_everywhere(Scenario(server, tmp_path), tmp_path)
    finally:
        server.remove()
