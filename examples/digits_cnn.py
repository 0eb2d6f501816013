"""A convolutional network reads handwritten digits (scikit-learn's, 8 × 8). With PyTorch only the imports change."""

from collections import Counter

import numpy as np
from sklearn.datasets import load_digits

import openbook as torch
import openbook.nn as nn
import openbook.nn.functional as F
import openbook.optim as optim


class DigitsCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.norm1(self.conv1(x))))
        x = self.pool(F.relu(self.norm2(self.conv2(x))))
        return self.fc(x.flatten(1))


def data():
    images, digits = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 1, 8, 8), digits.astype(np.int64)


def build():
    return DigitsCNN()


def train(model, steps=100, seed=0):
    images, digits = data()
    random = np.random.default_rng(seed)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(steps):
        batch = random.integers(0, 1500, 64)
        x, y = torch.from_numpy(images[batch]).to(model.fc.weight.dtype), torch.from_numpy(digits[batch])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(model):
    images, digits = data()
    model.eval()
    with torch.no_grad():
        found = model(torch.from_numpy(images[1500:])).argmax(1)
    model.train()
    return float((found == torch.from_numpy(digits[1500:])).float().mean())


def confused(model):
    """What it takes for what, most often first."""
    images, digits = data()
    model.eval()
    with torch.no_grad():
        found = model(torch.from_numpy(images[1500:])).argmax(1).tolist()
    model.train()
    wrong = Counter((true, guess) for true, guess in zip(digits[1500:].tolist(), found, strict=True) if true != guess)
    return ", ".join(f"{true} as {guess} ({count}×)" for (true, guess), count in wrong.most_common(5))


if __name__ == "__main__":
    torch.set_num_threads(1)  # for products as small as these, a second thread costs more than it computes
    torch.manual_seed(0)
    model = build()
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters learn from 1500 digits; {len(data()[1]) - 1500} others are kept to judge by")
    for epoch in range(5):
        losses = train(model, 50, seed=epoch)
        print(
            f"step {50 * (epoch + 1)}: loss {np.mean(losses[-10:]):.4f}, right on unseen digits {accuracy(model):.1%}"
        )
    print("read wrongly:", confused(model) or "none")
