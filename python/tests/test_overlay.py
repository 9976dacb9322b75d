"""Overlays from Python: the exact cycle model; simulation itself is held to the CPU by tests/backend and tests/rtl."""

import json

import pytest

import bnn


def test_estimate_of_what_ships():
    e = bnn.overlay.estimate("tfc")
    assert len(e.layers) == 4 and e.layers[0].kind == "dense"
    assert e.initiation_interval_cycles >= max(layer.cycles for layer in e.layers)
    assert e.latency_cycles > e.initiation_interval_cycles
    assert e.images_per_second(100) == pytest.approx(1e8 / e.initiation_interval_cycles)
    assert "cycles an image" in str(e)


@pytest.mark.parametrize("topology", ["lfcW1A1", "cnvW1A1", "tfc"])
def test_estimates_are_the_commands(command, topology):
    c, e = json.loads(command("overlay", "estimate", "--topology", topology, "--format", "json")), bnn.overlay.estimate(topology)
    assert (e.initiation_interval_cycles, e.latency_cycles) == (c["initiation_interval_cycles"], c["latency_cycles"])
    assert (e.lut, e.bram36) == (c["lut"], c["bram36"])
    assert e.images_per_second(100) == pytest.approx(c["images_per_second"])
    assert len(e.layers) == len(c["layers"])
    for mine, layer in zip(e.layers, c["layers"]):
        assert (mine.kind, mine.PE, mine.SIMD) == (layer["kind"], layer.get("pe", 0), layer.get("simd", 0))
        assert (mine.cycles, mine.lut, mine.bram36) == (layer["cycles"], layer["lut"], layer["bram36"])


def test_more_engines_take_fewer_cycles():
    topology = "input 8x8x1 bit\ndense 32 w1 a1\ndense 8 w1 scores\n"
    slow, fast = "pe 1 simd 1\npe 1 simd 1\n", "pe 8 simd 16\npe 4 simd 8\n"
    assert bnn.overlay.estimate(topology, fast).initiation_interval_cycles < bnn.overlay.estimate(topology, slow).initiation_interval_cycles


def test_written_overlays(tmp_path):
    overlay = bnn.overlay.Overlay("tfc")
    overlay.write(tmp_path / "tfc")
    assert "module overlay" in (tmp_path / "tfc" / "overlay.v").read_text()
    assert overlay.text("topology").startswith("input 28x28x1 bit")
    assert overlay.text("nothing") is None


def test_mistakes(tmp_path):
    with pytest.raises(bnn.Error):
        bnn.overlay.Overlay("no-such-topology")
    with pytest.raises(bnn.BackendError):
        bnn.Runtime(bnn.blank("sfc"), backend="overlay")
