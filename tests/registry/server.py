# server.py - a registry for tests that does as it is told: well, or badly
#
# A Server listens on a port of loopback that the kernel chose.  It has blobs and manifests, notes every request with its
# headers, and asks `rules`, a list of functions, before it answers: rule(handler, kind, name) answers itself and
# returns True, or returns None.  kind: "ping", "manifest", "blob", "token", "other".
import gzip
import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer_of(files):
    """The tar of a layer: {name: content}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Image:
    """Blobs and a manifest: layers are dicts of files."""

    def __init__(self, *layers, arch="amd64"):
        tars = [layer_of(files) for files in layers]
        self.blobs = {}
        descriptors = []
        for tar in tars:
            blob = gzip.compress(tar, 1, mtime=0)
            descriptors.append(self.add(blob, LAYER))
        config = {"architecture": arch, "os": "linux", "config": {"Cmd": ["/x"]},
                  "rootfs": {"type": "layers", "diff_ids": [digest(t) for t in tars]}}
        self.config = json.dumps(config).encode()
        self.document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.add(self.config, CONFIG),
                         "layers": descriptors}
        self.manifest = json.dumps(self.document).encode()

    def add(self, blob, media_type):
        self.blobs[digest(blob)] = blob
        return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", headers=(), length=None, head=False):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut(self):
        """Ends the connection at once, without another byte."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def kind(self):
        path = self.path.split("?")[0]
        parts = path.strip("/").split("/")
        if path in ("/v2", "/v2/"):
            return "ping", ""
        if path.startswith("/token"):
            return "token", ""
        if len(parts) > 3 and parts[0] == "v2" and parts[-2] in ("manifests", "blobs"):
            return parts[-2][:-1], parts[-1]
        return "other", path

    def handle_one(self):
        server = self.server.owner
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        with server.lock:
            server.seen.append((self.command, self.path, dict(self.headers), self.body))
        kind, name = self.kind()
        for rule in server.rules:
            if rule(self, kind, name):
                return
        if kind == "ping":
            self.reply(200, b"{}")
        elif kind == "manifest" and name in server.manifests:
            media_type, body = server.manifests[name]
            self.reply(200, body, [("Content-Type", media_type), ("Docker-Content-Digest", digest(body))])
        elif kind == "blob" and name in server.blobs:
            self.blob(server.blobs[name])
        else:
            self.reply(404, b'{"errors":[{"code":"UNKNOWN","message":"not here"}]}')

    def start(self):
        """The first byte that is wanted; None: all."""
        value = self.headers.get("Range")
        return int(value[len("bytes="):-1]) if value else None

    def blob(self, body):
        start = self.start()
        if start is None:
            self.reply(200, body)
        elif start >= len(body):
            self.reply(416)
        else:
            self.reply(206, body[start:], [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_one


class Server:
    def __init__(self):
        self.blobs, self.manifests, self.rules, self.seen = {}, {}, [], []
        self.lock = threading.Lock()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *args: None
        self.http.owner = self
        self.host = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def put(self, image, tag="1", media_type=MANIFEST, body=None):
        self.blobs.update(image.blobs)
        body = image.manifest if body is None else body
        self.manifests[tag] = self.manifests[digest(body)] = (media_type, body)

    def reset(self):
        with self.lock:
            self.blobs, self.manifests, self.rules, self.seen = {}, {}, [], []

    def requests(self, kind):
        return [s for s in self.seen if f"/{kind}s/" in s[1]]

    def close(self):
        self.http.shutdown()
        self.http.server_close()
