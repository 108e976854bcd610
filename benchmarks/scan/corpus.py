"""Writes the benign files that the scan is timed on."""
import json, os, pickle, struct, sys
from collections import OrderedDict

root = sys.argv[1]


def safetensors(path, tensors, body):
    header, at = {}, 0
    for name, shape, length in tensors:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for block in body:
            f.write(block)


def weights(length):  # BF16 between 0.0078 and 0.125, either sign
    block = bytearray(os.urandom(length))
    block[1::2] = os.urandom(length // 2).translate(bytes([0x3C, 0x3D, 0xBC, 0xBD][i % 4] for i in range(256)))
    return bytes(block)


for folder in ("empty", "small", "shards"):
    os.makedirs(f"{root}/{folder}", exist_ok=True)
for i in range(2000):
    with open(f"{root}/small/{i}.pkl", "wb") as f:
        pickle.dump({"name": f"m{i}", "w": OrderedDict((str(j), [j] * 5) for j in range(12))}, f, 4)
with open(f"{root}/opcodes.pkl", "wb") as f:
    pickle.dump({i: [i, i * 2, str(i % 1000), (i % 7, i % 11)] for i in range(700000)}, f, 2)
with open(f"{root}/blob.pkl", "wb") as f:
    pickle.dump(os.urandom(64 << 20), f, 4)
safetensors(f"{root}/model.safetensors", [(f"layer.{i}", [4096, 8192], 64 << 20) for i in range(16)], (weights(64 << 20) for _ in range(16)))
index = {}
for shard in range(141):
    name = f"model-{shard + 1:05}-of-00141.safetensors"
    tensors = [(f"model.layers.{shard}.{i}.weight", [8, 8], 128) for i in range(600)]
    safetensors(f"{root}/shards/{name}", tensors, [weights(128 * 600)])
    index.update({t[0]: name for t in tensors})
with open(f"{root}/shards/model.safetensors.index.json", "w") as f:
    json.dump({"metadata": {"total_size": 141 * 600 * 128}, "weight_map": index}, f)
