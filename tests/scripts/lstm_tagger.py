import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

torch.manual_seed(2)

class Tagger(nn.Module):
    def __init__(self):
        super().__init__(); self.emb=nn.Embedding(20,8); self.lstm=nn.LSTM(8,16,num_layers=2,batch_first=True,bidirectional=True); self.fc=nn.Linear(32,5)
    def forward(self,x): o,(h,c)=self.lstm(self.emb(x)); return self.fc(o)
t=Tagger(); o=optim.SGD(t.parameters(),lr=0.5,momentum=0.9); X=torch.randint(0,20,(16,7)); Y=X%5
for i in range(20):
    o.zero_grad(); l=F.cross_entropy(t(X).permute(0,2,1),Y); l.backward(); o.step()
    if i%2==0: print(f"{l.item():.5f}")
print(t)
