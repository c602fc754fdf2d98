#!/usr/bin/env python3
# sign.py - signs an image of a registry with openssl, as `cosign sign --key` does: a payload, and the tag sha256-HEX.sig
#
#	sign.py HOST NAME TAG KEY.pem [AS]	AS: the reference that the payload names; HOST/NAME
import base64
import hashlib
import json
import subprocess
import sys
import urllib.request

host, name, tag, key = sys.argv[1:5]
reference = sys.argv[5] if len(sys.argv) > 5 else f"{host}/{name}"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def ask(method, url, body=None, **headers):
    request = urllib.request.Request(url if "://" in url else f"http://{host}/v2/{name}/{url}", body, headers, method=method)
    return urllib.request.urlopen(request)


def put_blob(data, media_type):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    place = ask("POST", "blobs/uploads/", b"").headers["Location"]
    ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data, **{"Content-Type": "application/octet-stream"})
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


accept = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
manifest = ask("GET", f"manifests/{tag}", Accept=accept).read()
digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
payload = json.dumps({"critical": {"identity": {"docker-reference": reference}, "image": {"docker-manifest-digest": digest},
                                   "type": "cosign container image signature"}, "optional": None}).encode()
signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=payload, stdout=subprocess.PIPE, check=True).stdout
layer = put_blob(payload, "application/vnd.dev.cosign.simplesigning.v1+json")
layer["annotations"] = {"dev.cosignproject.cosign/signature": base64.b64encode(signature).decode()}
config = put_blob(b"{}", "application/vnd.oci.image.config.v1+json")
document = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}).encode()
ask("PUT", f"manifests/{digest.replace(':', '-')}.sig", document, **{"Content-Type": MANIFEST})
