# SPDX-License-Identifier: Apache-2.0
"""D-Bus on a real machine: its own bus and its own polkit, the journal as it is, users other than root."""
import json

from machine import wait

NAME, PATH, MANAGER = "org.terrafusion.Sync1", "/org/terrafusion/Sync1", "org.terrafusion.Sync1.Manager"
RULE = """polkit.addRule(function(action, subject) {
    if (action.id == "org.terrafusion.sync1.operate" && subject.user == "clerk") return polkit.Result.YES;
});
"""


def call(machine, user, *arguments):
    prefix = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    return machine.run(*prefix, "busctl", "--json=short", "--allow-interactive-authorization=no", "call", NAME, PATH, MANAGER, *arguments, check=False)


def test_a_clerk_may_read_and_needs_polkit_for_more(machine):
    machine.run("useradd", "--system", "clerk", check=False)
    assert json.loads(json.loads(call(machine, "clerk", "ListPairs").stdout)["data"][0])
    # Polkit answers an unprivileged daemon about another user only because the actions name it as their owner.
    refused = call(machine, "clerk", "CheckSystem", "s", "pacs")
    assert "org.terrafusion.sync1.operate" in refused.stderr and "needs a password" in refused.stderr, refused
    held = call(machine, "clerk", "ListQuarantine", "a{sv}", "0")
    assert "org.terrafusion.sync1.read-records" in held.stderr
    machine.write("/etc/polkit-1/rules.d/10-clerk.rules", RULE)
    allowed = wait(lambda: (done := call(machine, "clerk", "CheckSystem", "s", "pacs")).returncode == 0 and done, "polkit to read its rule")
    path = json.loads(allowed.stdout)["data"][0]
    assert path.startswith(f"{PATH}/operation/")
    uid = machine.run("id", "-u", "clerk").stdout.strip()
    shown = machine.run("busctl", "get-property", NAME, path, f"{NAME}.Operation", "RequestedBy").stdout
    assert shown == f's "uid:{uid}"\n'


def test_actions_are_known_to_polkit(machine):
    text = machine.run("pkaction", "--verbose", "--action-id", "org.terrafusion.sync1.operate").stdout
    assert "Start, check and cancel syncs" in text and "auth_admin_keep" in text and "unix-user:terrafusion" in text


def test_the_log_of_an_operation(machine):
    """As journalctl has it, and with what systemd said of the worker's unit."""
    number = json.loads(machine.run("terrafusionctl", "run", "gis_to_cama:full", "--wait", "--json", check=False).stdout)["id"]
    machine.run("journalctl", "--sync")
    told = machine.run("terrafusionctl", "show", number, "--log").stdout
    for words in ("asked for a run of gis_to_cama", "Began attempt 1", "Finished ", "The full run of gis_to_cama completed"):
        assert words in told, told
    status, lines = machine.get(f"/api/sync/operations/{number}/log")
    assert status == 200
    ours = [line["message"] for line in lines if line.get("operation_id") == number]
    assert ours == machine.messages(f"OPERATION_ID={number}")
    assert any(line["identifier"] == "systemd" for line in lines), lines
    machine.run("journalctl", "--update-catalog")
    explained = machine.run("journalctl", "-x", f"OPERATION_ID={number}").stdout
    assert f"TerraFusion: operation {number} finished" in explained


def test_the_file_in_interfaces_is_what_runs(machine):
    shown = machine.run("busctl", "introspect", "--xml-interface", NAME, PATH).stdout
    assert shown.count("<method") > 30 and 'name="sync_pair_id"' in shown
    assert "StartOperation" in machine.shell("cat /usr/share/dbus-1/interfaces/org.terrafusion.Sync1.xml")


def test_the_gateway_starts_what_was_stopped(machine):
    """Over D-Bus as over HTTP; a clerk without a rule may look, not start."""
    gateway = ("busctl", "--json=short", "--allow-interactive-authorization=no", "call", "org.terrafusion.Gateway1", "/org/terrafusion/Gateway1",
               "org.terrafusion.Gateway1")
    shown = ("busctl", "get-property", "org.terrafusion.Gateway1", "/org/terrafusion/Gateway1", "org.terrafusion.Gateway1", "SyncServiceStatus")
    assert machine.run(*shown).stdout == 's "running"\n'
    machine.run("systemctl", "stop", "terrafusion-syncd.service", "terrafusion-syncd.socket")
    wait(lambda: machine.run(*shown).stdout == 's "not running"\n', "the gateway to tell of the stop")
    refused = machine.run("setpriv", "--reuid=clerk", "--clear-groups", *gateway, "StartSyncService", "b", "false", check=False)
    assert "org.terrafusion.gateway1.operate" in refused.stderr
    machine.run("systemctl", "start", "terrafusion-syncd.socket")
    started = json.loads(json.loads(machine.run(*gateway, "StartSyncService", "b", "false").stdout)["data"][0])
    assert started["status"] == "started", started
    machine.ready()
    wait(lambda: machine.run(*shown).stdout == 's "running"\n', "the gateway to tell of the start")
