"""A Prometheus page and a health page of this process, on $HIPPO_PORT."""

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Labels = tuple[tuple[str, str], ...]


class Metrics:
    def __init__(self):
        self._lock = threading.Lock()
        self._families: dict[str, tuple[str, str, dict[Labels, float]]] = {}

    def gauge(self, name: str, help_text: str, value: float, **labels: str) -> None:
        with self._lock:
            self._values(name, "gauge", help_text)[_key(labels)] = value

    def count(self, name: str, help_text: str, more: float, **labels: str) -> None:
        """Adds to a counter, which starts at zero with the process."""
        with self._lock:
            values = self._values(name, "counter", help_text)
            values[_key(labels)] = values.get(_key(labels), 0) + more

    def page(self) -> str:
        with self._lock:
            lines = []
            for name, (kind, help_text, values) in self._families.items():
                lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
                lines += [f"{name}{_written(labels)} {value:.15g}" for labels, value in values.items()]
            return "".join(f"{line}\n" for line in lines)

    def _values(self, name: str, kind: str, help_text: str) -> dict[Labels, float]:
        return self._families.setdefault(name, (kind, help_text, {}))[2]


def _key(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    quoted = (f'{name}="{_escaped(value)}"' for name, value in labels)
    return "{" + ",".join(quoted) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def serve(port: int, metrics: Metrics, is_ready: Callable[[], bool]) -> ThreadingHTTPServer:
    """Serves /metrics, and /healthz: 200 once the query has looked at its topic, else 503. Only this machine reaches it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/metrics":
                self.answer(200, metrics.page())
            elif self.path == "/healthz":
                self.answer(*((200, "ready\n") if is_ready() else (503, "starting\n")))
            else:
                self.answer(404, "there are /metrics and /healthz\n")

        def answer(self, status: int, text: str) -> None:
            body = text.encode()
            # The client may have stopped waiting for the answer.
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
