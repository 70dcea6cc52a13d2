"""What databricks-sdk makes of a gateway that exchanges tokens itself, signing in by workload identity federation, as JSON."""

import faulthandler
import json
import os
import sys

faulthandler.dump_traceback_later(120, exit=True)

given = json.load(sys.stdin)
os.environ["DATABRICKS_HOST"] = "https://" + given["gateway"]
os.environ["DATABRICKS_AUTH_TYPE"] = "env-oidc"
os.environ["DATABRICKS_OIDC_TOKEN"] = given["token"]
os.environ["DATABRICKS_CLIENT_ID"] = "service-principal"
# Who signed the gateway's certificate.
os.environ["REQUESTS_CA_BUNDLE"] = given["authority"]

from databricks.sdk import WorkspaceClient


def outcome(call):
    try:
        return {"returned": call()}
    except ValueError as error:
        # What the token endpoint said stands in the middle of what the SDK says.
        text = str(error)
        return {"raised": "invalid_grant" if "invalid_grant: The access token has expired" in text else text}


print(json.dumps(outcome(lambda: [job.settings.name for job in WorkspaceClient().jobs.list()])))
