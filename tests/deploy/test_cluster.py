"""Containers and the cluster, as far as files can be judged: their schemas, who may reach whom, what may not be written,
and one access list in two spellings. No cluster was there to run them in: see docs/install.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.deploy.machine import ROOT

from tillbox.broker.mosquitto.server import ACL, CLAIMS_ACL, INFLIGHT_MAX, QUEUE_MAX
from tillbox.cloud_bridge.fleet.home import FleetHome
from tillbox.contracts import topics

DEPLOY = ROOT / "deploy"
CLUSTER = DEPLOY / "kubernetes"
LISTED = yaml.safe_load((CLUSTER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    one for name in LISTED["resources"] for one in yaml.safe_load_all((CLUSTER / name).read_text())
]
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"]
    for one in OBJECTS
    if "template" in one.get("spec", {})
}
LABELS = {
    one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
    for one in OBJECTS
    if "template" in one.get("spec", {})
}
COMPOSE = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_an_object_is_what_the_cluster_s_schema_wants(one: dict[str, Any]) -> None:
    newest = kubernetes_validate.latest_version()
    kubernetes_validate.validate(one, newest, strict=True)


def test_every_file_of_the_cluster_is_used_and_every_name_leads_somewhere() -> None:
    configs = {
        one["name"]: [Path(file).name for file in one["files"]] for one in LISTED["configMapGenerator"]
    }
    named = {*LISTED["resources"], *(file for one in LISTED["configMapGenerator"] for file in one["files"])}
    there = {
        str(path.relative_to(CLUSTER))
        for path in CLUSTER.rglob("*")
        if path.suffix in (".yaml", ".toml", ".conf") or path.parent.name == "claims"
    }
    assert there == named | {"kustomization.yaml"}
    for pod in PODS.values():
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            for mount in container["volumeMounts"]:
                config = volumes.get(mount["name"], {}).get("configMap", {}).get("name")
                assert config is None or mount.get("subPath") in (None, *configs[config])
    for service in of("Service").values():
        pods = [pod for name, pod in PODS.items() if chosen(name, service["spec"]["selector"])]
        ports = {port["name"] for pod in pods for port in ports_of(pod)}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for budget in of("PodDisruptionBudget").values():
        # Of one pod alone it would keep a node from being emptied, and save nothing.
        kept = [name for name in PODS if chosen(name, budget["spec"]["selector"]["matchLabels"])]
        assert [of("StatefulSet")[name]["spec"]["replicas"] > 1 for name in kept] == [True]
    for pod in PODS.values():
        for container in pod["containers"]:
            names = {port["name"] for port in container["ports"]}
            probes = [container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
            asked = [probe.get("httpGet") or probe.get("tcpSocket") for probe in probes]
            assert {one["port"] for one in asked if one} <= names


def test_no_two_pods_that_one_service_chooses_answer_for_one_port() -> None:
    """The boxes' broker and the door for claims share a name; each port leads to one of the two."""
    found = sorted(name for name in PODS if chosen(name, of("Service")["boxes"]["spec"]["selector"]))
    assert found == ["claims", "emqx"]
    one, other = ({port["name"] for port in ports_of(PODS[name])} for name in found)
    assert not one & other


def test_every_port_that_a_policy_opens_is_one_of_its_pods_and_every_way_out_leads_to_a_way_in() -> None:
    ways_in = set()
    for one in of("NetworkPolicy").values():
        mine = one["spec"]["podSelector"].get("matchLabels", {})
        for rule in one["spec"].get("ingress", ()):
            for port in (port["port"] for port in rule["ports"]):
                assert port in {own["containerPort"] for own in ports_of(PODS[mine["app"]])}
                sources = [
                    who.get("podSelector", {}).get("matchLabels", {}).get("app")
                    for who in rule.get("from", [{}])
                ]
                ways_in |= {(who, mine["app"], port) for who in sources}
    for one in of("NetworkPolicy").values():
        mine = one["spec"]["podSelector"].get("matchLabels", {}).get("app")
        for rule in one["spec"].get("egress", ()):
            for app in (to["podSelector"]["matchLabels"]["app"] for to in rule["to"] if "podSelector" in to):
                for port in (port["port"] for port in rule["ports"]):
                    assert (mine, app, port) in ways_in or (None, app, port) in ways_in


def test_every_secret_that_a_pod_wants_is_made_by_a_command_of_the_guide_with_every_file_that_is_read() -> (
    None
):
    guide = (ROOT / "docs/install.md").read_text().replace("\\\n", " ")
    made = {
        line.split()[0]: {
            Path(said.partition("=")[0]).name for said in re.findall(r"--from-(?:file|literal)=(\S+)", line)
        }
        for line in re.findall(r"create secret generic (.+)", guide)
    }
    wanted: dict[str, set[str]] = {}
    for pod in PODS.values():
        for volume in pod["volumes"]:
            if "secret" in volume:
                wanted.setdefault(volume["secret"]["secretName"], set())
        for container in pod["containers"]:
            for entry in container.get("env", ()):
                if ref := entry.get("valueFrom", {}).get("secretKeyRef"):
                    wanted.setdefault(ref["name"], set()).add(ref["key"])
    emqx = (CLUSTER / "emqx/emqx.conf").read_text()
    for folder, secret in (("certificates", "emqx-certificates"), ("service", "emqx-service")):
        wanted[secret] |= set(re.findall(rf'"/etc/tillbox/{folder}/([\w.]+)"', emqx))
    wanted["core-identity"] |= set(re.findall(r'"/identity/([\w.]+)"', (CLUSTER / "core.toml").read_text()))
    home = FleetHome(Path("/fleet"))
    wanted["core-fleet"] |= {home.key_path.name, home.service_path.name}
    authority = home.authority
    wanted["core-authority"] |= {authority.certificate.name, authority.intermediate.name, "ca.key"}
    wanted["claims"] |= {"claims.conf", "passwords", "root.crt", "server.crt", "server.key"}
    assert made == wanted


def test_what_the_core_is_told_leads_to_a_service_and_to_a_file_that_is_mounted() -> None:
    config = tomllib.loads((CLUSTER / "core.toml").read_text())
    services = {
        name: {port["port"]: port["targetPort"] for port in one["spec"]["ports"]}
        for name, one in of("Service").items()
    }
    broker, fleet = config["broker"], config["fleet"]
    doors = services[broker["host"]]
    assert fleet["service_host"] == broker["host"]
    assert [doors[port] for port in (broker["port"], fleet["claim_port"], fleet["service_port"])] == [
        "mqtts", "claims", "service",
    ]  # fmt: skip
    assert {fleet["port"], fleet["claim_port"]} == set(services["boxes"])
    assert "5432" not in config["database"]
    assert 5432 in services[re.search("@([a-z]+)/", config["database"])[1]]
    assert config["http_port"] in {port["containerPort"] for port in ports_of(PODS["core"])}
    for pod, text in (
        ("core", json.dumps(config)),
        ("emqx", (CLUSTER / "emqx/emqx.conf").read_text()),
        ("claims", " ".join(PODS["claims"]["containers"][0]["command"][2:])),
    ):
        places = [mount["mountPath"] for one in PODS[pod]["containers"] for mount in one["volumeMounts"]]
        for path in re.findall(r"(?<![\w/])/(?:etc|opt|var|identity|fleet)[\w./-]*", text):
            assert any(path == place or path.startswith(f"{place}/") for place in places), path


def chosen(pod: str, selector: dict[str, str]) -> bool:
    return selector.items() <= LABELS[pod].items()


def ports_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [port for one in pod["containers"] for port in one["ports"]]


def test_the_core_is_one_and_the_old_one_is_gone_before_the_new_one_begins() -> None:
    spec = of("Deployment")["core"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert "deploy" not in COMPOSE["services"]["core"]


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["containers"], *pod.get("initContainers", ())):
        allowed = container["securityContext"]
        assert allowed["allowPrivilegeEscalation"] is False
        assert allowed["capabilities"] == {"drop": ["ALL"]}
        assert allowed["readOnlyRootFilesystem"] is (name != "emqx")
        assert ":" in container["image"]
        assert not container["image"].endswith(":latest")
        assert "memory" in container["resources"]["limits"]
    for container in pod["containers"]:
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_a_store_that_is_away_takes_the_core_from_its_pages_and_does_not_kill_it() -> None:
    core = PODS["core"]["containers"][0]
    assert core["livenessProbe"]["httpGet"]["path"] == core["startupProbe"]["httpGet"]["path"] == "/livez"
    assert core["readinessProbe"]["httpGet"]["path"] == "/healthz"


def test_nobody_reaches_the_book_but_the_core() -> None:
    policies = {name: one["spec"] for name, one in of("NetworkPolicy").items()}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (rule,) = policies["postgres"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "core"}}}]
    open_to_all = {
        (name, port["port"])
        for name, spec in policies.items()
        for rule in spec.get("ingress", ())
        if not rule.get("from")
        for port in rule["ports"]
    }
    assert open_to_all == {("emqx", 8883), ("claims", 8884)}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert COMPOSE["services"]["postgres"]["networks"] == ["inside"]


def test_compose_opens_the_boxes_ports_to_all_and_the_console_to_this_machine() -> None:
    ports = {name: one.get("ports", []) for name, one in COMPOSE["services"].items()}
    assert ports == {"postgres": [], "broker": ["8883:8883", "8884:8884"], "core": ["127.0.0.1:8081:8081"]}
    for one in COMPOSE["services"].values():
        for volume in one["volumes"]:
            source = volume.partition(":")[0]
            if Path(source).suffix or source.startswith("../"):
                assert (DEPLOY / "container" / source).is_file()


def test_nothing_secret_is_in_a_file() -> None:
    for path in (*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.conf"), *DEPLOY.rglob("*.toml")):
        assert not re.search(r"(?i)(password|cookie|secret)\s*[:=]\s*[\"']?[0-9a-f]{8,}", path.read_text())
    assert of("Secret") == {}


def test_emqx_s_access_list_is_mosquitto_s() -> None:
    made = subprocess.run(
        [sys.executable, CLUSTER / "emqx_acl.py"], capture_output=True, text=True, check=True
    )
    assert (CLUSTER / "emqx/acl.conf").read_text() == made.stdout
    assert (CLUSTER / "claims/acl_claims").read_text() == CLAIMS_ACL.read_text()


def test_emqx_holds_for_a_client_what_mosquitto_holds_and_opens_no_door_to_strangers() -> None:
    said = (CLUSTER / "emqx/emqx.conf").read_text()
    assert f"max_inflight = {INFLIGHT_MAX}\n" in said
    assert f"max_mqueue_len = {QUEUE_MAX}\n" in said
    boxes, service = re.findall(r"listeners\.ssl\.\w+ \{(.+?)\n\}", said, re.DOTALL)
    assert "verify = verify_peer" in boxes
    assert "fail_if_no_peer_cert = true" in boxes
    # Whoever comes without a certificate is asked for a password.
    assert "enable_authn" not in service
    assert re.findall(r"listeners\.(\w+)\.default\.enable = false", said) == ["tcp", "ws", "wss"]


WHO = ("core", "box-1", "box-2")
TOPICS = (
    *(f"{topics.ROOT}/{who}/{rest}" for who in WHO for rest in ("st", "tm", "lv", "lg", "dn/ack", "dn/rs", "up/0/tx", "up/16/tx")),
    *(topics.ask_up(who, ask) for who in WHO for ask in (*topics.ASKS, "steal")),
    *(topics.records_up(who) for who in WHO),
    *(f"{topics.ROOT}/{who}/{rest}" for who in WHO for rest in ("st/alerts", "st/alerts/x", "dn/cmd", "dn/desired", "sh", "dn/sh")),
    *(f"tb/1/p/{who}/{rest}" for who in WHO for rest in ("rq", "rs", "late")), topics.BROKER_DROPS,
    "tb/1/d/box-1", "tb/2/x", "$SYS/broker/uptime", "other",
)  # fmt: skip


@pytest.mark.parametrize("who", WHO)
def test_both_lists_allow_the_same(who: str) -> None:
    for topic in TOPICS:
        for action in ("publish", "subscribe"):
            allowed = mosquitto_allows(who, action, topic)
            assert emqx_allows(who, action, topic) is allowed, (who, action, topic)
    assert emqx_allows(who, "publish", topics.state_up("box-1")) is (who != "box-2")


def mosquitto_allows(who: str, action: str, topic: str) -> bool:
    """By mosquitto's rules: a pattern is for everybody, a topic for the user that it stands under."""
    user = ""
    for line in ACL.read_text().splitlines():
        words = line.split()
        if words[:1] == ["user"]:
            user = words[1]
        if words[:1] == ["pattern"] or (words[:1] == ["topic"] and user == who):
            does = {"read": {"subscribe"}, "write": {"publish"}, "readwrite": {"publish", "subscribe"}}[
                words[1]
            ]
            if action in does and matches(topic, words[2].replace("%u", who)):
                return True
    return False


def emqx_allows(who: str, action: str, topic: str) -> bool:
    """By EMQX's rules: the first that fits decides."""
    for line in (CLUSTER / "emqx/acl.conf").read_text().splitlines():
        if line == "{deny, all}.":
            return False
        found = re.fullmatch(r'\{allow, (all|\{username, "(.+)"\}), (\w+), \["(.+)"\]\}\.', line)
        fits = found and found[2] in (None, who) and found[3] in (action, "all")
        if fits and matches(topic, found[4].replace("${username}", who)):
            return True
    raise AssertionError("the list has no end")


def matches(topic: str, named: str) -> bool:
    return fnmatchcase(topic, named.removesuffix("#") + "*") if named.endswith("#") else topic == named
