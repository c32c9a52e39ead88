"""A mosquitto of our own: certificates and an access list, no passwords and nobody anonymous.

Start with `server.py`; `acl` is the access list, as data.
"""

from .server import Mosquitto, MosquittoMissing, free_port

__all__ = ["Mosquitto", "MosquittoMissing", "free_port"]
