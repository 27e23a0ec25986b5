"""What the dashboard's pages may load and run, as a Content Security Policy (W3C, level 3).

Nothing from elsewhere, no script that stands in the page itself, no eval. Streamlit needs three openings: components are modules that it makes of
text (blob:), its styles are made in the page, and fonts and drawings may be data. A script smuggled into a title finds no way to run.
"""

from __future__ import annotations

import base64
import hashlib
import re

RULES = {
    "default-src": "'none'",
    "script-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
FRAMES = "frame-ancestors 'self'"  # heard in a header alone
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy(page: str = "") -> str:
    """The policy; scripts that stand in `page`, the HTML that the server hands out, are let run by their hash."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _INLINE.findall(page))
    own = " ".join(f"'sha256-{digest}'" for digest in digests)
    rules = RULES | {"script-src": f"{RULES['script-src']} {own}".strip()}
    return "; ".join(f"{name} {value}" for name, value in rules.items())
