# SPDX-License-Identifier: Apache-2.0
"""Where a county keeps its state: SQLite files, or a database of a PostgreSQL server that lives as long as the tests. Both are read
as what they are, by names of files: "state/state.db", "state/pairs/PAIR.db", "state/journals/PAIR-YYYY-MM.db"."""
import atexit
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile

SERVER = pathlib.Path(__file__).parents[1] / "servers/postgresql"


class Files:
    kind = "sqlite"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def environment(self):
        return {}

    def copy(self, folder):
        return Files(folder)            # the folder is copied by whom it belongs to

    def drop(self):
        pass

    def exists(self):
        return (self.folder / "state/state.db").exists()

    def rows(self, name, sql, arguments=()):
        db = sqlite3.connect(f"file:{self.folder / name}?mode=ro", uri=True)
        try:
            return db.execute(sql, arguments).fetchall()
        finally:
            db.close()

    def change(self, name, sql, arguments=()):
        db = sqlite3.connect(self.folder / name, timeout=10)
        db.execute(sql, arguments)
        db.commit()
        db.close()

    def journals(self):
        return [f"state/journals/{path.name}" for path in sorted((self.folder / "state/journals").glob("*.db"))]

    def columns(self, name, table):
        """(name, type, is required and has no default)"""
        return [(row[1], row[2].lower(), bool(row[3] and row[4] is None)) for row in self.rows(name, f"pragma table_info({table})")]


class Server:
    """One for all tests of a run; what it holds need not survive a power loss, so it does not wait for the disk."""
    present = None

    @classmethod
    def get(cls):
        if not cls.present:
            cls.present = Server()
        return cls.present

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-store-"))
        self.folder.chmod(0o755)
        self.n = 0
        atexit.register(self.end)
        self.act("start", "max_connections=300", "fsync=off")
        self.port = int((self.folder / "port").read_text())

    def act(self, *arguments):
        subprocess.run([str(SERVER), arguments[0], str(self.folder), *arguments[1:]], check=True, capture_output=True, text=True)

    def end(self):
        subprocess.run([str(SERVER), "stop", str(self.folder), "immediate"], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database="postgres"):
        import psycopg2                 # only those who ask for a server need it
        connection = psycopg2.connect(host=str(self.folder), port=self.port, user="postgres", dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, sql, database="postgres"):
        connection = self.connect(database)
        try:
            connection.cursor().execute(sql)
        finally:
            connection.close()

    def new_database(self, template="template0"):
        self.n += 1
        name = f"store{self.n}"
        self.execute(f"create database {name} template {template}")
        return name

    def url(self, database, port=None, user="postgres:secret"):
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"


class Schemas:
    kind = "postgresql"

    def __init__(self, database=None, server=None):
        self.server = server or Server.get()
        self.database = database or self.server.new_database()

    @property
    def url(self):
        return self.server.url(self.database)

    def environment(self):
        return {"SYNC_SERVICE_DB_URL": self.url}

    def copy(self, folder):
        # Sessions of a worker that was just killed end by themselves, but not at once.
        self.server.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.database}'")
        return Schemas(self.server.new_database(self.database), self.server)

    def drop(self):
        self.server.execute(f"drop database {self.database} with (force)")

    def exists(self):
        return bool(self.query("select 1 from pg_namespace where nspname = 'terrafusion'"))

    @staticmethod
    def schema(name):
        name = name.removeprefix("state/").removesuffix(".db")
        if name == "state":
            return "terrafusion"
        kind, pair = name.split("/")
        return f"terrafusion_pair_{pair}" if kind == "pairs" else "terrafusion_journal_" + re.sub(r"-(\d{4})-(\d\d)$", r"_\1-\2", pair)

    def query(self, sql, arguments=(), schema=None):
        connection = self.server.connect(self.database)
        try:
            cursor = connection.cursor()
            if schema:
                cursor.execute("select set_config('search_path', %s, false)", (f'"{schema}"',))
            cursor.execute(sql, arguments or None)        # without any, % means itself
            return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    @staticmethod
    def dialect(sql):
        assert "%" not in sql
        return re.sub(r"hex\(([^)]*)\)", r"upper(encode(\1, 'hex'))", sql).replace("?", "%s")

    def rows(self, name, sql, arguments=()):
        return self.query(self.dialect(sql), arguments, self.schema(name))

    def change(self, name, sql, arguments=()):
        self.query(self.dialect(sql), arguments, self.schema(name))

    def journals(self):
        found = self.query("select nspname from pg_namespace where nspname like 'terrafusion\\_journal\\_%' order by 1")
        return ["state/journals/" + re.sub(r"_(\d{4}-\d\d)$", r"-\1", row[0].removeprefix("terrafusion_journal_")) + ".db" for row in found]

    def columns(self, name, table):
        found = self.query("select column_name, data_type, is_nullable = 'NO' and column_default is null from information_schema.columns"
                           " where table_schema = %s and table_name = %s", (self.schema(name), table))
        return [(column, {"bigint": "integer"}.get(kind, kind), required) for column, kind, required in found]


def new(kind, folder):
    return Schemas() if kind == "postgresql" else Files(folder)
