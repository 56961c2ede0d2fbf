"""Image, compose file, example of the environment and documents name what the product reads."""

import json
import re

import yaml

from tests.conventions.source import ROOT

_READ = re.compile(r"(?:env|self)\.\w+\(\s*\"([A-Z_]+)\"")
# Set by the image or made up from other values; or refused in production.
_NOT_PASSED = {"LOANCRM_VAR_DIR", "LOANCRM_DEBUG", "LOANCRM_JSON_LOGS", "LOANCRM_DEMO_CLOCK"}
_SERVICES = {"DATABASE_URL", "REDIS_URL"}


def settings_read():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "loancrm/settings").glob("*.py")]
    return {name for text in texts for name in _READ.findall(text)}


def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def own_services():
    services = compose()["services"]
    return {name: one for name, one in services.items() if "build" in one}


def test_the_search_for_settings_finds_them():
    assert {"DATABASE_URL", "LOANCRM_KEYS", "LOANCRM_PROXY_COUNT"} <= settings_read()
    assert len(settings_read()) > 20


def test_e11_compose_passes_every_setting_to_every_process():
    for name, service in own_services().items():
        assert set(service["environment"]) == settings_read() - _NOT_PASSED, name


def test_e11_the_example_names_every_setting_that_an_operator_may_set():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert named == (settings_read() - _NOT_PASSED - _SERVICES) | {"POSTGRES_PASSWORD"}


def test_the_manual_describes_every_setting():
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rows = "".join(line for line in text.splitlines() if line.startswith("|"))
    assert [name for name in sorted(settings_read()) if f"`{name}`" not in rows] == []


def test_e11_every_process_has_a_health_check_and_time_to_stop():
    services = own_services()
    assert set(services) == {"migrate", "web", "sending", "data", "beat"}
    for name, service in services.items():
        assert service["stop_signal"] == "SIGTERM"
        assert 10 < int(service["stop_grace_period"].removesuffix("s")) <= 30
        if name == "migrate":
            continue
        words = " ".join(service["healthcheck"]["test"])
        wanted = {"web": "/readyz", "beat": "health beat"}.get(name, "health worker")
        assert wanted in words, name


def test_a8_what_must_outlive_a_container_is_in_a_volume_of_every_process():
    folder = "/var/lib/loancrm"
    kept = {f"{folder}/{name}" for name in ("deployments", "anchors", "beat")}
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"LOANCRM_VAR_DIR={folder}" in image
    for name, service in own_services().items():
        mounts = dict(reversed(volume.split(":")[:2]) for volume in service["volumes"])
        # Static files of another version and another container's sign of life would be hidden.
        assert set(mounts) == kept, name
        assert set(mounts.values()) <= set(compose()["volumes"]), name
    # A volume belongs to root unless its folder is in the image.
    (made,) = [line for line in image.splitlines() if "mkdir" in line]
    assert kept <= set(made.split())


def test_e10_a_new_container_does_not_begin_daily_intervals_anew():
    command = compose()["services"]["beat"]["command"]
    schedule = command[command.index("--schedule") + 1]
    assert schedule.startswith("/var/lib/loancrm/beat/")
    assert "--schedule" not in (ROOT / "Procfile").read_text(encoding="utf-8")


def test_e11_the_image_holds_every_file_that_its_processes_read():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        word.removeprefix("./")
        for line in text.splitlines()
        if line.startswith("COPY")
        for word in line.split()[1:-1]
    }
    packages = {"loancrm", "customers", "campaigns", "analytics", "templates"}
    files = {"manage.py", "gunicorn.conf.py", "requirements.txt", "LICENSE", "NOTICE"}
    assert packages | files <= copied
    assert all((ROOT / name).exists() for name in copied)
    assert '"--config", "gunicorn.conf.py"' in text
    assert "AAAAAAAA" not in text


def test_the_processes_of_procfile_and_image_look_before_they_serve():
    (line,) = [
        line
        for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("web:")
    ]
    assert "--config gunicorn.conf.py" in line


def test_h6_notice_names_everything_that_is_shipped_with_its_licence():
    text = (ROOT / "NOTICE").read_text(encoding="utf-8")
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text(encoding="utf-8"))
    browser = {
        f"{path.rpartition('node_modules/')[2]} {one['version']}: {one['license']}"
        for path, one in lock["packages"].items()
        if path and not one.get("dev") and not one.get("devOptional")
    }
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==", requirements, re.MULTILINE)
    lines = {line.strip() for line in text.splitlines()}
    assert len(browser) >= 4
    assert browser <= lines
    assert {name.lower() for name in pinned} <= {line.partition(":")[0] for line in lines}
    assert "unknown" not in text
    # A font that is shipped one day must be named.
    fonts = [path for path in (ROOT / "loancrm/static").rglob("*") if ".woff" in path.name]
    assert fonts == [] or "Fonts: none" not in text
