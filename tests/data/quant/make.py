"""Writes golden.json: some blocks of every encoding, and what the gguf package decodes them to.

    pip install gguf numpy && python make.py

Bytes are random but for the scales, which are ordinary numbers: random ones would be NaN or huge.
"""
import json
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q

# Encoding, weights in a block, bytes in a block, where its f16 scales stand.
ENCODINGS = [("F16", 1, 2, None), ("BF16", 1, 2, None), ("Q4_0", 32, 18, [0]), ("Q4_1", 32, 20, [0, 2]),
             ("Q5_0", 32, 22, [0]), ("Q5_1", 32, 24, [0, 2]), ("Q8_0", 32, 34, [0]), ("Q4_K", 256, 144, [0, 2]),
             ("Q5_K", 256, 176, [0, 2]), ("Q6_K", 256, 210, [208])]
random = np.random.default_rng(20261124)
out = {}
for name, n, size, scales in ENCODINGS:
    if scales is None:
        x = random.normal(size=64).astype(np.float32)
        data = gguf.quantize(x, getattr(Q, name)).view(np.uint8).reshape(-1)
    else:
        data = random.integers(0, 256, (2, size), dtype=np.uint8)
        for at in scales:
            data[:, at:at + 2] = random.normal(size=(2, 1)).astype(np.float16).view(np.uint8)
        data = data.reshape(-1)
    back = gguf.dequantize(data, getattr(Q, name)).reshape(-1).astype(np.float32)
    out[name] = dict(bytes=data.tobytes().hex(), bits=back.tobytes().hex())
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in out.items()) + "\n}\n")
