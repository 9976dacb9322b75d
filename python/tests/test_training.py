"""Training from Python: on pictures that a line divides, in a second or two."""

import numpy as np
import pytest

import bnn

TOPOLOGY = "input 8x8x1 bit\ndense 32 w1 a1\ndense <=4 w1 scores\n"


@pytest.fixture(scope="module")
def quarters(tmp_path_factory):
    """8 x 8 pictures whose bright quarter is their label, as an IDX file."""
    rng, folder = np.random.default_rng(3), tmp_path_factory.mktemp("quarters")
    labels = np.arange(400, dtype=np.uint8) % 4
    images = rng.integers(0, 140, (400, 8, 8), np.uint8)
    for image, label in zip(images, labels):
        y, x = 4 * (label // 2), 4 * (label % 2)
        image[y:y + 4, x:x + 4] += 115
    (folder / "q-images-idx3-ubyte").write_bytes(np.array([0x803, 400, 8, 8], ">u4").tobytes() + images.tobytes())
    (folder / "q-labels-idx1-ubyte").write_bytes(np.array([0x801, 400], ">u4").tobytes() + labels.tobytes())
    return folder / "q-images-idx3-ubyte"


def train(*arguments, **options):
    try:
        return bnn.train(*arguments, **options)
    except bnn.BackendError as e:
        pytest.skip(str(e))


def test_a_network_learns_and_keeps_its_names(quarters, tmp_path):
    seen = []
    net = train(TOPOLOGY, quarters, 80, epochs=6, batch=40, augment="none", names=list("abcd"), threads=1, progress=seen.append)
    assert net.class_names == list("abcd")
    assert net.score(quarters) > 0.9
    ends = [p for p in seen if p.epoch_end]
    assert [p.epoch for p in ends] == [1, 2, 3, 4, 5, 6]
    assert max(p.validation for p in ends) > 0.9 and any(p.best for p in ends)
    assert all(0 <= p.accuracy <= 1 and p.maths for p in seen)
    net.save(tmp_path / "quarters.safetensors")
    assert bnn.Network.open(tmp_path / "quarters.safetensors").classes_.tolist() == [0, 1, 2, 3]


def test_a_callback_stops_it(quarters):
    seen = []

    def enough(p):
        seen.append(p)
        if p.epoch == 2:
            raise bnn.Cancelled("enough")

    with pytest.raises(bnn.Cancelled, match="enough"):
        train(TOPOLOGY, quarters, epochs=9, threads=1, progress=enough)
    assert seen[-1].epoch == 2


def test_what_cannot_be_trained_is_refused(quarters):
    with pytest.raises(bnn.ArgumentError, match="topology line 1"):
        bnn.train("conv what\n", quarters)
    with pytest.raises(bnn.ArgumentError):
        train("input 8x8x1 bit\ndense <=3 w1 scores\n", quarters)  # four labels
    assert bnn.blank("cnvW1A1").input_shape == (32, 32, 3)
