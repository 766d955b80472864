"""What schemathesis has to be told of Houston."""

import json
from pathlib import Path

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation

USERS = [user["fixedHeaders"][0]["value"] for user in json.loads(Path("users.json").read_text())["auth"]]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Ends another session of the user than the one that the run goes on with."""
    authorization = (case.headers or {}).get("Authorization")
    if case.method != "DELETE" or authorization not in USERS:
        return

    def sessions(method, **body):
        url, headers = f"{case.operation.base_url}/api/sessions", {"Authorization": authorization}
        answer = requests.request(method, url, headers=headers, timeout=20, **body)
        answer.raise_for_status()
        return answer.json()

    if case.path == "/api/session":
        case.headers["Authorization"] = "Bearer " + sessions("POST", json={"name": "signs out"})["token"]
    elif case.path == "/api/sessions/{id}":
        own = [session["id"] for session in sessions("GET")["sessions"] if session["current"]]
        if case.path_parameters.get("id") in own:
            case.path_parameters["id"] = sessions("POST", json={"name": "is ended"})["session"]["id"]


@schemathesis.hook
def filter_case(context, case):
    """Leaves parts of forms out whose names have controls: a part's head cannot have them."""
    body = case.body if case.media_type == "multipart/form-data" else None
    return not isinstance(body, dict) or all(str(name).isprintable() for name in body)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Takes any text for a text: what is of another type in JSON is not in a form."""
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY)
    is_text = is_wrong and case.media_type != "application/json"
    return not (is_text and isinstance(failure, AcceptedNegativeData))
