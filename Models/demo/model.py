"""The demonstration model: a small Llama-architecture transformer, its chat form and its GGUF file.

Holds the forward pass used for training and for checking, the Llama 2 chat form as token ids, and
the reading of demo.gguf (weights dequantised from Q8_0, vocabulary rebuilt from the file alone).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

UNK, BOS, EOS = 0, 1, 2


@dataclass(frozen=True)
class Shape:
    vocab: int = 1536
    width: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 4
    hidden: int = 768
    context: int = 512
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self):
        return self.width // self.heads


class RMSNorm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotary_tables(shape):
    """cos and sin, [context, head / 2]; pair i of a head turns by position * base^(-2 i / head)."""
    inverse = shape.rope_base ** (-torch.arange(0, shape.head, 2, dtype=torch.float64) / shape.head)
    angle = torch.outer(torch.arange(shape.context, dtype=torch.float64), inverse)
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    """Turns neighbouring pairs (0,1), (2,3), ... of x [tokens, heads, head]: the order GGUF's llama expects."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width, kv = shape.width, shape.kv_heads * shape.head
        self.attn_norm = RMSNorm(width, shape.epsilon)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, kv, bias=False)
        self.attn_v = nn.Linear(width, kv, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_norm = RMSNorm(width, shape.epsilon)
        self.ffn_gate = nn.Linear(width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, width, bias=False)

    def forward(self, x, cos, sin, layout, past=None):
        x = x + self.attention(self.attn_norm(x), cos, sin, layout, past)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))

    def attention(self, x, cos, sin, layout, past):
        """x [tokens, width]; the layout says which tokens form a sequence, a past holds the keys of one sequence."""
        s = self.shape
        q = rotate(self.attn_q(x).float().view(-1, s.heads, s.head), cos, sin)
        k = rotate(self.attn_k(x).float().view(-1, s.kv_heads, s.head), cos, sin)
        v = self.attn_v(x).view(-1, s.kv_heads, s.head)
        if past is None:
            return self.attn_output(layout.mix(q, k, v))
        if "k" in past:
            k, v = torch.cat((past["k"], k)), torch.cat((past["v"], v))
        past["k"], past["v"] = k, v
        mask = causal_mask(len(q), len(k))
        return self.attn_output(attend(q[None], k[None], v[None], mask)[0])


def causal_mask(queries, keys):
    """[queries, keys], 0 where a query may look, -inf after its own position; the queries are the last of the keys."""
    return torch.full((queries, keys), float("-inf")).triu(keys - queries + 1)


def attend(q, k, v, mask):
    """q [n, time, heads, head], k and v [n, keys, kv heads, head] -> [n, time, width]; query heads share keys in groups."""
    n, time, heads, head = q.shape
    keys, shared = k.shape[1], k.shape[2]
    group = heads // shared
    q = q.transpose(1, 2).reshape(n, shared, group * time, head) / math.sqrt(head)
    scores = (q @ k.permute(0, 2, 3, 1)).float().view(n, shared, group, time, keys)
    weights = scores.add_(mask).softmax(-1).to(v.dtype).view(n, shared, group * time, keys)
    return (weights @ v.transpose(1, 2)).view(n, heads, time, head).transpose(1, 2).reshape(n, time, heads * head)


class Layout:
    """Sequences laid end to end without padding; attention pads them only in groups of similar length."""

    def __init__(self, lengths, groups=6):
        starts = [sum(lengths[:i]) for i in range(len(lengths))]
        self.positions = torch.cat([torch.arange(n) for n in lengths])
        order = sorted(range(len(lengths)), key=lambda i: lengths[i])
        self.groups, places = [], []
        size = -(-len(order) // groups)
        for part in (order[i:i + size] for i in range(0, len(order), size)):
            longest = lengths[part[-1]]
            # Beyond its end a sequence repeats its last token: causal masks keep that from every real token.
            index = torch.stack([starts[i] + torch.arange(longest).clamp(max=lengths[i] - 1) for i in part])
            real = torch.stack([torch.arange(longest) < lengths[i] for i in part]).flatten()
            self.groups.append((index, real, causal_mask(longest, longest)))
            places.append(index.flatten()[real])
        self.restore = torch.cat(places).argsort()

    def mix(self, q, k, v):
        mixed = [attend(q[index], k[index], v[index], mask).flatten(0, 1)[real] for index, real, mask in self.groups]
        return torch.cat(mixed)[self.restore]


class Llama(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocab, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.width, shape.epsilon)
        self.output = nn.Linear(shape.width, shape.vocab, bias=False)
        cos, sin = rotary_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                deep = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * shape.layers) if deep else 0.04)

    def forward(self, ids, layout=None, past=None):
        """Logits [tokens, vocab] of ids [tokens]: sequences as the layout says, or one that goes on after `past`."""
        start = len(past[0]["k"]) if past and "k" in past[0] else 0
        if layout is None and past is None:
            layout = Layout([len(ids)])
        positions = layout.positions if layout else torch.arange(start, start + len(ids))
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = self.token_embd(ids)
        for i, block in enumerate(self.blk):
            x = block(x, cos, sin, layout, past[i] if past is not None else None)
        return self.output(self.output_norm(x))


def turn_text(user, system=None):
    """The text between BOS and the answer: what an engine encodes for a conversation's open turn."""
    content = f"<<SYS>>\n{system}\n<</SYS>>\n\n{user}" if system else user
    return f"[INST] {content} [/INST]"


def prompt_ids(encode, turns, system=None):
    """Ids of a conversation whose last turn is open; turns is [(user, answer), ..., (user, None)]."""
    ids = []
    for i, (user, answer) in enumerate(turns):
        text = turn_text(user, system if i == 0 else None)
        if answer is None:
            return ids + [BOS] + encode(text)
        ids += [BOS] + encode(f"{text} {answer} ") + [EOS]
    raise ValueError("the last turn of a prompt has no answer yet")


class Vocabulary:
    """SentencePiece BPE as GGUF stores it: pieces, scores and types; merges by highest score, bytes as fallback."""

    def __init__(self, pieces, scores, types):
        self.pieces, self.scores, self.types = pieces, scores, types
        self.index = {p: i for i, p in enumerate(pieces) if types[i] == 1}
        self.byte = {int(p[3:5], 16): i for i, p in enumerate(pieces) if types[i] == 6}

    def encode(self, text):
        symbols = list(("\u2581" + text.replace(" ", "\u2581")) if text else "")
        while True:
            best, at = -math.inf, -1
            for i in range(len(symbols) - 1):
                found = self.index.get(symbols[i] + symbols[i + 1])
                if found is not None and self.scores[found] > best:
                    best, at = self.scores[found], i
            if at < 0:
                break
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
        ids = []
        for s in symbols:
            ids += [self.index[s]] if s in self.index else [self.byte[b] for b in s.encode("utf-8")]
        return ids

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            if self.types[i] == 6:
                data.append(int(self.pieces[i][3:5], 16))
            elif self.types[i] == 1:
                data += self.pieces[i].replace("\u2581", " ").encode("utf-8")
        return data.decode("utf-8", "replace")


def load_gguf(path):
    """(model in float32 with the dequantised weights, vocabulary) from a GGUF file."""
    import gguf
    reader = gguf.GGUFReader(path)

    def value(key):
        return reader.fields[key].contents()

    shape = Shape(vocab=len(value("tokenizer.ggml.tokens")), width=value("llama.embedding_length"),
                  layers=value("llama.block_count"), heads=value("llama.attention.head_count"),
                  kv_heads=value("llama.attention.head_count_kv"), hidden=value("llama.feed_forward_length"),
                  context=value("llama.context_length"), rope_base=value("llama.rope.freq_base"),
                  epsilon=value("llama.attention.layer_norm_rms_epsilon"))
    model = Llama(shape)
    state = {t.name: torch.from_numpy(np.array(gguf.quants.dequantize(t.data, t.tensor_type), dtype=np.float32))
             for t in reader.tensors}
    model.load_state_dict(state)
    vocabulary = Vocabulary(value("tokenizer.ggml.tokens"), value("tokenizer.ggml.scores"),
                            value("tokenizer.ggml.token_type"))
    return model.eval(), vocabulary


@torch.no_grad()
def generate(model, ids, limit, temperature=0.0, generator=None):
    """(completion ids without EOS, ended by itself, top-1 minus top-2 logit at each greedy step)."""
    past = [{} for _ in model.blk]
    logits = model(torch.tensor(ids), past=past)[-1]
    out, margins = [], []
    while True:
        top = logits.topk(2)
        margins.append(float(top.values[0] - top.values[1]))
        if temperature > 0:
            chosen = int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator))
        else:
            chosen = int(top.indices[0])
        if chosen == EOS:
            return out, True, margins
        out.append(chosen)
        if len(out) >= limit or len(ids) + len(out) >= model.shape.context:
            return out, False, margins
        logits = model(torch.tensor([chosen]), past=past)[-1]
