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


def test_groups_are_kept_out_whole_and_windows_are_validated_as_deployed(quarters):
    seen = []
    rule = dict(rule="size 8x8", epochs=2, batch=40, augment="shift=1", threads=1)
    whole = bnn.Dataset(quarters, network=bnn.blank("input 6x6x1 bit\ndense 32 w1 a1\ndense <=4 w1 scores\n", "size 8x8"), uncropped=True)
    assert whole.shape == (8, 8, 1)
    net = train("input 6x6x1 bit\ndense 32 w1 a1\ndense <=4 w1 scores\n", whole, quarters, progress=seen.append, **rule)
    assert net.score(quarters) == pytest.approx(max(p.validation for p in seen if p.epoch_end))
    train(TOPOLOGY, quarters, 80, epochs=1, batch=40, threads=1, groups=[f"of {i // 10}" for i in range(400)])
    with pytest.raises(bnn.ArgumentError, match="0 of 400 images kept out"):
        train(TOPOLOGY, quarters, 80, epochs=1, batch=40, threads=1, groups=["one"] * 400)
    with pytest.raises(bnn.ArgumentError, match="groups of 3 images; expected 400"):
        train(TOPOLOGY, quarters, 80, epochs=1, batch=40, threads=1, groups=[1, 2, 3])


def test_what_cannot_be_trained_is_refused(quarters):
    with pytest.raises(bnn.ArgumentError, match="topology line 1"):
        bnn.train("conv what\n", quarters)
    with pytest.raises(bnn.ArgumentError):
        train("input 8x8x1 bit\ndense <=3 w1 scores\n", quarters)  # four labels
    assert bnn.blank("cnvW1A1").input_shape == (32, 32, 3)
