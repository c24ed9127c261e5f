"""What a page or a document looks like, as markdown for the page of a run.

Belongs here: pictures small enough to be kept with a run. Does not: the documents themselves.
"""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from pathlib import Path

#: Width of a preview in pixels, and the words of a page that are quoted.
PREVIEW_WIDTH, WORDS_QUOTED = 480, 60


def pdf_preview(path: Path) -> str:
    """The first page of a PDF as a picture inside markdown."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        page = document[0]
        picture = page.render(scale=PREVIEW_WIDTH / page.get_width()).to_pil()
    finally:
        document.close()
    stream = io.BytesIO()
    picture.convert("P").save(stream, format="PNG", optimize=True)
    encoded = base64.b64encode(stream.getvalue()).decode("ascii")
    return f"![First page of {path.name}](data:image/png;base64,{encoded})"


def page_preview(path: Path) -> str:
    """The heading and the first words of a page's content, as markdown text."""
    main = re.search(r"<main\b.*?</main>", path.read_text(encoding="utf-8"), re.DOTALL)
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", main.group() if main else "")).split())
    words = text.split(" ")
    quoted = " ".join(words[:WORDS_QUOTED]) + (" ..." if len(words) > WORDS_QUOTED else "")
    return re.sub(r"([\\`*_{}\[\]()#+!|<>-])", r"\\\1", quoted)
