"""A store that speaks as much of S3 as backups need, in this process; it keeps objects in memory."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key-0123456789"
# What a Pod without keys of its own is given.
IDENTITY = json.dumps(
    {
        "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY,
        "Token": "test-token",
        "Expiration": "2099-01-01T00:00:00Z",
    }
).encode()


@dataclass
class Store:
    """
    `objects` by bucket/key. `damage` changes what is kept of an upload, as a broken store would; one that is
    `broken` takes and gives nothing.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    damage: str = ""
    broken: bool = False
    # Of the listing, by bucket/key.
    modified: dict[str, str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    _server: ThreadingHTTPServer | None = None

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Store":
        handler = type("Handler", (_Handler,), {"store": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def keep(self, key: str, content: bytes) -> None:
        if key.endswith((".dump", ".dump.enc")):
            content = {"cut": content[:-1], "changed": b"x" + content[1:]}.get(self.damage, content)
        self.objects[key] = content

    def listing(self, bucket: str, prefix: str, *, below: bool) -> bytes:
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>&quot;x&quot;</ETag>"
            f"<LastModified>{self.modified.get(f'{bucket}/{key}', '2026-01-01T00:00:00.000Z')}</LastModified>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key, content in sorted(
                (name.removeprefix(f"{bucket}/"), content) for name, content in self.objects.items()
            )
            if key.startswith(prefix) and (below or "/" not in key.removeprefix(prefix))
        )
        return f"<ListBucketResult><Name>{bucket}</Name>{entries}</ListBucketResult>".encode()


class _Handler(BaseHTTPRequestHandler):
    store: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_all(self) -> None:
        address = urlsplit(self.path)
        key, query = unquote(address.path).lstrip("/"), parse_qs(address.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signed = self.headers.get("Authorization", "")
        user = signed.partition("Credential=")[2].partition("/")[0]
        self.store.users.add(user)
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        if key == "identity":
            self.answer(200, IDENTITY)
        elif user != ACCESS_KEY or self.store.broken:
            self.error(403, "InvalidAccessKeyId", "The access key does not exist.")
        elif self.command == "GET" and "list-type" in query:
            prefix, below = query.get("prefix", [""])[0], not query.get("delimiter", [""])[0]
            self.answer(200, self.store.listing(key.rstrip("/"), prefix, below=below))
        elif self.command == "PUT" and "partNumber" in query:
            self.store.parts[key][int(query["partNumber"][0])] = body
            self.answer(200, ETag=f'"{digest}"')
        elif self.command == "PUT":
            self.store.keep(key, body)
            self.answer(200, ETag=f'"{digest}"')
        elif self.command == "POST" and "uploads" in query:
            self.store.parts[key] = {}
            self.answer(
                200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            )
        elif self.command == "POST":
            parts = self.store.parts.pop(key)
            self.store.keep(key, b"".join(parts[number] for number in sorted(parts)))
            result = "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>x</ETag>"
            self.answer(200, f"{result}</CompleteMultipartUploadResult>".encode())
        elif self.command == "DELETE":
            self.store.objects.pop(key, None)
            self.answer(204)
        elif key in self.store.objects:
            self.answer(
                200, self.store.objects[key], ETag='"x"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"
            )
        else:
            self.error(404, "NoSuchKey", "The object does not exist.")

    def error(self, status: int, code: str, message: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_all  # noqa: N815
