"""Golden data for tests/labs.rs, with numpy alone: a plain transformer in float64, written apart from the engine.

Run in the repository's root whenever the weights change, with a folder in Hugging Face's layout or a GGUF file:
    python tests/data/reference/labs.py models/story-dense
    python tests/data/reference/labs.py SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2

It writes labs_NAME.json beside itself: head scores on tokens that repeat, losses and the logit lens on them, the same
with other positions, scores over the offset of a rotated pair, and principal components, neighbours and analogies of the
embedding table. Numbers are rounded to seven digits.
"""
import argparse
import hashlib
import json
import pathlib
import struct

import numpy as np

COPY = 24  # tokens in each of the two copies
OFFSETS = list(range(0, 130, 3))
WORDS = ["man", "king", "woman", "queen"]


def read_folder(folder):
    config = json.loads((folder / "config.json").read_text())
    data = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        else:
            values = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).astype(np.float64)
    heads = config["num_attention_heads"]
    sizes = {
        "layers": config["num_hidden_layers"],
        "heads": heads,
        "kv_heads": config.get("num_key_value_heads", heads),
        "d_head": config.get("head_dim", config["hidden_size"] // heads),
        "eps": config["rms_norm_eps"],
        "theta": config["rope_theta"],
    }
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    return sizes, tensors, vocabulary, hashlib.sha256(data).hexdigest()


def read_gguf(path):
    data = path.read_bytes()
    at = 24

    def number(kind):
        nonlocal at
        size = struct.calcsize("<" + kind)
        value = struct.unpack_from("<" + kind, data, at)[0]
        at += size
        return value

    def text():
        nonlocal at
        n = number("Q")
        at += n
        return data[at - n : at].decode("utf-8")

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, n = number("I"), number("Q")
            return [value(inner) for _ in range(n)]
        return number({0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}[kind])

    n_tensors, n_keys = struct.unpack_from("<QQ", data, 8)
    keys = {}
    for _ in range(n_keys):
        key = text()
        keys[key] = value(number("I"))
    entries = []
    for _ in range(n_tensors):
        name = text()
        shape = [number("Q") for _ in range(number("I"))][::-1]
        entries.append((name, shape, number("I"), number("Q")))
    base = -(-at // 32) * 32
    tensors = {name: decode(data, base + offset, shape, kind) for name, shape, kind, offset in entries}

    sizes = {
        "layers": keys["llama.block_count"],
        "heads": keys["llama.attention.head_count"],
        "kv_heads": keys["llama.attention.head_count_kv"],
        "d_head": keys["llama.rope.dimension_count"],
        "eps": keys["llama.attention.layer_norm_rms_epsilon"],
        "theta": keys["llama.rope.freq_base"],
    }
    names = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
        "output.weight": "lm_head.weight",
    }
    parts = {
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    renamed = {}
    for name, values in tensors.items():
        if name.startswith("blk."):
            _, layer, part, _ = name.split(".")
            # Files of this kind store the rows of q and k in pairs that rotate together.
            n = {"attn_q": sizes["heads"], "attn_k": sizes["kv_heads"]}.get(part)
            if n:
                rows = values.reshape(n, values.shape[0] // n // 2, 2, -1)
                values = rows.swapaxes(1, 2).reshape(values.shape)
            renamed[f"model.layers.{layer}.{parts[part]}.weight"] = values
        elif name in names:
            renamed[names[name]] = values
    vocabulary = {token: id for id, token in enumerate(keys["tokenizer.ggml.tokens"])}
    return sizes, renamed, vocabulary, hashlib.sha256(data).hexdigest()


def decode(data, offset, shape, kind):
    n = int(np.prod(shape))
    if kind == 0:
        values = np.frombuffer(data, "<f4", n, offset)
    elif kind == 1:
        values = np.frombuffer(data, "<f2", n, offset)
    elif kind == 8:  # Q8_0: a scale and 32 bytes
        blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "i1", 32)]), n // 32, offset)
        values = blocks["d"].astype(np.float64)[:, None] * blocks["q"]
    elif kind == 3:  # Q4_1: a scale, a least value, and 32 halves of bytes, the low halves first
        blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("m", "<f2"), ("q", "u1", 16)]), n // 32, offset)
        q = np.concatenate([blocks["q"] & 15, blocks["q"] >> 4], axis=1)
        values = blocks["d"].astype(np.float64)[:, None] * q + blocks["m"].astype(np.float64)[:, None]
    else:
        raise SystemExit(f"a tensor of type {kind} cannot be read here")
    return np.asarray(values, np.float64).reshape(shape)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def rotate(x, positions, theta):
    """x is [T, heads, d]; dimension i turns with dimension i + d/2."""
    d = x.shape[-1]
    angles = np.asarray(positions, np.float64)[:, None] * theta ** (-2.0 * np.arange(d // 2) / d)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    a, b = x[..., : d // 2], x[..., d // 2 :]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


class Model:
    def __init__(self, sizes, tensors):
        self.s, self.w = sizes, tensors
        self.embed = tensors["model.embed_tokens.weight"]

    def norm(self, x, name):
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.s["eps"]) * self.w[name + ".weight"]

    def logits(self, x):
        return self.norm(x, "model.norm") @ self.w.get("lm_head.weight", self.embed).T

    def run(self, tokens, positions=None, theta=None, causal=True):
        s = self.s
        t, d, group = len(tokens), s["d_head"], s["heads"] // s["kv_heads"]
        positions = np.arange(t) if positions is None else positions
        theta = theta or s["theta"]
        mask = np.triu(np.full((t, t), -np.inf), 1) if causal else np.zeros((t, t))
        x = self.embed[tokens]
        out = {"resid": [x], "pattern": [], "q": [], "k": [], "scaled": []}
        for layer in range(s["layers"]):
            name = f"model.layers.{layer}."
            h = self.norm(x, name + "input_layernorm")
            q, k, v = (
                (h @ self.w[f"{name}self_attn.{part}_proj.weight"].T).reshape(t, -1, d) for part in ("q", "k", "v")
            )
            rotated_q, rotated_k = rotate(q, positions, theta), rotate(k, positions, theta)
            scaled = np.einsum("qhd,khd->hqk", rotated_q, rotated_k.repeat(group, axis=1)) / np.sqrt(d)
            pattern = softmax(scaled + mask)
            z = np.einsum("hqk,khd->qhd", pattern, v.repeat(group, axis=1)).reshape(t, -1)
            x = x + z @ self.w[name + "self_attn.o_proj.weight"].T
            h = self.norm(x, name + "post_attention_layernorm")
            gate = h @ self.w[name + "mlp.gate_proj.weight"].T
            up = h @ self.w[name + "mlp.up_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ self.w[name + "mlp.down_proj.weight"].T
            for key, value in (("resid", x), ("pattern", pattern), ("q", q), ("k", k), ("scaled", scaled)):
                out[key].append(value)
        out["logits"] = self.logits(x)
        return out


def losses(logits, tokens):
    """−ln p of each token after the first."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -log_p[np.arange(len(tokens) - 1), tokens[1:]]


def head_scores(patterns, tokens):
    places = {
        "previous-token": [[i - 1] for i in range(len(tokens))],
        "duplicate-token": [[k for k in range(i) if tokens[k] == t] for i, t in enumerate(tokens)],
        "induction": [[k for k in range(1, i) if tokens[k - 1] == t] for i, t in enumerate(tokens)],
        "first-token": [[0] for _ in tokens],
        "current-token": [[i] for i in range(len(tokens))],
    }
    scores = {}
    for kind, rows in places.items():
        rows = [(i, keys) for i, keys in enumerate(rows) if i > 0 and keys]
        scores[kind] = [[np.mean([head[i, keys].sum() for i, keys in rows]) for head in layer] for layer in patterns]
    return scores


def top(values, n):
    order = np.argsort(-values, kind="stable")[:n]
    return [[int(i), float(values[i])] for i in order]


def geometry(table, vocabulary):
    mean = table.mean(axis=0)
    centred = table - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(table))
    order = np.argsort(-variances)
    axes = axes[:, order[:3]].T
    axes *= np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])[:, None]
    near, places = {}, {}
    for token in [300, 500, 700]:
        places[token] = axes @ centred[token]
        near[token] = {}
        for name, space in (("raw", table), ("centred", centred)):
            x = space[token]
            dot = space @ x
            cosine = dot / np.maximum(np.linalg.norm(space, axis=1) * np.linalg.norm(x), 1e-300)
            distance = np.linalg.norm(space - x, axis=1)
            lists = {}
            for measure, values, sign in (("cosine", cosine, 1), ("dot", dot, 1), ("distance", distance, -1)):
                found = top(sign * np.where(np.arange(len(table)) == token, -np.inf * sign, values), 6)
                lists[measure] = [[id, sign * value] for id, value in found if id != token][:5]
            near[token][name] = lists
    ids = [vocabulary["Ġ" + word] for word in WORDS]
    a, b, c, d = ids
    analogy = {}
    for name, space, origin in (("raw", table, 0.0), ("centred", centred, mean)):
        point = table[b] - table[a] + table[c] - origin
        lengths = np.linalg.norm(space, axis=1) * np.linalg.norm(point)
        values = (space @ point) / np.maximum(lengths, 1e-300)
        left = np.delete(np.arange(len(table)), [a, b, c])
        analogy[name] = {
            "value": values[d],
            "rank": 1 + int((values[left] > values[d]).sum()),
            "rank_among_all": 1 + int((values > values[d]).sum()),
            "nearest": [[int(left[i]), v] for i, v in top(values[left], 5)],
            "nearest_of_all": top(values, 5),
        }
    shares = variances[order] / variances.sum()
    return {"shares": shares[:4], "places": places, "near": near, "words": WORDS, "analogy": analogy}


def positions(model, tokens):
    s = model.s
    plain = model.run(tokens)
    layer, head = s["layers"] // 2, 1
    query, key = len(tokens) - 1, COPY - 2
    q = plain["q"][layer][query, head]
    k = plain["k"][layer][key, head // (s["heads"] // s["kv_heads"])]
    score = lambda m, n: float(
        (rotate(q[None, None], [m], s["theta"]) @ rotate(k[None, None], [n], s["theta"]).swapaxes(1, 2))[0, 0, 0]
        / np.sqrt(s["d_head"])
    )
    changed = {
        "as-trained": plain,
        "off": model.run(tokens, positions=np.zeros(len(tokens))),
        "shifted-100": model.run(tokens, positions=np.arange(len(tokens)) + 100),
        "base-times-4": model.run(tokens, theta=4 * s["theta"]),
    }
    effects = {
        name: {"loss": losses(run["logits"], tokens).mean(), "top": top(run["logits"][-1], 3)}
        for name, run in changed.items()
    }
    return {
        "layer": layer,
        "head": head,
        "query": query,
        "key": key,
        "offsets": OFFSETS,
        "scores": [score(offset, 0) for offset in OFFSETS],
        "shifted": [score(offset + 100, 100) for offset in OFFSETS],
        "row": changed["shifted-100"]["scaled"][layer][head, query],
        "effects": effects,
    }


def short(x):
    if isinstance(x, dict):
        return {str(key): short(value) for key, value in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [short(value) for value in x]
    return float(f"{x:.7g}") if isinstance(x, (float, np.floating)) else x


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--name")
    options = parser.parse_args()
    read = read_folder if options.model.is_dir() else read_gguf
    sizes, tensors, vocabulary, sha256 = read(options.model)
    model = Model(sizes, tensors)
    # Any tokens do; these are spread over the vocabulary and differ from each other.
    first = [200 + (i * 7919 + i * i * 31) % (len(model.embed) - 200) for i in range(COPY)]
    tokens = first + first
    run = model.run(tokens)
    all_losses = losses(run["logits"], tokens)
    lens = [[top(model.logits(x[at : at + 1])[0], 3) for at in (COPY, 2 * COPY - 1)] for x in run["resid"]]
    golden = {
        "sha256": sha256,
        "tokens": tokens,
        "copy": COPY,
        "heads": head_scores(run["pattern"], tokens),
        "loss": {"first": all_losses[: COPY - 1].mean(), "second": all_losses[COPY:].mean()},
        "lens_positions": [COPY, 2 * COPY - 1],
        "lens": lens,
        "positions": positions(model, tokens),
        "table": geometry(model.embed, vocabulary),
    }
    name = options.name or options.model.name
    out = pathlib.Path(__file__).parent / f"labs_{name}.json"
    out.write_text(json.dumps(short(golden), separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"') + "\n")
    print(out, out.stat().st_size, "bytes")


main()
