"""A linear-chain conditional random field over a bidirectional LSTM: its likelihood, its best path, its training."""
import torch
from torch import nn, Tensor


class Tagger(nn.Module):
    def __init__(self, words: int, tags: int, width: int = 10):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width // 2, bidirectional=True)
        self.score = nn.Linear(width, tags)
        self.steps = nn.Parameter(torch.empty(tags, tags).uniform_(-0.1, 0.1))
        self.ends = nn.Parameter(torch.zeros(2, tags))

    def emissions(self, text: Tensor) -> Tensor:
        return self.score(self.lstm(self.embed(text))[0])

    def loss(self, text: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        e, rows = self.emissions(text), torch.arange(text.size(1))
        total = self.ends[0] + e[0]
        path = total[rows, tags[0]]
        for t in range(1, len(text)):
            longer = torch.logsumexp(total.unsqueeze(2) + self.steps + e[t].unsqueeze(1), dim=1)
            total = torch.where(mask[t].unsqueeze(1), longer, total)
            path = path + mask[t] * (self.steps[tags[t - 1], tags[t]] + e[t, rows, tags[t]])
        last = tags.gather(0, mask.sum(0, keepdim=True) - 1).squeeze(0)
        return (torch.logsumexp(total + self.ends[1], dim=1) - path - self.ends[1][last]).mean()

    @torch.no_grad()
    def best(self, text: Tensor):
        e = self.emissions(text.unsqueeze(1)).squeeze(1)
        total, choices = self.ends[0] + e[0], []
        for t in range(1, len(text)):
            total, choice = (total.unsqueeze(1) + self.steps).max(dim=0)
            total = total + e[t]
            choices.append(choice)
        path = [(total + self.ends[1]).argmax().item()]
        for choice in reversed(choices):
            path.insert(0, choice[path[0]].item())
        return path


if __name__ == "__main__":
    torch.manual_seed(0)
    sentences = [("the dog saw a cat", "DNVDN"), ("cats sleep", "NV"), ("a dog sleeps", "DNV")]
    words = {w: i + 1 for i, w in enumerate(sorted({w for s, _ in sentences for w in s.split()}))}
    names = "DNV"
    longest = max(len(t) for _, t in sentences)
    text, tags = torch.zeros(2, longest, len(sentences), dtype=torch.long)
    for column, (sentence, labels) in enumerate(sentences):
        text[: len(labels), column] = torch.tensor([words[w] for w in sentence.split()])
        tags[: len(labels), column] = torch.tensor([names.index(label) for label in labels])
    mask = text.ne(0)
    model = Tagger(len(words) + 1, len(names))
    print(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)
    for epoch in range(10):
        optimizer.zero_grad()
        loss = model.loss(text, tags, mask)
        loss.backward()
        optimizer.step()
        if epoch % 3 == 0:
            print(loss, f"{model.steps.grad.abs().max():.4f}")
    for column, (sentence, labels) in enumerate(sentences):
        print(sentence, labels, "".join(names[i] for i in model.best(text[: len(labels), column])))
