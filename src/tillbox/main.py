"""The one door: `tillbox COMMAND`. A command lives beside what it commands; this file only knows where.

Modules are imported when their command is called, so that a box without the core's libraries still has
its own commands, and `tillbox scan` does not pay for a web server.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import version

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

COMMANDS: dict[str, tuple[str, str, str]] = {
    "scan": ("tillbox.hardware.commands:scan", "camera", "read the codes on pictures and say what they are"),
    "print": (
        "tillbox.hardware.labels.commands:printing",
        "agent,camera,labels",
        "labels: code plates, goods, claim links, coupons; to a printer, PDF or PNG",
    ),
    "tap": (
        "tillbox.hardware.tap.commands:tap",
        "agent",
        "read what another program's till prints: replay, learn, relay",
    ),
    "box": ("tillbox.agent.commands:box", "agent,camera", "run one checkout box"),
    "journal": (
        "tillbox.agent.commands:journal",
        "agent",
        "what a box recorded, and what the core holds of it",
    ),
    "doctor": ("tillbox.agent.commands:doctor", "agent,camera", "what is wrong with a box, and what to do"),
    "rescue": (
        "tillbox.agent.provisioning.commands:rescue",
        "agent",
        "hand in what a dead box did not, from its card",
    ),
    "update": ("tillbox.agent.updates.commands:update", "agent", "the two slots of a box: seed, show"),
    "pair": ("tillbox.agent.commands:pair", "agent", "let another program's till use a box's local door"),
    "devices": ("tillbox.agent.commands:devices", "agent", "what is plugged in, and how to configure it"),
    "core": ("tillbox.cloud_bridge.commands:core", "cloud", "run the core: book, payments, console"),
    "release": (
        "tillbox.cloud_bridge.releases.commands:release",
        "cloud",
        "sign and publish releases for the boxes",
    ),
    "channel": ("tillbox.cloud_bridge.commands:channel", "cloud", "run the sandbox wallet channel"),
    "demo": ("tillbox.demo.commands:demo", "dev", "a whole shop on this machine, on real parts"),
    "fleet": (
        "tillbox.cloud_bridge.fleet.commands:fleet",
        "cloud,labels,camera",
        "places, claims, boxes: plan, print, replace, revoke",
    ),
    "fleet top": (
        "tillbox.cloud_bridge.fleet.top:top",
        "cloud",
        "every box at a glance, live: state, queue, printer, alerts",
    ),
    "top": ("tillbox.cloud_bridge.fleet.top:top", "cloud", "the same as `fleet top`"),
    "fleet demo": (
        "tillbox.demo.fleet_commands:demo",
        "dev",
        "boxes enrol by their printed sheets, on this machine",
    ),
    "fleet drill": (
        "tillbox.proof.drills.commands:drill",
        "dev",
        "play what goes wrong in a fleet, on real parts, and judge it",
    ),
    "loadtest": (
        "tillbox.proof.load.commands:loadtest",
        "dev",
        "thousands of boxes on this machine: storms, steady load, restarts, presence; judged",
    ),
    "smoke": ("tillbox.proof.commands:smoke", "dev", "the demo without a person, judged in one line"),
    "bench": ("tillbox.proof.commands:bench", "dev", "measure beside a reference: decode"),
    "prove": (
        "tillbox.proof.commands:prove",
        "dev",
        "prove the promises: pipeline, mutants, powercut, powercut-kernel, kill9",
    ),
}
"""Where each command lives, the extras that bring its libraries, and what it does. A name may be of two words."""


def main() -> None:
    """Find the command, import its room, and hand over."""
    if sys.argv[1:2] == ["help"] and len(sys.argv) > 2:
        sys.argv[1:] = [*sys.argv[2:], "--help"]
    words = sys.argv[1:] or ["--help"]
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    if name in ("-h", "--help", "help"):
        print(usage())
        return
    if name in ("-V", "--version"):
        print(f"tillbox {version('tillbox')}")
        return
    if name not in COMMANDS:
        sys.exit(f"tillbox: there is no command {name!r}.\n\n{usage()}")
    where, extras, _ = COMMANDS[name]
    module_name, function_name = where.split(":")
    sys.argv = [f"tillbox {name}", *words[name.count(" ") + 1 :]]
    os.umask(0o077)  # journals, books and keys are for their owner alone
    _keep_secrets_out_of_the_log()
    try:
        getattr(importlib.import_module(module_name), function_name)(prog_name=f"tillbox {name}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("tillbox"):
            raise
        sys.exit(
            f"tillbox {name}: the package {missing.name!r} is not installed here. "
            f"Install what this command needs: pip install '.[{extras}]' in a checkout"
        )


def _keep_secrets_out_of_the_log() -> None:
    """Tracebacks with local variables would write payment codes and records. And what is logged is no answer: it goes to stderr."""
    renderer = ConsoleRenderer(exception_formatter=plain_traceback, colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*structlog.get_config()["processors"][:-1], renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def usage() -> str:
    """The list of commands, as `tillbox --help` prints it."""
    rows = "\n".join(f"  {name:<11} {what}" for name, (_, _, what) in COMMANDS.items())
    return f"usage: tillbox COMMAND [OPTION…]   (tillbox COMMAND --help teaches it)\n\n{rows}"
