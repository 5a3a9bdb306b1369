import torch
import torch.nn as nn
import torch.nn.functional as F

g=torch.Generator().manual_seed(2147483647)
C=torch.randn((27,10),generator=g); W1=torch.randn((30,20),generator=g)*(5/3)/30**0.5; b1=torch.randn(20,generator=g)*0.01; W2=torch.randn((20,27),generator=g)*0.01; b2=torch.randn(27,generator=g)*0
bngain=torch.ones((1,20)); bnbias=torch.zeros((1,20)); rm=torch.zeros((1,20)); rs=torch.ones((1,20))
ps=[C,W1,b1,W2,b2,bngain,bnbias]
for p in ps: p.requires_grad=True
Xtr=torch.randint(0,27,(500,3),generator=g); Ytr=torch.randint(0,27,(500,),generator=g)
for i in range(20):
    ix=torch.randint(0,500,(32,),generator=g); Xb,Yb=Xtr[ix],Ytr[ix]
    emb=C[Xb]; pre=emb.view(emb.shape[0],-1)@W1+b1
    mi=pre.mean(0,keepdim=True); si=pre.std(0,keepdim=True); pre=bngain*(pre-mi)/si+bnbias
    with torch.no_grad(): rm=0.999*rm+0.001*mi; rs=0.999*rs+0.001*si
    h=torch.tanh(pre); logits=h@W2+b2; loss=F.cross_entropy(logits,Yb)
    for p in ps: p.grad=None
    loss.backward()
    for p in ps: p.data+=-0.1*p.grad
print(f"{loss.item():.5f}", rm[0,:3], loss, (h.abs()>0.99).float().mean())
N=torch.zeros((27,27),dtype=torch.int32)
for a,b in zip(Xtr[:,0],Xtr[:,1]): N[a,b]+=1
P=(N+1).float(); P/=P.sum(1,keepdims=True); print(P[0,:5], N.sum().item(), torch.multinomial(P[0],num_samples=3,replacement=True,generator=g).tolist())
