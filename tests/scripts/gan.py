import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

torch.manual_seed(1)

D=nn.Sequential(nn.Linear(2,16),nn.LeakyReLU(0.2),nn.Linear(16,1)); G=nn.Sequential(nn.Linear(4,16),nn.ReLU(),nn.BatchNorm1d(16),nn.Linear(16,2))
crit=nn.BCEWithLogitsLoss(); od=optim.RMSprop(D.parameters(),lr=1e-3); og=optim.Adam(G.parameters(),lr=1e-3,betas=(0.5,0.999))
for i in range(30):
    real=torch.randn(32,2)*0.5+1; z=torch.randn(32,4)
    od.zero_grad(); fake=G(z); l=crit(D(real),torch.ones(32,1))+crit(D(fake.detach()),torch.zeros(32,1)); l.backward(); od.step()
    og.zero_grad(); lg=crit(D(fake),torch.ones(32,1)); lg.backward(); og.step()
    if i%10==0: print(f"{l.item():.5f} {lg.item():.5f}")
