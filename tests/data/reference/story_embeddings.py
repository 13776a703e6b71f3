"""Golden data for tests/meaning.rs, from the embedding table of models/story-dense with numpy alone.

Run in the repository's root whenever the weights change:
    python tests/data/reference/story_embeddings.py
"""
import json
import struct

import numpy as np

with open("models/story-dense/model.safetensors", "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    body = file.read()
entry = header["model.embed_tokens.weight"]
raw = body[entry["data_offsets"][0] : entry["data_offsets"][1]]
kinds = {"F32": "<f4", "F16": "<f2"}
if entry["dtype"] == "BF16":
    table = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
else:
    table = np.frombuffer(raw, kinds[entry["dtype"]])
table = table.reshape(entry["shape"]).astype(np.float64)

centred = table - table.mean(axis=0)
_, singular, axes = np.linalg.svd(centred, full_matrices=False)
variances = singular**2
axes = axes[:3] * np.sign(axes[:3][np.arange(3), np.abs(axes[:3]).argmax(axis=1)])[:, None]
tokens = [300, 500, 700]
near = {}
for token in tokens:
    x = table[token]
    dot = table @ x
    cosine = dot / (np.linalg.norm(table, axis=1) * np.linalg.norm(x))
    distance = np.linalg.norm(table - x, axis=1)
    order = [[int(i) for i in np.argsort(key, kind="stable") if i != token][:5] for key in (-cosine, -dot, distance)]
    values = [[float(v[i]) for i in ids] for v, ids in zip((cosine, dot, distance), order)]
    near[token] = {"ids": order, "values": values, "place": (axes @ centred[token]).tolist()}
with open("tests/data/reference/story_embeddings.json", "w") as file:
    json.dump({"shares": (variances[:3] / variances.sum()).tolist(), "near": near}, file, indent=1)
    file.write("\n")
