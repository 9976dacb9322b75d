"""The original's classes: notebooks written for BNN-PYNQ run unchanged.

>>> import bnn
>>> print(bnn.available_params(bnn.NETWORK_CNVW1A1))
>>> classifier = bnn.CnvClassifier(bnn.NETWORK_CNVW1A1, "cifar10", bnn.RUNTIME_SW)
>>> classifier.class_name(classifier.classify_image(Image.open("deer.jpg")))

Answers are the original's, its quirks included (docs/bnn-pynq.md lists them, with the better call beside each). What differs:

* parameters that are not there raise ValueError; the original prints a line and leaves a half-made object;
* ``RUNTIME_HW`` uses a board when there is one, else the simulated overlay, else the CPU, and says which and why (a board is
  looked for under ``/``, or under the folder that the environment variable ``BNN_BOARD_ROOT`` names);
* files of more than 10,000 images are fine.

Parameter folders are found in the folders that the environment variable ``BNN_PARAM_DIR`` names, then among the networks that
ship (``fashion-mnist`` of ``lfcW1A1`` is the shipped network ``lfcW1A1-fashion-mnist``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ._library import BackendError, Error
from .catalog import networks
from .dataset import Dataset
from .network import Network
from .overlay import Overlay
from .runtime import Runtime

RUNTIME_HW = "python_hw"
RUNTIME_SW = "python_sw"

NETWORK_CNVW1A1 = "cnvW1A1"
NETWORK_CNVW1A2 = "cnvW1A2"
NETWORK_CNVW2A2 = "cnvW2A2"
NETWORK_LFCW1A1 = "lfcW1A1"
NETWORK_LFCW1A2 = "lfcW1A2"
NETWORK_CNV = "cnv-pynq"  # of the workshop fork
NETWORK_LFC = "lfc-pynq"

_TOPOLOGY = {name: name for name in (NETWORK_CNVW1A1, NETWORK_CNVW1A2, NETWORK_CNVW2A2, NETWORK_LFCW1A1, NETWORK_LFCW1A2)}
_TOPOLOGY.update({NETWORK_CNV: NETWORK_CNVW1A1, NETWORK_LFC: NETWORK_LFCW1A1})
_FORK = (NETWORK_CNV, NETWORK_LFC)

PathLike = Union[str, "os.PathLike[str]"]


# ---------------------------------------------------------------- where parameters are


def _param_dirs() -> List[Path]:
    return [Path(d) for d in os.environ.get("BNN_PARAM_DIR", "").split(os.pathsep) if d]


def _layers_of(folder: Path) -> int:
    """How many layers a parameter folder has: 4 of an LFC, 9 of a CNV, 0 when it is none."""
    return next((n for n in (9, 4) if (folder / f"{n - 1}-0-weights.bin").is_file()), 0)


def _is_fork_folder(folder: Path, network: str) -> bool:
    """The fork keeps a data set's files directly in its folder."""
    return network in _FORK and _layers_of(folder) == (9 if network == NETWORK_CNV else 4)


def _folder_in(params: Path, network: str) -> Optional[Path]:
    """The parameter folder of a network under the folder of a data set, new layout or the fork's."""
    if _is_fork_folder(params, network):
        return params
    new = params / _TOPOLOGY[network]
    return new if _layers_of(new) else None


def available_params(network: str) -> List[str]:
    """Names of the data sets that there are parameters of `network` for."""
    found = {d.name for root in _param_dirs() if root.is_dir() for d in root.iterdir() if d.is_dir() and _folder_in(d, network)}
    prefix = _TOPOLOGY[network] + "-"
    return sorted(found | {name[len(prefix):] for name in networks() if name.startswith(prefix)})


def _find(params: PathLike, network: str) -> Tuple[str, Optional[str]]:
    """What Network.open takes for it, and the variant."""
    given = Path(params)
    roots = [given] if given.is_absolute() else [root / given for root in _param_dirs()]
    for root in roots:
        folder = _folder_in(root, network) or (root if _layers_of(root) else None)
        if folder is not None:
            return str(folder), "workshop" if _is_fork_folder(folder, network) else None
    shipped = f"{_TOPOLOGY[network]}-{given}"
    if shipped in networks():
        return shipped, None
    raise ValueError(f"no parameters '{params}' of {network}; there are: {', '.join(available_params(network)) or 'none'}"
                     + ("" if _param_dirs() else " (the environment variable BNN_PARAM_DIR names the folder of parameters)"))


# ---------------------------------------------------------------- the network


class PynqBNN:
    """A network and its parameters, told apart by file: CIFAR-10 records for cnv*, IDX files for lfc*.

    Args:
        runtime: `RUNTIME_HW` or `RUNTIME_SW`.
        network: one of the ``NETWORK_...`` names.
        load_overlay: kept for old notebooks; nothing has to be loaded beforehand.
    """

    def __init__(self, runtime: str = RUNTIME_HW, network: str = NETWORK_CNV, load_overlay: bool = True):
        if runtime not in (RUNTIME_HW, RUNTIME_SW):
            raise ValueError(f"runtime '{runtime}'; expected {RUNTIME_HW} or {RUNTIME_SW}")
        if network not in _TOPOLOGY:
            raise ValueError(f"network '{network}'; expected {', '.join(_TOPOLOGY)}")
        self.runtime, self.network = runtime, network
        self.classes: List[str] = []
        self.num_classes = 0
        self.usecPerImage = 0.0
        self._net: Optional[Network] = None
        self._runner: Optional[Runtime] = None

    def load_parameters(self, params: PathLike) -> None:
        """Loads a parameter folder: absolute, or the name of a data set (`available_params`). Raises ValueError."""
        path, variant = _find(params, self.network)
        self._net = Network.open(path, topology=_TOPOLOGY[self.network] if os.path.isdir(path) else None, variant=variant)
        self._runner = None
        self.classes = [name.strip() for name in self._net.class_names]
        self.num_classes = len(self.classes)

    def inference(self, path: PathLike) -> int:
        """The class of the first image of a file."""
        return self._inference(self._images(path, first=True))

    def detailed_inference(self, path: PathLike) -> np.ndarray:
        """Of the first image of a file: int32 scores of the classes (cnv*), or 1 at the class and 0 elsewhere (lfc*)."""
        return self._detailed_inference(self._images(path, first=True))

    def inference_multiple(self, path: PathLike) -> np.ndarray:
        """The class of each image of a file, int32."""
        return self._inference_multiple(self._images(path))

    def inference_multiple_detail(self, path: PathLike) -> np.ndarray:
        """As `detailed_inference` for each image, one after the other, flat. (For lfc* the original reads past its buffer.)"""
        return self._inference_multiple_detail(self._images(path))

    def class_name(self, index: int) -> str:
        return self.classes[index]

    @staticmethod
    def image_to_mnist(im: Any, fp: IO[bytes], invert: bool = False) -> None:
        """Writes a grey PIL image, brought to 28 x 28, as an IDX file of one image."""
        pixels = np.asarray(im.convert("L").resize((28, 28)))
        fp.write(np.array([0x803, 1, 28, 28], ">u4").tobytes())
        fp.write((255 - pixels if invert else pixels).astype(np.uint8).tobytes())

    # The same on images in memory; each call sets usecPerImage and prints the original's two lines.

    def _inference(self, images: np.ndarray) -> int:
        return int(self._run("single", images)[1][0])

    def _detailed_inference(self, images: np.ndarray) -> np.ndarray:
        return self._details(*self._run("single", images))

    def _inference_multiple(self, images: np.ndarray) -> np.ndarray:
        return self._run("multi", images, several=True)[1].astype(np.int32)

    def _inference_multiple_detail(self, images: np.ndarray) -> np.ndarray:
        return self._details(*self._run("multi", images, several=True))

    def _details(self, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        n = len(self.classes)
        if _TOPOLOGY[self.network].startswith("lfc"):
            return (np.arange(n) == labels[:, None]).astype(np.int32).ravel()
        if _TOPOLOGY[self.network] == NETWORK_CNVW1A1:  # its scores are numbers of equal bits, the others' dot products
            scores = (scores + self._loaded().layers[-1].MW) // 2
        return scores[:, :n].astype(np.int16).astype(np.int32).ravel()  # the original's words have 16 bits

    def _images(self, path: PathLike, first: bool = False) -> np.ndarray:
        """The images of a file, which is what the network takes, whatever it looks like: records, or IDX."""
        if self._loaded().input_shape == (32, 32, 3):
            return _records(path, first)
        data = Dataset(path, network=self._net)
        if first and len(data) == 0:
            raise ValueError(f"{os.fspath(path)}: no images; expected at least one")
        return data.get(0, 1 if first else len(data))[0]

    def _loaded(self) -> Network:
        if self._net is None:
            raise ValueError("no parameters; call load_parameters first")
        return self._net

    def _run(self, rule: str, images: np.ndarray, several: bool = False) -> Tuple[np.ndarray, np.ndarray]:
        run = self._runtime(rule)
        before = run.stats.nanoseconds
        scores, labels = run.run(images)
        n = max(len(images), 1)
        self.usecPerImage = ((run.stats.nanoseconds - before) // 1000) / n  # whole microseconds of the whole batch
        print("Inference took %.2f microseconds" % (self.usecPerImage * n) + (", %.2f usec per image" % self.usecPerImage if several else ""))
        print("Classification rate: %.2f images per second" % (1e6 / (self.usecPerImage or 1 / n)))
        return scores, labels

    def _runtime(self, rule: str) -> Runtime:
        """The runtime, made at the first use, with the decode rule of the call. (Networks trained here have no quirk to keep.)"""
        net = self._loaded()
        if self._runner is None:
            self._runner = Runtime(net, backend="cpu") if self.runtime == RUNTIME_SW else _hardware(net)
        self._runner.decode = "argmax" if net.decode == "argmax" else rule
        return self._runner


def _records(path: PathLike, first: bool) -> np.ndarray:
    """CIFAR-10 records: a label, then 1024 bytes each of red, green and blue. A part of one at the end is ignored."""
    data = np.fromfile(path, np.uint8)
    records = data[:len(data) // 3073 * 3073].reshape(-1, 3073)[:1 if first else None]
    if first and len(records) == 0:
        raise ValueError(f"{os.fspath(path)}: {len(data)} bytes; expected at least one record of 3073")
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def _board() -> Dict[str, Any]:
    """Arguments of a runtime on the board."""
    root = os.environ.get("BNN_BOARD_ROOT") or "/"
    if not os.path.isdir(os.path.join(root, "sys/class/fpga_manager/fpga0")):
        raise BackendError("no board here")
    return {"backend": "overlay", "overlay": "uio", "overlay_root": root}


def _hardware(net: Network) -> Runtime:
    """The runtime that stands for the board; says which it is."""
    choices = [(_board, "the board"),
               (lambda: {"backend": "overlay", "overlay": Overlay.of(net)}, "the simulated overlay: its RTL, cycle by cycle, hence slow"),
               (lambda: {"backend": "cpu"}, "the CPU here, with the same answers")]
    why: List[str] = []
    for arguments_of, what in choices:
        try:
            run = Runtime(net, **arguments_of())
        except Error as e:
            why.append(str(e))
            continue
        print(f"bnn: RUNTIME_HW is {what}" + (f" ({'; '.join(why)})" if why else ""))
        return run
    raise BackendError("; ".join(why))


# ---------------------------------------------------------------- classifiers


class _Classifier:
    """What both classifiers share: parameters by name, and the attributes that notebooks read."""

    _default = ""

    def __init__(self, network: Optional[str] = None, params: Optional[str] = None, runtime: Optional[str] = None):
        if network not in _TOPOLOGY:  # the fork's form has no network: (params, runtime=RUNTIME_HW)
            if network is not None:
                params, runtime = network, runtime or params
            network = self._default
        if params is None:
            raise ValueError(f"no parameters named; there are: {', '.join(available_params(network)) or 'none'}")
        self.net, self.params, self.runtime = network, params, runtime or RUNTIME_HW
        self.bnn = PynqBNN(self.runtime, network)
        self.bnn.load_parameters(params)
        self.classes = self.bnn.classes

    @property
    def usecPerImage(self) -> float:
        """Microseconds an image of the last call."""
        return self.bnn.usecPerImage

    def class_name(self, index: int) -> str:
        return self.bnn.class_name(index)


class CnvClassifier(_Classifier):
    """Colour pictures by a cnv network: ``CnvClassifier(network, params, runtime=RUNTIME_HW)``, or as in the fork
    ``CnvClassifier(params, runtime=RUNTIME_HW)``. Raises ValueError when there are no such parameters."""

    _default = NETWORK_CNV

    def image_to_cifar(self, img: Any, fp: IO[bytes]) -> None:
        """Writes a PIL image as a CIFAR-10 record. Like the original's, this shrinks `img` itself."""
        fp.write(b"\x01" + self._pixels(img).transpose(2, 0, 1).tobytes())

    def classify_image(self, img: Any) -> int:
        """The class of a PIL image."""
        return self.bnn._inference(self._batch([img]))

    def classify_images(self, imgs: Sequence[Any]) -> np.ndarray:
        """The classes of PIL images, int32."""
        return self.bnn._inference_multiple(self._batch(imgs))

    def classify_image_details(self, img: Any) -> np.ndarray:
        """The scores of a PIL image, int32."""
        return self.bnn._detailed_inference(self._batch([img]))

    classify_details = classify_image_details  # its name in the fork

    def classify_images_details(self, imgs: Sequence[Any]) -> np.ndarray:
        """The scores of PIL images, one after the other, flat."""
        return self.bnn._inference_multiple_detail(self._batch(imgs))

    def classify_path(self, path: PathLike) -> int:
        """The class of a picture file."""
        return self.classify_image(_open(path))

    def classify_paths(self, paths: Sequence[PathLike]) -> np.ndarray:
        """The classes of picture files, int32."""
        return self.classify_images([_open(path) for path in paths])

    def classify_cifar(self, path: PathLike) -> int:
        """The class of the first record of a CIFAR-10 file."""
        return self.bnn.inference(path)

    def classify_cifars(self, path: PathLike) -> np.ndarray:
        """The classes of the records of a CIFAR-10 file, int32."""
        return self.bnn.inference_multiple(path)

    def classify_cifar_details(self, path: PathLike) -> np.ndarray:
        """The scores of the first record of a CIFAR-10 file, int32."""
        return self.bnn.detailed_inference(path)

    def classify_cifars_details(self, path: PathLike) -> np.ndarray:
        """The scores of the records of a CIFAR-10 file, one after the other, flat."""
        return self.bnn.inference_multiple_detail(path)

    @staticmethod
    def _pixels(img: Any) -> np.ndarray:
        """32 x 32 x 3: shrunk to fit, in the middle of white; alpha is not looked at, so transparent parts show their colour."""
        from PIL import Image

        img.thumbnail((32, 32), Image.LANCZOS)
        canvas = Image.new("RGBA", (32, 32), (255, 255, 255, 0))
        canvas.paste(img, ((32 - img.width) // 2, (32 - img.height) // 2))
        return np.asarray(canvas)[:, :, :3]

    def _batch(self, imgs: Sequence[Any]) -> np.ndarray:
        return np.stack([self._pixels(img) for img in imgs]) if len(imgs) else np.empty((0, 32, 32, 3), np.uint8)


class LfcClassifier(_Classifier):
    """Digits and letters by an lfc network: ``LfcClassifier(network, params, runtime=RUNTIME_HW)``, or as in the fork
    ``LfcClassifier(params, runtime=RUNTIME_HW)``. Raises ValueError when there are no such parameters."""

    _default = NETWORK_LFC

    def classify_mnist(self, path: PathLike) -> int:
        """The class of the first image of an IDX file."""
        return self.bnn.inference(path)

    def classify_mnists(self, path: PathLike) -> np.ndarray:
        """The classes of the images of an IDX file, int32."""
        return self.bnn.inference_multiple(path)


def _open(path: PathLike) -> Any:
    from PIL import Image

    return Image.open(path)
