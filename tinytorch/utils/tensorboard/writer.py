"""``SummaryWriter``: one method for each kind of thing that TensorBoard shows."""

from __future__ import annotations

import itertools
import operator
import os
import time
from datetime import datetime
from socket import gethostname
from typing import Any, NoReturn

import numpy as np

from tinytorch.utils.tensorboard import summaries
from tinytorch.utils.tensorboard.graphs import graph_def
from tinytorch.utils.tensorboard.images import figure_to_image, grid, pixels, png
from tinytorch.utils.tensorboard.records import FileWriter, message

__all__ = ["SummaryWriter"]

#: Limits of histograms' bins, in geometric progression on both sides of 0, as TensorBoard's.
_BINS = [*itertools.accumulate(itertools.repeat(1.1, 773), operator.mul, initial=1e-12)]
_BINS = [*[-limit for limit in reversed(_BINS)], 0.0, *_BINS]


class SummaryWriter:
    """Writes an event file into ``log_dir`` (default: a new folder in ``runs/``) for TensorBoard to show.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
    ...     for step in range(3):
    ...         writer.add_scalar("loss", 1 / (step + 1), step)
    ...     writer.flush()
    ...     len(os.listdir(folder))
    1
    """

    def __init__(
        self, log_dir: Any = None, comment: str = "", purge_step: int | None = None, max_queue: int = 10,
        flush_secs: float = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        if not log_dir:
            log_dir = os.path.join("runs", f"{datetime.now():%b%d_%H-%M-%S}_{gethostname()}{comment}")
        self.log_dir, self.purge_step, self.max_queue = log_dir, purge_step, max_queue
        self.flush_secs, self.filename_suffix = flush_secs, filename_suffix
        self.default_bins = _BINS
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] = {}
        self._embeddings: list[str] = []
        self._get_file_writer()

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            self.file_writer = self._writer_in(str(self.log_dir))
            if self.purge_step is not None:
                self.file_writer.add_event([(7, message((1, 1)))], self.purge_step)
                self.purge_step = None
        return self.file_writer

    def _writer_in(self, folder: str) -> FileWriter:
        if folder not in self.all_writers:
            self.all_writers[folder] = FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)
        return self.all_writers[folder]

    def get_logdir(self) -> Any:
        """The folder."""
        return self.log_dir

    # ------------------------------------------------------------------------------------ numbers

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, walltime: float | None = None,
        new_style: bool = False, double_precision: bool = False,
    ) -> None:  # fmt: skip
        """A point of a curve; ``double_precision`` is of the new style alone."""
        value = summaries.scalar(tag, scalar_value, new_style, double_precision)
        self._get_file_writer().add_summary(value, global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """A point of each of several curves in one picture; every curve has an event file of its own."""
        folder = self._get_file_writer().get_logdir()
        for tag, value in tag_scalar_dict.items():
            writer = self._writer_in(f"{folder}/{main_tag.replace('/', '_')}_{tag}")
            writer.add_summary(summaries.scalar(main_tag, value), global_step, walltime)

    def add_histogram(
        self, tag: str, values: Any, global_step: Any = None, bins: Any = "tensorflow", walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:  # fmt: skip
        """How the values of a tensor are distributed. ``bins``: the limits, or the name of a rule of NumPy's."""
        bins = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._get_file_writer().add_summary(summaries.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self, tag: str, min: Any, max: Any, num: Any, sum: Any, sum_squares: Any, bucket_limits: Any,
        bucket_counts: Any, global_step: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """A histogram that is already counted."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        value = summaries.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._get_file_writer().add_summary(value, global_step, walltime)

    def add_pr_curve(
        self, tag: str, labels: Any, predictions: Any, global_step: Any = None, num_thresholds: int = 127,
        weights: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Precision over recall, of predictions between 0 and 1 for labels 0 and 1."""
        value = summaries.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._get_file_writer().add_summary(value, global_step, walltime)

    def add_pr_curve_raw(
        self, tag: str, true_positive_counts: Any, false_positive_counts: Any, true_negative_counts: Any,
        false_negative_counts: Any, precision: Any, recall: Any, global_step: Any = None, num_thresholds: int = 127,
        weights: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """The same, already computed."""
        value = summaries.pr_curve_raw(
            tag, true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts, precision,
            recall, num_thresholds,
        )  # fmt: skip
        self._get_file_writer().add_summary(value, global_step, walltime)

    def add_hparams(
        self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: Any = None,
        run_name: str | None = None, global_step: Any = None,
    ) -> None:  # fmt: skip
        """Hyperparameters and what was reached with them, as a run of its own. ``hparam_domain_discrete`` may list
        all values of some.
        """
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        values = summaries.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for value in values:
                writer._get_file_writer().add_summary(value, global_step)
            for tag, metric in metric_dict.items():
                writer.add_scalar(tag, metric, global_step)

    # ------------------------------------------------------------------------------------ pictures, sound and text

    def add_image(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:  # fmt: skip
        """A picture: ``uint8``, or floats between 0 and 1; ``dataformats`` names its dimensions."""
        self._get_file_writer().add_summary(summaries.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:  # fmt: skip
        """Pictures side by side."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A matplotlib figure, or a list of them."""
        formats = "NCHW" if isinstance(figure, list) else "CHW"
        self.add_image(tag, figure_to_image(figure, close), global_step, walltime, formats)

    def add_audio(
        self, tag: str, snd_tensor: Any, global_step: Any = None, sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:  # fmt: skip
        """A sound: amplitudes between -1 and 1."""
        self._get_file_writer().add_summary(summaries.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """Text, shown as Markdown."""
        self._get_file_writer().add_summary(summaries.text(tag, text_string), global_step, walltime)

    # ------------------------------------------------------------------------------------ models

    def add_graph(
        self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """The ops of one call of the model, in the modules that they belong to (:func:`tinytorch.viz.trace`)."""
        self._get_file_writer().add_event([(4, graph_def(model, input_to_model))])

    def add_embedding(
        self, mat: Any, metadata: Any = None, label_img: Any = None, global_step: Any = None, tag: str = "default",
        metadata_header: Any = None,
    ) -> None:  # fmt: skip
        """Points for the projector: a row of ``mat`` each, with a label and a small picture of shape (3, h, w)."""
        rows = summaries.make_np(mat)
        if rows.ndim != 2:
            raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
        subdir = f"{str(0 if global_step is None else global_step).zfill(5)}/{_escaped(tag)}"
        root = self._get_file_writer().get_logdir()
        os.makedirs(os.path.join(root, subdir), exist_ok=True)
        lines = [f'tensor_name: "{tag}:{subdir[:5]}"', f'tensor_path: "{subdir}/tensors.tsv"']
        _write_table(os.path.join(root, subdir, "tensors.tsv"), rows.tolist())
        if metadata is not None:
            if len(metadata) != len(rows):
                raise AssertionError("#labels should equal with #data points")
            table = [metadata_header, *metadata] if metadata_header else [[label] for label in metadata]
            _write_table(os.path.join(root, subdir, "metadata.tsv"), table)
            lines.append(f'metadata_path: "{subdir}/metadata.tsv"')
        if label_img is not None:
            images = summaries.make_np(label_img)
            if len(images) != len(rows):
                raise AssertionError("#images should equal with #data points")
            _write_sprite(os.path.join(root, subdir, "sprite.png"), images)
            height, width = images.shape[2:]
            lines.append(f'sprite {{ image_path: "{subdir}/sprite.png" single_image_dim: {width} '
                         f'single_image_dim: {height} }}')  # fmt: skip
        self._embeddings.append("embeddings {\n  " + "\n  ".join(lines) + "\n}\n")
        with open(os.path.join(root, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.writelines(self._embeddings)

    def _not_supported(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises NotImplementedError: videos, meshes, boxes, ONNX graphs and custom layouts are not written."""
        raise NotImplementedError(
            "tinytorch's SummaryWriter writes no videos, meshes, boxes, ONNX graphs, raw tensors or layouts: use "
            "add_image, add_figure or add_scalars"
        )

    add_video = add_mesh = add_image_with_boxes = add_onnx_graph = add_tensor = _not_supported
    add_custom_scalars = add_custom_scalars_multilinechart = add_custom_scalars_marginchart = _not_supported

    # ------------------------------------------------------------------------------------ files

    def flush(self) -> None:
        """Hand over to the operating system what was written so far."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self) -> None:
        """Close all files. What is added later goes into new ones."""
        for writer in self.all_writers.values():
            writer.close()
        self.file_writer, self.all_writers = None, {}

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


def _escaped(tag: str) -> str:
    """A tag as the name of a folder: no slashes."""
    return "".join(f"%{ord(c):02x}" if c in "%/\\" else c for c in tag)


def _write_table(path: str, rows: Any) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in rows)


def _write_sprite(path: str, images: np.ndarray) -> None:
    """All small pictures in a square of as many columns as rows."""
    columns = int(np.ceil(len(images) ** 0.5))
    whole = grid(images, columns)
    square = np.zeros((3, whole.shape[2], whole.shape[2]), whole.dtype)
    square[:, : whole.shape[1]] = whole
    with open(path, "wb") as file:
        file.write(png(pixels(square, "CHW")))
