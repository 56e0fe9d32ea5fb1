"""Events for the bus: the samples of events/, dated now, with a task and an address of the deployed example."""

import datetime
import json

from cloud import ACCOUNT, REGION, ROOT

SAMPLE_ADDRESS = "10.0.2.21"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Service:
    """The task and service that the events describe."""

    def __init__(self, cluster, service):
        self.cluster = cluster
        self.service = service

    def event(self, source, sample, task, address, **changes):
        """An entry for PutEvents: the sample's detail for this task. A change to None removes the field."""
        text = (ROOT / "events" / sample).read_text()
        detail = json.loads(text.replace(SAMPLE_ADDRESS, address))["detail"]
        name = self.cluster.rpartition("/")[2]
        detail |= {
            "clusterArn": self.cluster,
            "taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{name}/{task}",
            "group": f"service:{self.service}",
        }
        if "stoppingAt" in detail:
            detail["stoppingAt"] = now()
        detail |= changes
        return {"Source": source, "DetailType": "ECS Task State Change", "Detail": json.dumps(detail)}

    def message(self, source, sample, task, address):
        """The message that EventBridge sends for the event."""
        entry = self.event(source, sample, task, address)
        event = json.loads((ROOT / "events" / sample).read_text())
        detail = json.loads(entry["Detail"])
        event |= {"source": source, "account": ACCOUNT, "region": REGION, "time": now(), "resources": [detail["taskArn"]]}
        return json.dumps(event | {"detail": detail})


def put(aws, *entries):
    """Puts events on the bus, and returns their ids."""
    said = aws("events", "put-events", "--entries", json.dumps(entries))
    if said["FailedEntryCount"]:
        raise AssertionError(f"the bus refused an event: {said}")
    return [entry["EventId"] for entry in said["Entries"]]
