"""An operator written with kopf runs beside the cluster in the same process."""

from pathlib import Path

import pytest

kopf_testing = pytest.importorskip("kopf.testing")

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: backups, singular: backup, kind: Backup}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [of, schedule]
              properties:
                of: {type: string}
                schedule: {type: string}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
BACKUP = """
apiVersion: example.com/v1
kind: Backup
metadata: {name: nightly}
spec: {of: /srv, schedule: "%s"}
"""


@pytest.fixture
def operator(cluster, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    cluster.apply(DEFINITION)
    cluster.until("customresourcedefinitions.apiextensions.k8s.io", "backups.example.com", is_established)
    program = Path(__file__).with_name("backups.py")
    with kopf_testing.KopfRunner(["run", "--standalone", "-n", "default", str(program)], timeout=20) as runner:
        yield runner
    assert runner.exception is None, runner.output


def is_established(definition):
    conditions = definition.get("status", {}).get("conditions", [])
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def test_a_backup_has_a_cron_job_that_follows_it_and_goes_with_it(cluster, operator):
    cluster.apply(BACKUP % "0 3 * * *")
    made = cluster.until("cronjobs.batch", "nightly", bool)
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Backup"
    cluster.until("backups.example.com", "nightly", lambda b: b.get("status", {}).get("created"))
    cluster.apply(BACKUP % "0 4 * * *")
    cluster.until("cronjobs.batch", "nightly", lambda c: c["spec"]["schedule"] == "0 4 * * *")
    cluster.client.delete("backups.example.com", "nightly", "default")
    cluster.until_gone("cronjobs.batch", "nightly")
