# SPDX-License-Identifier: Apache-2.0
"""What the tree promises of itself: who includes whom, who links what, no file too long, one name for one thing."""
import json
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(os.environ.get("TERRAFUSION_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("TERRAFUSION_BUILD", TOP / "build-tests/plain"))
SOURCES = sorted(p for p in (TOP / "src").rglob("*.[ch]"))
LAST = {"worker", "syncd", "gateway", "ctl", "generator"}

# ARCHITECTURE.md, "Who may include whom". A room may always include itself.
MAY_INCLUDE = {
    "basic": set(),
    "model": {"basic"},
    "config": {"basic", "model"},
    "store": {"basic", "model"},
    "http": {"basic"},
    "connect": {"basic", "model"},
    "transform": {"basic", "model"},
    "validate": {"basic", "model"},
    "detect": {"basic", "model", "store", "connect"},
    "apply": {"basic", "model", "store", "connect"},
    "orchestrate": {"basic", "model", "store"},
    "monitor": {"basic", "model", "store"},
    "api": {"basic", "model", "http"},
    "worker": {"basic", "model", "config", "store", "connect", "detect", "transform", "validate", "apply"},
    "syncd": {"basic", "model", "config", "store", "orchestrate", "monitor", "http", "api"},
    "gateway": {"basic", "http", "api", "config", "model"},
    "ctl": {"basic", "model", "api"},
    "generator": {"basic", "model", "config"},
}

# Each foreign API has its files; its types do not leave them.
FOREIGN = {
    "sqlite3.h": {"store/sqlite.c", "connect/sqlite*.[ch]"},
    "libpq-fe.h": {"store/postgresql*.[ch]", "connect/postgresql*.[ch]"},
    "pcre2.h": {"basic/pattern.c"},
    "yaml.h": {"config/yaml.c"},
    "microhttpd.h": {"http/*.[ch]"},
    "xxhash.h": {"model/record.c"},
    "sodium.h": {"api/keys.c", "connect/rest-*.c"},
    "curl/curl.h": {"connect/rest-http.c"},
    "sql.h": {"connect/odbc*.[ch]"},
    "sqlext.h": {"connect/odbc*.[ch]"},
    "dlfcn.h": {"connect/module.c", "transform/project.c"},
    "gdal.h": {"connect/ogr*.[ch]"},
    "ogr_api.h": {"connect/ogr*.[ch]"},
    "proj.h": {"transform/project.c"},
}

# What no daemon and no command line may link: drivers live in workers, so that one that crashes takes one operation with it.
LINKS = {
    "worker/terrafusion-worker": {"forbidden": ["microhttpd", "gdal", "odbc", "curl", "rdkafka"]},
    "syncd/terrafusion-syncd": {"forbidden": ["gdal", "odbc", "curl", "lua", "rdkafka"]},
    "gateway/terrafusion-gateway": {"forbidden": ["gdal", "odbc", "curl", "lua", "rdkafka", "sqlite3", "libpq"]},
    "generator/terrafusion-generator": {"forbidden": ["gdal", "odbc", "curl", "lua", "rdkafka", "sqlite3", "libpq", "microhttpd"]},
    "ctl/terrafusionctl": {"forbidden": ["gdal", "odbc", "curl", "lua", "rdkafka", "sqlite3", "libpq", "yaml"]},
}


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("room", sorted(MAY_INCLUDE))
def test_includes_follow_the_table(room):
    wrong = []
    for path in sorted((TOP / "src" / room).rglob("*.[ch]")):
        for number, line in enumerate(lines(path), 1):
            found = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
            if found and found.group(1) != room and found.group(1) not in MAY_INCLUDE[room]:
                wrong.append(f"{path.relative_to(TOP)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_every_room_is_in_the_table():
    rooms = {p.name for p in (TOP / "src").iterdir() if p.is_dir() and list(p.glob("*.c"))}
    assert rooms <= set(MAY_INCLUDE), rooms - set(MAY_INCLUDE)


def test_foreign_headers_stay_in_their_files():
    wrong = []
    for path in SOURCES:
        place = path.relative_to(TOP / "src")
        for number, line in enumerate(lines(path), 1):
            found = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if found and found.group(1) in FOREIGN and not any(place.match(p) for p in FOREIGN[found.group(1)]):
                wrong.append(f"{place}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("program", sorted(LINKS))
def test_programs_link_only_what_they_may(program):
    binary = BUILD / "src" / program
    assert binary.exists(), f"{binary} is not built"
    text = subprocess.run(["readelf", "-d", str(binary)], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"NEEDED.*\[(.+?)\]", text)
    assert needed, "readelf found no libraries"
    wrong = [n for n in needed for f in LINKS[program]["forbidden"] if f in n]
    assert not wrong, wrong


@pytest.mark.parametrize("module, library", [("odbc", "libodbc.so"), ("rest", "libcurl.so")])
def test_modules_link_their_library_and_nothing_of_ours(module, library):
    binary = BUILD / f"src/connect/connect-{module}.so"
    text = subprocess.run(["readelf", "-d", str(binary)], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"NEEDED.*\[(.+?)\]", text)
    assert any(n.startswith(library) for n in needed), needed
    # basic, model and connect are the worker's: a second copy would have a second registry, log and allocator of errors.
    defined = subprocess.run(["readelf", "-sW", "--dyn-syms", str(binary)], capture_output=True, text=True, check=True).stdout
    assert re.search(r"\bUND error_set\b", defined) and not re.search(r"(?<!UND) error_set\b", defined)
    assert re.search(rf"\b{module}_module\b", defined)


def test_link_lists_repeat_the_table():
    for room, allowed in MAY_INCLUDE.items():
        text = (TOP / "src" / room / "meson.build").read_text()
        linked = set(re.findall(r"([a-z]+)_dep\b", text)) - {room}
        assert linked <= allowed, f"{room} links {linked - allowed}"


def test_no_file_is_too_long():
    long = [f"{p.relative_to(TOP)}: {n}" for p in SOURCES if (n := len(lines(p))) > 800]
    assert not long, long


def test_every_file_names_its_licence():
    tracked = subprocess.run(["git", "-C", str(TOP), "ls-files"], capture_output=True, text=True).stdout.split()
    wrong = [f for f in tracked if re.search(r"\.(c|h|py|sh|yaml|build|sql)$", f) and "/corpus/" not in f
             and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines(TOP / f)[:4])]
    assert not wrong, wrong


BANNED = re.compile(r"\b(strtoull|atoi|sprintf|strcpy|strcat|alloca|gets|vsprintf|strtok)\s*\(")


def test_banned_calls():
    wrong = [f"{p.relative_to(TOP)}:{n}: {line.strip()}" for p in SOURCES for n, line in enumerate(lines(p), 1)
             if BANNED.search(line)]
    assert not wrong, "\n".join(wrong)


def test_money_is_no_float():
    """Binary floats are for metrics, sizes on screen, clocks, and coordinates, which WKB has as floats; no other value meets one."""
    rooms = {"model", "transform", "validate", "detect", "apply", "worker", "store"}
    wrong = [f"{p.relative_to(TOP)}:{n}: {line.strip()}" for p in SOURCES if p.relative_to(TOP / "src").parts[0] in rooms
             for n, line in enumerate(lines(p), 1) if re.search(r"\b(float|double)\b\s+\w+", re.sub(r"/?\*.*", "", line))]
    wrong = [w for w in wrong if "duration_seconds" not in w and "model/operation.c" not in w and "store/operations" not in w]
    wrong = [w for w in wrong if not re.match(r"src/transform/(geometry-(curve|shape|valid)|project)\.[ch]:|src/model/drift\.c:", w)]
    assert not wrong, "\n".join(wrong)


def test_every_source_has_a_unit_test():
    missing = []
    for path in SOURCES:
        place = path.relative_to(TOP / "src")
        if path.suffix != ".c" or place.parts[0] in LAST:
            continue
        if not (TOP / "tests/unit" / place.parts[0] / f"test-{path.stem}.c").exists():
            missing.append(str(place))
    known = set((TOP / "tests/lint/without-unit-test.txt").read_text().split())
    assert set(missing) == known, f"new: {set(missing) - known}; no longer missing: {known - set(missing)}"


def test_catalog_explains_every_message_id():
    ids = dict(re.findall(r'X\((MESSAGE_\w+),\s*"([0-9a-f]{32})"', (TOP / "src/basic/log-ids.h").read_text()))
    catalog = set(re.findall(r"^-- ([0-9a-f]{32})$", (TOP / "units/terrafusion.catalog").read_text(), re.M))
    assert ids and set(ids.values()) == catalog


def test_events_have_only_fields_of_the_list():
    fields = set(re.findall(r'X\("(\w+)"\)', (TOP / "src/basic/log-ids.h").read_text()))
    assert "OPERATION_ID" in fields
    wrong = []
    for path in SOURCES:
        for call in re.findall(r"\blog_event\((.*?)\);", path.read_text(), re.S):
            wrong += [f"{path.relative_to(TOP)}: {name}" for name in re.findall(r'"([A-Z][A-Z_]+)"', call) if name not in fields]
        wrong += [f"{path.relative_to(TOP)}: {name}" for name in re.findall(r'log_context_set\("(\w+)"', path.read_text())
                  if name not in fields]
    assert not wrong, wrong


def test_every_message_id_is_used():
    ids = re.findall(r"X\((MESSAGE_\w+),", (TOP / "src/basic/log-ids.h").read_text())
    text = "".join(p.read_text() for p in SOURCES if p.name != "log-ids.h")
    unused = [i for i in ids if not re.search(rf"\b{i}\b", text)]
    assert not unused, unused


def test_introspection_is_what_the_programs_print():
    for program, name in (("syncd/terrafusion-syncd", "org.terrafusion.Sync1.xml"), ("gateway/terrafusion-gateway", "org.terrafusion.Gateway1.xml")):
        printed = subprocess.run([BUILD / "src" / program, "--print=introspection"], capture_output=True, text=True, check=True).stdout
        assert printed == (TOP / "dbus" / name).read_text(), f"{program} --print=introspection >dbus/{name}"


def test_polkit_has_an_action_for_each_scope_of_the_table():
    actions = set(re.findall(r'<action id="([\w.-]+)"', (TOP / "dbus/org.terrafusion.sync1.policy").read_text()))
    printed = subprocess.run([BUILD / "src/syncd/terrafusion-syncd", "--print=openapi"], capture_output=True, text=True, check=True).stdout
    rows = [row for methods in json.loads(printed)["paths"].values() for row in methods.values()]
    names = {"syncd": "sync1", "gateway": "gateway1"}
    wanted = {f"org.terrafusion.{names[row['x-daemon']]}.{row['x-scope']}" for row in rows if row["x-scope"] not in ("open", "read")}
    assert wanted | {"org.terrafusion.sync1.admin", "org.terrafusion.sync1.read-records"} == actions


def test_error_codes_are_unique_and_documented():
    codes = re.findall(r'"(TF-\d{4})"', (TOP / "src/basic/error-codes.h").read_text())
    assert len(codes) == len(set(codes))


def test_nothing_of_this_machine():
    tracked = subprocess.run(["git", "-C", str(TOP), "ls-files"], capture_output=True, text=True).stdout.split()
    wrong = []
    for name in tracked:
        path = TOP / name
        if path.suffix in {".xz", ".png"} or name.startswith("tests/fuzz/corpus") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if re.search(r"(?<![\w.])/(work|root)/(?!\*)", text) or re.search(r"\bTODO\b|\bFIXME\b", text):
            if name != "tests/lint/test_tree.py":
                wrong.append(name)
    assert not wrong, wrong


def test_spelling():
    out = subprocess.run(["codespell", "-q", "3", "--skip", "*.xz,*.csv,corpus,build*,LICENSE", "-L",
                          "parms,situs,ans,te,als,hist,doub,ndoes,get's", "src", "units", "mappings", "man", "README.md",
                          "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGES.md", "quickstart", "run-tests"],
                         cwd=TOP, capture_output=True, text=True)
    assert out.returncode == 0, out.stdout


def test_shell_scripts():
    scripts = [s for s in ("run-tests", "quickstart", ".ci/run", "tests/servers/mariadb") if (TOP / s).exists()]
    out = subprocess.run(["shellcheck", "-S", "warning", *scripts], cwd=TOP, capture_output=True, text=True)
    assert out.returncode == 0, out.stdout
