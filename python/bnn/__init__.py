"""bnn -- networks of one and two bits.

>>> import bnn
>>> net = bnn.Network.open("lfcW1A1-fashion-mnist")
>>> net.class_names[net.classify("shoe.png")]
'Ankle boot'

A `Network` never changes and may be shared; a `Runtime` runs it on one backend. The names of the original BNN-PYNQ package
(``PynqBNN``, ``LfcClassifier``, ``CnvClassifier``, ``available_params``, ...) are in `bnn.pynq`, and here.
"""

from . import overlay
from ._library import (ArgumentError, BackendError, Cancelled, Error, FileError, FormatError, MemoryExhausted, version)
from .catalog import Choice, backends, cpu_levels, networks, topologies
from .dataset import NO_LABEL, Dataset
from .detection import Box, detect
from .network import Info, Layer, Network
from .pynq import (NETWORK_CNV, NETWORK_CNVW1A1, NETWORK_CNVW1A2, NETWORK_CNVW2A2, NETWORK_LFC, NETWORK_LFCW1A1, NETWORK_LFCW1A2,
                   RUNTIME_HW, RUNTIME_SW, CnvClassifier, LfcClassifier, PynqBNN, available_params)
from .runtime import Runtime, Stats
from .training import Progress, blank, train

__version__ = version()

__all__ = [
    "ArgumentError", "BackendError", "Box", "Cancelled", "Choice", "Dataset", "Error", "FileError", "FormatError", "Info", "Layer",
    "MemoryExhausted", "NO_LABEL", "Network", "Progress", "Runtime", "Stats", "backends", "blank", "cpu_levels", "detect",
    "networks", "overlay", "topologies", "train", "version",
    # of BNN-PYNQ
    "CnvClassifier", "LfcClassifier", "NETWORK_CNV", "NETWORK_CNVW1A1", "NETWORK_CNVW1A2", "NETWORK_CNVW2A2", "NETWORK_LFC",
    "NETWORK_LFCW1A1", "NETWORK_LFCW1A2", "PynqBNN", "RUNTIME_HW", "RUNTIME_SW", "available_params",
]
