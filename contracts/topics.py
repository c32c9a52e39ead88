"""Where messages travel. The major version is in the topic; store and tenant are not: a box may move."""

from __future__ import annotations

from .ids import is_device_id

ROOT = "tb/1/d"
SHARDS = 16
"""Ingest may be split over up to 16 workers, each owning whole devices, so a device's records stay in order."""

ASKS = ("hello", "pay", "pay_status", "lease", "born", "slip")
"""The online questions of a box; each has its topic, so that access can be given per question."""


def shard_of(device: str) -> int:
    """The shard of a device: the same on both sides and for ever (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in device.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value % SHARDS


def records_up(device: str) -> str:
    """Journal records, box to core."""
    return f"{ROOT}/{device}/up/{shard_of(device)}/tx"


def ask_up(device: str, name: str) -> str:
    """An online question, box to core."""
    return f"{ROOT}/{device}/up/rq/{name}"


def ack_down(device: str) -> str:
    """What the core has safely, core to box."""
    return f"{ROOT}/{device}/dn/ack"


def answer_down(device: str) -> str:
    """Answers to questions, core to box."""
    return f"{ROOT}/{device}/dn/rs"


def state_up(device: str) -> str:
    """Birth and death, retained; the broker publishes the will here."""
    return f"{ROOT}/{device}/st"


def desired_down(device: str) -> str:
    """The signed settings for a box, retained."""
    return f"{ROOT}/{device}/dn/desired"


def command_down(device: str) -> str:
    """Commands of head office for a box, signed."""
    return f"{ROOT}/{device}/dn/cmd"


def shell_up(device: str) -> str:
    """What a remote shell shows, box to core, sealed for its session."""
    return f"{ROOT}/{device}/sh"


def shell_down(device: str) -> str:
    """What is typed into it, core to box, sealed for its session."""
    return f"{ROOT}/{device}/dn/sh"


def telemetry_up(device: str) -> str:
    """Queue depth, refusals, devices: droppable."""
    return f"{ROOT}/{device}/tm"


def live_up(device: str) -> str:
    """What head office watches of a box at this moment: droppable, never retained."""
    return f"{ROOT}/{device}/lv"


def alerts_up(device: str) -> str:
    """What is open on a box, retained: the whole list each time, so that what is over needs no word of its own."""
    return f"{ROOT}/{device}/st/alerts"


CLAIM_ROOT = "tb/1/p"


def enrol_up(nonce: str) -> str:
    """A box without a valid certificate asks for one; the nonce is its client id, drawn for this one time."""
    return f"{CLAIM_ROOT}/{nonce}/rq"


def enrol_down(nonce: str) -> str:
    """The answer to it."""
    return f"{CLAIM_ROOT}/{nonce}/rs"


def late_up(nonce: str) -> str:
    """Old records of a box that was put out, or died; answers come on `enrol_down`."""
    return f"{CLAIM_ROOT}/{nonce}/late"


def nonce_of(topic: str) -> str | None:
    """Whose a topic of the claim door is, or None where it is none."""
    parts = topic.split("/")
    right = len(parts) == 5 and "/".join(parts[:3]) == CLAIM_ROOT and parts[4] in ("rq", "late")
    return parts[3] if right and is_device_id(parts[3]) else None


ALL_ENROLMENTS = f"{CLAIM_ROOT}/+/rq"
ALL_LATE = f"{CLAIM_ROOT}/+/late"
ALL_RECORDS = f"{ROOT}/+/up/+/tx"
ALL_ASKS = f"{ROOT}/+/up/rq/+"
ALL_STATES = f"{ROOT}/+/st"
ALL_TELEMETRY = f"{ROOT}/+/tm"
ALL_SHELLS = f"{ROOT}/+/sh"
ALL_ALERTS = f"{ROOT}/+/st/alerts"
ALL_LIVE = f"{ROOT}/+/lv"
BROKER_DROPS = "$SYS/broker/publish/messages/dropped"
"""How many messages mosquitto let go since its start, as it says itself."""


def device_of(topic: str) -> str | None:
    """The device that a topic belongs to, or None where it is no topic of ours."""
    parts = topic.split("/")
    if len(parts) < 5 or "/".join(parts[:3]) != ROOT or not is_device_id(parts[3]):
        return None
    return parts[3]


def ask_name_of(topic: str) -> str | None:
    """The question that an ask topic carries, or None."""
    parts = topic.split("/")
    return parts[6] if len(parts) == 7 and parts[4:6] == ["up", "rq"] and parts[6] in ASKS else None
