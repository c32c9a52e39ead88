"""A mosquitto of our own: certificates and an access list, and nobody anonymous.

Start with `server.py`; `acl` is the access list, as data, and `acl_claims` that of the broker at the door for claims;
`kick.py` ends the connection of one whose certificate was revoked.
"""

from .kick import KickFailed, kick
from .server import (
    CLAIM_USER,
    CORE_USER,
    FAR_SERVICE_DOOR,
    SERVICE_DOOR,
    SERVICE_USER,
    Doors,
    Mosquitto,
    MosquittoMissing,
    claims_config,
    free_port,
    write_passwords,
)

__all__ = [
    "CLAIM_USER",
    "CORE_USER",
    "FAR_SERVICE_DOOR",
    "SERVICE_DOOR",
    "SERVICE_USER",
    "Doors",
    "KickFailed",
    "Mosquitto",
    "MosquittoMissing",
    "claims_config",
    "free_port",
    "kick",
    "write_passwords",
]
