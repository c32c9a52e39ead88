"""Ask the core for a certificate, at the door for boxes that have none. One question, one answer, and an end."""

from __future__ import annotations

import queue
from pathlib import Path

import structlog
from pydantic import ValidationError

from tillbox.agent.clock import BootClock
from tillbox.broker.line import Down, Happening, Message, Up
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.contracts import topics
from tillbox.contracts.messages import EnrolAnswer, EnrolAsk

CLAIM_USER = ("claim.", "claim")
"""Printed on every sheet, so to say: what counts is the claim and the key."""
AGAIN_S = 2.0
ANSWER_BYTES_MAX = 200_000

log = structlog.get_logger(__name__)


def door(host: str, port: int, root: Path, nonce: str) -> Endpoint:
    """The broker's door for boxes without a certificate. The nonce is the client id and names the topics."""
    return Endpoint(
        host=host,
        port=port,
        client_id=nonce,
        authority=root,
        certificate=None,
        key=None,
        password=CLAIM_USER,
        subscriptions=((topics.enrol_down(nonce), 1),),
        reconnect_max_s=AGAIN_S,
    )


def enrol(endpoint: Endpoint, ask: EnrolAsk, *, patience_s: float) -> EnrolAnswer | str:
    """The core's answer, or why there is none. The question is asked again until patience ends: asking twice is asking
    once."""
    heard: queue.Queue[Happening] = queue.Queue(32)
    line = MqttLine(endpoint)
    line.start(lambda happening: None if heard.full() else heard.put(happening))
    try:
        return _listen(line, endpoint.client_id, ask, heard, _now() + patience_s)
    finally:
        line.stop()


def _listen(
    line: MqttLine, nonce: str, ask: EnrolAsk, heard: queue.Queue[Happening], due: float
) -> EnrolAnswer | str:
    why, again = "the core did not answer", 0.0
    payload = ask.model_dump_json(exclude_none=True).encode()
    up = False
    while (left := due - _now()) > 0:
        if up and _now() >= again:
            line.publish(topics.enrol_up(nonce), payload)
            again = _now() + AGAIN_S
        try:
            happening = heard.get(timeout=min(left, 0.2))
        except queue.Empty:
            continue
        match happening:
            case Up():
                up = True
            case Down(why=why):
                up = False
            case Message(payload=said):
                answer = _answer(said)
                if answer is not None:
                    return answer
                why = "the core's answer is not understood"
    return why


def _answer(payload: bytes) -> EnrolAnswer | None:
    try:
        return EnrolAnswer.model_validate_json(payload if len(payload) <= ANSWER_BYTES_MAX else b"")
    except ValidationError:
        return None


def _now() -> float:
    return BootClock().boot_ms() / 1000
