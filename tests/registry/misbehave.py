#!/usr/bin/env python3
# misbehave.py - ketch pulls from registries that break off, stall, lie, lead astray or ask for passwords
#
#	misbehave.py KETCH GROUP [NUMBER]	runs a group of cases, a sample of NUMBER of them
#
# Which offsets are cut at says MISBEHAVE_SEED (a number; without it the day's), MISBEHAVE_ALL=1: every one of all groups, of
# the cuts every Nth from the Kth on by MISBEHAVE_ALL=K/N (each waits a second before it asks anew: run N side by side).
#
# After each case: one line on stderr or success, the store as it was or with exactly the image, no credential in front of
# a server that it is not for, and no more time than the case has.
import base64
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from server import CONFIG, INDEX, MANIFEST, Image, Server, digest

KETCH = os.path.abspath(sys.argv[1])
BIG = os.urandom(200_000)
DIR = tempfile.mkdtemp(prefix="ketch-misbehave.")
ROOT, AUTH, POLICY, CONF = (os.path.join(DIR, n) for n in ("store", "auth.json", "policy.json", "registries.conf"))
ENV = {"PATH": os.environ["PATH"], "HOME": DIR, "KETCH_CONFIG": "", "KETCH_ROOT": ROOT, "KETCH_RUN_ROOT": DIR + "/run",
       "REGISTRY_AUTH_FILE": AUTH, "CONTAINERS_REGISTRIES_CONF": CONF}
registry, other, tokens = Server(), Server(), Server()
failures, EMPTY = [], []
ALL = os.environ.get("MISBEHAVE_ALL", "")
SEED = int(os.environ.get("MISBEHAVE_SEED") or time.strftime("%Y%m%d"))


class Wrong(Exception):
    pass


def ketch(*args):
    began = time.monotonic()
    p = subprocess.run([KETCH, *args], env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr, time.monotonic() - began


def pull(name="r", tag="1", *args):
    return ketch("pull", "--timeout", "1", *args, f"{registry.host}/{name}:{tag}")


def things():
    """All that a store shows to others."""
    out = []
    for place in ("layers", "configs", "roots", "tmp"):
        out += sorted(os.listdir(os.path.join(ROOT, place)))
    return [out, ketch("images", "-aq", "--no-trunc")[1]]


def blobs():
    return sorted(os.listdir(ROOT + "/blobs"))


def forget():
    """An empty store again, without the time that making one takes."""
    names = os.listdir(ROOT + "/configs") and ketch("images", "-q", "--no-trunc")[1].split()
    if names:
        ketch("rmi", "-f", *set(names))
    for name in blobs():
        os.unlink(f"{ROOT}/blobs/{name}")


def begin():
    for server in (registry, other, tokens):
        server.reset()
    for path, text in ((AUTH, "{}"), (CONF, "")):
        with open(path, "w") as f:
            f.write(text)


def expect(condition, text):
    if not condition:
        raise Wrong(text)


def succeeded(result):
    expect(result[0] == 0, f"status {result[0]}: {result[2].strip()}")


def failed(result, *words, seconds=10):
    status, out, err, took = result
    expect(status == 1, f"status {status}, not 1: {err.strip()}")
    lines = err.strip().split("\n")
    expect(len(lines) == 1 and lines[0].startswith("ketch: "), f"not one line: {err!r}")
    expect(took < seconds, f"took {took:.1f} s")
    for word in words:
        expect(word in err, f"{word!r} is not in {err.strip()!r}")


def case(name, function):
    begin()
    try:
        function(EMPTY)
    except Wrong as e:
        failures.append(f"{name}: {e}")
    except subprocess.TimeoutExpired:
        failures.append(f"{name}: no end")
    forget()


def unchanged(before):
    now = things()
    expect(now == before, f"the store has changed: {before} -> {now}")


IMAGE = Image({"a": BIG, "x": b"#!"}, {"b": b"small"}, {"c": BIG[:70_000]})
FIRST = next(iter(IMAGE.blobs))  # the largest


# --- cuts: the connection ends behind so many bytes of a blob, once

def cuts(number):
    body = IMAGE.blobs[FIRST]
    offsets = [len(body) * i // 1000 for i in range(1000)]
    for offset in draw(offsets, number):
        def run(before, offset=offset):
            registry.put(IMAGE)
            cut = []

            def rule(h, kind, name):
                if name != FIRST or cut:
                    return None
                cut.append(1)
                h.send_response(200)
                h.send_header("Content-Length", str(len(body)))
                h.end_headers()
                h.wfile.write(body[:offset])
                h.cut()
                return True

            registry.rules.append(rule)
            succeeded(pull())
            expect(cut, "nothing was cut")
            ranges = [s[2].get("Range") for s in registry.requests("blob") if FIRST in s[1]]
            expect(ranges == ["bytes=0-", f"bytes={offset}-"], f"asked for {ranges}")
        case(f"a cut behind {offset} bytes", run)


# --- stalls: a server that says nothing more

def stalls(number):
    def stall(kind_of, times, status=None, half=False):
        """Is silent `times` times where kind is kind_of."""
        left = [times]

        def rule(h, kind, name):
            if kind != kind_of or not left[0]:
                return None
            left[0] -= 1
            if status:
                h.send_response(status)
                h.send_header("Content-Length", str(len(IMAGE.blobs.get(name, b"x" * 100))))
                h.end_headers()
            if half:
                h.wfile.write(IMAGE.blobs[name][:100])
                h.wfile.flush()
            time.sleep(3)
            h.cut()
            return True
        return rule

    def once(before):
        registry.put(IMAGE)
        registry.rules.append(stall("blob", 1, 200, True))
        succeeded(pull())

    def for_ever(kind, *how):
        def run(before):
            registry.put(IMAGE)
            registry.rules.append(stall(kind, 99, *how))
            failed(pull(), seconds=25)
            unchanged(before)
        return run

    cases = [("a blob that stalls once", once), ("a blob that stalls always", for_ever("blob", 200, False)),
             ("a manifest that never comes", for_ever("manifest"))]
    for name, function in cases[:number]:
        case(name, function)


# --- lies

def lies(number):
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": digest(IMAGE.manifest), "size": len(IMAGE.manifest),
         "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()

    def put(media_type=MANIFEST, body=None, blob=None, headers=(), status=200, length=None):
        def setup():
            registry.put(IMAGE, media_type=media_type, body=body)

            def rule(h, kind, name):
                if kind == "manifest" and (headers or status != 200 or length is not None):
                    h.reply(status, body or IMAGE.manifest, [("Content-Type", media_type), *headers], length)
                    return True
                if kind == "blob" and name == FIRST and blob is not None:
                    h.reply(200, blob)
                    return True
                return None
            registry.rules.append(rule)
        return setup

    body = IMAGE.blobs[FIRST]
    flipped = body[:500] + bytes([body[500] ^ 1]) + body[501:]
    document = IMAGE.document

    def changed(**members):
        return json.dumps({**document, **members}).encode()

    def layer(**members):
        return changed(layers=[{**document["layers"][0], **members}, *document["layers"][1:]])

    rows = [
        ("a blob with a wrong bit", put(blob=flipped), ""),
        ("a blob that is too short", put(blob=body[:-1]), "bytes"),
        ("a blob that is too long", put(blob=body + b"x"), "bytes"),
        ("an empty blob", put(blob=b""), "blob"),
        ("another blob of that length", put(blob=os.urandom(len(body))), ""),
        ("a wrong digest in the header", put(headers=[("Docker-Content-Digest", "sha256:" + "0" * 64)]), "digest"),
        ("a header twice", put(headers=[("Location", "/a"), ("Location", "/b")]), "twice"),
        ("a manifest as text", put("text/html", b"<html>"), "neither a manifest nor an index"),
        ("schema 1", put("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}"), "schema 1"),
        ("an index that calls itself a manifest", put(MANIFEST, index), "something else"),
        ("a manifest that calls itself an index", put(INDEX, IMAGE.manifest), "something else"),
        ("both at once", put(MANIFEST, changed(manifests=json.loads(index)["manifests"])), "index too"),
        ("a key twice", put(MANIFEST, IMAGE.manifest[:-1] + b',"schemaVersion":2}'), "schemaVersion"),
        ("an empty manifest", put(MANIFEST, b""), ""),
        ("a deep manifest", put(MANIFEST, b"[" * 100000), ""),
        ("5 MiB of manifest", put(MANIFEST, b" " * (5 << 20) + IMAGE.manifest), "4 MiB"),
        ("a size that is wrong", put(MANIFEST, layer(size=7)), "bytes"),
        ("a size that is huge", put(MANIFEST, layer(size=1 << 62)), "large"),
        ("a size below zero", put(MANIFEST, layer(size=-1)), ""),
        ("no size", put(MANIFEST, changed(layers=[{k: v for k, v in document["layers"][0].items() if k != "size"}])), ""),
        ("sha512", put(MANIFEST, layer(digest="sha512:" + "0" * 128)), "sha256"),
        ("a digest that is a path", put(MANIFEST, layer(digest="sha256:../../../etc/passwd")), "sha256"),
        ("an unknown type of layer", put(MANIFEST, layer(mediaType="application/x")), "unknown type of layer"),
        ("no config", put(MANIFEST, changed(config=None)), "config"),
        ("a config of another type", put(MANIFEST, changed(config={**document["config"], "mediaType": "a/b"})), "config"),
        ("200 layers", put(MANIFEST, changed(layers=document["layers"] * 70)), "layers"),
        ("layers of another image", put(MANIFEST, changed(layers=document["layers"][:2])), "layers"),
        ("layers in another order", put(MANIFEST, changed(layers=document["layers"][::-1])), "digest"),
        ("one blob with two sizes", put(MANIFEST, changed(layers=[document["layers"][0], {**document["layers"][0], "size": 5}])),
         "two sizes"),
        ("a shorter length than content", put(headers=[("X", "y")], length=10), ""),
        ("a server error", put(status=500), ""),
        ("a teapot", put(status=418), "418"),
        ("an index of nothing", put(INDEX, b'{"schemaVersion":2,"manifests":[]}'), "no image for"),
        ("an index within itself", put(INDEX, index.replace(digest(IMAGE.manifest).encode(), b"sha256:" + b"0" * 64)), ""),
        ("foreign URLs", put(MANIFEST, layer(urls=[f"http://{other.host}/foreign"])), None),
    ]
    for name, setup, words in pick(rows, number):
        def run(before, setup=setup, words=words):
            setup()
            result = pull()
            if words is None:
                succeeded(result)
            else:
                failed(result, words, seconds=15)
                unchanged(before)
            expect(not other.seen, "somebody else was asked")
        case(name, run)


# --- redirects

def redirects(number):
    body = IMAGE.blobs[FIRST]

    def to(location, status=307, kind_of="blob"):
        def rule(h, kind, name):
            if kind == kind_of and (kind != "blob" or name == FIRST):
                h.reply(status, b"", [("Location", location)])
                return True
            return None
        return rule

    def serve(h, kind, name):
        if h.path == "/cdn":
            h.blob(body)
            return True
        return None

    def loop(h, kind, name):
        h.reply(302, b"", [("Location", f"http://{other.host}/{random.random()}")])
        return True

    rows = [(f"{s} to another server", to(f"http://{other.host}/cdn", s), serve, None) for s in (301, 302, 303, 307, 308)]
    rows += [
        ("for ever", to(f"http://{other.host}/a"), loop, "more than 5 times"),
        ("without a place", to(""), serve, "no place"),
        ("to a file", to("file:///etc/passwd"), serve, "no place"),
        ("to ftp", to("ftp://127.0.0.1/x"), serve, "no place"),
        ("with a user in it", to(f"http://u:p@{other.host}/cdn"), serve, "no place"),
        ("with a line end in it", to("http://x/%0d%0a y"), serve, "no place"),
        ("to nobody", to("http://127.0.0.1:1/cdn"), serve, ""),
        ("a manifest", to(f"http://{other.host}/m", kind_of="manifest"), lambda h, k, n: h.reply(
            200, IMAGE.manifest, [("Content-Type", MANIFEST)]) or True, None),
    ]
    for name, first, second, words in pick(rows, number):
        def run(before, first=first, second=second, words=words):
            registry.put(IMAGE)
            registry.rules.append(first)
            other.rules.append(second)
            result = pull()
            if words is None:
                succeeded(result)
                expect(other.seen, "the other server was not asked")
            else:
                failed(result, words, seconds=15)
                unchanged(before)
        case(f"redirect {name}", run)


# --- who asks for a password, and who gets it

SECRET, WRONG = "s3cret-of-ann", "wr0ng-of-ann"


def basic(password):
    return "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()


class Door:
    """What the registry and its token server ask for."""

    def __init__(self, challenge, token, blob_elsewhere):
        self.challenge, self.token, self.blob_elsewhere = challenge, token, blob_elsewhere
        self.tried = 0

    def registry(self, h, kind, name):
        wanted = {"basic": basic(SECRET), "none": None}.get(self.challenge, "Bearer good")
        if wanted and h.headers.get("Authorization") != wanted:
            realm = f"http://{tokens.host}/token"
            header = {
                "basic": 'Basic realm="r"',
                "bearer": f'Bearer realm="{realm}",service="s",scope="repository:r:pull"',
                "bearer-bare": f'bearer realm="{realm}"',
                "both": f'Basic realm="r", Bearer realm="{realm}",service="s"',
                "same-host": f'Bearer realm="http://{registry.host}/token"',
                "garbage": 'Bearer realm="',
                "no-realm": 'Bearer service="s"',
                "ftp": 'Bearer realm="ftp://127.0.0.1/token"',
                "unknown": 'Negotiate',
            }[self.challenge]
            if h.path.startswith("/token"):
                return self.give(h)
            h.reply(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}', [("WWW-Authenticate", header)])
            return True
        if kind == "blob" and self.blob_elsewhere:
            h.reply(307, b"", [("Location", f"http://{other.host}/cdn/{name}")])
            return True
        return None

    def give(self, h):
        self.tried += 1
        known = h.headers.get("Authorization") == basic(SECRET) or b"refresh_token=id-token" in h.body
        if self.token == "anonymous":
            known = True
        answers = {
            "401": (401, b"{}"), "403": (403, b'{"details":"no"}'), "500": (500, b""),
            "garbage": (200, b"<html>"), "empty": (200, b"{}"), "newline": (200, b'{"token":"a\\r\\nX: y"}'),
            "redirect": (302, b""),
        }
        if self.token == "500-once" and self.tried == 1:
            h.reply(500)
        elif self.token in answers:
            h.reply(*answers[self.token], [("Location", f"http://{other.host}/steal")])
        elif not known:
            h.reply(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}')
        else:
            key = "access_token" if self.token == "access" else "token"
            h.reply(200, json.dumps({key: "good", "expires_in": 60}).encode())
        return True

    def works(self, credentials):
        right = credentials in ("right", "identity")
        if self.challenge == "none":
            return True
        if self.challenge == "basic":
            return credentials == "right"
        if self.challenge in ("garbage", "no-realm", "ftp", "unknown"):
            return False
        return {"ok": right, "access": right, "500-once": right, "anonymous": True}.get(self.token, False)


def no_leak(door, credentials):
    for s in other.seen:
        expect("Authorization" not in s[2], f"the other server saw {s[2].get('Authorization')}")
        expect(b"id-token" not in s[3], "the other server saw the identity token")
    for s in registry.seen:
        sent = s[2].get("Authorization", "")
        expect(sent.startswith("Bearer ") or not sent or door.challenge in ("basic", "same-host"),
               f"the registry saw {sent}, which it had not asked for")
    if door.challenge in ("none", "basic", "same-host", "garbage", "no-realm", "ftp", "unknown"):
        expect(not tokens.seen, "a token server was asked that nobody had named")


def auth(number):
    challenges = ("none", "basic", "bearer", "bearer-bare", "both", "same-host", "garbage", "no-realm", "ftp", "unknown")
    answers = ("ok", "access", "500-once", "anonymous", "401", "403", "500", "garbage", "empty", "newline", "redirect")
    rows = [(c, t, w, e) for c, t, w, e in itertools.product(challenges, answers, ("none", "right", "wrong", "identity"), (0, 1))
            if (t == "ok" or c == "bearer") and (not e or t == "ok")]
    for challenge, token, credentials, elsewhere in pick(rows, number):
        def run(before):
            door = Door(challenge, token, elsewhere)
            registry.put(IMAGE)
            registry.rules.append(door.registry)
            tokens.rules.append(lambda h, kind, name: door.give(h))

            def cdn(h, kind, name):
                if h.path.startswith("/cdn/"):
                    h.blob(IMAGE.blobs[h.path[5:]])
                    return True
                return None
            other.rules.append(cdn)
            entry = {"none": None, "right": {"auth": basic(SECRET)[6:]}, "wrong": {"auth": basic(WRONG)[6:]},
                     "identity": {"auth": basic("")[6:], "identitytoken": "id-token"}}[credentials]
            # others are known, too, and never told
            with open(AUTH, "w") as f:
                json.dump({"auths": {**({registry.host: entry} if entry else {}), other.host: {"auth": basic(WRONG)[6:]}}}, f)
            result = pull()
            if door.works(credentials):
                succeeded(result)
            else:
                failed(result, seconds=15)
                unchanged(before)
            no_leak(door, credentials)
            for secret in (SECRET, WRONG, "id-token"):
                expect(secret not in result[1] + result[2], "a password was printed")
        case(f"{challenge}, token {token}, credentials {credentials}, blobs {'elsewhere' if elsewhere else 'here'}", run)


# --- mutants of manifests, indexes and configs

def mutate(text, rng):
    text = bytearray(text)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(text))
        what = rng.randrange(5)
        if what == 0:
            text[at] = rng.randrange(256)
        elif what == 1:
            del text[at:at + rng.randrange(1, 40)]
        elif what == 2:
            text[at:at] = rng.choice((b'"', b"{", b"}", b",", b"null", b"[]", b"-1", b"1e999", b"\\u0000", b"\x00", b'"":1,'))
        elif what == 3:
            text[at:at] = text[at:at + rng.randrange(1, 60)]
        else:
            text = text[:at] if at > 1 else text
        if not text:
            break
    return bytes(text)


def mutants(number):
    rng = random.Random(7)
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": digest(IMAGE.manifest), "size": len(IMAGE.manifest),
         "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
    for i in range(number):
        def run(before, i=i):
            registry.put(IMAGE)
            kind = i % 3
            if kind == 0:
                registry.put(IMAGE, body=mutate(IMAGE.manifest, rng))
            elif kind == 1:
                registry.put(IMAGE, media_type=INDEX, body=mutate(index, rng))
            else:
                config = mutate(IMAGE.config, rng)
                registry.blobs[digest(config)] = config
                document = {**IMAGE.document, "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)}}
                registry.put(IMAGE, body=json.dumps(document).encode())
            result = pull()
            if result[0] == 0:  # it still says something that makes sense
                expect(ketch("images", "-q")[1], "success without an image")
            else:
                failed(result, seconds=15)
                unchanged(before)
        case(f"mutant {i}", run)


def pick(rows, number):
    rows = list(rows)
    return rows if ALL or number >= len(rows) else [rows[i * len(rows) // number] for i in range(number)]


def draw(rows, number):
    """One of each of `number` equal parts, by the seed."""
    if "/" in ALL:
        first, step = map(int, ALL.split("/"))
        return rows[first::step]
    if ALL or number >= len(rows):
        return rows
    chance = random.Random(SEED)
    ends = [i * len(rows) // number for i in range(number + 1)]
    return [rows[chance.randrange(a, b)] for a, b in zip(ends, ends[1:])]


GROUPS = {"cuts": (cuts, 1000), "stalls": (stalls, 99), "lies": (lies, 99), "redirects": (redirects, 99), "auth": (auth, 999),
          "mutants": (mutants, 400)}


def main():
    function, number = GROUPS[sys.argv[2]]
    ketch("volume", "create", "first")  # who only looks makes no store
    ketch("volume", "rm", "first")
    EMPTY.extend(things())
    function(int(sys.argv[3]) if len(sys.argv) > 3 and not ALL else number)
    for line in failures:
        print(line)
    if failures:
        print(f"MISBEHAVE_SEED={SEED}")
    subprocess.run(["rm", "-rf", DIR], check=True)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
