# SPDX-License-Identifier: Apache-2.0
"""What the tests of ODBC systems share: a MariaDB server of their own, and its client as the second checker."""
import pathlib
import re
import shutil
import subprocess
import tempfile

SERVER = pathlib.Path(__file__).resolve().parents[1] / "servers/mariadb"
DRIVER = "MariaDB Unicode"


class Server:
    def __init__(self, *settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-maria-"))
        self.folder.chmod(0o755)
        self.start(*settings)

    def start(self, *settings):
        done = subprocess.run([SERVER, "start", self.folder, *settings], check=True, capture_output=True, text=True)
        self.socket = re.search(r"socket=(\S+)", done.stdout)[1]
        self.port = int(re.search(r"port=(\d+)", done.stdout)[1])

    def stop(self, mode="fast"):
        subprocess.run([SERVER, "stop", self.folder, mode], check=False)

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="", check=True):
        """Rows as the client shows them, "|" between values."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-psecret", "-N", "--batch", "--raw",
                   "--default-character-set=utf8mb4", database or "mysql"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n").replace("\t", "|")

    def database(self, name):
        self.sql(f"drop database if exists `{name}`; create database `{name}`")
        return name

    def connection(self, database, user="root", password="secret", **more):
        parts = {"Driver": "{" + DRIVER + "}", "Server": "127.0.0.1", "Port": self.port, "Database": database, "UID": user, **more}
        if password is not None:
            parts["PWD"] = password
        return ";".join(f"{name}={value}" for name, value in parts.items())
