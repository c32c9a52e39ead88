"""A mosquitto of our own: certificates and an access list, and nobody anonymous.

Start with `server.py`; `acl` is the access list, as data; `kick.py` ends the connection of one whose certificate was
revoked.
"""

from .kick import KickFailed, kick
from .server import (
    CLAIM_USER,
    SERVICE_USER,
    Doors,
    Mosquitto,
    MosquittoMissing,
    doors_config,
    free_port,
    password_file,
)

__all__ = [
    "CLAIM_USER",
    "SERVICE_USER",
    "Doors",
    "KickFailed",
    "Mosquitto",
    "MosquittoMissing",
    "doors_config",
    "free_port",
    "kick",
    "password_file",
]
