"""What databricks-mcp makes of the gateway's answers, as JSON: for each call what it returns, or what it raises."""

import faulthandler
import json
import os
import sys

# Clients can wait for minutes: better a stack trace than a silent test.
faulthandler.dump_traceback_later(120, exit=True)

given = json.load(sys.stdin)
gateway = os.environ["DATABRICKS_HOST"] = "https://" + given["gateway"]
os.environ["DATABRICKS_TOKEN"] = given["token"]
os.environ["DATABRICKS_AUTH_TYPE"] = "pat"
# Who signed the gateway's certificate, for its two HTTP clients.
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = given["authority"]

from databricks_mcp import DatabricksMCPClient
from databricks_mcp.connector import discover_protected_resource_metadata

server = gateway + "/api/2.0/mcp/functions/main/tools"
client = DatabricksMCPClient(server)


def outcome(call):
    try:
        return {"returned": call()}
    except Exception as error:
        return {"raised": [f"{type(cause).__module__}.{type(cause).__name__}: {cause}" for cause in causes(error)]}


def causes(error):
    """The error itself, or what a group of them has inside."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in causes(inner)]
    return [error]


calls = {
    "list_tools": lambda: [tool.name for tool in client.list_tools()],
    "call_tool": lambda: client.call_tool("main__tools__add", {"a": 20, "b": 22}).content[0].text,
    "get_databricks_resources": lambda: [resource.name for resource in client.get_databricks_resources()],
    "discover": lambda: discover_protected_resource_metadata(server)[0],
}
print(json.dumps({name: outcome(call) for name, call in calls.items()}))
