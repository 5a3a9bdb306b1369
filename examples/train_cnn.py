"""Chapter 16, part 2. Train the CNN on handwritten digits: the main program.

After: examples/cnn_example.py
Next: tinytorch/viz/data.py

Goal: train the CNN, and come back to it after an interruption.

    python examples/train_cnn.py                        # 4,000 bundled digits, offline
    python examples/train_cnn.py --data ~/mnist         # all of MNIST, from IDX files in that folder
    python examples/train_cnn.py --resume               # go on after Ctrl-C, or after a crash

Writes to the folder ``--out`` (default ``runs/cnn``): ``best.pt`` (weights of the best epoch), ``last.pt``
(everything that a resumed run needs to give the numbers of an unbroken one), ``curves.png`` and ``history.json``.

What PyTorch does. With ``import torch`` in place of the imports the same loop runs; only the bundled digits are
tinytorch's.

The learning rate is not the same in every step: ``OneCycleLR`` raises it during the first quarter of the run and lowers
it to nearly nothing in the rest, so that large steps find a good region and small ones settle in it.

Pitfalls. Resuming with the weights alone is not resuming: optimizer, schedule, order of the data and random numbers
belong to the state.

Exercises. Train with ``--shift 0``: what becomes of the gap between training and held-out loss? How many steps does an
epoch of 4,000 digits in batches of 64 take?
"""

import argparse
import contextlib
import itertools
import json
import signal
import time
from pathlib import Path

from cnn_example import CNNExample

import tinytorch as torch
import tinytorch.nn.functional as F
from tinytorch import optim
from tinytorch.datasets import MNIST, MNISTSample
from tinytorch.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "adam": lambda parameters, lr: optim.Adam(parameters, lr=lr),
    "adamw": lambda parameters, lr: optim.AdamW(parameters, lr=lr, weight_decay=0.05),
    "sgd": lambda parameters, lr: optim.SGD(parameters, lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4),
}
DEFAULT_LR = {"adam": 0.01, "adamw": 0.01, "sgd": 0.1}


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    run = Run(args)
    if args.resume:
        run.load(args.resume if args.resume != "last" else args.out / "last.pt")
    run.train()
    run.load_best()
    print_confusion(run.model, run.held_out)
    print(f"best accuracy on {len(run.held_out.dataset):,} held-out digits: {run.best:.2%}")
    print(f"training took {run.seconds:.1f} s; files are in {args.out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train CNNExample on handwritten digits.")
    parser.add_argument("--data", type=Path, help="folder with MNIST's IDX files (default: the bundled 5,000 digits)")
    parser.add_argument("--download", action="store_true", help="fetch missing files of MNIST into --data")
    parser.add_argument("--epochs", type=positive_int, default=6)
    parser.add_argument("--batch-size", type=positive_int, default=64)
    parser.add_argument("--lr", type=float, help=f"peak learning rate (default: {DEFAULT_LR})")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adamw")
    parser.add_argument("--shift", type=int, default=2, help="move each training image by up to so many pixels")
    parser.add_argument("--limit", type=positive_int, help="use only so many training images")
    parser.add_argument("--held-out", type=positive_int, help="use only so many held-out images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=positive_int, help="save after so many batches, not only after epochs")
    parser.add_argument("--resume", nargs="?", const="last", help="checkpoint to go on from (default: OUT/last.pt)")
    parser.add_argument("--out", type=Path, default=Path("runs/cnn"))
    args = parser.parse_args()
    if args.lr is None:
        args.lr = DEFAULT_LR[args.optimizer]
    if args.download and args.data is None:
        parser.error("--download needs --data, the folder to put the files into")
    return args


def positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def load_digits(args: argparse.Namespace) -> tuple[TensorDataset, TensorDataset]:
    """Training and held-out digits as (N, 1, 28, 28) floats, normalized, and labels."""
    parts = []
    for train in (True, False):
        digits = MNIST(args.data, train=train, download=args.download) if args.data else MNISTSample(train=train)
        images = (digits.data.unsqueeze(1).float() / 255 - 0.1307) / 0.3081
        count = (args.limit if train else args.held_out) or len(images)
        parts.append(TensorDataset(images[:count], digits.targets[:count]))
    return parts[0], parts[1]


def shifted(images: torch.Tensor, pixels: int) -> torch.Tensor:
    """Each image moved by up to ``pixels`` up, down, left or right: digits that nobody wrote, but could have."""
    if pixels == 0:
        return images
    n, _, height, width = images.shape
    dy, dx = torch.randint(-pixels, pixels + 1, (2, n, 1)).unbind(0)
    rows = (torch.arange(height) + dy).clamp(0, height - 1)
    columns = (torch.arange(width) + dx).clamp(0, width - 1)
    image = torch.arange(n).view(n, 1, 1)
    return images[image, 0, rows.unsqueeze(2), columns.unsqueeze(1)].unsqueeze(1)


class Run:
    """A training run: model, optimizer, schedule, data order, and where it stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        train, held_out = load_digits(args)
        self.order = torch.Generator().manual_seed(args.seed)  # of its own, so that the order can be replayed
        self.loader = DataLoader(train, args.batch_size, shuffle=True, generator=self.order)
        self.held_out = DataLoader(held_out, 500)
        self.model = CNNExample()
        self.optimizer = OPTIMIZERS[args.optimizer](self.model.parameters(), args.lr)
        self.schedule = optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=args.lr, epochs=args.epochs, steps_per_epoch=len(self.loader), pct_start=0.25
        )
        self.epoch = 0
        self.batches_done = 0  # in the current epoch
        self.epoch_loss = 0.0
        self.order_at_epoch_start = self.order.get_state()
        self.best = 0.0
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0

    # ------------------------------------------------------------------------------------ training

    def train(self) -> None:
        """Train until the last epoch; on Ctrl-C save and leave."""
        self.args.out.mkdir(parents=True, exist_ok=True)
        with stop_requests() as stop:
            while self.epoch < self.args.epochs:
                self.train_epoch(stop)
                if stop.requested:
                    self.save()
                    raise SystemExit(
                        f"\nstopped in epoch {self.epoch + 1} after {self.batches_done} batches; the state is in "
                        f"{self.args.out / 'last.pt'}. Go on with: --resume"
                    )
                self.finish_epoch()

    def train_epoch(self, stop: "StopRequest") -> None:
        start = time.perf_counter()
        self.model.train()
        self.order.set_state(self.order_at_epoch_start)
        state = torch.get_rng_state()
        batches = iter(self.loader)
        for _ in itertools.islice(batches, self.batches_done):
            pass  # a resumed run draws the same order and skips what is done
        torch.set_rng_state(state)
        with progress_bar(self.epoch, self.args.epochs, len(self.loader), self.batches_done) as bar:
            for images, labels in batches:
                loss, correct = self.step(shifted(images, self.args.shift), labels)
                self.batches_done += 1
                bar.advance(loss, correct, len(labels))
                if stop.requested:
                    break
                if self.args.save_every and self.batches_done % self.args.save_every == 0:
                    self.save()
        self.seconds += time.perf_counter() - start

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, int]:
        """One update; returns the loss and how many digits were right."""
        self.optimizer.zero_grad()
        scores = self.model(images)
        loss = F.cross_entropy(scores, labels)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.epoch_loss += loss.item() * len(labels)
        return loss.item(), int((scores.argmax(1) == labels).sum())

    def finish_epoch(self) -> None:
        """Evaluate, remember, save: ``last.pt`` at the end, so that files of a finished epoch are never missing."""
        loss, accuracy = evaluate(self.model, self.held_out)
        train_loss = self.epoch_loss / len(self.loader.dataset)
        self.history.append({"train_loss": train_loss, "loss": loss, "accuracy": accuracy})
        print(
            f"epoch {self.epoch + 1}/{self.args.epochs}: training loss {train_loss:.4f}, held-out loss {loss:.4f}, "
            f"accuracy {accuracy:.2%}"
        )
        if accuracy > self.best:
            self.best = accuracy
            torch.save(self.model.state_dict(), self.args.out / "best.pt")
        self.epoch, self.batches_done, self.epoch_loss = self.epoch + 1, 0, 0.0
        self.order_at_epoch_start = self.order.get_state()
        half = self.args.out / "history.json.tmp"
        half.write_text(json.dumps(self.history, indent=1))
        half.replace(self.args.out / "history.json")
        draw_curves(self.history, self.args.out / "curves.png")
        self.save()

    # ------------------------------------------------------------------------------------ checkpoints

    def save(self) -> None:
        """Write ``last.pt``: all that decides what the rest of the run computes."""
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "epoch": self.epoch,
                "batches_done": self.batches_done,
                "epoch_loss": self.epoch_loss,
                "order": self.order_at_epoch_start,
                "random_state": torch.get_rng_state(),
                "best": self.best,
                "history": self.history,
            },
            self.args.out / "last.pt",
        )

    def load(self, path: Path) -> None:
        """Go on where the checkpoint stands."""
        if not Path(path).exists():
            raise SystemExit(f"there is no checkpoint {path}; start without --resume")
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.batches_done = state["epoch"], state["batches_done"]
        self.epoch_loss, self.best, self.history = state["epoch_loss"], state["best"], state["history"]
        self.order_at_epoch_start = state["order"]
        torch.set_rng_state(state["random_state"])
        print(f"resumed from {path}: epoch {self.epoch + 1}, batch {self.batches_done}")

    def load_best(self) -> None:
        self.model.load_state_dict(torch.load(self.args.out / "best.pt"))


class StopRequest:
    requested = False


@contextlib.contextmanager
def stop_requests():
    """Ctrl-C asks the loop to stop after the current batch; a second one stops at once."""
    stop = StopRequest()

    def on_interrupt(number, frame):
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------ looking at it


@torch.no_grad()
def evaluate(model: CNNExample, loader: DataLoader) -> tuple[float, float]:
    """Average loss and accuracy."""
    model.eval()
    loss, correct = 0.0, 0
    for images, labels in loader:
        scores = model(images)
        loss += F.cross_entropy(scores, labels, reduction="sum").item()
        correct += int((scores.argmax(1) == labels).sum())
    return loss / len(loader.dataset), correct / len(loader.dataset)


@torch.no_grad()
def print_confusion(model: CNNExample, loader: DataLoader) -> None:
    """A table: rows are the digits as they are, columns what the model took them for."""
    model.eval()
    table = torch.zeros(10, 10, dtype=torch.int64)
    for images, labels in loader:
        for label, guess in zip(labels.tolist(), model(images).argmax(1).tolist(), strict=True):
            table[label, guess] += 1
    print("\ndigit   taken for\n       " + "".join(f"{digit:5d}" for digit in range(10)))
    for digit, row in enumerate(table.tolist()):
        print(f"{digit:5d}  " + "".join(f"{count:5d}" if count else "    ." for count in row))
    print()


class progress_bar:
    """tqdm's bar with loss, accuracy and images per second; silent where tqdm is not installed."""

    def __init__(self, epoch: int, epochs: int, total: int, done: int) -> None:
        try:
            from tqdm import tqdm
        except ImportError:
            if epoch == 0:
                print("no progress bar: tqdm is not installed (pip install tqdm)")
            self.bar = None
        else:
            self.bar = tqdm(
                total=total, initial=done, desc=f"epoch {epoch + 1}/{epochs}", leave=False, dynamic_ncols=True
            )
        self.start, self.images, self.correct, self.losses = time.perf_counter(), 0, 0, 0.0

    def __enter__(self) -> "progress_bar":
        return self

    def __exit__(self, *exception) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self, loss: float, correct: int, images: int) -> None:
        self.images += images
        self.correct += correct
        self.losses += loss * images
        if self.bar is not None:
            rate = self.images / (time.perf_counter() - self.start)
            self.bar.set_postfix_str(
                f"loss {self.losses / self.images:.4f}, accuracy {self.correct / self.images:.2%}, {rate:.0f} images/s"
            )
            self.bar.update()


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Loss and accuracy by epoch, as a picture."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogFormatter, MaxNLocator
    except ImportError:
        if len(history) == 1:
            print("no picture of the curves: matplotlib is not installed (pip install matplotlib)")
        return
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    epochs = range(1, len(history) + 1)
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [h["train_loss"] for h in history], "o-", label="training")
    left.plot(epochs, [h["loss"] for h in history], "s-", label="held out")
    left.set(title="loss", xlabel="epoch", yscale="log")
    left.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))  # 1.5 rather than 1.5 x 10^0
    left.yaxis.set_major_formatter("{x:g}")
    left.legend()
    right.plot(epochs, [100 * h["accuracy"] for h in history], "s-", color="C1")
    right.set(title="accuracy on held-out digits, %", xlabel="epoch")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    FigureCanvasAgg(figure).print_png(str(path))


if __name__ == "__main__":
    main()
