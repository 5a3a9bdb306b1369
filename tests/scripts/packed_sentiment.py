"""Sentences of several lengths through packed recurrent layers and a convolution over embeddings; old-style tensors."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


class Recurrent(nn.Module):
    def __init__(self, vocabulary, kind):
        super(Recurrent, self).__init__()
        self.embed = nn.Embedding(vocabulary, 8, padding_idx=0)
        self.rnn = getattr(nn, kind)(8, 6, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.drop, self.score = nn.Dropout(0.3), nn.Linear(12, 2)

    def forward(self, text, lengths):
        packed = pack_padded_sequence(self.embed(text), lengths, batch_first=True, enforce_sorted=False)
        output, lengths = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        mask = torch.arange(output.size(1))[None, :] < lengths[:, None]
        mean = (self.drop(output) * mask.unsqueeze(-1).float()).sum(1) / lengths.unsqueeze(1).float()
        return self.score(mean)


class Convolutional(nn.Module):
    def __init__(self, vocabulary):
        super(Convolutional, self).__init__()
        self.embed = nn.Embedding(vocabulary, 8)
        self.convs = nn.ModuleList([nn.Conv1d(8, 5, k, padding=k - 1) for k in (2, 3)])
        self.score = nn.Linear(10, 2)
        for name, parameter in self.named_parameters():
            if "convs" in name and parameter.dim() > 1:
                nn.init.xavier_normal_(parameter)

    def forward(self, text, lengths):
        x = F.dropout(self.embed(text).transpose(1, 2), 0.2, self.training)
        return self.score(torch.cat([F.relu(conv(x)).max(dim=2)[0] for conv in self.convs], 1))


if __name__ == "__main__":
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(3)
    sentences = [torch.LongTensor(size).random_(1, 20) for size in (5, 2, 7, 4)]
    text = Variable(pad_sequence(sentences, batch_first=True)).to(device, non_blocking=True)
    lengths, labels = torch.LongTensor([len(s) for s in sentences]), torch.LongTensor([0, 1, 1, 0])
    for model in (Recurrent(20, "LSTM"), Recurrent(20, "GRU"), Convolutional(20)):
        print(model.to(device))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
        for epoch in range(4):
            model.train()
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(model(text, lengths), labels)
            loss.backward()
            optimizer.step()
            scheduler.step(loss)
            print("epoch %d loss %.4f" % (epoch, loss.data))
        model.eval()
        with torch.no_grad():
            guess = model(text, lengths).max(1, keepdim=True)[1]
        print(guess.eq(labels.data.view_as(guess)).sum().item(), "/", len(labels), guess.type())
    print(torch.FloatTensor([[1, 2], [3, 4]]).t().numpy(), isinstance(labels, torch.LongTensor))
