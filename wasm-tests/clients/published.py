"""The calls of databricks-ai-search, databricks-agents and databricks-feature-engineering, as the packages make them. Says how many
requests went out, as JSON.

What is answered does not matter here: whoever asks looks at the gateway's records.
"""

import faulthandler
import importlib.abc
import importlib.machinery
import json
import os
import sys
from unittest.mock import MagicMock

faulthandler.dump_traceback_later(120, exit=True)

given = json.load(sys.stdin)
host = "https://" + given["gateway"]
os.environ["DATABRICKS_HOST"] = host
os.environ["DATABRICKS_TOKEN"] = given["token"]
os.environ["DATABRICKS_AUTH_TYPE"] = "pat"
os.environ["REQUESTS_CA_BUNDLE"] = given["authority"]


class NoSpark(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Feature Engineering imports Spark, which its calls over HTTP do without."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("py4j", "pyspark"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__name__, module.__spec__ = [], spec.name, spec
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, NoSpark())

import pyspark
import pyspark.sql
import requests

pyspark.TaskContext.get.return_value = None
pyspark.sql.SparkSession.getActiveSession.return_value = None
sent = 0
send = requests.Session.send


def counted(session, request, **options):
    global sent
    sent += 1
    return send(session, request, **options)


requests.Session.send = counted

from databricks.agents.client import rest_client as agents
from databricks.ai_search.client import AISearchClient
from databricks.ai_search.index import AISearchIndex
from databricks.ml_features._catalog_client import _catalog_client as features
from databricks.ml_features._databricks_client._databricks_client import DatabricksClient
from databricks.ml_features.utils import request_context
from databricks.rag_eval.clients.managedevals import managed_evals_client as evaluations
from mlflow.utils.rest_utils import MlflowHostCreds


def index(by_endpoint):
    """An index at the address that the service gives it: by its name alone, or below its endpoint."""
    base = f"{host}/api/2.0/vector-search"
    address = f"{base}/endpoints/e/indexes/c.s.i" if by_endpoint else f"{base}/indexes/c.s.i"
    made = AISearchIndex(workspace_url=host, index_url=address, name="c.s.i", endpoint_name="e", personal_access_token=given["token"])
    made.index_url = address
    return made


def message(kind):
    return kind(name="n") if "name" in kind.DESCRIPTOR.fields_by_name else kind()


search = AISearchClient(workspace_url=host, personal_access_token=given["token"], disable_notice=True)
credentials = MlflowHostCreds(host, token=given["token"])
catalog = features.CatalogClient(lambda *_: credentials)
others = DatabricksClient(lambda *_: credentials)
context = request_context.RequestContext(request_context.GET_FEATURE_TABLE, request_context.FEATURE_ENGINEERING_CLIENT)

calls = [
    lambda: search.create_endpoint("e"),
    lambda: search.get_endpoint("e"),
    lambda: search.list_endpoints(),
    lambda: search.delete_endpoint("e"),
    lambda: search.list_indexes("e"),
    lambda: search.get_index("e", "c.s.i"),
    lambda: search.get_index(index_name="c.s.i"),
    lambda: search.delete_index("e", "c.s.i"),
    lambda: search.delete_index(index_name="c.s.i"),
    lambda: search.create_direct_access_index("e", "c.s.i", "id", {"id": "int", "v": "array<float>"}, 2, "v"),
    lambda: search.create_delta_sync_index("e", "c.s.i", "id", "c.s.t", "TRIGGERED", 2, "v"),
    lambda: search.update_endpoint_budget_policy("e", "p"),
    lambda: agents.deploy_chain("m", 1, "q", "e", "s", host),
    lambda: agents.list_chain_deployments(),
    lambda: agents.get_chain_deployments("m"),
    lambda: agents.get_chain_deployments("m", 1),
    lambda: agents.delete_chain("m"),
    lambda: agents.delete_chain("m", 1),
    lambda: agents.create_review_artifacts("m", ["a"]),
    lambda: agents.get_review_artifacts("m"),
    lambda: agents.set_review_instructions("m", "i"),
    lambda: agents.get_review_instructions("m"),
    lambda: evaluations.ManagedEvalsClient().list_review_apps("f"),
    lambda: others.take_notebook_snapshot("/n"),
    lambda: others.delete_uc_function("c.s.f"),
]
for by_endpoint in (False, True):
    one = index(by_endpoint)
    calls += [
        one.describe,
        one.sync,
        one.scan,
        lambda one=one: one.upsert([{"id": 1, "v": [1.0, 2.0]}]),
        lambda one=one: one.delete(["1"]),
        lambda one=one: one.similarity_search(columns=["id"], query_vector=[1.0, 2.0]),
    ]
calls += [lambda api=api: catalog._call_endpoint(api, message(api), context) for api in features._METHOD_TO_INFO]
for call in calls:
    try:
        call()
    except Exception as error:
        # The answer is made up. Whether a request went out, the count tells.
        if given.get("tell"):
            print(type(error).__name__, str(error)[:200], file=sys.stderr)
print(json.dumps({"sent": sent}))
