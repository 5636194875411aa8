"""The few things that are asked of the API server."""

import json
import os
import ssl
import urllib.request
from pathlib import Path
from typing import Any

# ruff: noqa: S310 (it asks one server, whose address it is given)

Json = dict[str, Any]

ACCOUNT = os.environ.get("ACCOUNT_PATH", "/var/run/secrets/kubernetes.io/serviceaccount")
HOST = os.environ.get("KUBERNETES_SERVICE_HOST", "")
SERVER = os.environ.get("API_SERVER", f"https://{HOST}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}")
NAMESPACE = os.environ["NAMESPACE"]
ROLLOUT = os.environ["ROLLOUT"]
CORE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
ROLLOUTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"
MERGE = "application/merge-patch+json"
# Lists of owners are merged by their identity, not replaced.
STRATEGIC_MERGE = "application/strategic-merge-patch+json"


def call(path: str, body: Json | None = None, patch: str | None = None) -> Json:
    """One request to the API server; its token is read anew each time, for it is exchanged now and then."""
    token = Path(ACCOUNT, "token").read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": patch or "application/json"}
    authority = f"{ACCOUNT}/ca.crt"
    context = ssl.create_default_context(cafile=authority) if SERVER.startswith("https") else None
    data = None if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "PATCH" if patch else "POST"
    request = urllib.request.Request(SERVER + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10, context=context) as response:
        answer: Json = json.load(response)
    return answer


def listed(path: str, **labels: str) -> list[Json]:
    selector = ",".join(f"{key.replace('_', '-')}%3D{value}" for key, value in labels.items())
    items: list[Json] = call(f"{path}?labelSelector={selector}" if selector else path)["items"]
    return items


def template_of(template_hash: str) -> tuple[str, Json]:
    """The ReplicaSet that a hash stands for, after its name; both empty where there is none."""
    for replica_set in listed(f"{APPS}/replicasets", rollouts_pod_template_hash=template_hash):
        return replica_set["metadata"]["name"], replica_set
    return "", {}


def ready_pods(template_hash: str) -> int:
    """How many Pods of a version are ready."""
    _, replica_set = template_of(template_hash)
    return int(replica_set.get("status", {}).get("readyReplicas", 0))


def version_of(template_hash: str) -> str:
    """The application's version that a hash stands for."""
    _, replica_set = template_of(template_hash)
    labels = replica_set.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
    return str(labels.get("app.kubernetes.io/version", template_hash))


def annotation_of(template_hash: str, name: str) -> str:
    """What a version's Pods say about themselves: `release`, or `schema-revision` of the database."""
    _, replica_set = template_of(template_hash)
    annotations = replica_set.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
    return str(annotations.get(f"technova.io/{name}", ""))


def serve(service: str, template_hash: str) -> bool:
    """Sends what a Service gets to one version; returns whether it went elsewhere before."""
    path, label = f"{CORE}/services/{service}", "rollouts-pod-template-hash"
    if call(path)["spec"].get("selector", {}).get(label) == template_hash:
        return False
    call(path, {"spec": {"selector": {label: template_hash}}}, MERGE)
    return True


def adopt(objects: list[str], template_hash: str) -> None:
    """Makes a version's configuration live as long as its ReplicaSet does."""
    name, replica_set = template_of(template_hash)
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": name,
        "uid": replica_set["metadata"]["uid"],
    }
    for each in objects:
        call(f"{CORE}/{each}", {"metadata": {"ownerReferences": [owner]}}, STRATEGIC_MERGE)
