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


def go_on(model, y, steps):
    """What it makes of a wave's beginning: each value it foresees is what it looks at next."""
    model.eval()
    with torch.no_grad():
        for _ in range(steps):
            y = np.concatenate([y, model(torch.from_numpy(y))[:, -1:].numpy()], axis=1)
    model.train()
    return y


if __name__ == "__main__":
    torch.set_num_threads(1)  # for products as small as these, a second thread costs more than it computes
    torch.manual_seed(0)
    model, rounds = build(), 6
    print("A wave of two frequencies, with noise of mean square 0.0025 that nobody can foresee.")
    losses = []
    for step in range(rounds):
        losses += train(model, 50, seed=step)
        print(f"step {50 * (step + 1)}: mean squared error {np.mean(losses[-10:]):.4f}")
    y = waves(np.random.default_rng(100), rows=1, length=40)
    alone = go_on(model, y[:, :30], 11)
    print("after 30 values it goes on alone:")
    print("  wave ", " ".join(f"{v:5.2f}" for v in y[0, 30:, 0]))
    print("  model", " ".join(f"{v:5.2f}" for v in alone[0, 30:, 0]))
