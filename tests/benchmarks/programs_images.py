"""Training steps of networks that see images; see :mod:`tests.benchmarks.programs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks.program_steps import Step, training

__all__ = ["STEPS"]


def lenet(library: Any) -> Callable[[], float]:
    """The MNIST example that ships with PyTorch."""
    library.manual_seed(0)
    nn, F = library.nn, library.nn.functional
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(1),
    )  # fmt: skip
    x, y = library.randn(64, 1, 28, 28), library.randint(0, 10, (64,))
    return training(library, model, lambda: F.nll_loss(model(x), y), library.optim.Adadelta(model.parameters()))


def residual_block(library: Any, channels: int, out: int, stride: int) -> Any:
    nn, relu = library.nn, library.nn.functional.relu

    class Block(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.shortcut = nn.Sequential()
            if stride != 1 or channels != out:
                self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

        def forward(self, x: Any) -> Any:
            return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))) + self.shortcut(x))

    return Block()


def resnet(library: Any, batch: int, first: int, blocks: list[tuple[int, int, int]]) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(
        nn.Conv2d(3, first, 3, 1, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(),
        *[residual_block(library, *block) for block in blocks],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(blocks[-1][1], 10),
    )  # fmt: skip
    x, y = library.randn(batch, 3, 32, 32), library.randint(0, 10, (batch,))
    optimizer = library.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    return training(library, model, lambda: nn.functional.cross_entropy(model(x), y), optimizer)


def small_resnet(library: Any) -> Callable[[], float]:
    return resnet(library, 32, 16, [(16, 16, 1), (16, 32, 2), (32, 64, 2)])


def resnet18(library: Any) -> Callable[[], float]:
    sizes = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    return resnet(library, 4, 64, [*sizes, (512, 512, 1)])


def unet(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn

    def double(channels: int, out: int) -> Any:
        halves = [(channels, out), (out, out)]
        return nn.Sequential(
            *[m for i, o in halves for m in (nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(True))]
        )

    class UNet(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2, self.bottom = double(3, 16), double(16, 32), double(32, 64)
            self.up2, self.merge2 = nn.ConvTranspose2d(64, 32, 2, 2), double(64, 32)
            self.up1, self.merge1 = nn.ConvTranspose2d(32, 16, 2, 2), double(32, 16)
            self.pool, self.out = nn.MaxPool2d(2), nn.Conv2d(16, 2, 1)

        def forward(self, x: Any) -> Any:
            fine = self.down1(x)
            coarse = self.down2(self.pool(fine))
            up = self.merge2(library.cat([self.up2(self.bottom(self.pool(coarse))), coarse], 1))
            return self.out(self.merge1(library.cat([self.up1(up), fine], 1)))

    model, x, y = UNet(), library.randn(4, 3, 64, 64), library.randint(0, 2, (4, 64, 64))
    return training(library, model, lambda: nn.functional.cross_entropy(model(x), y))


def dcgan_generator(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    layers = []
    for channels, out, *window in ((64, 64, 4, 1, 0), (64, 32, 4, 2, 1), (32, 16, 4, 2, 1)):
        layers += [nn.ConvTranspose2d(channels, out, *window, bias=False), nn.BatchNorm2d(out), nn.ReLU(True)]
    model = nn.Sequential(*layers, nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh())
    z = library.randn(64, 64, 1, 1)
    return training(library, model, lambda: model(z).pow(2).mean())


def dcgan_discriminator(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    layers = [nn.Conv2d(3, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for channels in (16, 32):
        layers += [nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * channels)]
        layers += [nn.LeakyReLU(0.2, True)]
    model = nn.Sequential(*layers, nn.Conv2d(64, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0))
    x, real = library.randn(64, 3, 32, 32), library.ones(64)
    return training(library, model, lambda: nn.functional.binary_cross_entropy(model(x), real))


def convolutional_autoencoder(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(16, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2, 1),
        nn.ConvTranspose2d(8, 16, 3, stride=2), nn.ReLU(), nn.ConvTranspose2d(16, 8, 5, stride=3, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 2, stride=2, padding=1), nn.Tanh(),
    )  # fmt: skip
    x = library.randn(64, 1, 28, 28)
    return training(library, model, lambda: nn.functional.mse_loss(model(x), x))


def vision_transformer(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    options = {"batch_first": True, "norm_first": True, "activation": "gelu"}

    class ViT(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 64, 4, 4)
            self.position = nn.Parameter(library.zeros(1, 65, 64))
            self.summary = nn.Parameter(library.zeros(1, 1, 64))
            layer = nn.TransformerEncoderLayer(64, 4, 128, **options)
            self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
            self.out = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            patches = self.patches(x).flatten(2).transpose(1, 2)
            tokens = library.cat([self.summary.expand(len(x), -1, -1), patches], 1) + self.position
            return self.out(self.encoder(tokens)[:, 0])

    model, x, y = ViT(), library.randn(16, 3, 32, 32), library.randint(0, 10, (16,))
    return training(library, model, lambda: nn.functional.cross_entropy(model(x), y))


def style_of_one_image(library: Any) -> Callable[[], float]:
    """The image is what is trained, as in neural style transfer."""
    library.manual_seed(0)
    nn = library.nn
    features = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU())
    image = library.rand(1, 3, 64, 64).requires_grad_()

    def loss() -> Any:
        rows = features(image).view(32, -1)
        return (rows @ rows.t() / rows.numel()).pow(2).sum()

    return training(library, None, loss, library.optim.Adam([image], lr=0.01))


STEPS: dict[str, Step] = {
    "LeNet, batch 64": lenet,
    "ResNet of 3 blocks, batch 32": small_resnet,
    "ResNet-18 at 32x32, batch 4": resnet18,
    "U-Net at 64x64, batch 4": unet,
    "DCGAN's generator": dcgan_generator,
    "DCGAN's discriminator": dcgan_discriminator,
    "convolutional autoencoder": convolutional_autoencoder,
    "vision transformer": vision_transformer,
    "style transfer, one image": style_of_one_image,
}
