import torch
import torch.nn.functional as F

words = "anna bob clara david eva frank greta hans ida jonas karla lena marie nora oskar paula rosa sara tom ute".split()
letters = ["."] + sorted(set("".join(words)))
index = {letter: i for i, letter in enumerate(letters)}
pairs = [(index[a], index[b]) for word in words for a, b in zip("." + word, word + ".")]
xs, ys = torch.tensor([a for a, _ in pairs]), torch.tensor([b for _, b in pairs])

counts = torch.zeros((len(letters), len(letters)), dtype=torch.int32)
for a, b in pairs:
    counts[a, b] += 1
P = (counts + 1).float()
P /= P.sum(1, keepdim=True)
print(f"counting: {-P[xs, ys].log().mean():.6f}")

g = torch.Generator().manual_seed(2147483647)
W = torch.randn((len(letters), len(letters)), generator=g, requires_grad=True)
for step in range(50):
    logits = F.one_hot(xs, num_classes=len(letters)).float() @ W
    probabilities = logits.exp() / logits.exp().sum(1, keepdims=True)
    loss = -probabilities[torch.arange(len(xs)), ys].log().mean() + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data += -20 * W.grad
    print(f"{step} {loss.item():.6f}")

for _ in range(5):
    ix, name = 0, []
    while True:
        ix = torch.multinomial(P[ix], num_samples=1, replacement=True, generator=g).item()
        if ix == 0:
            break
        name.append(letters[ix])
    print("".join(name))
