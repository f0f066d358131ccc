"""A plan as text for a terminal, Markdown for a pull request, JSON for programs, a page to read.

Each renderer is a function from a `Plan`, for the page with an `Estimate`, to a string: it
asks nobody anything, and one plan always gives one string. The prose may improve at any
time, because nobody has to parse it: the JSON form is complete and has a published schema.
"""

from __future__ import annotations

from reconciler.render.as_html import html
from reconciler.render.as_json import json
from reconciler.render.as_markdown import comment, markdown, page, problems
from reconciler.render.as_text import text

__all__ = ["comment", "html", "json", "markdown", "page", "problems", "text"]
