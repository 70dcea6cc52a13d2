"""Reads requests of an OpenTelemetry collector, one in hexadecimal on each line, and writes what
their log records say, one JSON object on each line."""

import json
import sys

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest


def plain(value):
    return getattr(value, value.WhichOneof("value"))


for line in sys.stdin:
    request = ExportLogsServiceRequest.FromString(bytes.fromhex(line.strip()))
    for logs in request.resource_logs:
        resource = {item.key: plain(item.value) for item in logs.resource.attributes}
        for scope in logs.scope_logs:
            for record in scope.log_records:
                told = {
                    "service": resource["service.name"],
                    "scope": scope.scope.name,
                    "event": record.event_name,
                    "severity": record.severity_text,
                    "severity_number": record.severity_number,
                    "time": record.time_unix_nano,
                    "observed": record.observed_time_unix_nano,
                    "trace_id": record.trace_id.hex(),
                    "body": plain(record.body),
                    "attributes": {item.key: plain(item.value) for item in record.attributes},
                }
                print(json.dumps(told))
