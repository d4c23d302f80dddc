# SPDX-License-Identifier: Apache-2.0
"""The service on a real dbus-daemon with our own policy: every command as over HTTP, objects and their signals, who may what, a bus that
restarts. Clients are busctl, gdbus and python-dbus."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

import dbus
import dbus.mainloop.glib  # python3-dbus, not our folder of that name: a package comes before a bare folder
import pytest
from gi.repository import GLib
from test_daemons import CTL, Service, grow, harness

NAME, PATH, MANAGER = "org.terrafusion.Sync1", "/org/terrafusion/Sync1", "org.terrafusion.Sync1.Manager"
SYNCD = harness.BUILD / "src/syncd/terrafusion-syncd"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>{top}/dbus/org.terrafusion.conf</include>
</busconfig>
"""
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)


class Bus:
    """A system bus of the test's own, with a polkit that says what it is told."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-bus-"))
        self.folder.chmod(0o755)
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder, top=harness.TOP))
        self.address = f"unix:path={self.folder}/bus"
        self.daemon = self.authority = None

    def start(self):
        (self.folder / "bus").unlink(missing_ok=True)
        self.daemon = subprocess.Popen(["dbus-daemon", f"--config-file={self.folder}/config", "--nofork", "--nopidfile", "--print-address"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.daemon.stdout.readline().startswith(self.address)
        return self

    def polkit(self, verdict):
        (self.folder / "verdict").write_text(verdict)
        (self.folder / "questions").write_text("")
        if not self.authority:
            self.authority = subprocess.Popen([str(harness.TOP / "tests/servers/polkit"), self.address, str(self.folder)],
                                              stdout=subprocess.PIPE, text=True)
            assert self.authority.stdout.readline() == "ready\n"

    def questions(self):
        return (self.folder / "questions").read_text().splitlines()

    def polkit_stop(self):
        if self.authority:
            self.authority.kill()
            self.authority.wait()
            self.authority = None

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def done(self):
        self.polkit_stop()
        self.kill()
        shutil.rmtree(self.folder)


class OnBus(Service):
    def __init__(self, county, bus):
        super().__init__(county)
        self.bus = bus

    def environment(self):
        return {**super().environment(), "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}

    def busctl(self, *arguments, uid=None, interactive=False):
        prefix = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        return subprocess.run([*prefix, "busctl", f"--address={self.bus.address}", "--json=short",
                               f"--allow-interactive-authorization={'yes' if interactive else 'no'}", *arguments],
                              capture_output=True, text=True, timeout=60)

    def call(self, member, *arguments, path=PATH, interface=MANAGER, **keywords):
        """(result, None), or (None, text of the error)."""
        done = self.busctl("call", NAME, path, interface, member, *arguments, **keywords)
        if done.returncode != 0:
            return None, done.stderr.strip().removeprefix("Call failed: ")
        return json.loads(done.stdout)["data"][0], None

    def is_on_bus(self):
        return self.busctl("status", NAME).returncode == 0


@pytest.fixture
def bus():
    started = Bus().start()
    yield started
    started.done()


@pytest.fixture
def service(tmp_path, bus):
    started = OnBus(harness.County.create(tmp_path / "county"), bus).start()
    started.wait(started.is_on_bus, "the name on the bus")
    yield started
    started.stop()
    for name in ("terrafusion-syncd", "terrafusion-worker"):
        for pid in started.pids(name):
            os.kill(pid, signal.SIGKILL)
    assert "ERROR: AddressSanitizer" not in started.text() and "runtime error:" not in started.text(), started.text()[-4000:]


def object_path(kind, name):
    safe = "".join(c if c.isalnum() and not (i == 0 and c.isdigit()) else f"_{ord(c):02x}" for i, c in enumerate(name))
    return f"{PATH}/{kind}/{safe}"


# ---- every command of the table ----
COMMANDS = json.loads(subprocess.run([SYNCD, "--print=openapi"], capture_output=True, text=True, check=True).stdout)["paths"]
ROWS = [(method.upper(), path, row) for path, methods in COMMANDS.items() for method, row in methods.items()
        if not row["operationId"].endswith("Alias") and row["x-daemon"] == "syncd"]
OURS = {"name": "pacs_to_cama", "sync_pair_id": "pacs_to_cama"}
# What differs from one moment to the next, whoever asks.
PASSING = {"timestamp", "uptime_seconds", "lag_seconds", "message", "rate"}


def arguments_of(row):
    """[(name, place, required, type)] of a row, in its order."""
    found = [(p["name"], p["in"], p["required"], p["schema"]["type"]) for p in row["parameters"]]
    schema = row.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return found + [(name, "body", name in schema["required"], s["type"]) for name, s in schema.get("properties", {}).items()]


def ask_both(service, method, path, row, values, extra=None):
    """The answers by HTTP and by D-Bus: (status, document), (document or path, error)."""
    introspected = METHODS[row["operationId"]]
    query = "&".join(f"{n}={values[n]}" for n, place, _, _ in arguments_of(row) if place == "query" and n in values)
    body = {n: values[n] for n, place, _, _ in arguments_of(row) if place == "body" and n in values}
    if extra and method == "POST":
        body.update(extra)
    elif extra:
        query += "&" + "&".join(f"{k}={v}" for k, v in extra.items())
    status, over_http, _ = service.request(method, path.format(**values) + (f"?{query}" if query else ""), body if method == "POST" else None,
                                           port=service.sync_port)
    positional = [name for kind, name in introspected if name != "options"]
    options = {n: v for n, v in values.items() if n not in positional and n in {a[0] for a in arguments_of(row)}}
    options.update(extra or {})
    words = [values.get(n, "") for n in positional]
    if ("a{sv}", "options") in introspected:
        words.append(str(len(options)))
        for name, value in options.items():
            words += [name, "x" if isinstance(value, int) else "s", str(value)]
    signature = "".join(kind for kind, _ in introspected)
    return (status, over_http), service.call(row["operationId"], *([signature, *words] if signature else []))


def methods_of(text):
    return {m.get("name"): [(a.get("type"), a.get("name")) for a in m.findall("arg") if a.get("direction") == "in"]
            for i in tree.fromstring(text).findall("interface") if i.get("name") == MANAGER for m in i.findall("method")}


METHODS = methods_of((harness.TOP / "dbus/org.terrafusion.Sync1.xml").read_text())


def lasting(document):
    if isinstance(document, dict):
        return {k: lasting(v) for k, v in document.items() if k not in PASSING}
    return [lasting(v) for v in document] if isinstance(document, list) else document


def shape(document):
    if isinstance(document, dict):
        return {k: shape(v) for k, v in document.items()}
    return type(document).__name__


def values_for(service, path):
    values = dict(OURS)
    if "/systems/" in path:
        values["name"] = "cama"
    if "/operations/" in path:
        values["id"] = service.get("/api/sync/operations")[1][0]["id"]
    if "/quarantine/" in path:
        values["id"] = service.get("/api/quarantine")[1][0]["id"]
    return values


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A service that has run once, for all commands that only ask."""
    own = Bus().start()
    started = OnBus(harness.County.create(tmp_path_factory.mktemp("ran") / "county"), own).start()
    started.wait(started.is_on_bus, "the name on the bus")
    started.run("full")
    yield started
    started.stop()
    own.done()


@pytest.mark.parametrize("method,path,row", [r for r in ROWS if r[0] == "GET"], ids=lambda v: v["operationId"] if isinstance(v, dict) else "")
def test_asking_gives_the_same_answer(ran, method, path, row):
    (status, over_http), (over_bus, error) = ask_both(ran, method, path, row, values_for(ran, path))
    if status >= 400:
        assert error == told(over_http)
        return
    if row["responses"][str(status)]["content"].get("text/plain"):
        assert over_bus.splitlines()[0] == over_http.splitlines()[0]
        return
    over_bus = json.loads(over_bus)
    if path in ("/api/system", "/api/metrics", "/api/sync/metrics"):    # measures and a window up to this moment
        assert shape(over_bus) == shape(over_http)
    else:
        assert lasting(over_bus) == lasting(over_http)


def told(problem):
    return f"{problem['detail']}. {problem['remedy']}" if problem.get("remedy") else problem["detail"]


@pytest.mark.parametrize("method,path,row", [r for r in ROWS if arguments_of(r[2])], ids=lambda v: v["operationId"] if isinstance(v, dict) else "")
def test_mistakes_are_told_in_the_same_words(ran, method, path, row):
    names = {n for n, _, required, _ in arguments_of(row) if required}
    wrong = {n: "nothing_so_called" for n in names}
    if names:
        (status, over_http), (_, error) = ask_both(ran, method, path, row, wrong)
        assert status >= 400 and error == told(over_http), (over_http, error)
    if ("a{sv}", "options") in METHODS[row["operationId"]]:
        (status, over_http), (_, error) = ask_both(ran, method, path, row, values_for(ran, path), {"colour": "red"})
        assert status == 422 and error == told(over_http), (over_http, error)
        assert "colour" in error


@pytest.mark.parametrize("method,path,row", [r for r in ROWS if r[0] == "POST"], ids=lambda v: v["operationId"] if isinstance(v, dict) else "")
def test_doing_is_the_same(ran, method, path, row):
    (status, over_http), (over_bus, error) = ask_both(ran, method, path, row, values_for(ran, path))
    if status >= 400:
        assert error == told(over_http)
    elif isinstance(over_bus, str) and over_bus.startswith(PATH):
        one, other = ran.finished(over_http["id"]), ran.finished(json.loads(
            ran.call("Get", path=over_bus, interface=f"{NAME}.Operation")[0])["id"])
        assert over_bus == object_path("operation", other["id"]) and one["id"] != other["id"]
        for member in ("kind", "sync_pair_id", "status", "entity_types", "parameters"):
            assert one[member] == other[member], member
        assert (one["via"], other["via"]) == ("http", "dbus")
    else:
        assert shape(json.loads(over_bus)) == shape(over_http)


def test_the_live_service_is_as_the_file_says(ran):
    """busctl introspect shows names of arguments; the file in dbus/ is what the program prints."""
    text = subprocess.run(["busctl", f"--address={ran.bus.address}", "introspect", "--xml-interface", NAME, PATH],
                          capture_output=True, text=True, check=True).stdout
    assert methods_of(text) == METHODS
    names = {r[2]["operationId"] for r in ROWS}
    assert names == set(METHODS)
    for kind, interface, name in (("pair", "Pair", "pacs_to_cama"), ("system", "System", "cama")):
        shown = subprocess.run(["busctl", f"--address={ran.bus.address}", "introspect", NAME, object_path(kind, name), f"{NAME}.{interface}"],
                               capture_output=True, text=True, check=True).stdout
        assert ".Check " in shown and name in shown


def test_gdbus_reads_and_calls(ran):
    def gdbus(*arguments):
        return subprocess.run(["gdbus", *arguments[:1], "--address", ran.bus.address, *arguments[1:]], capture_output=True, text=True, timeout=30,
                              check=True).stdout
    shown = gdbus("introspect", "--dest", NAME, "--object-path", PATH, "--recurse")
    assert "StartOperation(in  s sync_pair_id,\n" in shown and "interface org.terrafusion.Sync1.Pair" in shown
    assert "pacs_to_cama" in gdbus("call", "--dest", NAME, "--object-path", PATH, "--method", f"{MANAGER}.ListPairs")


def test_the_command_line_speaks_the_system_bus(ran):
    (pathlib.Path(ran.environment()["RUNTIME_DIRECTORY"]) / "sync1.bus").unlink()
    assert json.loads(ran.ctl("operations", "--json").stdout) == ran.get("/api/sync/operations")[1]
    started = json.loads(ran.ctl("run", "pacs_to_cama", "--json").stdout)
    assert set(started) == set(ran.get(f"/api/sync/operations/{started['id']}")[1])


# ---- objects and signals ----
class Watch:
    """What is told on the bus, in order: (member, arguments)."""

    def __init__(self, bus, path=PATH):
        self.connection = dbus.bus.BusConnection(bus.address)
        self.seen, self.path = [], path
        self.connection.add_signal_receiver(self.on_signal, path_keyword="path", member_keyword="member", interface_keyword="interface")

    def on_signal(self, *arguments, path, member, interface):
        if path.startswith(self.path):
            self.seen.append((member, path, time.monotonic(), arguments))

    def until(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.seen
            GLib.MainContext.default().iteration(False)
            time.sleep(0.005)

    def members(self, member):
        return [s for s in self.seen if s[0] == member]


def test_a_run_is_told_on_the_bus(service):
    grow(service.county, 200000)
    watch = Watch(service.bus)
    manager = dbus.Interface(watch.connection.get_object(NAME, PATH, introspect=False), MANAGER)
    path = manager.StartOperation("pacs_to_cama", "full", dbus.Dictionary({}, signature="sv"))
    watch.until(lambda: watch.members("OperationFinished"))
    assert [s[1] for s in watch.members("InterfacesAdded")] == [PATH]
    assert watch.members("InterfacesAdded")[0][3][0] == path
    assert watch.members("OperationStarted")[0][3] == (path, "pacs_to_cama", "full")
    assert watch.members("OperationFinished")[0][3] == (path, "pacs_to_cama", "full", "COMPLETED")
    assert len(watch.members("OperationStarted")) == len(watch.members("OperationFinished")) == 1
    finding = watch.members("FindingRaised")[0][3]
    assert finding[:4] == (path, "pacs_to_cama", "parcel", "error") and finding[4:] in (("enum", "use_code"), ("minimum", "total_value"))
    changes = [s for s in watch.members("PropertiesChanged") if s[1] == path]
    statuses = [s[3][1]["Status"] for s in changes if "Status" in s[3][1]]
    assert statuses == ["RUNNING", "COMPLETED"], statuses
    counts = [s[3][1]["RecordsProcessed"] for s in changes if "RecordsProcessed" in s[3][1]]
    assert counts == sorted(counts) and len(counts) >= 2
    progress = [s for s in changes if "Status" not in s[3][1]]
    seconds = watch.members("OperationFinished")[0][2] - watch.members("OperationStarted")[0][2]
    assert len(progress) <= 4 * seconds + 2, "more than four a second"
    pair = [s[3][1]["Status"] for s in watch.members("PropertiesChanged") if s[1] == object_path("pair", "pacs_to_cama") and "Status" in s[3][1]]
    assert pair[-1] == "ACTIVE" and "RUNNING" in pair

    # The properties are the document.
    operation = service.get(f"/api/sync/operations/{service.get('/api/sync/operations')[1][0]['id']}")[1]
    properties = dbus.Interface(watch.connection.get_object(NAME, path, introspect=False), "org.freedesktop.DBus.Properties").GetAll(f"{NAME}.Operation")
    for member, value in operation.items():
        name = "".join(w.capitalize() for w in member.split("_"))
        if isinstance(value, (str, int)) and not member.endswith(("_at", "_time")):
            assert properties[name] == value, member
    assert properties["Results"]["parcel"]["inserted"] == operation["results"]["parcel"]["inserted"]
    assert abs(properties["EndTime"] / 1e6 - time.time()) < 60
    held = service.county.rows("cama.db", "select count(*) from parcel")[0][0]
    assert properties["RecordsProcessed"] == operation["records_processed"] > held


def managed(service):
    data = json.loads(service.busctl("call", NAME, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects").stdout)["data"][0]
    return {path: {i: values for i, values in interfaces.items() if i.startswith("org.terrafusion")} for path, interfaces in data.items()}


def test_the_last_operations_are_objects_after_a_restart(service):
    ids = [service.run("incremental")["id"] for _ in range(3)]
    before = managed(service)
    assert {object_path("operation", i) for i in ids} < set(before)
    assert object_path("pair", "pacs_to_cama") in before and object_path("system", "pacs") in before
    for pid in service.pids("terrafusion-syncd"):
        os.kill(pid, signal.SIGKILL)
    service.wait(lambda: service.get("/health/ready", key=None)[0] == 200 and service.is_on_bus() and
                 set(managed(service)) == set(before), "the same objects again")
    after = managed(service)
    status = {path: values[f"{NAME}.Operation"]["Status"]["data"] for path, values in after.items() if "/operation/" in path}
    assert set(status.values()) == {"COMPLETED"}


def test_more_than_a_hundred(service):
    for _ in range(103):
        last = service.post("/api/systems/pacs/check")[1]["id"]
    service.finished(last)
    service.wait(lambda: len([p for p in managed(service) if "/operation/" in p]) == 100, "the oldest to be dropped")
    assert object_path("operation", last) in managed(service)
    # One that is no object any more is still there to be asked for.
    first = service.get("/api/sync/operations?limit=200")[1][-1]["id"]
    assert object_path("operation", first) not in managed(service)
    assert json.loads(service.call("GetOperation", "s", first)[0])["id"] == first


# ---- who may what ----
OTHER = 65534


def test_everyone_may_read(service):
    service.run("full")
    assert json.loads(service.call("ListOperations", "a{sv}", "0", uid=OTHER)[0])[0]["status"] == "COMPLETED"
    assert service.busctl("get-property", NAME, object_path("pair", "pacs_to_cama"), f"{NAME}.Pair", "Source", uid=OTHER).stdout.strip() == \
        '{"type":"s","data":"pacs"}'


START = ("StartOperation", "ssa{sv}", "pacs_to_cama", "", "0")


@pytest.mark.parametrize("verdict,interactive,words", [
    ("no", False, "does not have it"), ("challenge", False, "needs a password"), ("yes", False, None), ("yes", True, None), (None, False, "polkit did not answer")])
def test_another_user_asks_polkit(service, verdict, interactive, words):
    if verdict:
        service.bus.polkit(verdict)
    result, error = service.call(*START, uid=OTHER, interactive=interactive)
    if verdict:
        assert service.bus.questions() == [f"org.terrafusion.sync1.operate {int(interactive)} {OTHER}"]
    if words:
        assert words in error and "org.terrafusion.sync1.operate" in error and result is None
        assert service.get("/api/sync/operations")[1] == []
    else:
        assert result.startswith(PATH)
        assert service.get("/api/sync/operations")[1][0]["requested_by"] == f"uid:{OTHER}"


def test_contents_of_records_are_not_for_everyone(service):
    service.run("full")
    service.bus.polkit("no")
    for row in ("ListQuarantine", "a{sv}", "0"), ("ListFindings", "sa{sv}", service.get("/api/sync/operations")[1][0]["id"], "0"):
        _, error = service.call(*row, uid=OTHER)
        assert "org.terrafusion.sync1.read-records" in error
        assert "LC-" in service.call(*row)[0]


def test_a_guard_needs_the_admins_permission(service):
    service.bus.polkit("yes")
    result, _ = service.call("StartOperation", "ssa{sv}", "pacs_to_cama", "full", "1", "allow", "as", "1", "max_deletes", uid=OTHER)
    assert result and service.bus.questions() == [f"org.terrafusion.sync1.admin 0 {OTHER}"]


def test_a_silent_polkit_holds_nobody_else_up(service):
    service.bus.polkit("silence")
    waiting = subprocess.Popen(["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", "busctl", f"--address={service.bus.address}",
                                "--allow-interactive-authorization=no", "call", NAME, PATH, MANAGER, *START], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    service.wait(service.bus.questions, "the question")
    begun = time.monotonic()
    assert service.get("/api/sync/active")[0] == 200 and service.call("ListPairs")[0]
    assert time.monotonic() - begun < 5
    assert waiting.wait(30) != 0 and "polkit did not answer" in waiting.communicate()[1]


def test_only_root_takes_the_name(bus):
    done = subprocess.run(["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", sys.executable, "-c",
                           "import dbus, sys; dbus.bus.BusConnection(sys.argv[1]).request_name('org.terrafusion.Sync1')", bus.address],
                          capture_output=True, text=True)
    assert "AccessDenied" in done.stderr


# ---- the gateway's own ----
GATEWAY_NAME, GATEWAY_PATH = "org.terrafusion.Gateway1", "/org/terrafusion/Gateway1"


def gateway_call(service, member, *arguments, **keywords):
    done = service.busctl("call", GATEWAY_NAME, GATEWAY_PATH, GATEWAY_NAME, member, *arguments, **keywords)
    return (json.loads(json.loads(done.stdout)["data"][0]), None) if done.returncode == 0 else (None, done.stderr.strip().removeprefix("Call failed: "))


def test_the_gateway_tells_the_same(service):
    status, over_http, _ = service.get("/status", key=None)
    assert status == 200 and gateway_call(service, "GetStatus") == (over_http, None)
    shown = subprocess.run(["busctl", f"--address={service.bus.address}", "introspect", "--xml-interface", GATEWAY_NAME, GATEWAY_PATH],
                           capture_output=True, text=True, check=True).stdout
    for row in (r for methods in COMMANDS.values() for r in methods.values() if r["x-daemon"] == "gateway" and not r["operationId"].endswith("Alias")):
        assert f'<method name="{row["operationId"]}">' in shown
    assert gateway_call(service, "StartSyncService", "b", "false")[0] == service.post("/start-syncservice")[1] == service.get("/start-syncservice")[1]


def test_the_gateway_starts_the_sync_service_again(service):
    def properties():
        text = service.busctl("get-property", GATEWAY_NAME, GATEWAY_PATH, GATEWAY_NAME, "SyncServiceStatus", "Restarts", "LastCause", "LastRestart", "Version")
        return [json.loads(line)["data"] for line in text.stdout.splitlines()]
    assert properties()[:3] == ["running", 0, ""]
    watch = Watch(service.bus, GATEWAY_PATH)
    for pid in service.pids("terrafusion-syncd"):
        os.kill(pid, signal.SIGKILL)
    watch.until(lambda: [s for s in watch.members("PropertiesChanged") if "Restarts" in s[3][1]])
    service.wait(lambda: properties()[:2] == ["running", 1], "the restart to be told")
    assert "KILL" in properties()[2] and abs(properties()[3] / 1e6 - time.time()) < 60
    assert service.get("/status")[1]["syncservice"]["last_cause"] == properties()[2]


def test_another_user_asks_for_the_gateways_permission(service):
    service.bus.polkit("no")
    assert gateway_call(service, "GetStatus", uid=OTHER)[0]["gateway"]["status"] == "running"
    assert "org.terrafusion.gateway1.operate" in gateway_call(service, "StartSyncService", "b", "true", uid=OTHER)[1]
    service.bus.polkit("yes")
    assert gateway_call(service, "StartSyncService", "b", "true", uid=OTHER)[0]["status"] == "started"
    assert service.bus.questions() == [f"org.terrafusion.gateway1.operate 0 {OTHER}"]


# ---- a bus that comes and goes ----
def test_a_bus_that_restarts(service):
    """Nothing is lost: what ended while it was away is an object with its end when it is back."""
    grow(service.county, 30000)
    started = service.post("/api/sync/full", {"sync_pair_id": "pacs_to_cama"})[1]
    service.bus.kill()
    operation = service.finished(started["id"])
    assert operation["status"] == "COMPLETED"
    service.bus.start()
    service.wait(service.is_on_bus, "the name on the new bus")
    shown = managed(service)[object_path("operation", started["id"])][f"{NAME}.Operation"]
    assert shown["Status"]["data"] == "COMPLETED" and shown["RecordsProcessed"]["data"] == operation["records_processed"]
    watch = Watch(service.bus)
    manager = dbus.Interface(watch.connection.get_object(NAME, PATH, introspect=False), MANAGER)
    manager.StartOperation("pacs_to_cama", "", dbus.Dictionary({}, signature="sv"))
    watch.until(lambda: watch.members("OperationFinished"))


def test_a_bus_that_comes_later(tmp_path):
    bus = Bus()
    service = OnBus(harness.County.create(tmp_path / "county"), bus).start()
    try:
        assert service.ctl("pairs").returncode == 0     # by the private socket
        bus.start()
        service.wait(service.is_on_bus, "the name on the bus", 30)
        assert "Serves org.terrafusion.Sync1 on the system bus" in service.text()
    finally:
        service.stop()
        bus.done()


def test_a_name_that_is_taken(tmp_path, bus):
    """Told once, with what to do; HTTP and the private socket work; the name is taken as soon as it is free."""
    other = dbus.bus.BusConnection(bus.address)
    assert other.request_name(NAME) == dbus.bus.REQUEST_NAME_REPLY_PRIMARY_OWNER
    service = OnBus(harness.County.create(tmp_path / "county"), bus).start()
    try:
        service.wait(lambda: "Stop the other instance" in service.text(), "the refusal")
        time.sleep(1.2)
        assert service.text().count("Stop the other instance") == 1
        assert service.get("/api/pairs")[0] == 200
        other.release_name(NAME)
        service.wait(lambda: service.call("ListPairs")[0], "the name", 30)
    finally:
        service.stop()


def test_strange_messages(service):
    """Wrong types, wrong objects, wrong interfaces: an error each, and the service goes on."""
    for arguments in (("GetOperation", "i", "5"), ("GetOperation", "as", "1", "x"), ("StartOperation", "s", "x"), ("ListOperations", "a{sv}", "1", "limit", "d", "1.5"),
                      ("ListOperations", "a{sv}", "1", "limit", "t", "18446744073709551615"), ("NoSuchMember",)):
        assert service.call(*arguments)[1]
    assert service.call("Cancel", path=object_path("operation", "nothing"), interface=f"{NAME}.Operation")[1]
    assert service.call("Check", path=f"{PATH}/pair", interface=f"{NAME}.Pair")[1]
    assert "TF" not in service.text().split("Started the sync service")[-1]
    assert service.call("ListPairs")[0]
    assert subprocess.run([str(CTL), "status"], env=service.environment(), capture_output=True).returncode == 0
