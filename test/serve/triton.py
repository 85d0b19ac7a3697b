"""Asks a service by Triton's own client, with what it does when it is told nothing: binary tensors both ways."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
rows = np.array([[9, 3, 4, 1], [1, 1, 1, 9]], dtype=np.float64)


def infer(binary, **more):
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return client.infer("iris", [tensor], **more)


def outputs(binary):
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in ("class", "probabilities")]


def labels(result):
    return [label.decode() if isinstance(label, bytes) else label for label in result.as_numpy("class")]


found = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready("iris"),
    "none_ready": client.is_model_ready("none"),
    "server": client.get_server_metadata()["name"],
    "inputs": client.get_model_metadata("iris")["inputs"],
    "default": labels(infer(True)),
    "json": labels(infer(False, outputs=outputs(False))),
    "binary": labels(infer(True, outputs=outputs(True), request_id="7")),
    "id": infer(True, request_id="7").get_response()["id"],
    "sums": infer(True, outputs=outputs(True)).as_numpy("probabilities").sum(axis=1).round(9).tolist(),
}
users = triton.InferInput("user", [2], "BYTES")
users.set_data_from_numpy(np.array(["u1", "nobody"], dtype=object))
top = client.infer("films", [users], parameters={"count": 3, "known": True})
found["known"] = top.as_numpy("known").tolist()
found["shape"] = list(top.as_numpy("items").shape)
try:
    client.infer("none", [users])
except InferenceServerException as error:
    found["error"] = error.message()
print(json.dumps(found))
