# SPDX-License-Identifier: Apache-2.0
"""What the tests of OData services share: a real server (SAP's CAP, from npm) of their own, and HTTP as the second checker."""
import atexit
import functools
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

import pytest

SERVER = pathlib.Path(__file__).resolve().parents[1] / "servers/odata/run"
TYPE = "application/json;IEEE754Compatible=true"


@functools.cache
def available():
    """Whether it is here or can be fetched: it is installed once into a cache."""
    return subprocess.run([SERVER, "install", "-"], capture_output=True, check=False, timeout=900).returncode == 0


class Server:
    def __init__(self, service="county", page=1000):
        self.folder = tempfile.mkdtemp(prefix="terrafusion-odata-")
        done = subprocess.run([SERVER, "start", self.folder, str(page)], capture_output=True, text=True, check=False, timeout=600)
        if done.returncode == 77:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        self.url = done.stdout.strip().replace("/county", f"/{service}")
        atexit.register(self.remove)

    def remove(self):
        subprocess.run([SERVER, "stop", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, **headers):
        request = urllib.request.Request(f"{self.url}/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": TYPE, "Accept": TYPE, **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def put(self, entity, *records):
        self.call("POST", "$batch", {"requests": [{"id": str(i), "method": "POST", "url": entity, "headers": {"content-type": TYPE}, "body": one}
                                                  for i, one in enumerate(records)]})

    def all(self, entity, select, order):
        rows, path = [], f"{entity}?$select={select}&$orderby={order}"
        while path:
            answer = self.call("GET", path)
            rows += [tuple(one[name] for name in select.split(",")) for one in answer["value"]]
            path = answer.get("@odata.nextLink")
        return rows

    def empty(self):
        for number, in self.all("Accounts", "account_no", "account_no"):
            key = urllib.request.quote(number.replace("'", "''"), safe="")
            self.call("DELETE", f"Accounts('{key}')", **{"If-Match": "*"})
