"""Pages in a real Chromium: what they say on the console, what they ask for, what axe and the keyboard find.

`Pages.open` yields a `Visit`, which notes console messages, errors and requests from before the page loads. Nothing
can leave this machine: every host but this one fails to resolve, and the attempt is noted all the same.
"""

from __future__ import annotations

import functools
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

#: What WCAG 2.2 asks for at levels A and AA, in axe's words.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
WIDTHS = (320, 1280)
HEIGHT = 900
#: Sent with every page over http: no wider than what a page says of itself, so that it shows if a page counts on more.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
Scheme = Literal["file", "http"]


def chromium() -> str:
    """The path of Chromium. Raises RuntimeError without one: a page nobody opened was not tested."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("These tests need Chromium on the PATH: apt-get install chromium.")
    return path


class _Handler(SimpleHTTPRequestHandler):
    """A folder's files under the strict policy, as a web server should send them."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address, without a slash at its end, under which the folder's files are served while this is open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Visit:
    """A page and all it said, threw and asked for since before it loaded. `base` is where its site lies."""

    page: Page
    base: str
    javascript: bool
    width: int
    browser: Browser
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # A download ends the navigation that asked for it.
        if "ERR_ABORTED" not in str(request.failure):
            self.errors.append(f"{request.url}: {request.failure}")

    def url(self, path: str) -> str:
        """The address of a path of this site."""
        return f"{self.base}/{path}"

    def go(self, path: str) -> None:
        """Open another page of the site."""
        self.page.goto(self.url(path))

    def assert_quiet(self) -> None:
        """Nothing on the console, no error, no failed request, and nothing asked of anybody else."""
        assert (self.console, self.errors, outside_requests(self)) == ([], [], [])


class Pages:
    """One Chromium, and one folder of pages that it opens from the disk or over http."""

    def __init__(self, browser: Browser, folder: Path, address: str) -> None:
        self.browser = browser
        self.folder = folder
        self.address = address

    def base(self, scheme: Scheme) -> str:
        """Where the folder lies, as an address without a slash at its end."""
        return self.folder.as_uri() if scheme == "file" else self.address

    @contextmanager
    def window(
        self,
        *,
        width: int = 1280,
        javascript: bool = True,
        colour_scheme: Literal["light", "dark"] = "light",
    ) -> Iterator[BrowserContext]:
        """A window of a browser that knows no page yet, `width` CSS pixels wide."""
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            java_script_enabled=javascript,
            accept_downloads=True,
            reduced_motion="reduce",
            color_scheme=colour_scheme,
            locale="en-GB",
        )
        context.set_default_timeout(15_000)
        try:
            yield context
        finally:
            context.close()

    @contextmanager
    def visit(
        self, context: BrowserContext, path: str, *, width: int, javascript: bool, scheme: Scheme
    ) -> Iterator[Visit]:
        """The page at that path of the folder, in a new tab of a window that others use before and after it."""
        page = context.new_page()
        try:
            visit = Visit(page, self.base(scheme), javascript, width, self.browser)
            visit.go(path)
            yield visit
        finally:
            page.close()

    @contextmanager
    def open(
        self,
        path: str,
        *,
        width: int = 1280,
        javascript: bool = True,
        scheme: Scheme = "http",
        colour_scheme: Literal["light", "dark"] = "light",
    ) -> Iterator[Visit]:
        """The page at that path of the folder, in a context of its own, `width` CSS pixels wide."""
        with (
            self.window(width=width, javascript=javascript, colour_scheme=colour_scheme) as context,
            self.visit(context, path, width=width, javascript=javascript, scheme=scheme) as visit,
        ):
            yield visit


@contextmanager
def opened_chromium(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium that knows no host but this machine."""
    browser = playwright.chromium.launch(
        executable_path=chromium(),
        args=[
            "--no-sandbox",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--disable-background-networking",
            "--font-render-hinting=none",
        ],
    )
    try:
        yield browser
    finally:
        browser.close()


def outside_requests(visit: Visit) -> list[str]:
    """What the page asked of anything but its own site: other hosts, and files outside its folder."""
    own = (visit.base + "/", "data:", "blob:" + _origin(visit.base))
    return [url for url in visit.requests if not url.startswith(own)]


def _origin(base: str) -> str:
    parts = urlsplit(base)
    return "null" if parts.scheme == "file" else f"{parts.scheme}://{parts.netloc}"


def document_without_scripts(visit: Visit) -> str:
    """The document as it stands, its scripts taken out and what is inside <noscript> as part of the page."""
    document = re.sub(r"<script\b.*?</script\s*>", "", visit.page.content(), flags=re.S | re.I)
    return re.sub(r"<(/?)noscript\b[^>]*>", r"<\1div>", document, flags=re.I)


def axe_violations(visit: Visit) -> list[str]:
    """What axe holds against the page as it stands, each as `rule: elements`; empty if it passes WCAG 2.2 A and AA.

    axe needs scripts. Where the visit has none, the document as it stands is opened once more at the same address,
    where they run, with its own scripts taken out and what is inside <noscript> as part of the page: what a reader
    without JavaScript has before them.
    """
    if visit.javascript:
        return _axe(visit.page)
    document = document_without_scripts(visit)
    context = visit.browser.new_context(viewport={"width": visit.width, "height": HEIGHT})
    try:
        page = context.new_page()
        address = visit.page.url.partition("#")[0]
        page.route(
            address, lambda route: route.fulfill(body=document, content_type="text/html; charset=utf-8")
        )
        page.goto(address)
        return _axe(page)
    finally:
        context.close()


def _axe(page: Page) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], preload: false})",
        list(WCAG),
    )
    return [
        f"{violation['id']}: " + " | ".join(node["html"][:200] for node in violation["nodes"])
        for violation in found["violations"]
    ]


@dataclass(frozen=True)
class Stop:
    """One place where the Tab key halts: what it is, its text, and whether the eye can tell."""

    tag: str
    id: str
    text: str
    is_visible: bool
    shows_focus: bool


#: Everything that can show focus: the element, what is drawn before and after it, and the label of a hidden control.
_LOOK = """
window.vccLook ??= element => {
  const parts = [[element, null], [element, '::before'], [element, '::after']];
  if (element.nextElementSibling)
    parts.push([element.nextElementSibling, null], [element.nextElementSibling, '::before']);
  return parts.map(([node, pseudo]) => {
    const style = getComputedStyle(node, pseudo);
    return [style.outline, style.boxShadow, style.backgroundColor, style.border, style.color,
            style.textDecoration].join(';');
  }).join('/');
};
"""
_HERE = (
    "() => {"
    + _LOOK
    + """
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  window.vccStops ??= [];
  let place = window.vccStops.findIndex(stop => stop.e === e);
  if (place >= 0) return {place};
  window.vccStops.push({e, focused: window.vccLook(e)});
  const box = (e.labels && e.labels[0] || e).getBoundingClientRect();
  return {place: window.vccStops.length - 1, tag: e.tagName.toLowerCase(), id: e.id,
          text: (e.getAttribute('aria-label') || e.labels && e.labels[0] && e.labels[0].innerText
                 || e.innerText || '').trim().slice(0, 80),
          visible: box.width > 0 && box.height > 0};
}"""
)
_UNFOCUSED = (
    "() => {"
    + _LOOK
    + "document.activeElement.blur();"
    + "return window.vccStops.map(s => s.focused !== window.vccLook(s.e)); }"
)


def tab_through(visit: Visit, limit: int = 400) -> list[Stop]:
    """Where the Tab key halts from the top of the page on, in order, each element once.

    Raises AssertionError where focus is caught: after `limit` keys it has neither left the page nor come round.
    """
    page = visit.page
    page.evaluate("() => { window.vccStops = []; document.activeElement?.blur(); window.scrollTo(0, 0); }")
    found: list[Mapping[str, Any]] = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here is None or here["place"] < len(found):
            break
        found.append(here)
    else:
        raise AssertionError(f"After {limit} tabs the focus is still at new places of {page.url}.")
    shows = page.evaluate(_UNFOCUSED)
    return [
        Stop(stop["tag"], stop["id"], stop["text"], bool(stop["visible"]), bool(shown))
        for stop, shown in zip(found, shows, strict=True)
    ]


def overflow(visit: Visit) -> int:
    """By how many CSS pixels the page is wider than the window: 0 where nobody has to scroll sideways."""
    return int(
        visit.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


def screenshot(visit: Visit, path: Path) -> Path:
    """A picture of the whole page, for people to look at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=path, full_page=True)
    return path


def weight(visit: Visit, folder: Path) -> dict[str, int]:
    """Bytes, gzipped, of each file of the folder that the page has asked for so far."""
    import gzip

    found: dict[str, int] = {}
    for url in visit.requests:
        if url.startswith(visit.base + "/"):
            name = unquote(urlsplit(url[len(visit.base) + 1 :]).path)
            found[name] = len(gzip.compress((folder / name).read_bytes(), 9))
    return found
