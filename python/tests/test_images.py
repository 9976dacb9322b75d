"""Everything that counts as images gives the same pixels, hence the same answer."""

import io

import numpy as np
import pytest
from PIL import Image

import bnn


@pytest.fixture
def grey(rng):
    return rng.integers(0, 256, (28, 28), np.uint8)


@pytest.fixture
def photo(rng):
    """A picture of another size than any network's input."""
    return rng.integers(0, 256, (41, 57, 3), np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_one_image_gives_one_answer(lfc, grey):
    label = lfc.classify(grey)
    assert isinstance(label, int) and lfc.scores(grey).shape == (10,)
    assert lfc.classify(grey[:, :, None]) == label


def test_batches_in_every_layout(lfc, grey):
    label = lfc.classify(grey)
    batch = np.stack([grey] * 3)
    for x in (batch, batch[..., None], batch.reshape(3, 784), [grey] * 3, tuple(batch), (im for im in batch)):
        assert list(lfc.classify(x)) == [label] * 3


def test_contiguous_arrays_are_not_copied(lfc, rng):
    x = rng.integers(0, 256, (4, 28, 28, 1), np.uint8)
    assert np.shares_memory(lfc.prepare(x), x)
    assert np.shares_memory(lfc.prepare(x[..., 0]), x)


def test_arrays_that_are_not_contiguous_give_the_same(lfc, rng):
    x = rng.integers(0, 256, (6, 28, 28), np.uint8)
    assert np.array_equal(lfc.scores(x[::2]), lfc.scores(x)[::2])
    assert np.array_equal(lfc.scores(np.asfortranarray(x)), lfc.scores(x))


def test_none_gives_none(lfc):
    assert lfc.classify(np.empty((0, 28, 28), np.uint8)).shape == (0,)
    assert lfc.scores([]).shape == (0, 10)


def test_pictures_are_prepared_as_a_data_set_prepares_them(cnv, lfc, photo, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(photo))
    for net in (cnv, lfc):
        expected = bnn.Dataset(path, network=net).images
        forms = [path, str(path), png(photo), Image.fromarray(photo), photo]
        for form in forms:
            assert np.array_equal(net.prepare(form), expected)
        assert np.array_equal(net.prepare(forms), np.concatenate([expected] * 5))
        assert isinstance(net.classify(path), int)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_pillow(cnv, photo, mode):
    image = Image.fromarray((photo[:, :, 0].astype(np.uint16) * 257)) if mode == "I;16" else Image.fromarray(photo).convert(mode)
    assert cnv.prepare(image).shape == (1, 32, 32, 3)


def test_colour_pictures_become_what_pillow_makes_of_them(cnv, photo):
    image = Image.fromarray(photo)
    image.thumbnail((32, 32), Image.LANCZOS)
    canvas = Image.new("RGB", (32, 32), (255, 255, 255))
    canvas.paste(image, ((32 - image.width) // 2, (32 - image.height) // 2))
    assert np.array_equal(cnv.prepare(photo)[0], np.asarray(canvas))


def test_data_sets(lfc, rng, tmp_path):
    images, labels = rng.integers(0, 256, (9, 28, 28), np.uint8), rng.integers(0, 10, 9, np.uint8)
    (tmp_path / "x-images-idx3-ubyte").write_bytes(np.array([0x803, 9, 28, 28], ">u4").tobytes() + images.tobytes())
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(np.array([0x801, 9], ">u4").tobytes() + labels.tobytes())
    data = bnn.Dataset(tmp_path / "x-images-idx3-ubyte")
    assert (len(data), data.shape) == (9, (28, 28, 1))
    assert np.array_equal(data.images[..., 0], images) and np.array_equal(data.labels, labels)
    assert np.array_equal(data[2:8:3][0][..., 0], images[2:8:3])
    assert data[-1][1] == labels[-1] and data.source(4) == (str(tmp_path / "x-images-idx3-ubyte"), 4)
    assert np.array_equal(lfc.classify(data), lfc.classify(images))
    assert np.array_equal(lfc.classify(tmp_path / "x-images-idx3-ubyte"), lfc.classify(images))
    assert lfc.score(data) == (lfc.classify(images) == labels).mean()


def test_folders_have_names(cnv, photo, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(png(photo))
    data = bnn.Dataset(tmp_path, network=cnv)
    assert data.class_names == ["cat", "dog"] and list(data.labels) == [0, 1]
    assert len(cnv.classify(tmp_path)) == 2


def test_what_is_no_image_is_refused(lfc, tmp_path):
    with pytest.raises(ValueError, match="float64; expected uint8"):
        lfc.classify(np.zeros((28, 28)))
    with pytest.raises(ValueError, match=r"\(4, 28, 28, 2\)"):
        lfc.classify(np.zeros((4, 28, 28, 2), np.uint8))
    with pytest.raises(TypeError, match="int"):
        lfc.classify(3)
    with pytest.raises(bnn.FormatError):
        lfc.classify(b"GIF89a, not a picture of ours")
    (tmp_path / "cut.png").write_bytes(png(np.zeros((9, 9, 3), np.uint8))[:40])
    with pytest.raises(bnn.FormatError, match="cut.png"):
        lfc.classify(tmp_path / "cut.png")
    with pytest.raises(bnn.FileError):
        lfc.classify(tmp_path / "nothing-here.png")
