"""The profiler: what it counts, what its table and its trace say, and that it follows a schedule."""

import json
import threading

import pytest
import torch

import tinytorch
from tinytorch.autograd.watching import watchers
from tinytorch.profiler import ProfilerActivity, profile, record_function, schedule


def work(n=3):
    x = tinytorch.ones(2, 3, requires_grad=True)
    w = tinytorch.ones(3, 5, requires_grad=True)
    for _ in range(n):
        (x @ w).tanh().sum().backward()


def by_name(profiler):
    return {average.key: average for average in profiler.key_averages()}


def test_calls_work_and_memory_of_forward_and_backward():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        work()
    found = by_name(profiler)
    assert found["matmul"].count == found["tanh"].count == found["MmBackward0"].count == 3
    assert found["matmul"].flops == 3 * 2 * 2 * 3 * 5
    assert found["matmul"].cpu_memory_usage == 3 * 2 * 5 * 4
    assert not watchers


def test_times_nest():
    with profile() as profiler, record_function("everything"):
        with record_function("half"):
            work()
        work()
    found = by_name(profiler)
    outer, half = found["everything"], found["half"]
    assert outer.cpu_time_total > half.cpu_time_total > half.self_cpu_time_total > 0
    inside = sum(average.self_cpu_time_total for average in found.values())
    assert inside == pytest.approx(outer.cpu_time_total, rel=1e-6)


def test_the_table():
    with profile() as profiler:
        work()
    table = profiler.key_averages().table(sort_by="count", row_limit=2)
    assert "Self CPU %" in table and "Self CPU time total" in table
    assert len(table.splitlines()) == 7  # three rules, the titles, two rows, the total
    with pytest.raises(ValueError, match=r"sort_by must be one of .*'speed'"):
        profiler.key_averages().table(sort_by="speed")
    shapes = profiler.key_averages(group_by_input_shape=True).table()
    assert "[[2, 3], [3, 5]]" in shapes


def test_the_chrome_trace(tmp_path):
    with profile() as profiler:
        work(1)
    profiler.export_chrome_trace(tmp_path / "trace.json")
    entries = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {entry["ph"] for entry in entries} == {"X"}
    assert {"matmul", "TanhBackward0"} <= {entry["name"] for entry in entries}
    assert min(entry["ts"] for entry in entries) == 0


def test_a_schedule_records_the_active_steps_of_each_cycle():
    traces = []
    with profile(
        schedule=schedule(wait=1, warmup=1, active=2, repeat=2),
        on_trace_ready=lambda profiler: traces.append(by_name(profiler)["matmul"].count),
    ) as profiler:
        for _ in range(10):
            with record_function("step"):
                work(1)
            profiler.step()
    assert traces == [2, 2]
    assert by_name(profiler)["step"].count == 2


@pytest.mark.parametrize(
    "options", [{}, {"repeat": 2}, {"skip_first": 3}, {"repeat": 1, "skip_first": 1, "skip_first_wait": 1}]
)
def test_schedules_are_pytorchs(options):
    plans = [library.profiler.schedule(wait=2, warmup=1, active=2, **options) for library in (torch, tinytorch)]
    theirs, ours = ([plan(step).name for step in range(20)] for plan in plans)
    assert ours == theirs


def test_the_older_profiler():
    with tinytorch.autograd.profiler.profile(use_cuda=False) as profiler:
        work()
    assert profiler.total_average().count == sum(average.count for average in profiler.key_averages())
    assert profiler.self_cpu_time_total > 0 and "matmul" in str(profiler)
    with tinytorch.autograd.profiler.profile(False) as profiler, record_function("nobody"):
        work()
    assert not profiler.events()
    with pytest.raises(TypeError, match="unexpected keyword"):
        profile(record_shape=True)


def test_other_threads_are_seen():
    with profile() as profiler:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert by_name(profiler)["matmul"].count == 3


def test_it_stops_when_the_block_raises():
    with pytest.raises(RuntimeError, match="must match the size"), profile() as profiler:
        tinytorch.ones(2) + tinytorch.ones(3)
    assert not watchers
    assert by_name(profiler)["add"].count == 1


def test_record_function_decorates():
    @record_function("decorated")
    def function():
        work(1)

    with profile() as profiler:
        function()
    assert by_name(profiler)["decorated"].count == 1
    function()
