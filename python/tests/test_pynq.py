"""The original's classes: their answers, on the original's own parameters and on ours."""

import io

import numpy as np
import pytest
from PIL import Image

import bnn
from bnn import pynq
from conftest import CLASSES, write_folder


@pytest.fixture(autouse=True)
def param_dir(params, monkeypatch):
    monkeypatch.setenv("BNN_PARAM_DIR", str(params))


@pytest.fixture
def records(rng, tmp_path):
    path = tmp_path / "some.bin"
    rng.integers(0, 256, (5, 3073), np.uint8).tofile(path)
    return path


@pytest.fixture
def digits(rng, tmp_path):
    path = tmp_path / "some-idx3-ubyte"
    path.write_bytes(np.array([0x803, 6, 28, 28], ">u4").tobytes() + rng.integers(0, 256, (6, 784), np.uint8).tobytes())
    return path


# ---------------------------------------------------------------- the original's answers


def i32(path):
    return np.fromfile(path, "<i4")


@pytest.mark.parametrize("network", ["lfcW1A1", "lfcW1A2"])
def test_lfc_answers_as_the_original(pynq_data, network, tmp_path, command):
    vectors = pynq_data / "vectors"
    path, expected = vectors / "lfc_structured200.idx3-ubyte", vectors / f"{network}-mnist"
    classifier = bnn.LfcClassifier(network, str(pynq_data / "params" / "mnist"), bnn.RUNTIME_SW)
    multi, single = i32(expected / "lfc_structured200.class_multi.i32le"), i32(expected / "lfc_structured200.class_single.i32le")
    labels = classifier.classify_mnists(path)
    assert labels.dtype == np.int32 and np.array_equal(labels, multi)
    images = bnn.Dataset(path).images
    for i in range(len(images)):
        one = tmp_path / "one"
        one.write_bytes(np.array([0x803, 1, 28, 28], ">u4").tobytes() + images[i].tobytes())
        assert classifier.classify_mnist(one) == single[i]
        one_hot = np.arange(10) == single[i]
        assert np.array_equal(classifier.bnn.detailed_inference(str(one)), one_hot)
    c = command("classify", "--format", "labels", pynq_data / "params" / "mnist" / network, path)
    assert list(map(int, c.split())) == list(labels)


def test_cnv_answers_as_the_original(pynq_data, tmp_path, command):
    vectors = pynq_data / "vectors"
    path, expected = vectors / "cnv_structured200.cifar.bin", vectors / "cnvW1A1-cifar10"
    classifier = bnn.CnvClassifier(bnn.NETWORK_CNVW1A1, str(pynq_data / "params" / "cifar10"), bnn.RUNTIME_SW)
    scores = i32(expected / "cnv_structured200.scores.i32le").reshape(200, 64)[:, :10]
    assert np.array_equal(classifier.classify_cifars(path), i32(expected / "cnv_structured200.class_multi.i32le"))
    assert np.array_equal(classifier.classify_cifars_details(path), scores.ravel())
    single, records = i32(expected / "cnv_structured200.class_single.i32le"), path.read_bytes()
    for i in range(0, 200, 10):
        one = tmp_path / "one"
        one.write_bytes(records[3073 * i:3073 * (i + 1)])
        assert classifier.classify_cifar(one) == single[i]
        assert np.array_equal(classifier.classify_cifar_details(one), scores[i])
    c = command("classify", "--format", "labels", pynq_data / "params" / "cifar10" / "cnvW1A1", path)
    assert list(map(int, c.split())) == list(classifier.classify_cifars(path))


# ---------------------------------------------------------------- every method


def test_every_way_to_classify_a_picture_is_the_same(rng, tmp_path):
    classifier = bnn.CnvClassifier(bnn.NETWORK_CNVW1A1, "things", bnn.RUNTIME_SW)
    image = Image.fromarray(rng.integers(0, 256, (50, 40, 3), np.uint8))
    image.save(tmp_path / "a.png")
    with open(tmp_path / "a.bin", "wb") as f:
        classifier.image_to_cifar(image.copy(), f)
    assert (tmp_path / "a.bin").stat().st_size == 3073
    label, scores = classifier.classify_cifar(tmp_path / "a.bin"), classifier.classify_cifar_details(tmp_path / "a.bin")
    assert classifier.classify_path(str(tmp_path / "a.png")) == label
    assert classifier.classify_image(image.copy()) == label
    assert np.array_equal(classifier.classify_image_details(image.copy()), scores)
    assert np.array_equal(classifier.classify_details(image.copy()), scores)
    assert list(classifier.classify_paths([tmp_path / "a.png"] * 2)) == [label] * 2
    assert list(classifier.classify_images([image.copy(), image.copy()])) == [label] * 2
    assert np.array_equal(classifier.classify_images_details([image.copy()]), scores)
    assert classifier.bnn._net.classify(tmp_path / "a.png") == label  # and as our own call


def test_records_and_idx(records, digits):
    cnv = bnn.CnvClassifier(bnn.NETWORK_CNVW1A1, "things", bnn.RUNTIME_SW)
    assert cnv.classify_cifars(records).shape == (5,) and cnv.classify_cifars_details(records).shape == (50,)
    lfc = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits", bnn.RUNTIME_SW)
    labels = lfc.classify_mnists(digits)
    assert labels.shape == (6,) and 0 <= lfc.classify_mnist(digits) < 11
    details = lfc.bnn.inference_multiple_detail(str(digits)).reshape(6, 10)
    assert np.array_equal(details.argmax(1), labels)


def test_what_notebooks_print_and_read(records, capsys):
    classifier = bnn.CnvClassifier(bnn.NETWORK_CNVW1A1, "things", bnn.RUNTIME_SW)
    capsys.readouterr()
    classifier.classify_cifars(records)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Inference took ") and first.endswith(f"{classifier.usecPerImage:.2f} usec per image")
    assert second.startswith("Classification rate: ") and second.endswith(" images per second")
    classifier.classify_cifar(records)
    assert capsys.readouterr().out.splitlines()[0] == f"Inference took {classifier.usecPerImage:.2f} microseconds"
    assert classifier.usecPerImage > 0 and classifier.bnn.usecPerImage == classifier.usecPerImage
    assert (classifier.net, classifier.params, classifier.runtime) == ("cnvW1A1", "things", bnn.RUNTIME_SW)
    assert classifier.classes == CLASSES and classifier.class_name(3) == "three"


def test_empty_lines_of_the_class_file_count(tmp_path):
    write_folder(tmp_path / "lfcW1A1", "lfcW1A1", classes="a\nb\nc\n\n")
    classifier = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, tmp_path, bnn.RUNTIME_SW)
    assert classifier.classes == ["a", "b", "c", ""] and classifier.bnn.num_classes == 4


# ---------------------------------------------------------------- names and forms


def test_available_params():
    assert "digits" in bnn.available_params(bnn.NETWORK_LFCW1A1) and "things" not in bnn.available_params(bnn.NETWORK_LFCW1A1)
    assert bnn.available_params(bnn.NETWORK_CNVW1A1)[-1] == "things"
    assert "old-digits" in bnn.available_params(bnn.NETWORK_LFC)
    assert "old-digits" not in bnn.available_params(bnn.NETWORK_LFCW1A1)


def test_shipped_networks_are_parameters_too():
    for name in bnn.networks():
        topology, _, params = name.partition("-")
        if topology in pynq._TOPOLOGY:
            assert params in bnn.available_params(topology)


def test_constructors_of_the_fork(digits):
    new = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits", runtime=bnn.RUNTIME_SW)
    for fork in (bnn.LfcClassifier("digits", bnn.RUNTIME_SW), bnn.LfcClassifier("digits", runtime=bnn.RUNTIME_SW),
                 bnn.LfcClassifier(params="digits", runtime=bnn.RUNTIME_SW)):
        assert np.array_equal(fork.classify_mnists(digits), new.classify_mnists(digits))
    assert bnn.LfcClassifier("old-digits", bnn.RUNTIME_SW).bnn._net.info.decode == "multi"


def test_pynqbnn_alone(params, digits):
    net = bnn.PynqBNN(bnn.RUNTIME_SW, bnn.NETWORK_LFCW1A1, load_overlay=False)
    with pytest.raises(ValueError, match="load_parameters"):
        net.inference(str(digits))
    net.load_parameters("digits")
    by_name = net.inference_multiple(str(digits))
    net.load_parameters(str(params / "digits" / "lfcW1A1"))
    assert np.array_equal(net.inference_multiple(str(digits)), by_name)
    assert net.class_name(1) == "one"


def test_image_to_mnist(tmp_path, rng):
    image = Image.fromarray(rng.integers(0, 256, (70, 50), np.uint8))
    for invert in (False, True):
        file = io.BytesIO()
        bnn.PynqBNN.image_to_mnist(image, file, invert=invert)
        pixels = np.frombuffer(file.getvalue(), np.uint8, offset=16)
        assert file.getvalue()[:4] == b"\0\0\x08\x03"
        assert np.array_equal(pixels ^ (255 if invert else 0), np.asarray(image.resize((28, 28))).ravel())


@pytest.fixture
def no_simulation(monkeypatch):
    def no_tools(self):
        raise bnn.BackendError("verilator: not found; Debian's package verilator has it")

    monkeypatch.setattr(bnn.overlay.Overlay, "build", no_tools)


@pytest.fixture
def board(tmp_path, monkeypatch):
    """What Linux shows of a board, as files; nothing behind them computes."""
    for name, text in {"lib/firmware/bnn-overlay.txt": bnn.overlay.Overlay("lfcW1A1").text("description"),
                       "sys/class/fpga_manager/fpga0/firmware": "", "sys/class/fpga_manager/fpga0/state": "write error\n"}.items():
        path = tmp_path / "board" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("BNN_BOARD_ROOT", str(tmp_path / "board"))
    return tmp_path / "board"


def said(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("bnn: ")]


def test_hardware_says_what_it_is(digits, capsys, monkeypatch, tmp_path, no_simulation):
    monkeypatch.setenv("BNN_BOARD_ROOT", str(tmp_path))
    hardware = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits")
    assert hardware.runtime == bnn.RUNTIME_HW
    software = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits", bnn.RUNTIME_SW)
    assert hardware.classify_mnist(digits) == software.classify_mnist(digits)
    assert list(hardware.classify_mnists(digits)) == list(software.classify_mnists(digits))
    assert said(capsys) == ["bnn: RUNTIME_HW is the CPU here, with the same answers "
                            "(no board here; verilator: not found; Debian's package verilator has it)"]


def test_a_board_that_fails_is_passed_over_with_its_message(digits, capsys, board, no_simulation):
    hardware = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits")
    software = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits", bnn.RUNTIME_SW)
    assert hardware.classify_mnist(digits) == software.classify_mnist(digits)
    assert (board / "sys/class/fpga_manager/fpga0/firmware").read_text() == "bnn-overlay.bit.bin"  # it was asked
    (line,) = said(capsys)
    assert line.startswith("bnn: RUNTIME_HW is the CPU here") and "'write error' after loading bnn-overlay.bit.bin" in line


def test_a_board_comes_first(digits, capsys, board, monkeypatch):
    asked = []

    def on_the_board(net, **arguments):
        asked.append(arguments)
        return bnn.Runtime(net, backend="cpu")

    monkeypatch.setattr(pynq, "Runtime", on_the_board)
    hardware = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits")
    hardware.classify_mnist(digits), hardware.classify_mnists(digits)
    assert asked == [{"backend": "overlay", "overlay": "uio", "overlay_root": str(board)}]
    assert said(capsys) == ["bnn: RUNTIME_HW is the board"]


def test_what_is_not_there_is_an_error(monkeypatch):
    with pytest.raises(ValueError, match="digits"):
        bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "numbers")
    with pytest.raises(ValueError, match="network"):
        bnn.PynqBNN(bnn.RUNTIME_SW, "resnet")
    with pytest.raises(ValueError, match="runtime"):
        bnn.PynqBNN("python_fpga", bnn.NETWORK_LFC)
    monkeypatch.delenv("BNN_PARAM_DIR")
    with pytest.raises(ValueError, match="BNN_PARAM_DIR"):
        bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits")
