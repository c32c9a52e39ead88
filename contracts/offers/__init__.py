"""Pricing that both sides compute alike: the box decides by it, the core recomputes it."""
