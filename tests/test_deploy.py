"""What stands in deploy/ fits what it deploys: commands, settings, routes and metrics exist, and nothing runs with more rights than it needs."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from recommender.__main__ import app as commands
from recommender.api import metrics
from recommender.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
MANIFESTS = [
    part for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")) for part in yaml.safe_load_all(path.read_text("utf-8")) if part and "kind" in part
]
APPLIED = [part for part in MANIFESTS if part["kind"] not in ("Kustomization", "Secret")]
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "marquee.json").read_text("utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
CONFIGURED = sorted([*DEPLOY.rglob("*.y*ml"), DEPLOY / ".env.example", ROOT / "Dockerfile", ROOT / "docs" / "runbook.md"])
NOT_SETTINGS = {"MARQUEE_IMAGE"}  # of compose.yaml alone: the name of the image
FROM_PROMETHEUS = {"up"}
STREAMLIT = {"/_stcore/health", "/_stcore/script-health-check"}


def setting_names() -> set[str]:
    return {f"MARQUEE_{name.upper()}" for name in Settings.model_fields}


def kinds(kind: str) -> list[dict[str, Any]]:
    return [part for part in APPLIED if part["kind"] == kind]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, template of a pod) of everything that runs in Kubernetes."""
    for part in kinds("Deployment"):
        yield part["metadata"]["name"], part["spec"]["template"]
    for part in kinds("CronJob"):
        yield part["metadata"]["name"], part["spec"]["jobTemplate"]["spec"]["template"]


PODS = dict(pods())


@pytest.fixture(scope="module")
def paths(api) -> set[str]:
    return set(api.get("/openapi.json").json()["paths"])


@pytest.fixture(scope="module")
def scrape(api) -> str:
    return api.get("/metrics").text


# -- what is named exists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CONFIGURED, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    unknown = set(re.findall(r"\bMARQUEE_[A-Z_]+", path.read_text("utf-8"))) - setting_names() - NOT_SETTINGS
    assert not unknown, f"{path.name} names {', '.join(sorted(unknown))}, which recommender/settings.py does not have"


def test_secrets_are_settings_or_other_programs_passwords() -> None:
    secrets = {name for part in PODS.values() for volume in part["spec"].get("volumes", ()) for name in _keys(volume)}
    secrets |= set(COMPOSE["secrets"]) - {"postgres_password", "grafana_password"}
    secrets |= {name for part in MANIFESTS if part["kind"] == "Secret" for name in part["stringData"]}
    assert secrets == {"marquee_database_url", "marquee_api_keys"}
    assert {name.upper() for name in secrets} <= setting_names()


def test_nothing_that_may_be_a_secret_stands_in_an_environment() -> None:
    """The environment goes before a file: a secret of a name that stands there would never be read."""
    image = set(re.findall(r"\b(MARQUEE_[A-Z_]+)=", (ROOT / "Dockerfile").read_text("utf-8")))
    services = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    pods = {one["name"] for part in PODS.values() for box in part["spec"]["containers"] for one in box.get("env", ())}
    assert "MARQUEE_RELEASES" in image
    assert not (image | services | pods) & {name.upper() for name in COMPOSE["secrets"]}


def _keys(volume: dict[str, Any]) -> list[str]:
    return [item["key"] for item in volume.get("secret", {}).get("items", ())]


def words(command: list[str]) -> list[str] | None:
    return command[command.index("recommender") + 1 :] if "recommender" in command else None


def test_commands_that_are_run_exist_with_their_options() -> None:
    run = [list(map(str, service.get("command", ()))) for service in OURS.values()]
    run += [container.get("command", []) for pod in PODS.values() for container in pod["spec"]["containers"]]
    run += [line.split("#")[0].split() for line in re.findall(r"python -m (recommender .*?)(?:`|$)", RUNBOOK, re.M)]
    known, seen = get_command(commands), set()
    for wanted in filter(None, map(words, run)):
        command: Any = known
        while wanted and wanted[0] in getattr(command, "commands", {}):
            command, wanted = command.commands[wanted[0]], wanted[1:]
            seen.add(command.name)
        assert command is not known, f"python -m recommender {' '.join(wanted)} is no command"
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.split("=")[0] for word in wanted if word.startswith("-")} <= options | {"--help"}, f"{command.name} has no such option: {wanted}"
    assert {"serve", "refresh", "backup", "restore", "rollback", "forget"} <= seen


def test_probes_ask_for_routes_that_exist(paths: set[str]) -> None:
    probes = [c[kind] for pod in PODS.values() for c in pod["spec"]["containers"] for kind in c if kind.endswith("Probe")]
    asked = {probe["httpGet"]["path"] for probe in probes if "httpGet" in probe}
    asked |= {"/" + url.split("/", 3)[3] for url in [*re.findall(r"HEALTH=(\S+)", DOCKERFILE), SERVICES["api"]["environment"]["HEALTH"]]}
    assert asked == {"/health", "/ready"} | STREAMLIT
    assert asked - STREAMLIT <= paths


def test_the_ingress_lets_through_what_wants_a_key_and_nothing_else(paths: set[str]) -> None:
    rules = next(part for part in kinds("Ingress") if part["metadata"]["name"] == "api")["spec"]["rules"][0]["http"]["paths"]
    let = [(rule["path"], rule["pathType"]) for rule in rules]

    def through(path: str) -> bool:
        return any(path == own or (kind == "Prefix" and path.startswith(own + "/")) for own, kind in let)

    assert {path for path in paths if not through(path)} == {"/health", "/ready", "/metrics"}


def test_the_image_holds_what_runs_and_no_data_of_people() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let = {line[1:] for line in lines if line.startswith("!")}
    assert {
        "app.py",
        "server.py",
        "recommender",
        "pages",
        "artifacts",
        "static",
        "data/films.csv",
        "data/viewers.json",
        ".streamlit/config.toml",
    } <= let
    assert all((ROOT / path).exists() for path in let)
    assert not [
        path for path in let if path in ("data", ".streamlit", "deploy") or re.search(r"raw|prepared|sqlite|secret|releases|backups|\.git", path)
    ]


# -- as few rights as will do ------------------------------------------------------------------------------------------


def test_images_are_pinned_and_the_image_runs_as_a_number() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    images += [service["image"] for name, service in SERVICES.items() if name not in OURS]
    images += [c["image"] for pod in PODS.values() for c in pod["spec"]["containers"] if c["image"] != "marquee"]
    assert all(re.search(r":v?\d+\.\d+", image) for image in images), images
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.M) == ["10001:10001"]
    assert not re.search(r"https?://(?!127\.0\.0\.1)", DOCKERFILE)
    renamed = next(part for part in MANIFESTS if part["kind"] == "Kustomization")["images"][0]
    assert renamed["name"] == "marquee"
    assert re.match(r"\d+\.\d+\.\d+$", renamed["newTag"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not service.get("privileged")
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), "published beyond this machine"
    assert name in ("refresh", "backup") or service["restart"] == "unless-stopped"


def test_the_database_and_the_counts_cannot_be_reached_from_outside() -> None:
    assert COMPOSE["networks"]["store"]["internal"]
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["store"]
        assert "ports" not in SERVICES[name]


def test_compose_waits_for_what_is_healthy_and_refers_to_what_there_is() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        named = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {name for name in named if not name.startswith(".")} <= set(COMPOSE["volumes"])
        assert all((DEPLOY / name).exists() for name in named if name.startswith("."))


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_restricted(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_kubernetes_refers_to_what_there_is() -> None:
    claims = {part["metadata"]["name"] for part in kinds("PersistentVolumeClaim")}
    names = {pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod for pod in PODS.values()}
    for pod in PODS.values():
        assert {v["persistentVolumeClaim"]["claimName"] for v in pod["spec"].get("volumes", ()) if "persistentVolumeClaim" in v} <= claims
        mounted = {mount["name"] for c in pod["spec"]["containers"] for mount in c.get("volumeMounts", ())}
        assert mounted == {volume["name"] for volume in pod["spec"].get("volumes", ())}
    for service in kinds("Service"):
        pod = names[service["spec"]["selector"]["app.kubernetes.io/name"]]
        ports = {port["name"] for c in pod["spec"]["containers"] for port in c["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for budget in kinds("PodDisruptionBudget"):
        assert budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] in names
    files = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(next(part for part in MANIFESTS if part["kind"] == "Kustomization")["resources"]) == files


def test_what_is_scaled_by_itself_names_no_number_of_replicas() -> None:
    scaled = {part["spec"]["scaleTargetRef"]["name"] for part in kinds("HorizontalPodAutoscaler")}
    assert scaled == {"api"}
    assert [part["metadata"]["name"] for part in kinds("Deployment") if "replicas" not in part["spec"]] == ["api"]


def test_only_the_refresh_and_work_by_hand_write_releases() -> None:
    writers = set()
    for name, pod in PODS.items():
        for container in pod["spec"]["containers"]:
            writers |= {name for mount in container.get("volumeMounts", ()) if mount["name"] == "releases" and not mount.get("readOnly")}
    assert writers == {"refresh", "hands"}
    assert next(job for job in kinds("CronJob") if job["metadata"]["name"] == "hands")["spec"]["suspend"] is True


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_repository() -> None:
    example = next(part for part in MANIFESTS if part["kind"] == "Secret")
    assert set(example["stringData"].values()) == {""}
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"deploy/secrets/", "deploy/.env"} <= set(ignored)
    assert {file["file"].split("/")[0] for file in COMPOSE["secrets"].values()} == {"secrets"}
    for path in CONFIGURED:
        assert not re.search(r"postgres(ql)?://[^\s:]+:[^\s@<]*[a-z0-9][^\s@<]*@", path.read_text("utf-8").replace("USER:PASSWORD@", "")), path.name


def test_secrets_are_drawn_once_for_all_that_compose_names(tmp_path: Path) -> None:
    script = shutil.copy(DEPLOY / "secrets.sh", tmp_path)

    def draw() -> dict[str, str]:
        subprocess.run(["sh", script], check=True)
        return {path.name: path.read_text("utf-8") for path in (tmp_path / "secrets").iterdir()}

    drawn = draw()
    assert draw() == drawn
    assert {f"secrets/{name}" for name in drawn} == {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    settings = Settings(_secrets_dir=tmp_path / "secrets")  # type: ignore[call-arg]
    assert len(settings.api_keys[0].get_secret_value()) == 48
    assert f":{drawn['postgres_password'].strip()}@postgres:5432/marquee" in drawn["marquee_database_url"]


def test_a_setting_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "marquee_api_keys").write_text("one, two\n")
    (tmp_path / "marquee_look_seconds").write_text("7\n")
    monkeypatch.setenv("MARQUEE_LOOK_SECONDS", "9")
    image = tmp_path / "of-the-image"
    image.mkdir()
    (image / "marquee_api_keys").write_text("three\n")
    (image / "marquee_dataset").write_text("ml-100k\n")
    settings = Settings(_secrets_dir=[image, tmp_path])  # type: ignore[call-arg]
    assert settings.dataset == "ml-100k", "what an image brings holds where no secret is given"
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]
    assert settings.look_seconds == 9, "the environment goes before a file"


# -- what is watched ---------------------------------------------------------------------------------------------------


def labels(scrape: str) -> dict[str, set[str]]:
    """The labels of each series that the API exposes, by the name it has in a query."""
    declared = {metric._name: set(metric._labelnames) for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)}
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(scrape):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        own = declared.get(family.name, set()) | {label for sample in family.samples for label in sample.labels}
        found |= {family.name + ending: own | {"le"} if ending == "_bucket" else own for ending in endings}
    return found


def asked(query: str) -> Iterator[tuple[str, set[str]]]:
    """(series, labels that it is chosen by) of a query."""
    for name, chosen in re.findall(r"\b([a-z_]+)\{([^}]*)\}", query):
        yield name, set(re.findall(r"(\w+)(?:=~|!~|!=|=)", chosen))
    for name in re.findall(r"\b((?:marquee|recommendation|process)_[a-z_]+|up)\b(?!\{)", re.sub(r"\{[^}]*\}", "", query)):
        yield name, set()


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in ALERTS)])
def test_every_query_asks_for_what_is_exposed(query: str, scrape: str) -> None:
    exposed, found = labels(scrape), list(asked(query))
    assert found
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", query))))
    own: set[str] = set()
    for name, chosen in found:
        assert name in exposed or name in FROM_PROMETHEUS, f"/metrics has no {name}"
        own |= exposed.get(name, set())
        assert chosen <= exposed.get(name, set()) | {"job", "instance"}, f"{name} has no labels {chosen - exposed.get(name, set())}"
    assert grouped <= own | {"job", "instance"}, f"no label {grouped - own} in {query}"


def test_the_dashboard_shows_what_was_asked_for() -> None:
    shown = {name for query in QUERIES for name, _ in asked(query)}
    assert shown >= {
        "marquee_requests_total",
        "marquee_request_seconds_bucket",
        "marquee_recommendation_seconds_bucket",
        "marquee_errors_total",
        "marquee_recommendations_total",
        "marquee_models_used_total",
        "marquee_feedback_stored_total",
        "marquee_model_version_info",
        "recommendation_precision_score",
        "recommendation_recall_score",
    }
    quantiles = {found for query in QUERIES for found in re.findall(r"histogram_quantile\(([\d.]+)", query)}
    assert quantiles == {"0.5", "0.95", "0.99"}


def test_panels_do_not_overlap_and_speak_to_the_provisioned_source() -> None:
    source = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text("utf-8"))["datasources"][0]
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["datasource"]["uid"] == source["uid"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert source["url"] == "http://prometheus:9090"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_tested_and_stands_in_the_runbook(rule: dict[str, Any]) -> None:
    tested = yaml.safe_load((DEPLOY / "prometheus" / "alerts.test.yml").read_text("utf-8"))["tests"]
    fired = {case["alertname"] for test in tested for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert rule["alert"] in fired
    assert f"### {rule['alert']}\n" in RUNBOOK
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts.test.yml")], ids=" ".join)
def test_promtool_finds_nothing_wrong(command: tuple[str, ...]) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    done = subprocess.run([promtool, *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
