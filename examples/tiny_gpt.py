"""A small GPT learns to write like the text it is given (Radford et al. 2019). With PyTorch only the imports change.

python examples/tiny_gpt.py text.txt [steps]     500 steps take some ten seconds; a few thousand write much better
"""

import sys
from pathlib import Path

import numpy as np

import openbook as torch
import openbook.nn as nn
import openbook.nn.functional as F
import openbook.optim as optim

LENGTH, WIDTH, HEADS, LAYERS = 32, 48, 4, 2
SEEN = 200_000  # letters of the text that training looks at


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).split(WIDTH, dim=2)
        q, k, v = (t.view(rows, length, HEADS, WIDTH // HEADS).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(rows, length, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TinyGPT(nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.tokens = nn.Embedding(letters, WIDTH)
        self.places = nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, letters, bias=False)

    def forward(self, x):
        h = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def data(path):
    text = Path(path).read_text(encoding="utf-8")
    if len(text) < 100 * LENGTH:
        raise ValueError(f"{path} has {len(text)} letters: give a text of {100 * LENGTH} or more")
    letters = sorted(set(text))
    return np.array([letters.index(c) for c in text[:SEEN]]), letters


def build(letters=65):
    return TinyGPT(letters)


def train(model, path, steps=100, seed=0):
    tokens = data(path)[0]
    random = np.random.default_rng(seed)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(steps):
        starts = random.integers(0, len(tokens) - LENGTH - 1, 16)
        windows = tokens[starts[:, None] + np.arange(LENGTH + 1)]
        x, y = torch.from_numpy(windows[:, :-1].copy()), torch.from_numpy(windows[:, 1:].copy())
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def write(model, letters, random, length=200):
    """Text, drawn letter by letter."""
    tokens = [0]
    with torch.no_grad():
        for _ in range(length):
            p = F.softmax(model(torch.tensor([tokens[-LENGTH:]]))[0, -1], dim=-1).tolist()
            tokens.append(int(random.choice(len(letters), p=np.array(p) / sum(p))))
    return "".join(letters[t] for t in tokens[1:])


def unseen(model, path, rows=64):
    """The loss on text that training does not look at; None where the text is too short for that."""
    text = Path(path).read_text(encoding="utf-8")
    letters = sorted(set(text))
    tokens = np.array([letters.index(c) for c in text[SEEN : SEEN + rows * (LENGTH + 1)]])
    if len(tokens) < rows * (LENGTH + 1):
        return None
    windows = tokens.reshape(rows, LENGTH + 1)
    with torch.no_grad():
        x, y = torch.from_numpy(windows[:, :-1].copy()), torch.from_numpy(windows[:, 1:].copy())
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()


def given(name):
    """The file named on the command line, or one of this name here, beside this script or among the shared data."""
    if len(sys.argv) > 1:
        places = [Path(sys.argv[1])]
    else:
        here = Path(__file__).resolve().parent
        places = [Path(name), here / name, here.parents[1] / "shared" / "data" / name]
    for place in places:
        if place.is_file():
            return place
    sys.exit(f"there is no file {places[0]}: say where one is, for instance python {sys.argv[0]} path/to/{name}")


if __name__ == "__main__":
    path = given("tinyshakespeare.txt")
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    torch.set_num_threads(1)  # for products as small as these, a second thread costs more than it computes
    torch.manual_seed(0)
    letters = data(path)[1]
    model = build(len(letters))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters learn from {path.name}, {len(letters)} kinds of letters, {steps} steps")
    print(f"guessing evenly has a loss of {np.log(len(letters)):.4f}")
    for step in range(50, steps + 1, 50):
        losses = train(model, path, 50, seed=step)
        other = unseen(model, path)
        print(
            f"step {step}: loss {np.mean(losses[-20:]):.4f}"
            + ("" if other is None else f", on unseen text {other:.4f}")
        )
    print(write(model, letters, np.random.default_rng(1)))
