"""Training steps of networks that read sequences; see :mod:`tests.benchmarks.programs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks.program_steps import Step, training

__all__ = ["STEPS"]


def classifying(library: Any, model: Any, x: Any, classes: int) -> Callable[[], float]:
    y = library.randint(0, classes, (len(x),))
    return training(library, model, lambda: library.nn.functional.cross_entropy(model(x), y))


def bidirectional_lstm(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn

    class Reader(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(5000, 100)
            self.lstm = nn.LSTM(100, 128, batch_first=True, bidirectional=True)
            self.out = nn.Linear(256, 2)

        def forward(self, x: Any) -> Any:
            return self.out(self.lstm(self.words(x))[0].mean(1))

    return classifying(library, Reader(), library.randint(0, 5000, (32, 50)), 2)


def gru_of_rows(library: Any) -> Callable[[], float]:
    """MNIST read row by row."""
    library.manual_seed(0)
    nn = library.nn

    class Rows(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.out = nn.GRU(28, 64, 2, batch_first=True), nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.out(self.gru(x)[0][:, -1])

    return classifying(library, Rows(), library.randn(64, 28, 28), 10)


def cells_in_a_loop(library: Any) -> Callable[[], float]:
    """Two LSTM cells called step by step, as in PyTorch's time series example."""
    library.manual_seed(0)
    nn = library.nn

    class Waves(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.out = nn.LSTMCell(1, 51), nn.LSTMCell(51, 51), nn.Linear(51, 1)

        def forward(self, x: Any) -> Any:
            first = second = (library.zeros(len(x), 51), library.zeros(len(x), 51))
            outputs = []
            for value in x.split(1, 1):
                first = self.first(value, first)
                second = self.second(first[0], second)
                outputs.append(self.out(second[0]))
            return library.cat(outputs, 1)

    model, x = Waves(), library.randn(32, 60)
    return training(library, model, lambda: nn.functional.mse_loss(model(x), x))


def rnn_by_hand(library: Any) -> Callable[[], float]:
    """A name, letter by letter, through two linear layers."""
    library.manual_seed(0)
    nn = library.nn
    hidden_layer, output_layer = nn.Linear(57 + 128, 128), nn.Linear(57 + 128, 18)
    name, language = library.randn(8, 1, 57), library.tensor([3])

    def loss() -> Any:
        hidden = library.zeros(1, 128)
        for letter in name:
            both = library.cat((letter, hidden), 1)
            hidden, output = hidden_layer(both), output_layer(both)
        return nn.functional.nll_loss(nn.functional.log_softmax(output, 1), language)

    parameters = [*hidden_layer.parameters(), *output_layer.parameters()]
    return training(library, None, loss, library.optim.SGD(parameters, lr=0.005))


def transformer_encoder(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    layer = nn.TransformerEncoderLayer(128, 4, 256, batch_first=True)
    model = nn.Sequential(nn.Embedding(1000, 128), nn.TransformerEncoder(layer, 2), nn.Linear(128, 1000))
    x = library.randint(0, 1000, (16, 32))
    return training(library, model, lambda: nn.functional.cross_entropy(model(x).view(-1, 1000), x.view(-1)))


def transformer(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    model = library.nn.Transformer(64, 4, 2, 2, 128, batch_first=True)
    source, target = library.randn(16, 20, 64), library.randn(16, 20, 64)
    return training(library, model, lambda: model(source, target).pow(2).mean())


def temporal_convolutions(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    layers = []
    for dilation in (1, 2, 4, 8):
        layers += [nn.Conv1d(25, 25, 7, dilation=dilation, padding=3 * dilation), nn.ReLU(), nn.Dropout(0.05)]
    model, x = nn.Sequential(*layers), library.randn(32, 25, 200)
    return training(library, model, lambda: model(x).pow(2).mean())


def text_cnn(library: Any) -> Callable[[], float]:
    """Kernels over three to five words (Kim 2014)."""
    library.manual_seed(0)
    nn = library.nn

    class TextCNN(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(5000, 100)
            self.convolutions = nn.ModuleList([nn.Conv2d(1, 50, (words, 100)) for words in (3, 4, 5)])
            self.out = nn.Linear(150, 2)

        def forward(self, x: Any) -> Any:
            text = self.words(x).unsqueeze(1)
            found = [nn.functional.relu(conv(text)).squeeze(3) for conv in self.convolutions]
            best = [nn.functional.max_pool1d(f, f.size(2)).squeeze(2) for f in found]
            return self.out(nn.functional.dropout(library.cat(best, 1)))

    return classifying(library, TextCNN(), library.randint(0, 5000, (32, 40)), 2)


def skip_grams(library: Any) -> Callable[[], float]:
    """word2vec with negative samples."""
    library.manual_seed(0)
    nn = library.nn
    inner, outer = nn.Embedding(5000, 100), nn.Embedding(5000, 100)
    center, context, others = (library.randint(0, 5000, size) for size in ((256,), (256,), (256, 5)))

    def loss() -> Any:
        v = inner(center)
        near = nn.functional.logsigmoid((v * outer(context)).sum(1))
        far = nn.functional.logsigmoid(-(outer(others) @ v.unsqueeze(2)).squeeze(2)).sum(1)
        return -(near + far).mean()

    return training(library, nn.ModuleList([inner, outer]), loss)


STEPS: dict[str, Step] = {
    "bidirectional LSTM": bidirectional_lstm,
    "GRU of two layers, MNIST by rows": gru_of_rows,
    "LSTM cells in a loop": cells_in_a_loop,
    "RNN by hand, batch 1": rnn_by_hand,
    "transformer encoder": transformer_encoder,
    "transformer, encoder and decoder": transformer,
    "temporal convolutions": temporal_convolutions,
    "text CNN": text_cnn,
    "word2vec": skip_grams,
}
