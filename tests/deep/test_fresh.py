# SPDX-License-Identifier: Apache-2.0
"""The README's two commands on a fresh Debian 12 with systemd as PID 1. Makes that machine with debootstrap once and keeps it outside of the tree
(TERRAFUSION_CACHE, else /var/tmp/terrafusion-cache); needs root and the machine's own Debian mirror."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
import machine as rig  # noqa: E402 (the path comes first)

CACHE = pathlib.Path(os.environ.get("TERRAFUSION_CACHE", "/var/tmp/terrafusion-cache"))
PACKAGES = "ca-certificates,sudo,git,systemd,systemd-sysv,dbus"


def mirror():
    """Where this machine itself gets its packages from."""
    return subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True, check=True).stdout.split()[0]


def root_made():
    root = CACHE / "debian-12"
    if root.exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    making = CACHE / "debian-12.new"
    if making.exists():
        shutil.rmtree(making)
    done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", making, mirror()], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    shutil.rmtree(making / "etc/apt")
    shutil.copytree("/etc/apt", making / "etc/apt", symlinks=True)
    making.rename(root)
    return root


@pytest.fixture(scope="module")
def fresh():
    reason = rig.why_not() or (None if shutil.which("debootstrap") else "debootstrap is not installed")
    if reason:
        pytest.skip(reason)
    m = rig.Machine("terrafusion-fresh", private_network=False)
    try:
        m.make_overlay(root_made())
        target = m.path("/srv/terrafusion")
        subprocess.run(["git", "clone", "-q", rig.TOP, target], check=True, capture_output=True)
        # What is not committed yet is tested, too.
        changed = subprocess.run(["git", "-C", rig.TOP, "ls-files", "-m", "-o", "--exclude-standard"], capture_output=True, text=True, check=True)
        for name in changed.stdout.split():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(rig.TOP / name, target / name)
        m.boot()
        yield m
    finally:
        m.close()


def test_quickstart(fresh):
    assert fresh.run("test", "-e", "/usr/bin/meson", check=False).returncode != 0        # it has nothing yet
    done = fresh.shell("cd /srv/terrafusion && sudo ./quickstart 2>&1", timeout=600)
    print(done)
    assert "== Done. Next:" in done
    for pair in ("pacs_to_cama", "gis_to_cama", "pacs_to_erp"):
        assert re.search(rf"{pair} +full +[0-9,]+ inserted", done), pair
    assert "systemd is not running here" not in done and "differs" not in done


def test_units_run(fresh):
    for unit in ("terrafusion.target", "terrafusion-gateway.socket", "terrafusion-syncd.socket", "terrafusion-gateway.service", "terrafusion-syncd.service"):
        assert fresh.show(unit, "ActiveState") == "active", unit
    assert fresh.run("systemctl", "is-enabled", "terrafusion.target").stdout.strip() == "enabled"
    assert fresh.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout == ""
    files = fresh.shell("ls /lib/systemd/system/terrafusion*").split()
    done = fresh.run("systemd-analyze", "verify", "--man=no", *files)
    assert done.stdout + done.stderr == ""


def test_three_pairs_are_synced(fresh):
    status, operations = fresh.get("/api/sync/operations")
    assert status == 200
    assert {o["sync_pair_id"] for o in operations} == {"pacs_to_cama", "gis_to_cama", "pacs_to_erp"}
    assert {o["status"] for o in operations} == {"COMPLETED"}
    assert "UP" in fresh.run("terrafusionctl", "status").stdout
    assert len(fresh.run("terrafusionctl", "operations").stdout.splitlines()) >= 10
    # One bad record was planted at the end; mended and synced, both sides are equal by plain SQL.
    fresh.shell("""sample=/var/lib/terrafusion/sample
        setpriv --reuid=terrafusion --regid=terrafusion --init-groups terrafusion-sample break --mend $sample
        systemctl start terrafusion-sync@pacs_to_cama
        setpriv --reuid=terrafusion --regid=terrafusion --init-groups terrafusion-sample count $sample""")


def test_again_and_removed(fresh):
    done = fresh.shell("cd /srv/terrafusion && ./quickstart 2>&1", timeout=600)
    assert "== Done. Next:" in done and "Lucas County is in" in done
    done = fresh.shell("cd /srv/terrafusion && ./quickstart --remove 2>&1", timeout=120)
    assert "Stopped and uninstalled" in done
    left = fresh.shell("systemctl list-units --all --plain --no-legend 'terrafusion*' | grep -v not-found || true; ls /lib/systemd/system/terrafusion* /usr/libexec/terrafusion "
                       "/usr/lib/systemd/system-generators/terrafusion* /usr/share/dbus-1/system-services/org.terrafusion* 2>/dev/null || true")
    assert left == "", left
    assert fresh.get("/status", key=None)[0] == 0
    assert fresh.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")
    assert fresh.run("test", "-e", "/var/lib/terrafusion/state.db").returncode == 0
