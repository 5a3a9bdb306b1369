"""What ``print`` says of a result's ``grad_fn`` is what PyTorch says, op by op."""

import numpy as np
import pytest
import torch

import tinytorch

EXPRESSIONS = """
F.interpolate(b[None],scale_factor=2.) ; F.interpolate(b,scale_factor=2.) ; F.interpolate(b[None],size=3,mode='bicubic')
F.interpolate(b[None],size=3,mode='bilinear',antialias=True) ; F.interpolate(b,size=3,mode='nearest-exact')
F.pixel_shuffle(b,2) ; F.pixel_unshuffle(b,2) ; F.channel_shuffle(b[None],2)
a+a ; a-a ; a*a ; a/a ; a+1 ; 1-a ; a-1 ; 2*a ; a/2 ; -a ; a**2 ; a**a ; 2**a ; a@a ; a@v ; v@v ; b@b ; a%2 ; a.exp()
a.log() ; a.sqrt() ; a.rsqrt() ; a.abs() ; a.sin() ; a.cos() ; a.tan() ; a.tanh() ; a.sigmoid() ; a.relu() ; a.floor()
a.round() ; a.sign() ; a.clamp(0,1) ; a.clamp(min=0) ; a.clamp_min(0.) ; a.reciprocal() ; a.square() ; a.log1p()
a.expm1() ; a.log2() ; a.erf() ; a.lgamma() ; a.digamma() ; a.sum() ; a.sum(0) ; a.sum(dim=1,keepdim=True) ; a.mean()
a.mean(1) ; a.prod() ; a.prod(0) ; a.max() ; a.min() ; a.max(0)[0] ; a.min(1)[0] ; a.amax() ; a.amax(0) ; a.var()
a.var(0) ; a.std() ; a.std(1) ; a.norm() ; a.norm(dim=1) ; a.norm(1) ; a.norm(p=1,dim=1) ; a.logsumexp(0)
a.cumsum(0) ; a.cumprod(0) ; a.median() ; a.median(0)[0] ; a.mode(0)[0] ; a.view(-1) ; a.reshape(-1) ; a.reshape(4,4)
a.t().reshape(-1) ; a.t().flatten() ; a[:,1:].reshape(-1) ; a[1:].reshape(-1)
a.t() ; a.T ; a.transpose(0,1) ; a.permute(1,0) ; a.unsqueeze(0) ; a.unsqueeze(0).squeeze()
a.unsqueeze(0).squeeze(0) ; a.flatten() ; a.expand(2,4,4) ; a.repeat(2,1) ; a[0] ; a[0:2] ; a[:,1] ; a[a>0] ; a[[0,1]]
a[0,1] ; a[...,0] ; a[None] ; a[:,None,0] ; a.narrow(0,0,2) ; a.select(0,1) ; a.chunk(2)[0] ; a.split(2)[0]
a.unbind()[0] ; a.diagonal() ; a.triu() ; a.tril() ; a.flip(0) ; a.roll(1,0) ; a.t().contiguous() ; a.clone()
a.unfold(0,2,1) ; a.movedim(0,1) ; a.mT ; a.view_as(a) ; a.expand_as(b) ; a.unflatten(0,(2,2)) ; a.swapaxes(0,1)
torch.cat([a,a]) ; torch.stack([a,a]) ; torch.hstack([a,a]) ; torch.vstack([a,a]) ; torch.where(a>0,a,a)
torch.maximum(a,a) ; torch.minimum(a,a) ; torch.outer(v,v) ; torch.dot(v,v) ; torch.mv(a,v) ; torch.mm(a,a)
torch.bmm(b,b) ; torch.matmul(a,a) ; torch.matmul(b,a) ; torch.einsum('ij,jk->ik',a,a)
torch.einsum('bij,bjk->bik',b,b) ; torch.addmm(a,a,a) ; torch.baddbmm(b,b,b) ; torch.lerp(a,a,0.5) ; torch.atan2(a,a)
torch.pow(a,3) ; torch.addcmul(a,a,a) ; torch.addcdiv(a,a,a) ; torch.meshgrid(v,v)[0] ; torch.tensordot(a,a,1)
torch.trace(a) ; torch.det(a) ; torch.inverse(a) ; torch.linalg.solve(a,a) ; torch.linalg.norm(a)
torch.linalg.cholesky(a@a.T) ; torch.linalg.inv(a) ; torch.logdet(a@a.T) ; torch.cdist(a,a) ; torch.gather(a,0,i)
a.scatter(0,i,a) ; a.scatter_add(0,i,a) ; a.index_select(0,i[0]) ; a.index_add(0,i[0],a) ; a.masked_fill(a>0,0)
a.masked_select(a>0) ; torch.take(a,i) ; a.topk(2)[0] ; a.sort()[0] ; a.kthvalue(1)[0] ; torch.logaddexp(a,a)
F.relu(a) ; F.gelu(a) ; F.gelu(a,approximate='tanh') ; F.elu(a) ; F.selu(a) ; F.silu(a) ; F.mish(a) ; F.leaky_relu(a)
F.softplus(a) ; F.softsign(a) ; F.hardtanh(a) ; F.hardswish(a) ; F.hardsigmoid(a) ; F.logsigmoid(a) ; F.softmax(a,-1)
F.log_softmax(a,-1) ; F.tanhshrink(a) ; F.relu6(a) ; F.threshold(a,0,0) ; F.celu(a) ; F.glu(a)
F.prelu(a,torch.ones(1)) ; F.softmin(a,0) ; F.hardshrink(a) ; F.softshrink(a) ; F.linear(a,a) ; F.linear(a,a,v)
F.linear(b,a) ; F.linear(b,a,v) ; F.dropout(a,0.5) ; F.embedding(i,a) ; F.one_hot(i).float()@a ; F.layer_norm(a,(4,))
F.layer_norm(a,(4,),v,v) ; F.batch_norm(a,None,None,training=True) ; F.batch_norm(a,z,o) ; F.group_norm(a,2)
F.rms_norm(a,(4,)) ; F.instance_norm(b) ; F.normalize(a) ; F.cosine_similarity(a,a) ; F.conv1d(b,w) ; F.conv2d(c,w2)
F.conv_transpose2d(c,w2) ; F.max_pool2d(c,2) ; F.max_pool1d(b,2) ; F.avg_pool2d(c,2) ; F.avg_pool1d(b,2)
F.adaptive_avg_pool2d(c,2) ; F.adaptive_avg_pool1d(b,1) ; F.pad(a,(1,1)) ; F.unfold(c,2)
F.fold(F.unfold(c,2),(4,4),2) ; F.mse_loss(a,z4) ; F.mse_loss(a,z4,reduction='sum')
F.mse_loss(a,z4,reduction='none') ; F.l1_loss(a,z4) ; F.smooth_l1_loss(a,z4) ; F.huber_loss(a,z4)
F.cross_entropy(a,i[0]) ; F.cross_entropy(a,i[0],reduction='sum') ; F.cross_entropy(a,i[0],reduction='none')
F.cross_entropy(a,i[0],label_smoothing=0.1) ; F.nll_loss(a,i[0]) ; F.binary_cross_entropy(a.sigmoid(),z4)
F.binary_cross_entropy_with_logits(a,z4) ; F.kl_div(a,o4) ; F.kl_div(a,o4,reduction='batchmean')
F.triplet_margin_loss(a,a,a) ; F.margin_ranking_loss(v,v,z) ; F.cosine_embedding_loss(a,a,o)
F.hinge_embedding_loss(a,o4) ; F.multi_margin_loss(a,i[0]) ; F.gaussian_nll_loss(a,z4,o4) ; F.poisson_nll_loss(a,z4)
F.multilabel_soft_margin_loss(a,z4) ; F.soft_margin_loss(a,o4) ; F.scaled_dot_product_attention(b,b,b)
F.scaled_dot_product_attention(b,b,b,is_causal=True) ; nn.LSTM(4,3)(b)[0] ; nn.LSTM(4,3)(b)[1][0] ; nn.GRU(4,3)(b)[0]
nn.GRU(4,3)(b)[1] ; nn.RNN(4,3)(b)[0] ; nn.RNN(4,3)(b)[1] ; nn.LSTM(4,3,batch_first=True)(b)[0]
nn.LSTM(4,3,bidirectional=True)(b)[0] ; nn.GRUCell(4,3)(a) ; nn.RNNCell(4,3)(a) ; nn.MultiheadAttention(4,2)(b,b,b)[0]
nn.MultiheadAttention(4,2)(b,b,b)[1] ; nn.TransformerEncoderLayer(4,2)(b) ; nn.Bilinear(4,4,2)(a,a)
nn.Embedding(4,3)(i) ; nn.Softmax(-1)(a) ; nn.Flatten()(b) ; nn.LogSoftmax(1)(a)
nn.Sequential(nn.Linear(4,2),nn.ReLU())(a) ; nn.Linear(4,1)(a).squeeze() ; nn.Linear(4,1)(a).squeeze(-1) ; a.double()
a.half() ; a.to(torch.float64) ; a.type(torch.float64) ; a.clone().add_(1) ; a.clone().mul_(2) ; a.clone().relu_()
a.clone().clamp_(0) ; a.clone().masked_fill_(a>0,0) ; a.clone().exp_() ; torch.view_as_complex(a.view(4,2,2))
torch.special.expit(a) ; torch.hypot(a,a) ; torch.fmod(a,2) ; torch.remainder(a,2) ; torch.true_divide(a,2)
torch.rsub(a,1) ; torch.sinc(a) ; torch.logit(a) ; torch.frac(a) ; torch.trunc(a) ; torch.nanmean(a) ; torch.diff(a)
torch.logcumsumexp(a,0) ; torch.cummax(a,0)[0] ; torch.dist(a,a) ; torch.softmax(a,0) ; torch.log_softmax(a,0)
torch.tile(a,(2,)) ; torch.broadcast_to(a,(2,4,4)) ; torch.cov(a) ; torch.linalg.svd(a)[1] ; torch.linalg.qr(a)[0]
torch.linalg.det(a) ; torch.linalg.matrix_norm(a) ; torch.linalg.vector_norm(a) ; torch.pinverse(a)
torch.linalg.pinv(a) ; torch.linalg.slogdet(a)[1] ; torch.xlogy(a,a) ; torch.dstack([a,a]) ; torch.column_stack([a,a])
torch.index_put(a,(i[0],),a) ; torch.take_along_dim(a,i,0) ; torch.multiply(a,a) ; torch.square(a) ; torch.ger(v,v)
torch.inner(a,a) ; torch.copysign(a,a) ; torch.polygamma(1,a) ; torch.erfinv(a) ; torch.acos(a)
torch.softmax(a,0,dtype=torch.float64)
"""


def names_for(library):
    rng = np.random.default_rng(0)

    def leaf(*shape):
        return library.from_numpy(rng.uniform(0.25, 0.75, shape).astype(np.float32)).requires_grad_()

    return {
        "torch": library, "F": library.nn.functional, "nn": library.nn, "a": leaf(4, 4), "v": leaf(4), "b": leaf(4, 4, 4),
        "c": leaf(2, 4, 4, 4), "w": leaf(2, 4, 3), "w2": leaf(4, 4, 2, 2), "i": library.arange(16).reshape(4, 4) % 4,
        "z": library.zeros(4), "o": library.ones(4), "z4": library.zeros(4, 4), "o4": library.ones(4, 4),
    }  # fmt: skip


MINE, THEIRS = names_for(tinytorch), names_for(torch)


@pytest.mark.parametrize("line", EXPRESSIONS.strip().splitlines())
def test_the_name_of_the_last_node(line):
    for expression in line.split(" ; "):
        expected, node = type(eval(expression, THEIRS).grad_fn).__name__, eval(expression, MINE).grad_fn
        assert (expression, node.name(), type(node).__name__) == (expression, expected, expected)


@pytest.mark.parametrize("call", ["linalg.svd(T.eye(2))", "linalg.qr(T.eye(2))", "svd(T.eye(2))", "eye(2).max(0)"])
def test_named_results(call):
    mine, theirs = (repr(eval(f"T.{call}", {"T": library})) for library in (tinytorch, torch))
    assert mine.replace("-0.", "0.").replace(" ", "") == theirs.replace("-0.", "0.").replace(" ", "")


def test_a_step_in_place_takes_its_factor_from_a_tensor():
    for library in (tinytorch, torch):
        x = library.ones(2)
        assert x.add_(library.ones(2), alpha=library.tensor(2.0)).tolist() == [3.0, 3.0]
