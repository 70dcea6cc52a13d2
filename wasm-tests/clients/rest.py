"""What databricks-sdk and mlflow make of the gateway's answers, as JSON: for each call what it returns, or what it raises."""

import faulthandler
import json
import os
import sys

# Both clients can wait for minutes: better a stack trace than a silent test.
faulthandler.dump_traceback_later(120, exit=True)

given = json.load(sys.stdin)
os.environ["DATABRICKS_HOST"] = "https://" + given["gateway"]
os.environ["DATABRICKS_TOKEN"] = given["token"]
os.environ["DATABRICKS_AUTH_TYPE"] = "pat"
# Who signed the gateway's certificate.
os.environ["REQUESTS_CA_BUNDLE"] = given["authority"]

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from mlflow import MlflowClient
from mlflow.exceptions import RestException


def outcome(call):
    try:
        return {"returned": call()}
    except DatabricksError as error:
        info = error.get_error_details().error_info
        return {
            "raised": name(error),
            "message": without_configuration(str(error)),
            "error_code": error.error_code,
            "info": [info.domain, info.reason, "decision_id" in info.metadata],
        }
    except RestException as error:
        # Of MLflow's two HTTP clients the one over the SDK keeps code and message alone.
        details = error.json.get("details")
        return {
            "raised": name(error),
            "message": without_configuration(error.message),
            "error_code": error.error_code,
            "info": details and [details[0]["domain"], details[0]["reason"], "decision_id" in details[0]["metadata"]],
        }


def without_configuration(message):
    """The SDK says behind a 401 or 403 which host and variables it used."""
    return message.split(" Config: ")[0]


def name(error):
    return f"{type(error).__module__}.{type(error).__name__}"


def experiments(with_sdk):
    os.environ["MLFLOW_ENABLE_DB_SDK"] = str(with_sdk).lower()
    return [found.name for found in MlflowClient("databricks").search_experiments()]


workspace = WorkspaceClient()
calls = {
    "jobs.list": lambda: [job.settings.name for job in workspace.jobs.list()],
    "jobs.run_now": lambda: workspace.jobs.run_now(job_id=1).run_id,
    "current_user.me": lambda: workspace.current_user.me().user_name,
    "mlflow with the SDK": lambda: experiments(with_sdk=True),
    "mlflow alone": lambda: experiments(with_sdk=False),
}
print(json.dumps({name: outcome(call) for name, call in calls.items()}))
