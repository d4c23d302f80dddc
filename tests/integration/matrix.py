# SPDX-License-Identifier: Apache-2.0
"""The matrix test's records and kinds of systems. A kind says how an empty table is made, filled and read again without any program of ours, by
its own driver or by a few lines of Python here, and what it cannot hold. A new kind is one class more in KINDS."""
import atexit
import base64
import datetime
import decimal
import json
import random
import re
import shutil
import sqlite3
import uuid

import psycopg2

import mariadb
import odata
import ogr

UTC = datetime.timezone.utc
N_RECORDS = 5000
# Field: its type in mappings. What a kind stores it in is the kind's own.
FIELDS = {"id": "integer", "name": "text", "note": "text", "big": "integer", "huge": "decimal(38,0)", "fine": "decimal(38,20)",
          "money": "decimal(14,2)", "flag": "boolean", "day": "date", "clock": "time", "moment": "timestamp", "code": "uuid",
          "doc": "json", "photo": "bytes"}
NAMES = list(FIELDS)
decimal.getcontext().prec = 60
D = decimal.Decimal


def moment(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


BOUNDARIES = {
    "name": ["", " ", "x", "a" * 3999, "0100", "NULL", "null", "-", "\\N", "1e5", "nan", "O'Hara", 'say "x"', "a,b;c|d\te", "true", "2026-07-15"],
    "note": ["", "😀👩‍👩‍👧‍👦", "é e\u0301 n\u0303", "שלום עולם \u202bx\u202c", "漢字かな", "line\nline", "line\r\nline", "\ufeffmark", "\u0001\u007f", "\u00a0x\u00a0",
             "x" * 100000, "\u20ac\u201e\u0161", "\uffff", "\U0010fffd", "tab\tend\\", "a\u2028b", "{}", "'", '"', '""', "\\'"],
    "big": [-2**63, 2**63 - 1, 0, -1, 1, 2**53 + 1, -2**53 - 1, 10**18],
    "huge": [D(10**38 - 1), D(-(10**38 - 1)), D(0), D(1), D(2**64), D(-2**63 - 1), D(10**37)],
    "fine": [D("0.00000000000000000001"), D("-999999999999999999.99999999999999999999"), D("0"), D("0.1"), D("123456789012345.678901234567890123")],
    "money": [D("0.00"), D("-0.01"), D("999999999999.99"), D("-999999999999.99"), D("0.10"), D("1.5"), D("100")],
    "flag": [True, False],
    "day": [datetime.date.min, datetime.date.max, datetime.date(1970, 1, 1), datetime.date(1969, 12, 31), datetime.date(2024, 2, 29),
            datetime.date(1900, 2, 28), datetime.date(1582, 10, 10)],
    "clock": [datetime.time.min, datetime.time.max, datetime.time(12, 30), datetime.time(0, 0, 0, 1)],
    # The hour that clocks run twice in autumn, the one that they skip in spring, and microseconds.
    "moment": [moment(text) for text in ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999",
                                         "2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-11-01 08:30:00.000001", "2026-11-01 09:30:00",
                                         "2026-03-29 01:30:00", "2026-03-08 10:00:00", "2026-07-15 12:00:00.100000")],
    "code": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("018f3c00-0000-7000-8000-00000000000a")],
    "doc": ['null', '0', '""', '[]', '{}', '{"b": 1.10, "a": [1, null, true]}', '"\\u0000"', '{"x": 12345678901234567890.123456789}', '"é 😀"', '[[[[[]]]]]'],
    "photo": [b"", bytes(range(256)), b"\x00", b"\xff" * 1000, b"\\x00", b"text"],
}


def record_random(r, number):
    digits = r.randrange(1, 38)
    return {
        "id": number, "name": "".join(r.choice("ab ,;'\"\\|é") for _ in range(r.randrange(40))),
        "note": "".join(r.choice(["a", "\n", "é", "漢", "😀", "\u0301", " ", "ש"]) for _ in range(r.randrange(30))),
        "big": r.randrange(-2**63, 2**63), "huge": D(r.randrange(-10**digits, 10**digits)),
        "fine": D(r.randrange(-10**digits, 10**digits)).scaleb(-20), "money": D(r.randrange(-10**14 + 1, 10**14)).scaleb(-2),
        "flag": r.random() < 0.5, "day": datetime.date.fromordinal(r.randrange(1, datetime.date.max.toordinal() + 1)),
        "clock": datetime.time(r.randrange(24), r.randrange(60), r.randrange(60), r.randrange(10**6)),
        "moment": moment("1900-01-01 00:00:00") + datetime.timedelta(microseconds=r.randrange(6 * 10**15)),
        "code": uuid.UUID(int=r.getrandbits(128)), "doc": json.dumps({"n": r.randrange(10**12), "t": [r.random() < 0.5, None]}),
        "photo": r.randbytes(r.randrange(60)),
    }


def records():
    """Each boundary value of each type, alone and beside others, nulls everywhere, and random ones up to 5,000."""
    r = random.Random(6)
    made = [dict.fromkeys(NAMES, None) | {"id": 1}]
    for field, values in BOUNDARIES.items():
        for value in values:
            made.append(dict.fromkeys(NAMES, None) | {"id": len(made) + 1, field: value})
    for _ in range(200):
        made.append({"id": len(made) + 1} | {field: r.choice([*values, None]) for field, values in BOUNDARIES.items()})
    made.append(dict.fromkeys(NAMES, None) | {"id": 2**63 - 1, "name": "the largest key"})
    made.append(dict.fromkeys(NAMES, None) | {"id": -2**63, "name": "the smallest key"})
    while len(made) < N_RECORDS:
        one = record_random(r, len(made) + 1)
        made.append({name: None if name != "id" and r.random() < 0.05 else value for name, value in one.items()})
    return made


def comparable(record):
    """Typed and exact: numbers as numbers, instants as instants, JSON as what it says with every digit."""
    def one(name, value):
        if value is None:
            return None
        if name == "doc":
            return json.dumps(json.loads(value, parse_float=lambda text: "d" + str(D(text).normalize()), parse_int=lambda text: "d" + str(D(text).normalize())),
                              sort_keys=True)
        if isinstance(value, D):
            return str(value.normalize() + 0)
        return (type(value).__name__, value)
    return {name: one(name, value) for name, value in record.items()}


class Kind:
    """name: of the kind and what is special about it. source, target: may it be one? variant: another form of a kind, which meets PostgreSQL only.
    Each table is called thing."""
    name = ""
    source = target = True
    variant = False
    table = "thing"

    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def system(self):
        """Members of the system in terrafusion.yaml."""
        raise NotImplementedError

    def empty(self):
        """An empty table."""
        raise NotImplementedError

    def load(self, rows):
        """Fills the empty table, without our programs."""
        raise NotImplementedError

    def dump(self):
        """Every record as records() has it, without our programs."""
        raise NotImplementedError

    def field(self, name):
        """How a mapping reads the field from here."""
        return f'{{from: {name}, type: "{FIELDS[name]}"}}'

    def lacks(self, record):
        """Fields of the record that this kind cannot hold as a target: each is a finding, and the record is held."""
        return set()

    def meets(self, record):
        """Whether the record takes part at all: False only where a driver alters it."""
        return True

    def holds(self, record):
        """Whether the record can be loaded into a source of this kind."""
        return self.meets(record) and not self.lacks(record)


class PostgreSQL(Kind):
    name = "postgresql"
    columns = {"id": "bigint primary key", "name": "text", "note": "text", "big": "bigint", "huge": "numeric(38,0)", "fine": "numeric(38,20)",
               "money": "numeric(14,2)", "flag": "boolean", "day": "date", "clock": "time", "moment": "timestamptz", "code": "uuid", "doc": "json",
               "photo": "bytea"}

    def __init__(self, folder, server):
        super().__init__(folder, server)
        self.database = re.sub(r"\W", "_", f"m{folder.name}")
        server.database(self.database)

    def connect(self):
        connection = psycopg2.connect(f"{self.server.address} dbname={self.database}")
        connection.autocommit = True
        return connection

    def system(self):
        return {"kind": "postgresql", "access": "write", "connection": f"{self.server.address} dbname={self.database}"}

    def empty(self):
        with self.connect().cursor() as cursor:
            cursor.execute("drop table if exists thing")
            cursor.execute("create table thing (" + ", ".join(f"{name} {kind}" for name, kind in self.columns.items()) + ")")

    def load(self, rows):
        connection = self.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            for row in rows:
                values = [str(value) if isinstance(value, uuid.UUID) else value for value in (row[name] for name in NAMES)]
                cursor.execute("insert into thing values (" + ", ".join(["%s"] * len(NAMES)) + ")", values)
        connection.commit()
        connection.close()

    def dump(self):
        with self.connect().cursor() as cursor:
            cursor.execute("set timezone = 'UTC'")
            cursor.execute("select " + ", ".join(f"{name}::text" if name in ("doc", "code") else name for name in NAMES) + " from thing")
            rows = [dict(zip(NAMES, row)) for row in cursor.fetchall()]
        for row in rows:
            row["code"] = row["code"] and uuid.UUID(row["code"])
            row["photo"] = None if row["photo"] is None else bytes(row["photo"])
        return rows


class SQLite(Kind):
    """Decimals in text columns, which keep every digit."""
    name = "sqlite"
    columns = {"id": "integer primary key", "name": "text", "note": "text", "big": "integer", "huge": "text", "fine": "text", "money": "text",
               "flag": "integer", "day": "text", "clock": "text", "moment": "text", "code": "text", "doc": "text", "photo": "blob"}
    strict = " strict"

    def __init__(self, folder, server):
        super().__init__(folder, server)
        self.path = folder / "thing.db"

    def system(self):
        return {"kind": "sqlite", "access": "write", "path": str(self.path)}

    def empty(self):
        self.path.unlink(missing_ok=True)
        db = sqlite3.connect(self.path)
        db.execute("create table thing (" + ", ".join(f"{name} {kind}" for name, kind in self.columns.items()) + ")" + self.strict)
        db.close()

    def store(self, value):
        if isinstance(value, D):
            return f"{value:f}"
        if isinstance(value, datetime.datetime):
            return value.replace(tzinfo=None).isoformat(" ") + "Z"
        if isinstance(value, (datetime.date, datetime.time, uuid.UUID)):
            return str(value)
        return value

    def load(self, rows):
        db = sqlite3.connect(self.path)
        db.executemany("insert into thing values (" + ", ".join("?" * len(NAMES)) + ")",
                       ([self.store(row[name]) for name in NAMES] for row in rows))
        db.commit()
        db.close()

    def dump(self):
        db = sqlite3.connect(self.path)
        rows = [dict(zip(NAMES, row)) for row in db.execute("select " + ", ".join(NAMES) + " from thing")]
        db.close()
        for row in rows:
            assert not self.strict or isinstance(row["huge"], (str, type(None)))
            assert {type(row[name]) for name in ("name", "note", "day")} <= {str, type(None)}
            values_parse(row, ("huge", "fine", "money", "day", "clock", "moment", "code"))
            row["flag"] = None if row["flag"] is None else {0: False, 1: True}[row["flag"]]
        return rows


class SQLiteNumeric(SQLite):
    """Decimals where SQLite's own arithmetic works, which keeps 64-bit integers and 15 digits of other numbers."""
    name = "sqlite with numeric columns"
    variant = True
    columns = SQLite.columns | {"huge": "numeric", "fine": "numeric", "money": "numeric"}
    strict = ""
    source = False

    def lacks(self, record):
        def loses(value):
            if value is None or (value == value.to_integral_value() and -2**63 <= value < 2**63):
                return False
            return len(f"{value.normalize():f}".lstrip("-0.").replace(".", "")) > 15
        return {name for name in ("huge", "fine", "money") if loses(record[name])}


class CSV(Kind):
    """A header row, nulls as empty fields, texts in quotes."""
    name = "csv"
    encoding = "utf-8"
    delimiter = ","
    table = "thing.csv"

    def system(self):
        return {"kind": "csv", "access": "write", "path": str(self.folder)}

    def empty(self):
        (self.folder / self.table).write_bytes((self.delimiter.join(NAMES) + "\r\n").encode(self.encoding))

    def field(self, name):
        form = ", format: hex" if FIELDS[name] == "bytes" else ""
        return f'{{from: {name}, type: "{FIELDS[name]}"{form}}}'

    def store(self, value):
        if value is None:
            return ""
        if isinstance(value, bytes):
            return f'"{value.hex()}"' if not value else value.hex()
        if isinstance(value, str):
            return '"' + value.replace('"', '""') + '"'
        if isinstance(value, D):
            return f"{value:f}"
        return value.isoformat() if isinstance(value, datetime.datetime) else str(value)

    def load(self, rows):
        with open(self.folder / self.table, "ab") as file:
            for row in rows:
                file.write((self.delimiter.join(self.store(row[name]) for name in NAMES) + "\r\n").encode(self.encoding))

    def dump(self):
        text = (self.folder / self.table).read_bytes().decode(self.encoding).removeprefix("\ufeff")
        lines = list(csv_records(text, self.delimiter))
        assert [value for value, _ in lines[0]] == NAMES
        rows = []
        for line in lines[1:]:
            row = {name: None if not quoted and value == "" else value for name, (value, quoted) in zip(NAMES, line)}
            values_parse(row, ("huge", "fine", "money", "day", "clock", "moment", "code"))
            for name in ("id", "big"):
                row[name] = None if row[name] is None else int(row[name])
            row["flag"] = None if row["flag"] is None else {"false": False, "true": True}[row["flag"]]
            row["photo"] = None if row["photo"] is None else bytes.fromhex(row["photo"])
            rows.append(row)
        return rows


class CSVUtf16(CSV):
    name = "csv in utf-16 with semicolons"
    variant = True
    encoding = "utf-16"     # with its byte order mark
    delimiter = ";"

    def load(self, rows):
        text = "".join(self.delimiter.join(self.store(row[name]) for name in NAMES) + "\r\n" for row in rows)
        with open(self.folder / self.table, "ab") as file:
            file.write(text.encode("utf-16-le"))


class CSVLatin1(CSV):
    """A file that some characters are not in."""
    name = "csv in windows-1252"
    variant = True
    source = False
    encoding = "cp1252"

    def system(self):
        return super().system() | {"encoding": "windows-1252"}

    def lacks(self, record):
        lost = set()
        for name in ("name", "note", "doc"):
            try:
                (record[name] or "").encode("cp1252")
            except UnicodeEncodeError:
                lost.add(name)
        return lost


class GeoPackage(SQLite):
    """A layer without geometry, made by GDAL, filled and read as the SQLite file that it is. Its own types where it has them: what it has no type
    for (decimals, times of day, uuids, JSON, microseconds) are texts."""
    name = "ogr geopackage"
    types = {"id": "Integer64", "big": "Integer64", "flag": "Integer:Boolean", "day": "Date", "photo": "Binary"}
    strict = " "

    def __init__(self, folder, server):
        super().__init__(folder, server)
        self.path = folder / "thing.gpkg"

    def system(self):
        return {"kind": "ogr", "access": "write", "path": str(self.path)}

    def empty(self):
        self.path.unlink(missing_ok=True)
        ogr.make(self.path, "thing", [(name, self.types.get(name, "String")) for name in NAMES], [], srid="", geometry="None", sql=["create unique index thing_id on thing (id)"])

    def load(self, rows):
        db = sqlite3.connect(self.path)
        db.executemany(f"insert into thing ({', '.join(NAMES)}) values (" + ", ".join("?" * len(NAMES)) + ")",
                       ([self.store(row[name]) for name in NAMES] for row in rows))
        db.commit()
        db.close()


class MariaDB(Kind):
    """Through the driver that Debian has for it. Filled and read by its own client, texts and bytes as hexadecimal digits."""
    name = "odbc mariadb"
    columns = {"id": "bigint primary key", "name": "longtext", "note": "longtext", "big": "bigint", "huge": "decimal(38,0)", "fine": "decimal(38,20)",
               "money": "decimal(14,2)", "flag": "boolean", "day": "date", "clock": "time(6)", "moment": "datetime(6)", "code": "char(36)",
               "doc": "longtext", "photo": "longblob"}
    maria = None        # one server for all; the last one to be done is the process

    def __init__(self, folder, server):
        super().__init__(folder, server)
        if MariaDB.maria is None:
            MariaDB.maria = mariadb.Server()
            atexit.register(MariaDB.maria.remove)
        self.database = self.maria.database(re.sub(r"\W", "_", f"m{folder.parent.name}_{folder.name}")[-60:])

    def system(self):
        return {"kind": "odbc", "access": "write", "connection": self.maria.connection(self.database)}

    def empty(self):
        self.maria.sql("drop table if exists thing; create table thing (" + ", ".join(f"{name} {kind}" for name, kind in self.columns.items()) +
                       ") character set utf8mb4 collate utf8mb4_bin", self.database)

    def store(self, value):
        if value is None:
            return "null"
        if isinstance(value, (bool, int)):
            return str(int(value))
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        if isinstance(value, str):
            return f"convert(x'{value.encode().hex()}' using utf8mb4)"
        if isinstance(value, datetime.datetime):
            value = value.replace(tzinfo=None).isoformat(" ")
        return f"{value:f}" if isinstance(value, D) else f"'{value}'"

    def load(self, rows):
        values = ["(" + ", ".join(self.store(row[name]) for name in NAMES) + ")" for row in rows]
        self.maria.sql("set autocommit = 0;" + "".join(f"insert into thing values {', '.join(values[i:i + 100])};" for i in range(0, len(values), 100)) +
                       "commit;", self.database)

    def dump(self):
        shown = [f"hex({name})" if name in ("name", "note", "doc", "photo") else name for name in NAMES]
        rows = []
        for line in self.maria.sql(f"select {', '.join(shown)} from thing", self.database).splitlines():
            row = {name: None if value == "NULL" else value for name, value in zip(NAMES, line.split("|"))}
            for name in ("name", "note", "doc", "photo"):
                row[name] = None if row[name] is None else bytes.fromhex(row[name])
                row[name] = row[name] if row[name] is None or name == "photo" else row[name].decode()
            for name in ("id", "big", "flag"):
                row[name] = None if row[name] is None else int(row[name])
            row["flag"] = None if row["flag"] is None else {0: False, 1: True}[row["flag"]]
            values_parse(row, ("huge", "fine", "money", "day", "clock", "moment", "code"))
            rows.append(row)
        return rows


class OdbcPostgreSQL(PostgreSQL):
    name = "odbc postgresql"
    variant = True

    def system(self):
        parts = dict(part.split("=", 1) for part in self.server.address.split())
        return {"kind": "odbc", "access": "write", "connection": f"Driver={{PostgreSQL Unicode}};Server={parts['host']};Port={parts['port']};"
                f"Database={self.database};UID={parts['user']}" + (f";PWD={parts['password']}" if "password" in parts else "")}


class OdbcSQLite(SQLite):
    """The driver (libsqliteodbc 0.9998) gives U+FFFD for every character of plane 16, from U+100000 on, which is private use: such records are
    left out, as nobody behind the driver can tell that from the character."""
    name = "odbc sqlite"
    variant = True

    def meets(self, record):
        return not any(isinstance(value, str) and any(character >= "\U00100000" for character in value) for value in record.values())

    def holds(self, record):
        return self.meets(record)

    def lacks(self, record):
        """It does not write bytes, which is told."""
        return {"photo"} if record["photo"] else set()

    def system(self):
        return {"kind": "odbc", "access": "write", "connection": f"Driver=SQLite3;Database={self.path}"}


class OData(SQLite):
    """A real OData v4 server, filled and read over HTTP by a few lines of Python."""
    name = "rest odata"
    variant = True

    def __init__(self, folder, server):
        Kind.__init__(self, folder, server)
        self.odata = odata.Server("matrix")

    def system(self):
        return {"kind": "rest", "access": "write", "url": self.odata.url, "batch_size": 1000}

    def empty(self):
        """It begins so, in memory."""

    def store(self, value):
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else super().store(value)

    def load(self, rows):
        for i in range(0, len(rows), 50):
            self.odata.put("thing", *[{name: self.store(row[name]) for name in NAMES} for row in rows[i:i + 50]])

    def dump(self):
        rows = [dict(zip(NAMES, row)) for row in self.odata.all("thing", ",".join(NAMES), "id")]
        for row in rows:
            values_parse(row, ("huge", "fine", "money", "day", "clock", "moment", "code"))
            row.update(id=int(row["id"]), big=None if row["big"] is None else int(row["big"]),
                       photo=None if row["photo"] is None else base64.b64decode(row["photo"], "-_" if re.search("[-_]", row["photo"]) else None))
        return rows


LAYOUT = {"id": 20, "name": 60, "big": 20, "huge": 40, "money": 16, "day": 8, "code": 36}


class Fixed(Kind):
    """Fixed width: a source only. Records that fit into the fields, of characters of latin-1, and a part of the columns."""
    name = "fixed"
    target = False

    def system(self):
        offset, lines = 0, ["layout: thing", "encoding: latin1", "eol: crlf", "tables:", "  thing:", '    file: "*_THING.TXT"',
                            f"    record_length: {sum(LAYOUT.values())}", "    fields:"]
        kinds = {"id": ", type: integer", "big": ", type: integer", "huge": ", type: decimal, decimals: 0",
                 "money": ", type: decimal, decimals: 2", "day": ', type: date, format: "%Y%m%d"'}
        for name, width in LAYOUT.items():
            lines.append(f"      {name}: {{from: {offset}, to: {offset + width}{kinds.get(name, '')}}}")
            offset += width
        (self.folder / "thing.yaml").write_text("\n".join(lines) + "\n")
        return {"kind": "fixed", "path": str(self.folder), "layout": str(self.folder / "thing.yaml")}

    def empty(self):
        (self.folder / "2026-07-01_000001_THING.TXT").write_bytes(b"")

    def field(self, name):
        return super().field(name) if name in LAYOUT else None

    def holds(self, record):
        text = record["name"] or ""
        if text != text.strip() or (record["name"] == "") or len(text) > LAYOUT["name"] or "\n" in text or "\r" in text or "\t" in text:
            return False
        return all(ord(character) < 256 for character in text)

    def load(self, rows):
        with open(self.folder / "2026-07-01_000001_THING.TXT", "wb") as file:
            for row in rows:
                file.write(("".join(self.store(name, row[name]).ljust(width) for name, width in LAYOUT.items()) + "\r\n").encode("latin-1"))

    def store(self, name, value):
        if value is None:
            return ""
        if name == "money":
            sign, digits = ("-" if value < 0 else ""), f"{abs(value).scaleb(2):f}".split(".")[0]
            return sign + digits.zfill(15 - len(sign))
        if name == "day":
            return f"{value.year:04}{value.month:02}{value.day:02}"
        return f"{value:f}" if isinstance(value, D) else str(value)


KINDS = [PostgreSQL, SQLite, SQLiteNumeric, CSV, CSVUtf16, CSVLatin1, Fixed, *([GeoPackage] if ogr.available() else []),
         *([MariaDB, OdbcPostgreSQL, OdbcSQLite] if shutil.which("mariadb-install-db") else []),
         *([OData] if odata.available() else [])]


def values_parse(row, names):
    parsers = {"huge": D, "fine": D, "money": D, "day": datetime.date.fromisoformat, "code": uuid.UUID,
               "clock": datetime.time.fromisoformat, "moment": lambda text: moment(re.sub(r"(Z|\+00:00)$", "", text))}
    for name in names:
        if row[name] is not None:
            row[name] = parsers[name](row[name] if name not in ("huge", "fine", "money") else str(row[name]))


def csv_records(text, delimiter):
    """(value, quoted) of each field of each record; Python's own reader does not tell null from an empty text."""
    position = 0
    while position < len(text):
        record = []
        while True:
            if position < len(text) and text[position] == '"':
                parts, position = [], position + 1
                while True:
                    end = text.index('"', position)
                    parts.append(text[position:end])
                    position = end + 1
                    if text[position:position + 1] != '"':
                        break
                    parts.append('"')
                    position += 1
                record.append(("".join(parts), True))
            else:
                end = min(found for found in (text.find(delimiter, position), text.find("\n", position), len(text)) if found >= 0)
                record.append((text[position:end].removesuffix("\r"), False))
                position = end
            if text[position:position + 1] == delimiter:
                position += 1
                continue
            position += 2 if text[position:position + 2] == "\r\n" else 1
            break
        yield record


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
