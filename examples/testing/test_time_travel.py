"""What takes hours takes a moment: the cluster's clock is turned."""

import pytest

HOUR = 3600
EVERY_HOUR = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: "0 * * * *"
  successfulJobsHistoryLimit: 10
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: report, image: "report:1", command: [sleep, "60"]}]
"""
KEPT_FOR_TWO_HOURS = """
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  ttlSecondsAfterFinished: 7200
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "main:1"}]
"""


@pytest.mark.cluster(virtual_clock=True)
def test_three_hours_of_a_cron_job(cluster):
    cluster.apply(EVERY_HOUR)
    cluster.clock.advance(3 * HOUR)
    jobs = cluster.client.list("jobs.batch", "default")
    assert len(jobs) == 3
    cluster.clock.advance(61)
    for job in jobs:
        cluster.until("jobs.batch", job["metadata"]["name"], lambda j: j["status"].get("succeeded") == 1)


@pytest.mark.cluster(virtual_clock=True)
def test_a_finished_job_is_gone_two_hours_later(cluster):
    cluster.apply(KEPT_FOR_TWO_HOURS)
    cluster.until("jobs.batch", "once", lambda job: job["status"].get("succeeded") == 1)
    cluster.clock.advance(HOUR)
    assert cluster.client.find("jobs.batch", "once", "default")
    cluster.clock.advance(HOUR + 1)
    cluster.until_gone("jobs.batch", "once")
