"""Drills: what goes wrong in a fleet, played on real parts and judged from the outside. One file a drill."""
