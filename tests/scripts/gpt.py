import torch
import torch.nn as nn
from torch.nn import functional as F
torch.manual_seed(1337)
text="hello world, this is a tiny corpus for a tiny gpt. "*20
chars=sorted(set(text)); stoi={c:i for i,c in enumerate(chars)}
data=torch.tensor([stoi[c] for c in text],dtype=torch.long)
B,T,C,H,L=8,16,32,4,2
def get_batch():
    ix=torch.randint(len(data)-T,(B,))
    x=torch.stack([data[i:i+T] for i in ix]); y=torch.stack([data[i+1:i+T+1] for i in ix])
    return x,y
class Head(nn.Module):
    def __init__(self,hs):
        super().__init__()
        self.key=nn.Linear(C,hs,bias=False); self.query=nn.Linear(C,hs,bias=False); self.value=nn.Linear(C,hs,bias=False)
        self.register_buffer('tril',torch.tril(torch.ones(T,T))); self.dropout=nn.Dropout(0.1)
    def forward(self,x):
        b,t,c=x.shape
        k,q=self.key(x),self.query(x)
        wei=q@k.transpose(-2,-1)*c**-0.5
        wei=wei.masked_fill(self.tril[:t,:t]==0,float('-inf'))
        wei=self.dropout(F.softmax(wei,dim=-1))
        return wei@self.value(x)
class MHA(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads=nn.ModuleList([Head(C//H) for _ in range(H)]); self.proj=nn.Linear(C,C); self.dropout=nn.Dropout(0.1)
    def forward(self,x): return self.dropout(self.proj(torch.cat([h(x) for h in self.heads],dim=-1)))
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.sa=MHA(); self.ffwd=nn.Sequential(nn.Linear(C,4*C),nn.GELU(),nn.Linear(4*C,C),nn.Dropout(0.1)); self.ln1=nn.LayerNorm(C); self.ln2=nn.LayerNorm(C)
    def forward(self,x):
        x=x+self.sa(self.ln1(x)); return x+self.ffwd(self.ln2(x))
class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok=nn.Embedding(len(chars),C); self.pos=nn.Embedding(T,C); self.blocks=nn.Sequential(*[Block() for _ in range(L)]); self.ln=nn.LayerNorm(C); self.head=nn.Linear(C,len(chars))
        self.apply(self._init)
    def _init(self,m):
        if isinstance(m,nn.Linear):
            torch.nn.init.normal_(m.weight,mean=0.0,std=0.02)
            if m.bias is not None: torch.nn.init.zeros_(m.bias)
        elif isinstance(m,nn.Embedding): torch.nn.init.normal_(m.weight,mean=0.0,std=0.02)
    def forward(self,idx,targets=None):
        b,t=idx.shape
        x=self.tok(idx)+self.pos(torch.arange(t)); logits=self.head(self.ln(self.blocks(x)))
        if targets is None: return logits,None
        b,t,c=logits.shape
        return logits,F.cross_entropy(logits.view(b*t,c),targets.view(b*t))
    def generate(self,idx,n):
        for _ in range(n):
            logits,_=self(idx[:,-T:]); probs=F.softmax(logits[:,-1,:],dim=-1); idx=torch.cat((idx,torch.multinomial(probs,num_samples=1)),dim=1)
        return idx
m=GPT(); print(sum(p.numel() for p in m.parameters())/1e6,'M parameters')
decay=[p for p in m.parameters() if p.dim()>=2]; nodecay=[p for p in m.parameters() if p.dim()<2]
opt=torch.optim.AdamW([{'params':decay,'weight_decay':0.1},{'params':nodecay,'weight_decay':0.0}],lr=1e-3,betas=(0.9,0.95))
for i in range(50):
    xb,yb=get_batch(); logits,loss=m(xb,yb); opt.zero_grad(set_to_none=True); loss.backward()
    torch.nn.utils.clip_grad_norm_(m.parameters(),1.0); opt.step()
    if i%7==0: print(f"{i} {loss.item():.4f}")
m.eval()
with torch.no_grad(): print(''.join(chars[i] for i in m.generate(torch.zeros((1,1),dtype=torch.long),30)[0].tolist()))
