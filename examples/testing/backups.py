"""An operator: for every ``Backup`` there is a CronJob that makes it."""

import os

import kopf
from kubernetes import client, config

BACKUP = ("backups", "example.com")


def cron_job(name, spec):
    copy = {"name": "copy", "image": "backup:1", "args": [spec["of"]]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {
            "schedule": spec["schedule"],
            "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [copy]}}}},
        },
    }


@kopf.on.login()
def login(**context):
    return kopf.login_with_kubeconfig(**context)


@kopf.on.startup()
def connect(settings, **_):
    config.load_kube_config(os.environ.get("KUBECONFIG"))
    settings.posting.enabled = False


@kopf.on.create("example.com", "backups")
def created(name, namespace, spec, **_):
    wanted = cron_job(name, spec)
    kopf.adopt(wanted)
    client.BatchV1Api().create_namespaced_cron_job(namespace, wanted)
    return {"cronJob": name}


@kopf.on.update("example.com", "backups", field="spec.schedule")
def rescheduled(name, namespace, new, **_):
    client.BatchV1Api().patch_namespaced_cron_job(name, namespace, {"spec": {"schedule": new}})
