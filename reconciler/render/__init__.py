"""A plan as text for a terminal, as Markdown for a pull request, as JSON for programs.

Each renderer is a function from a `Plan` to a string: it asks nobody anything, and one plan
always gives one string. The prose may improve at any time, because nobody has to parse it:
the JSON form is complete and has a published schema.
"""

from __future__ import annotations

from reconciler.render.as_json import json
from reconciler.render.as_markdown import comment, markdown, problems
from reconciler.render.as_text import text

__all__ = ["comment", "json", "markdown", "problems", "text"]
