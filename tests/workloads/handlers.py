"""Asks the handlers of a model: run by ``scripts.py`` on the runner's interpreter, with their folder on the path.

Reads a JSON list of [body, content type, accept, what is fetched] and prints one of [status, content type, text].
"""

import json
import sys

import inference
from sagemaker_containers.beta.framework import worker
from sagemaker_inference.errors import BaseInferenceToolkitError

FETCH = getattr(inference, "fetch", None)


def answer(model, body, content_type, accept, fetched):
    """Ask once, as the toolkits do: what is raised with a status, or returned with one, is the answer."""
    inference.fetch = FETCH if fetched is None else lambda _: fetched.encode("latin-1")
    try:
        data = inference.input_fn(body.encode("latin-1"), content_type)
        result = inference.output_fn(inference.predict_fn(data, model), accept)
    except BaseInferenceToolkitError as error:
        return [error.status_code, "text/plain", error.message]
    if isinstance(result, worker.Response):
        return [result.status, result.mimetype, result.response]
    return [200, result[1], result[0]]


def main():
    """Answer everything with one model, as an endpoint does."""
    model = inference.model_fn(sys.argv[1])
    print(json.dumps([answer(model, *request) for request in json.load(sys.stdin)]))


main()
