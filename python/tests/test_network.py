"""Networks and runtimes: what Python sees is what the library computes."""

import threading

import numpy as np
import pytest

import bnn


def reference_dense(x, weights, thresholds):
    sums = x.astype(np.int64) @ weights.T.astype(np.int64)
    return sums if thresholds.shape[1] == 0 else np.where(sums >= thresholds[:, 0], 1, -1)


def test_info_says_what_the_topology_is(lfc):
    info = lfc.info
    assert (info.input, info.classes, info.rows) == ((28, 28, 1), 10, 64)
    assert [(layer.kind, layer.MW, layer.MH) for layer in info.layers] == [
        ("dense", 784, 1024), ("dense", 1024, 1024), ("dense", 1024, 1024), ("dense", 1024, 64)]
    assert info.class_names[7] == "seven"
    assert "784" in str(info) and info.checksum in str(info)


def test_every_layer_is_weights_times_input_against_thresholds(lfc, rng):
    image = rng.integers(0, 256, (28, 28), np.uint8)
    x = lfc.trace(image, -1).ravel()
    assert np.array_equal(x, np.where(image.ravel() >= 128, 1, -1))
    for i in range(3):
        x = reference_dense(x, lfc.weights(i), lfc.thresholds(i))
        assert np.array_equal(lfc.trace(image, i).ravel(), x)
    sums = lfc.weights(3).astype(int) @ x - lfc.thresholds(3)[:, 0]
    assert np.array_equal(lfc.scores(image), sums[:10])


def test_weights_of_a_conv_have_its_window(cnv):
    assert cnv.weights(0).shape == (64, 3, 3, 3)
    assert set(np.unique(cnv.weights(0))) == {-1, 1}
    assert cnv.thresholds(0).shape == (64, 1)
    assert cnv.weights(2).shape == (0, 2, 2, 0) or cnv.layers[2].kind == "maxpool"
    with pytest.raises(IndexError, match="layers 0 to"):
        cnv.weights(99)


def test_scores_and_labels_agree_whatever_computes_them(cnv, rng):
    images = rng.integers(0, 256, (20, 32, 32, 3), np.uint8)
    scores, labels = cnv.scores(images), bnn.Runtime(cnv, decode="argmax").classify(images)
    assert np.array_equal(scores.argmax(1), labels)
    for level in bnn.cpu_levels():
        if level.usable:
            assert np.array_equal(bnn.Runtime(cnv, backend="cpu", cpu=level.name, threads=1).scores(images), scores)


def test_run_gives_all_rows(lfc, rng):
    images = rng.integers(0, 256, (5, 28, 28), np.uint8)
    scores, labels = bnn.Runtime(lfc).run(images)
    assert scores.shape == (5, 64)
    assert np.array_equal(scores[:, :10], lfc.scores(images))
    assert np.array_equal(labels, lfc.classify(images))
    words = bnn.Runtime(lfc).raw(images)
    assert np.array_equal(words[:, 0] & np.uint64(1023), ((scores[:, :10] >= 0) << np.arange(10)).sum(1).astype(np.uint64))


def test_saved_networks_are_the_same(lfc, tmp_path):
    lfc.save(tmp_path / "net.safetensors")
    again = bnn.Network.open(tmp_path / "net.safetensors")
    assert again.info.checksum == lfc.info.checksum
    assert bnn.Network.from_bytes((tmp_path / "net.safetensors").read_bytes()).info.checksum == lfc.info.checksum


def test_a_folder_is_written_again_byte_for_byte(params, lfc, tmp_path):
    assert lfc.save_pynq(tmp_path / "again") == ""
    for file in (params / "digits" / "lfcW1A1").iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_errors_are_exceptions_that_say_what_was_found(tmp_path):
    with pytest.raises(bnn.FileError):
        bnn.Network.open(tmp_path / "nothing-here")
    assert issubclass(bnn.FileError, OSError) and issubclass(bnn.FormatError, ValueError)
    (tmp_path / "bad").write_bytes(b"not a network" * 100)
    with pytest.raises(bnn.FormatError) as e:
        bnn.Network.open(tmp_path / "bad")
    assert e.value.name in ("EMAGIC", "ECORRUPT") and "bad" in str(e.value)


def test_a_runtime_refuses_what_does_not_exist(lfc):
    with pytest.raises(bnn.BackendError, match="abacus"):
        bnn.Runtime(lfc, backend="abacus")
    with pytest.raises(ValueError, match="guess"):
        bnn.Runtime(lfc, decode="guess")


def test_threads_share_a_network_and_a_runtime(lfc, rng):
    images = rng.integers(0, 256, (500, 28, 28), np.uint8)
    expected, wrong = lfc.classify(images), []

    def work(run):
        for _ in range(5):
            if not np.array_equal(run.classify(images), expected):
                wrong.append(run)

    shared = bnn.Runtime(lfc)
    threads = [threading.Thread(target=work, args=(run,)) for run in (shared, shared, bnn.Runtime(lfc, threads=1))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_stats_count(lfc, rng):
    run = bnn.Runtime(lfc, threads=1)
    run.classify(rng.integers(0, 256, (7, 28, 28), np.uint8))
    assert (run.stats.images, run.stats.backend, run.stats.threads) == (7, "cpu", 1)
    assert run.stats.nanoseconds > 0


def test_scikit_learn_names(lfc, rng):
    X = rng.integers(0, 256, (30, 784), np.uint8)
    y = lfc.predict(X)
    assert y.shape == (30,) and lfc.decision_function(X[:1]).shape == (1, 10)
    assert lfc.score(X, y) == 1.0
    y = y.copy()
    y[:15] = (y[:15] + 1) % 10
    assert lfc.score(X, y) == 0.5


def test_what_ships_opens():
    for name in bnn.networks():
        net = bnn.Network.open(name)
        assert net.info.classes >= 2 and net.text("recipe")


def test_catalogues():
    assert {"lfcW1A1", "cnvW1A1", "tfc"} <= set(bnn.topologies())
    assert bnn.cpu_levels()[0].name == "scalar"
    assert any(b.name == "cpu" and b.usable for b in bnn.backends())
