"""Chapter 16. The CNN.

After: tinytorch/kernels/norm.py
Next: examples/train_cnn.py

Goal: put everything so far together: convolutions, normalization, pooling, a classifier.

The idea. This is the CNN of an introduction to convolutional networks, line for line as it was written for PyTorch;
only the import lines differ. Two blocks of three convolutions look at ever larger regions of the image, pooling halves
it, 1x1 convolutions mix channels, and one average over all places makes a vector, which a linear layer turns into ten
scores. Run this file: it repeats the introduction's numbers and asserts each of them.

What PyTorch does. The same program gives the same numbers there, from the same seed.

Pitfalls. The network ends in scores, not probabilities: the softmax is part of the loss.

Exercises. Count the parameters of ``block1`` by hand; ``print(viz.trace(model, x))`` tells. How large a region of the
image does one number before the average see? Answers: ``python -m tinytorch.learn answers 16``;
more: ``python -m tinytorch.learn start --chapter 16``.
Check: ``python -m pytest tests/examples/test_cnn_example.py tests/examples/test_train_cnn.py``.

"""

import numpy as np

import tinytorch as torch
import tinytorch.nn as nn


class CNNExample(nn.Module):
    def __init__(self):
        super(CNNExample, self).__init__()
        # input shape: (batch_size, 1, 28, 28)
        self.block1 = nn.Sequential(
            nn.Conv2d(1, 20, 3, padding=1),
            nn.BatchNorm2d(20), # Batch norm helps with training stability and speed. Not crucial to understand.
            nn.ReLU(),
            
            nn.Conv2d(20, 20, 3, padding=1),
            nn.BatchNorm2d(20),
            nn.ReLU(),
            
            nn.Conv2d(20, 20, 3, padding=1),
            nn.BatchNorm2d(20),
            nn.ReLU(),
            
            nn.MaxPool2d(2, 2) # 28x28 -> 14x14
        )
        self.block2 = nn.Sequential(
            nn.Conv2d(20, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.Conv2d(40, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.Conv2d(40, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.MaxPool2d(2, 2) # 14x14 -> 7x7
        )
        self.conv1 = nn.Sequential(
            nn.Conv2d(40, 60, 3), # 7x7 -> 5x5
            nn.BatchNorm2d(60),
            nn.ReLU()
        )
        self.conv2 = nn.Sequential(
            nn.Conv2d(60, 40, 1), # 5x5 -> 5x5
            nn.BatchNorm2d(40),
            nn.ReLU()
        )
        self.conv3 = nn.Sequential(
            nn.Conv2d(40, 20, 1), # 5x5 -> 5x5
            nn.BatchNorm2d(20),
            nn.ReLU()
        )
        # input to avg pool will be of shape (batch_size, 20, 5, 5)
        self.avg1 = nn.AvgPool2d(5)
        # (batch_size, 20, 1, 1)
        # flatten to (batch_size, 20)
        self.fc1 = nn.Linear(20, 10)
        # output shape: (batch_size, 10)
        
    def forward(self, x):

        c1 = self.block1(x)
        c2 = self.block2(c1)
        c3 = self.conv1(c2)
        c4 = self.conv2(c3)
        c5 = self.conv3(c4)
        c6 = self.avg1(c5)
        c6 = torch.flatten(c6, 1)
        c7 = self.fc1(c6)
        y = c7
        
        return y


def n_weights(layer):
    """How many weights a layer has, without its biases."""
    return layer.weight.numel()


def main():
    from tinytorch.kernels.conv_reference import conv2d_loop

    torch.manual_seed(0)

    # 16 filters, each of 3 small 3x3 kernels; a fully connected layer of 100 neurons on the same image
    conv = nn.Conv2d(in_channels=3, out_channels=16, kernel_size=3, stride=1, padding=1)
    print("convolution:", n_weights(conv), "weights; fully connected:", n_weights(nn.Linear(3 * 32 * 32, 100)))
    assert n_weights(conv) == 16 * 3 * 3 * 3 == 432
    assert n_weights(nn.Linear(3 * 32 * 32, 100)) == 3 * 32 * 32 * 100 == 307200
    assert conv(torch.randn(1, 3, 32, 32)).shape == (1, 16, 32, 32)

    # max pooling of the introduction's matrix
    image = torch.tensor([[3.0, 0, 5, 2], [1, 2, 7, 5], [4, 3, 2, 1], [3, 1, 0, 4]])
    pooled = nn.MaxPool2d(2, 2)(image[None, None])[0, 0]
    print("max pooling 2x2:", pooled.tolist())
    assert pooled.tolist() == [[3.0, 7.0], [4.0, 4.0]]

    # the loop of the introduction and nn.Conv2d: the same numbers
    for padding, stride in ((0, 1), (1, 1), (2, 2)):
        layer = nn.Conv2d(1, 1, 3, padding=padding, stride=stride, bias=False)
        by_loop = conv2d_loop(image.numpy(), layer.weight.detach().numpy()[0, 0], padding, stride)
        by_layer = layer(image[None, None])[0, 0].detach().numpy()
        assert np.allclose(by_loop, by_layer, atol=1e-6), (padding, stride)
    print("the loop and nn.Conv2d agree")

    # the network: 64 images of 28x28 to 10 scores each
    model = CNNExample()
    scores = model(torch.randn(64, 1, 28, 28))
    count = sum(p.numel() for p in model.parameters())
    print("CNNExample:", count, "parameters; output", tuple(scores.shape))
    assert scores.shape == (64, 10)
    assert count == 69290


if __name__ == "__main__":
    main()
