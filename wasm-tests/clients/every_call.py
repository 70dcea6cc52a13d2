"""Every call of databricks-sdk whose path takes plain names, with made-up arguments. Says how many requests went out, as JSON.

What is answered does not matter here: whoever asks looks at the gateway's records.
"""

import dataclasses
import enum
import faulthandler
import inspect
import io
import json
import os
import sys
import typing

faulthandler.dump_traceback_later(300, exit=True)

given = json.load(sys.stdin)
os.environ["DATABRICKS_HOST"] = "https://" + given["gateway"]
os.environ["DATABRICKS_TOKEN"] = given["token"]
os.environ["DATABRICKS_AUTH_TYPE"] = "pat"
os.environ["REQUESTS_CA_BUNDLE"] = given["authority"]

import requests
from databricks.sdk import WorkspaceClient

sent = 0
send = requests.Session.send


def counted(session, request, **options):
    global sent
    sent += 1
    return send(session, request, **options)


requests.Session.send = counted


def made_up(annotation, depth=0):
    """A value that an annotation takes."""
    if typing.get_origin(annotation) is typing.Union:
        annotation = typing.get_args(annotation)[0]
    plain = {str: "zz", int: 1, float: 1.0, bool: True, dict: {}, list: []}
    if annotation in plain:
        return plain[annotation]
    if typing.get_origin(annotation) in plain:
        return plain[typing.get_origin(annotation)]
    if annotation is typing.BinaryIO:
        return io.BytesIO(b"zz")
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return next(iter(annotation))
    if dataclasses.is_dataclass(annotation) and depth < 5:
        return annotation(**arguments(annotation.__init__, depth + 1))
    raise LookupError(annotation)


def arguments(function, depth=0):
    """What a function must be given. The SDK's own modules know the names in its annotations."""
    hints = typing.get_type_hints(function, vars(sys.modules[function.__module__]))
    taken = inspect.signature(function).parameters.values()
    required = (one for one in taken if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))
    # The Files API names whole paths.
    of_path = {"directory_path": "/zz", "file_path": "/zz"}
    return {one.name: of_path.get(one.name) or made_up(hints[one.name], depth) for one in required if one.name != "self"}


def takes_plain_names(method):
    """A path of a resource name (`projects/p/branches/b`) takes no other than such."""
    source = inspect.getsource(method)
    return ".do(" in source and "{name}" not in source and "{parent}" not in source and "_object_type" not in source and "{session_store}" not in source


def call(method):
    try:
        answer = method(**arguments(method))
        if inspect.isgenerator(answer):
            next(answer, None)
    except Exception:
        # The answer is made up as well. Whether a request went out, the count tells.
        pass


workspace = WorkspaceClient()
# Services are properties, and in the oldest SDK plain members.
apis = {}
for name in dir(workspace):
    api = getattr(workspace, name, None)
    if type(api).__module__.startswith("databricks.sdk.") and type(api).__name__.endswith(("API", "Ext")):
        apis[type(api).__name__] = api
for _, api in sorted(apis.items()):
    for name, function in inspect.getmembers(type(api), inspect.isfunction):
        if not name.startswith("_") and takes_plain_names(function):
            call(getattr(api, name))
print(json.dumps({"sent": sent}))
