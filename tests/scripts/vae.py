import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x=torch.rand(256,64); loader=DataLoader(TensorDataset(x),batch_size=32,shuffle=True)
class VAE(nn.Module):
    def __init__(self):
        super(VAE,self).__init__()
        self.fc1=nn.Linear(64,40); self.fc21=nn.Linear(40,8); self.fc22=nn.Linear(40,8); self.fc3=nn.Linear(8,40); self.fc4=nn.Linear(40,64)
    def encode(self,x): h=F.relu(self.fc1(x)); return self.fc21(h),self.fc22(h)
    def reparameterize(self,mu,logvar): std=torch.exp(0.5*logvar); eps=torch.randn_like(std); return mu+eps*std
    def forward(self,x):
        mu,lv=self.encode(x.view(-1,64)); z=self.reparameterize(mu,lv); return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))),mu,lv
model=VAE(); opt=optim.Adam(model.parameters(),lr=1e-3)
sched=optim.lr_scheduler.ReduceLROnPlateau(opt,patience=1)
for e in range(6):
    tot=0
    for (b,) in loader:
        opt.zero_grad(); r,mu,lv=model(b)
        loss=F.binary_cross_entropy(r,b.view(-1,64),reduction='sum')-0.5*torch.sum(1+lv-mu.pow(2)-lv.exp())
        loss.backward(); tot+=loss.item(); opt.step()
    sched.step(tot); print(e,f"{tot/256:.5f}")
