"""The fleet's own small certificate authority. Start with `authority.py`."""

from .authority import Authority, Identity, make_request

__all__ = ["Authority", "Identity", "make_request"]
