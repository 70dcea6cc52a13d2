"""People and machines that get tokens at a real identity provider and use a real MLflow server behind the gateway, as JSON lines."""

import base64
import hashlib
import http.client
import json
import os
import re
import secrets
import sys
import urllib.parse

given = json.load(sys.stdin)
os.environ["DATABRICKS_HOST"] = given.get("scheme", "https") + "://" + given["gateway"]
os.environ["DATABRICKS_AUTH_TYPE"] = "pat"
if "authority" in given:
    os.environ["REQUESTS_CA_BUNDLE"] = given["authority"]
os.environ["MLFLOW_ENABLE_DB_SDK"] = "false"


class Issuer:
    """The provider, and the cookies that a browser would keep."""

    def __init__(self):
        self.cookies = {}

    def send(self, method, url, form=None):
        target = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(given["issuer"])
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
        path = target.path + ("?" + target.query if target.query else "")
        connection.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                name, value = value.split(";")[0].split("=", 1)
                self.cookies[name] = value
        return answer.getheader("location"), answer.read().decode()

    def token(self, form):
        return json.loads(self.send("POST", "/token", form)[1])["access_token"]

    def machine(self, name, scope):
        secret = name + "-secret-of-the-demonstration"
        return self.token({"grant_type": "client_credentials", "client_id": name, "client_secret": secret, "scope": scope})

    def person(self, name, scope):
        """Authorization code with PKCE: what a browser does when somebody signs in and agrees."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        redirect = "http://127.0.0.1/callback"
        query = {
            "client_id": "notebook", "response_type": "code", "redirect_uri": redirect, "scope": "openid " + scope,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }
        location, _ = self.send("GET", "/auth?" + urllib.parse.urlencode(query))
        while not location.startswith(redirect):
            if "/interaction/" in location:
                _, page = self.send("GET", location)
                prompt = re.search(r'name="prompt" value="(\w+)"', page).group(1)
                location, _ = self.send("POST", location, {"prompt": prompt, "login": name, "password": "any"})
            else:
                location, _ = self.send("GET", location)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": "notebook", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        return self.token(form)


def outcome(title, want, call):
    try:
        got = call()
    except Exception as error:
        code = getattr(error, "error_code", None)
        got = f"{type(error).__name__} {code}" if code else f"{type(error).__name__}: {error}"
    print(json.dumps({"title": title, "want": want, "got": str(got)}), flush=True)


import mlflow
from databricks.sdk import WorkspaceClient
from mlflow import MlflowClient


def run_of(token):
    os.environ["DATABRICKS_TOKEN"] = token
    client = MlflowClient("databricks")
    experiment = client.create_experiment("/Shared/" + secrets.token_hex(4))
    run = client.create_run(experiment)
    client.log_param(run.info.run_id, "depth", 3)
    client.log_metric(run.info.run_id, "loss", 0.25)
    client.set_terminated(run.info.run_id)
    return client.get_run(run.info.run_id).data.metrics["loss"]


def experiments(token):
    os.environ["DATABRICKS_TOKEN"] = token
    return len(MlflowClient("databricks").search_experiments()) > 1


training = Issuer().machine("training", "mlflow jobs")
dashboard = Issuer().machine("dashboard", "mlflow")
ada = Issuer().person("ada", "mlflow")
sdk = WorkspaceClient(host=os.environ["DATABRICKS_HOST"], token=ada)

outcome("a machine logs a run (client credentials, MLflow)", "0.25", lambda: run_of(training))
outcome("a person logs a run (code with PKCE, MLflow)", "0.25", lambda: run_of(ada))
outcome("the same person reads it (databricks-sdk)", "True", lambda: any(sdk.experiments.search_experiments(max_results=10)))
outcome("an analyst's machine reads", "True", lambda: experiments(dashboard))
outcome("an analyst's machine logs nothing", "RestException PERMISSION_DENIED", lambda: run_of(dashboard))
outcome("a token without the scope", "RestException PERMISSION_DENIED", lambda: run_of(Issuer().machine("training", "jobs")))
outcome("a personal access token", "RestException UNAUTHENTICATED", lambda: run_of("dapi0123456789abcdef0123456789abcdef"))
