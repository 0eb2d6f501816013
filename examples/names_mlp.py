"""A small network makes up names, letter by letter (Bengio et al. 2003). With PyTorch only the imports change.

python examples/names_mlp.py names.txt     a text file with one name a line, in small letters from a to z
"""

import sys
from pathlib import Path

import numpy as np

import openbook as torch
import openbook.nn as nn
import openbook.nn.functional as F
import openbook.optim as optim

CONTEXT = 3


class NamesMLP(nn.Module):
    def __init__(self, letters=27, width=10, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(letters, width)
        self.hidden = nn.Linear(CONTEXT * width, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, letters)

    def forward(self, x):
        h = self.embedding(x).flatten(1)
        return self.out(torch.tanh(self.norm(self.hidden(h))))


def data(path):
    """Every letter with the three before it; 0 stands for the end of a name."""
    contexts, nexts = [], []
    for name in Path(path).read_text(encoding="utf-8").split():
        if not all("a" <= c <= "z" for c in name):
            raise ValueError(f"{name!r} in {path} has letters other than a to z: write it without them")
        window = [0] * CONTEXT
        for letter in [*(ord(c) - 96 for c in name), 0]:
            contexts.append(window)
            nexts.append(letter)
            window = [*window[1:], letter]
    return np.array(contexts), np.array(nexts)


def build():
    return NamesMLP()


def train(model, path, steps=100, seed=0):
    contexts, nexts = data(path)
    random = np.random.default_rng(seed)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        batch = random.integers(0, len(contexts), 128)
        x, y = torch.from_numpy(contexts[batch]), torch.from_numpy(nexts[batch])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def make_up(model, random):
    """A name, drawn letter by letter."""
    name, window = "", [0] * CONTEXT
    with torch.no_grad():
        while len(name) < 20:
            p = F.softmax(model(torch.tensor([window])), dim=-1)[0].tolist()
            letter = int(random.choice(27, p=np.array(p) / sum(p)))
            if letter == 0:
                break
            name += chr(96 + letter)
            window = [*window[1:], letter]
    return name


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
    path = given("names.txt")
    torch.set_num_threads(1)  # for products as small as these, a second thread costs more than it computes
    torch.manual_seed(0)
    model = build()
    names = set(path.read_text(encoding="utf-8").split())
    print(f"{sum(p.numel() for p in model.parameters())} parameters learn from {len(names)} names in {path.name}")
    for epoch in range(5):
        losses = train(model, path, 400, seed=epoch)
        example = make_up(model, np.random.default_rng(epoch))
        print(f"step {400 * (epoch + 1)}: loss {np.mean(losses[-100:]):.4f}, for example {example!r}")
    random = np.random.default_rng(1)
    drawn = [make_up(model, random) for _ in range(20)]
    print("made up:", ", ".join(name for name in drawn if name not in names))
    print("drawn, and in the list already:", ", ".join(name for name in drawn if name in names) or "none")
