"""An LSTM learns to go on with a wave of two frequencies and noise. With PyTorch only the imports change."""

import numpy as np

import openbook as torch
import openbook.nn as nn
import openbook.nn.functional as F
import openbook.optim as optim


class Forecast(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, num_layers=2, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        states, _ = self.lstm(x)
        return self.out(states)


def waves(random, rows=32, length=40):
    t = np.arange(length + 1) + random.uniform(0, 100, (rows, 1))
    y = np.sin(0.3 * t) + 0.5 * np.sin(0.7 * t) + 0.05 * random.standard_normal(t.shape)
    return y.astype(np.float32)[..., None]


def build():
    return Forecast()


def train(model, steps=100, seed=0):
    random = np.random.default_rng(seed)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    losses = []
    for _ in range(steps):
        y = torch.from_numpy(waves(random)).to(model.out.weight.dtype)
        optimizer.zero_grad()
        loss = F.mse_loss(model(y[:, :-1]), y[:, 1:])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    torch.manual_seed(0)
    model = build()
    losses = train(model, 300)
    for step in range(0, 300, 50):
        print(f"step {step}: mean squared error {losses[step]:.4f}")
    print(f"at the end {np.mean(losses[-10:]):.4f} (the noise alone is 0.0025)")
