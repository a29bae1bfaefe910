"""Renderings: pure functions from a Run to text. Size caps and escaping live here."""
