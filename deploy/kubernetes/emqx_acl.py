"""Writes EMQX's access list from mosquitto's: there is one list, and this is its other spelling.

python3 deploy/kubernetes/emqx_acl.py > deploy/kubernetes/emqx/acl.conf
"""

from __future__ import annotations

from pathlib import Path

ACL = Path(__file__).parents[2] / "broker/mosquitto/acl"
ACTIONS = {"read": "subscribe", "write": "publish", "readwrite": "all"}
HEAD = """\
%% Made by emqx_acl.py from broker/mosquitto/acl; change that one.
"""


def emqx_acl(mosquitto: str) -> str:
    """The rules in the same order, and at the end: nobody else, nothing else."""
    rules, user = [], ""
    for line in mosquitto.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "user":
            user = rest
        elif word in ("topic", "pattern"):
            action, _, topic = rest.partition(" ")
            who = f'{{username, "{user}"}}' if word == "topic" else "all"
            named = topic.replace("%u", "${username}").replace("%c", "${clientid}")
            rules.append(f'{{allow, {who}, {ACTIONS[action]}, ["{named}"]}}.')
        elif word and not word.startswith("#"):
            raise ValueError(f"{line!r} is no line of an access list that is understood here")
    return "\n".join([HEAD, *rules, "{deny, all}."]) + "\n"


if __name__ == "__main__":
    print(emqx_acl(ACL.read_text()), end="")
