"""Cohort files to `Desired`: files → documents → validated → merged → cross-checked.

Every stage reports what it finds and goes on with the rest, so that one mistake does not
hide another. Nothing here needs a tenant, or the network.
"""

from __future__ import annotations

from reconciler.config.loading import load

__all__ = ["load"]
