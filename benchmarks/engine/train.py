"""The same training in PyTorch: model, batch, optimizer and dtype of Program.cs. Needs python3-torch and libopenblas0 of Debian, nothing else.

usage: train.py CHECKPOINT STEPS [mixed]    mixed: matrix products in bfloat16 by autocast, weights and optimizer in fp32
"""
import json, math, struct, sys, time
import torch
import torch.nn.functional as F

ROWS, LENGTH, WARM = 32, 64, 5
torch.set_num_threads(1)
folder, steps, mixed = sys.argv[1], int(sys.argv[2]), "mixed" in sys.argv
config = json.load(open(f"{folder}/config.json"))
L, H, KV, E = (config[k] for k in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "rms_norm_eps"))
with open(f"{folder}/model.safetensors", "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    body = bytearray(f.read())
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
W = {}
for name, t in header.items():
    if name != "__metadata__":
        a, b = t["data_offsets"]
        W[name] = torch.frombuffer(body[a:b], dtype=DTYPES[t["dtype"]]).view(t["shape"]).float().clone().requires_grad_(True)
D = W["model.embed_tokens.weight"].shape[1] // H
angles = torch.outer(torch.arange(LENGTH).float(), config.get("rope_theta", 10000.0) ** (-torch.arange(0, D, 2).float() / D))
COS, SIN = angles.cos(), angles.sin()
MASK = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)


def norm(x, w):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + E) * w


def rotate(x):
    a, b = x.chunk(2, -1)
    return torch.cat([a * COS - b * SIN, b * COS + a * SIN], -1)


def forward(ids):
    x = F.embedding(ids, W["model.embed_tokens.weight"])
    B, T, _ = x.shape
    for i in range(L):
        p = f"model.layers.{i}."
        h = norm(x, W[p + "input_layernorm.weight"])
        q = rotate(F.linear(h, W[p + "self_attn.q_proj.weight"]).view(B, T, H, D).transpose(1, 2))
        k = rotate(F.linear(h, W[p + "self_attn.k_proj.weight"]).view(B, T, KV, D).transpose(1, 2)).repeat_interleave(H // KV, 1)
        v = F.linear(h, W[p + "self_attn.v_proj.weight"]).view(B, T, KV, D).transpose(1, 2).repeat_interleave(H // KV, 1)
        a = (q @ k.transpose(2, 3) / math.sqrt(D) + MASK).softmax(-1) @ v
        x = x + F.linear(a.transpose(1, 2).reshape(B, T, H * D), W[p + "self_attn.o_proj.weight"])
        h = norm(x, W[p + "post_attention_layernorm.weight"])
        x = x + F.linear(F.silu(F.linear(h, W[p + "mlp.gate_proj.weight"])) * F.linear(h, W[p + "mlp.up_proj.weight"]), W[p + "mlp.down_proj.weight"])
    return norm(x, W["model.norm.weight"])


head = W.get("lm_head.weight", W["model.embed_tokens.weight"])
vocabulary = head.shape[0]
ids = torch.tensor([[(r * 7919 + t * 104729) % vocabulary for t in range(LENGTH)] for r in range(ROWS)])
labels = ids.clone()
labels[:, : LENGTH // 2] = -100
optimizer = torch.optim.AdamW(W.values(), lr=1e-4, weight_decay=0.01, foreach=True)
for step in range(WARM + steps):
    if step == WARM:
        start, cpu = time.perf_counter(), time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        kept = labels[:, 1:] != -100  # only supervised positions go through the head, as in Temper
        logits = F.linear(forward(ids)[:, :-1][kept], head)
    loss = F.cross_entropy(logits.float(), labels[:, 1:][kept])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(W.values(), 1.0)
    optimizer.step()
print(f"what=pytorch-{torch.__version__} precision={'Mixed' if mixed else 'Float32'} ms_per_step={(time.perf_counter() - start) * 1000 / steps:.1f} cpu_ms_per_step={(time.process_time() - cpu) * 1000 / steps:.1f} loss={loss.item():.5f}")
