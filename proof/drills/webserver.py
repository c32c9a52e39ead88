"""A static web server on loopback that can be told to lie: bytes bent, files swapped, lines dropped."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STOP_LOOK_S = 0.02

Bend = Callable[[str, bytes], bytes]


class WebServer:
    """Serves a folder. `bend` may change what a path holds; `drop_after` ends archives in the middle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bend: Bend = lambda _, data: data
        self.drop_after: int | None = None
        self.resumed_from: list[int] = []
        """Where archives were asked to go on from."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(STOP_LOOK_S,), daemon=True).start()

    def honest(self) -> None:
        """No lies from here on."""
        self.bend, self.drop_after = (lambda _, data: data), None

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(web: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = web.folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            data = web.bend(path.name, path.read_bytes())
            begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(begin[1]) if begin else 0
            if begin:
                web.resumed_from.append(start)
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            cut = web.drop_after if path.suffix == ".zip" and web.drop_after else len(data)
            self.wfile.write(data[start : start + cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler
