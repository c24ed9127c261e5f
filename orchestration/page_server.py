"""`vcc pages serve`: pages on this machine only, made anew on every save; what is wrong is a page, too.

What belongs here: serving and watching. What does not: making pages (page_sources.py).
"""

from __future__ import annotations

import contextlib
import html
import mimetypes
import posixpath
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from orchestration.project import PROJECT_FOLDER, SettingError

if TYPE_CHECKING:
    from orchestration.page_sources import Made, Source

HOST = "127.0.0.1"
#: Under this folder the last good build stays, while the newest has faults.
LAST_GOOD = "last-good/"
RELOAD, WAIT = "_reload.js", "_wait.js"
SECONDS_HELD = 20.0
#: Asks for a script that is held until the pages were made anew; a strict policy allows no more, and this.
RELOAD_SCRIPT = """\
"use strict";
(() => {
  const wait = () => {
    const script = document.createElement("script");
    script.src = "/_wait.js?since=" + document.documentElement.dataset.made + "&at=" + Date.now();
    script.onload = () => { script.remove(); setTimeout(wait, 100); };
    script.onerror = () => { script.remove(); setTimeout(wait, 2000); };
    document.head.append(script);
  };
  addEventListener("load", wait);
})();
"""


@dataclass
class Shown:
    """What is served now. `number` counts the builds; `changed` wakes those who wait for the next."""

    assets: Mapping[str, bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    errors: Sequence[Any] = ()
    number: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, made: Made) -> None:
        """Show a new build, or its faults beside the last good one."""
        with self.changed:
            if not made.errors:
                self.files = {**self.assets, **made.files}
            self.errors = made.errors
            self.number += 1
            self.changed.notify_all()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, media type and content for a path of the server."""
        if path.startswith(LAST_GOOD):
            return self._file(path.removeprefix(LAST_GOOD))
        if self.errors and (not path or path.endswith(("/", ".html"))):
            return 500, "text/html", self._faults()
        return self._file(path)

    def _file(self, path: str) -> tuple[int, str, bytes]:
        if not path or path.endswith("/"):
            path += "index.html"
        content = self.files.get(path)
        if content is None and path == "index.html":
            return 200, "text/html", self._list("Pages", "")
        if content is None:
            return 404, "text/html", self._list("There is no such page. There are these", "/")
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return 200, kind, content

    def _list(self, title: str, root: str) -> bytes:
        items = "".join(
            f'<li><a href="{root}{html.escape(path)}">{html.escape(path)}</a></li>\n'
            for path in self.files
            if path.endswith(".html")
        )
        return _document(title, f"<ul>\n{items}</ul>")

    def _faults(self) -> bytes:
        items = "".join(
            f"<li><code>{html.escape(where)}</code> {html.escape(said)}</li>\n"
            for where, said in ((f"{error.file}:{error.line}", error.message) for error in self.errors)
        )
        good = f'<p><a href="/{LAST_GOOD}">The last good pages</a></p>' if self.files else ""
        count = f"{len(self.errors)} {'fault' if len(self.errors) == 1 else 'faults'}"
        return _document(count, f"<ul>\n{items}</ul>\n{good}")


def _document(title: str, body: str) -> bytes:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<style>body{font:1.1em/1.5 Arial,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
        "li{margin:.6em 0;overflow-wrap:anywhere}</style></head>\n"
        f"<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    ).encode()


def serve(
    source: Source,
    named: Sequence[Path],
    parameters: Mapping[str, object],
    port: int,
    *,
    told: Callable[[Made], None],
) -> int:
    """Make the pages, serve them on 127.0.0.1 and make them again on every save, until Ctrl-C."""
    from orchestration.page_sources import SITE_PAGES
    from reports.site.assets import site_assets

    shown = Shown(site_assets(PROJECT_FOLDER / "node_modules"))
    try:
        server = server_of(shown, port)
    except OSError as error:
        raise SettingError(
            f"Port {port} cannot be used ({error.strerror}); choose another with --port."
        ) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        _make_and_tell(shown, source, named, parameters, told)
        print(f"The pages: http://{HOST}:{server.server_port}/ (stop with Ctrl-C)", flush=True)
        for _ in saves(named or (SITE_PAGES,)):
            _make_and_tell(shown, source, named, parameters, told)
    except KeyboardInterrupt:
        return 0
    finally:
        server.shutdown()
        server.server_close()
    return 0


def _make_and_tell(
    shown: Shown,
    source: Source,
    named: Sequence[Path],
    parameters: Mapping[str, object],
    told: Callable[[Made], None],
) -> None:
    from orchestration.commands.pages import made_with_progress

    try:
        made = made_with_progress(source, named, parameters)
    except (OSError, SettingError) as error:  # a file that is being moved comes back with the next save
        print(f"vcc: {error}", flush=True)
        return
    shown.take(made)
    told(made)


def saves(named: Sequence[Path]) -> Any:
    """Yield whenever one of the files, or a .md file of one of the folders, was saved, added or deleted."""
    import watchfiles

    files = {path.resolve() for path in named if path.is_file()}
    folders = [path.resolve() for path in named if path.is_dir()]

    def is_ours(change: object, name: str) -> bool:
        path = Path(name)
        return path in files or (path.suffix == ".md" and any(folder in path.parents for folder in folders))

    # An editor replaces a file by another: the folder is watched, not the file.
    watched = {*folders, *(file.parent for file in files)}
    yield from watchfiles.watch(*watched, watch_filter=is_ours, debounce=200, step=50)


def server_of(shown: Shown, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that answers no other name, so that no web site can read what is shown here."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}  # type: ignore[attr-defined]
            if self.headers.get("Host") not in own:
                self._send(403, "text/plain", b"Only this machine may ask.\n")
                return
            address = urlsplit(self.path)
            path = unquote(address.path).lstrip("/")
            if path == RELOAD:
                self._send(200, "text/javascript", RELOAD_SCRIPT.encode())
            elif path == WAIT:
                self._send(200, "text/javascript", self._waited(address.query))
            elif path and not path.endswith("/") and posixpath.normpath(path) != path:
                self._send(404, "text/plain", b"There is no such page.\n")
            else:
                status, kind, content = shown.answer(path)
                if kind == "text/html":
                    content = content.replace(b"<html ", b'<html data-made="%d" ' % shown.number, 1)
                    content = content.replace(
                        b"</body>", b'<script src="/_reload.js" defer></script>\n</body>'
                    )
                self._send(status, kind, content)

        def _waited(self, query: str) -> bytes:
            since = query.partition("since=")[2].partition("&")[0]
            with shown.changed:
                shown.changed.wait_for(lambda: str(shown.number) != since, SECONDS_HELD)
                return b"location.reload();\n" if str(shown.number) != since else b"\n"

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            charset = "; charset=utf-8" if kind.startswith("text/") else ""
            self.send_header("Content-Type", kind + charset)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            # A reader who has left, as every one who waits does when a page is opened anew, is no fault.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the terminal is for what is wrong with pages."""

    server = ThreadingHTTPServer((HOST, port), Handler)
    server.daemon_threads = True
    return server
