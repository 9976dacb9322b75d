"""Training: the same function as the command `bnn train`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, Hashable, List, Optional, Sequence, Union

from ._bnn import ffi, lib
from ._library import Cancelled, call, chars, text
from .dataset import Dataset, Path
from .network import Network


@dataclass(frozen=True)
class Progress:
    """Where a training is: after every batch, and once more (`epoch_end`) when an epoch's network has been measured."""

    epoch: int
    epochs: int
    step: int
    steps: int
    images: int               # of an epoch
    loss: float               # means over this epoch's training images so far
    accuracy: float           # 0 to 1
    learning_rate: float
    seconds: float
    images_per_second: float
    epoch_end: bool
    validation: float         # accuracy of the frozen network at the end of an epoch; -1 without validation images
    best: bool                # the best epoch so far
    maths: str


class _Callback:
    """A Python function that C calls; an exception in it stops the training and is raised from `train`."""

    def __init__(self, function: Callable[[Progress], Any]):
        self.function = function
        self.raised: Optional[BaseException] = None

    def __call__(self, p: Any) -> int:
        try:
            values = {name: getattr(p, name) for name in Progress.__annotations__}
            values.update(epoch_end=bool(p.epoch_end), best=bool(p.best), maths=text(p.maths) if p.maths else "")
            self.function(Progress(**values))
            return 0
        except BaseException as e:  # KeyboardInterrupt too
            self.raised = e
            return 1


@ffi.def_extern(error=1)
def bnn_python_progress(user: Any, progress: Any) -> int:
    return ffi.from_handle(user)(progress)


def blank(topology: Union[str, "os.PathLike[str]"], rule: Optional[str] = None) -> Network:
    """A network of a topology (name, file or text) and an input rule (None = the default) that is not trained. It brings data
    sets to the topology's input. Raises ArgumentError, FileError."""
    out = ffi.new("bnn_network **")
    call(lib.bnn_train_blank, out, chars(topology), chars(rule))
    return Network(out[0])


def train(topology: Union[Network, str, "os.PathLike[str]"], data: Union[Dataset, Path, Sequence[Path]],
          validation: Union[None, int, Dataset, Path, Sequence[Path]] = None, *, rule: Optional[str] = None,
          progress: Optional[Callable[[Progress], Any]] = None, epochs: int = 40, batch: int = 256, learning_rate: float = 0.02,
          augment: Optional[str] = None, seed: int = 1, threads: int = 0, checkpoint: Optional[Path] = None, resume: bool = False,
          names: Optional[Sequence[str]] = None, teacher: Optional[Network] = None, teacher_share: float = 0.5,
          dropout: float = 0.0, maths: Optional[str] = None, groups: Optional[Sequence[Hashable]] = None) -> Network:
    """Trains a network, with integer thresholds that give the same answers as the floats that were trained.

    Args:
        topology: name, file or text; or a network that `blank` made.
        data: the training set: a path or paths, or a `Dataset` opened with ``network=bnn.blank(...), uncropped=True``.
        validation: a data set to choose the best epoch with, or how many images to keep out of `data`. None = none.
        rule: input rule, such as ``"threshold mean"``.
        progress: called with a `Progress` after every batch; an exception in it (`Cancelled`, say) stops the training, with a
            checkpoint if there is one, and is raised from here.
        epochs, batch, learning_rate, augment, seed, threads: as `bnn train`; docs/training.md.
        checkpoint: file rewritten after each epoch, from which ``resume=True`` goes on to the same network, bit for bit.
        names: of the classes; None = those of the data set.
        teacher: a network of the same input and classes to learn from beside the labels, with the weight `teacher_share`.
        dropout: the share of hidden values that each step leaves to chance, 0 to 0.9.
        maths: ``"int6"``, ``"onednn-bf16"``, ``"onednn-f32"``, ``"openblas-f32"``; None = the fastest here.
        groups: one for each image of `data`; images of equal groups (one writer's, say) are kept out together.

    Raises:
        ArgumentError: images without labels, classes without images, shapes that do not fit.
        BackendError: no maths library (Debian: libdnnl2 or libopenblas0-pthread).
        KeyboardInterrupt: in `progress`, as any exception of it.
    """
    start = topology if isinstance(topology, Network) else blank(topology, rule)
    options, out = ffi.new("bnn_train_options *"), ffi.new("bnn_network **")
    lib.bnn_train_options_default(options)
    options.epochs, options.batch, options.learning_rate, options.seed, options.threads = epochs, batch, learning_rate, seed, threads
    keep: List[Any] = [chars(augment), chars(checkpoint), chars(maths)]
    options.augment, options.checkpoint, options.maths = keep
    options.dropout = dropout
    options.resume, options.keep_out = resume, validation if isinstance(validation, int) else 0
    if names is not None:
        words = [chars(name) for name in names]
        keep += words + [ffi.new("char *[]", words)]
        options.names, options.n_names = keep[-1], len(words)
    if teacher is not None:
        options.teacher, options.teacher_share = teacher._c, teacher_share
    if groups is not None:
        first: Dict[Hashable, int] = {}
        keep.append(ffi.new("uint32_t[]", [first.setdefault(g, i) for i, g in enumerate(groups)]))
        options.groups, options.n_groups = keep[-1], len(groups)
    callback = _Callback(progress) if progress else None
    if callback:
        keep.append(ffi.new_handle(callback))
        options.progress, options.user = lib.bnn_python_progress, keep[-1]
    sets = [_dataset(start, data), None if validation is None or isinstance(validation, int) else _dataset(start, validation)]
    try:
        call(lib.bnn_train, out, ffi.NULL, start._c, sets[0]._c, sets[1]._c if sets[1] else ffi.NULL, options)
    except Cancelled:
        if callback and callback.raised:
            raise callback.raised from None
        raise
    return Network(out[0])


def _dataset(network: Network, data: Union[Dataset, Path, Sequence[Path]]) -> Dataset:
    return data if isinstance(data, Dataset) else Dataset(data, network=network, uncropped=True)
