"""bad_input.py -- every kind of bad input, and the message that it gets.

Makes each input, runs the command on it, and compares the whole with
docs/bad-input.md; `bad_input.py --write` writes that page anew. So the page
tells what the command says today. To add a kind: a Case in CASES.
"""
import difflib
import gzip
import os
import resource
import struct
import subprocess
import sys

import make
from make import chunk, compass, idx1, idx3, lit, pgm_bytes, png_bytes, write

BNN = os.environ["BNN"]
PAGE = os.path.join(os.environ["BNN_SOURCE"], "docs", "bad-input.md")
INTRO = """# Bad input

Whatever is malformed gets one line on standard error: where, what was found, what was expected. The exit status is 1,
or 2 for bad usage, and nothing is left half written. This page is written by `tests/cli/bad_input.py --write`, which makes each
input and runs the command; the test `cli.bad_input` fails when what the command says is no longer what stands here.
"""


class Case:
    """`files` (name: bytes) are written, then `setup` is called, then `bnn command` must exit with `status`."""

    def __init__(self, what, command, files={}, setup=None, status=1, files_limit=None, output=None, as_root=True):
        self.what, self.command, self.files, self.setup, self.status = what, command, files, setup, status
        self.files_limit, self.output, self.as_root = files_limit, output, as_root

    def prepare(self):
        for path, content in {"net.safetensors": compass(), **self.files}.items():
            write(path, content)
        if self.setup:
            self.setup()

    def run(self):
        limit = self.files_limit
        started = subprocess.run(
            [BNN] + self.command.split(), capture_output=not self.output, stderr=subprocess.PIPE if self.output else None,
            stdout=open(self.output, "wb") if self.output else None,
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None)
        message = started.stderr.decode().strip()
        if started.returncode != self.status:
            message += f"\n[exit status {started.returncode}; expected {self.status}]"
        return message

    def section(self, folder):
        home = os.getcwd()
        os.makedirs(folder)
        os.chdir(folder)
        try:
            self.prepare()
            before = tree()
            message = self.run()
            assert tree() == before, f"{self.command} left something behind: {set(tree()) - set(before)}"
        finally:
            os.chdir(home)
        lines = [f"$ bnn {self.command}{' >' + self.output if self.output else ''}".rstrip()] + message.splitlines()
        return f"{self.what}:\n\n" + "".join(f"    {line}\n" for line in lines)


def tree():
    return sorted(os.path.join(folder, name) for folder, folders, names in os.walk(".") for name in folders + names)


# ---------------------------------------------------------------- inputs --

def flip(data, byte):
    return data[:byte] + bytes([data[byte] ^ 1]) + data[byte + 1:]


def net(content, what, command="info bad.safetensors", **more):
    return Case(what, command, {"bad.safetensors": content}, **more)


def two_layers(thresholds=(0, 0, 0, 0), weights=None):
    words = struct.pack("<4Q", 1, 2, 4, 8) if weights is None else weights
    return compass({"topology": "input 4x4x1 bit\ndense 4 w1 a1\ndense 3 w1 scores\n"}, {
        "layers.0.weights": ("U64", [4, 1, 1], words),
        "layers.1.weights": ("U64", [3, 1, 1], struct.pack("<3Q", 1, 2, 4)),
        "layers.0.thresholds": ("I32", [4, 1], struct.pack("<4i", *thresholds))})


def folder(kind, change=None, name=None):
    """Makes a parameter folder, then changes it; nothing of it is a single file's content."""
    def build():
        make.folder(name or kind, kind)
        if change:
            change(name or kind)
    return build


def tern_folder(path):
    """cnvW2A2 with a weight of -2: folders may be short, so nearly all of it may be missing."""
    for layer, pes in enumerate([8, 16, 8, 8, 4, 1, 1, 2, 4]):
        for pe in range(pes):
            write(f"{path}/{layer}-{pe}-weights.bin", struct.pack("<Q", 2 << 4) if (layer, pe) == (3, 5) else b"")
            if layer < 8:
                write(f"{path}/{layer}-{pe}-thres.bin", b"")
    write(f"{path}/classes.txt", b"a\nb\n")


def png_part(kind, data):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)) + chunk(kind, data)


TOP = png_bytes(4, 4, lit("top"))
IMAGES = idx3([lit("dark"), lit("top"), lit("left")])
GZIP = gzip.compress(IMAGES, 0, mtime=0) # stored: the same bytes from every zlib


def pictures(what, name, content):
    return Case(what, f"classify net.safetensors {name}", {name: content})


def topology(what, text):
    return Case(what, "info --topology my.topology params",
                {"params/0-0-weights.bin": b"", "my.topology": text.encode()})


CASES = [
    "Network files",
    Case("No such file", "info missing.safetensors"),
    Case("A file that may not be read", "info secret.safetensors",
         {"secret.safetensors": compass()}, setup=lambda: os.chmod("secret.safetensors", 0), as_root=False),
    net(b"", "An empty file"),
    net(b"# just some text\n", "Another kind of file"),
    net(compass()[:5], "Cut short in its first bytes"),
    net(compass()[:300], "Cut short in the header"),
    net(compass()[:-8], "Cut short in the weights"),
    net(compass() + b"\0" * 8, "Bytes after the end"),
    net(struct.pack("<Q", 1 << 62) + compass()[8:], "A header that claims 4 EiB"),
    net(flip(compass(), len(compass()) - 3), "One bit of a weight flipped"),
    net(flip(compass(), 40), "One bit of the checksum flipped"),
    net(compass({"version": "2"}), "Of a later version"),
    net(compass({"format": "pt"}), "Another program's safetensors"),
    net(compass({}, {"layers.0.weights": None}), "A layer without weights"),
    net(compass({}, {"layers.0.weights": ("U64", [2, 1, 1], bytes(16))}), "Weights of another shape than the topology's"),
    net(compass({}, {"layers.0.weights": ("F32", [3, 1, 1], bytes(12))}), "Weights of another type"),
    net(compass({}, {"layers.7.weights": ("U64", [1, 1, 1], bytes(8))}), "Weights that no layer has"),
    net(compass({}, {"layers.0.weights": ("U64", [3, 1, 1], struct.pack("<3Q", 0, 1 << 16, 0))}), "Bits beyond a row's width"),
    net(two_layers((0, 0, 1 << 30 | 1, 0)), "A threshold out of range"),
    net(compass({"classes": "4"}), "More classes than rows"),
    net(compass({"names": "one, two"}), "Names that are not a list"),
    net(compass({"input": "size 3x3"}), "An input rule smaller than the input"),
    net(compass({"input": "sharpen"}), "An input rule with an unknown word"),
    net(compass({"input": make.RULE.replace("threshold 128", "threshold table")}), "An input rule whose table is missing"),
    net(compass({"topology": "input 4x4x1 bit\ndense 2000000000 w1 scores\n"}), "A topology of hostile size"),
    net(compass({"topology": "input 4x4x1 bit\ndense 1000 w1 scores\n"}), "A topology that asks for more than the file holds"),
    net(compass({"origin": "elsewhere"}), "An origin that is not known"),
    net(compass({f"provenance.{i}": "" for i in range(100000)}), "More provenance than anybody reads"),
    "BNN-PYNQ folders",
    Case("An empty folder", "info empty", setup=lambda: os.makedirs("empty")),
    Case("A folder that no topology fits", "info params", {"params/0-0-weights.bin": bytes(80)}),
    Case("A topology that does not exist", "info --topology lfcW9A9 params", setup=folder("lfcW1A1", name="params")),
    Case("A file of weights that is missing", "info lfcW1A1",
         setup=folder("lfcW1A1", lambda p: os.remove(f"{p}/1-17-weights.bin"))),
    Case("A file of thresholds that is missing", "info lfcW1A1",
         setup=folder("lfcW1A1", lambda p: os.remove(f"{p}/2-3-thres.bin"))),
    Case("Another topology's folder", "info --topology cnvW1A1 lfcW1A1", setup=folder("lfcW1A1")),
    Case("A weight of -2", "info cnvW2A2", setup=lambda: tern_folder("cnvW2A2")),
    Case("More classes than rows", "info lfcW1A1",
         setup=folder("lfcW1A1", lambda p: write(f"{p}/classes.txt", b"x\n" * 65))),
    Case("More classes asked for than rows", "info --classes 65 lfcW1A1", setup=folder("lfcW1A1")),
    "Topologies",
    topology("No end", "input 28x28x1 bit\ndense 10 w1 a1\n"),
    topology("No input", "dense 10 w1 scores\n"),
    topology("A window larger than its map", "input 2x2x1 bit\nconv 8 3x3 w1 a1\ndense 10 w1 scores\n"),
    topology("A pool over an odd map", "input 5x5x1 bit\nconv 8 3x3 w1 a1\nmaxpool 2x2\ndense 10 w1 scores\n"),
    topology("Bits that no kernel has", "input 28x28x1 bit\ndense 10 w4 scores\n"),
    topology("An unknown layer", "input 28x28x1 bit\nsoftmax 10\n"),
    topology("Hostile sizes", "input 4096x4096x4096 bit\ndense 10 w1 scores\n"),
    topology("A hostile map", "input 4096x4096x1 bit\nconv 65536 1x1 w1 a1\nmaxpool 2x2\ndense 10 w1 scores\n"),
    topology("Hostile rows", "input 4096x4096x1 bit\ndense 10 w1 scores\n"),
    "Data sets",
    Case("No such file", "classify net.safetensors missing.idx"),
    Case("An IDX file that is cut short", "classify net.safetensors short.idx", {"short.idx": IMAGES[:-1]}),
    Case("An IDX file with bytes after the end", "classify net.safetensors long.idx", {"long.idx": IMAGES + b"x"}),
    Case("An IDX file that claims four thousand million images", "classify net.safetensors many.idx",
         {"many.idx": idx3([lit("top")], count=0xffffffff)}),
    Case("An IDX file of hostile sides", "classify net.safetensors wide.idx",
         {"wide.idx": struct.pack(">4I", 0x803, 1, 0x80000000, 0x80000000)}),
    Case("An IDX file without images", "classify net.safetensors none.idx", {"none.idx": idx3([])}),
    Case("An IDX file of labels in place of images", "classify net.safetensors labels.idx", {"labels.idx": idx1([0, 1])}),
    Case("An IDX file of floats", "classify net.safetensors floats.idx", {"floats.idx": b"\0\0\x0d\x03" + IMAGES[4:]}),
    Case("A compressed IDX file that is cut short", "classify net.safetensors short.idx.gz",
         {"short.idx.gz": GZIP[:-12]}),
    Case("A compressed IDX file with a wrong check sum", "classify net.safetensors bad.idx.gz", {"bad.idx.gz": flip(GZIP, len(GZIP) - 6)}),
    Case("A compressed IDX file that unpacks to far more than it claims", "classify net.safetensors bomb.idx.gz",
         {"bomb.idx.gz": gzip.compress(IMAGES + bytes(1 << 26), mtime=0)}),
    Case("Records that are cut short", "classify net.safetensors short.bin", {"short.bin": bytes(3000)}),
    Case("A file of no known kind", "classify net.safetensors notes.doc", {"notes.doc": b"These are notes.\n"}),
    Case("An empty file", "classify net.safetensors empty.png", {"empty.png": b""}),
    Case("A folder without pictures", "classify net.safetensors folder", {"folder/README": b"none here\n"}),
    Case("A list that names a missing picture", "classify net.safetensors list.txt", {"list.txt": b"top.png\ngone.png\n", "top.png": TOP}),
    Case("A list without a picture", "classify net.safetensors list.txt", {"list.txt": b"# nothing\n"}),
    Case("Images without labels", "eval net.safetensors bare.idx", {"bare.idx": IMAGES}),
    Case("A label that the network has no class for", "eval net.safetensors three.idx --labels labels.txt",
         {"three.idx": IMAGES, "labels.txt": b"0\n1\n7\n"}),
    Case("Fewer labels than images", "eval net.safetensors three.idx --labels labels.idx",
         {"three.idx": IMAGES, "labels.idx": idx1([0, 1])}),
    Case("A label that is not a number", "eval net.safetensors three.idx --labels labels.txt",
         {"three.idx": IMAGES, "labels.txt": b"0\ntop\n2\n"}),
    Case("A file of labels that is missing", "eval net.safetensors three.idx --labels gone.txt", {"three.idx": IMAGES}),
    Case("A folder of a class that the network does not have", "eval net.safetensors pictures",
         {"pictures/top/a.png": TOP, "pictures/middle/b.png": TOP}),
    "Pictures",
    pictures("A PNG that is cut short", "short.png", TOP[:50]),
    pictures("A PNG with a wrong check sum", "bad.png", flip(TOP, 30)),
    pictures("A PNG whose pixels do not unpack", "bad.png", png_part(b"IDAT", b"\x78\x9cgarbage") + chunk(b"IEND", b"")),
    pictures("A PNG bomb: a few bytes that claim 10,000 million pixels", "bomb.png", png_bytes(4, 4, lit("top"), (100000, 100000))),
    pictures("A PNG that claims more pixels than it has", "thin.png", png_bytes(4, 4, lit("top"), (4000, 4000))),
    pictures("A JPEG that is cut short", "short.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"),
    pictures("A PNM that is cut short", "short.pgm", pgm_bytes(4, 4, lit("top"))[:-1]),
    pictures("A PNM of hostile size", "wide.pgm", b"P5\n99999999999 99999999999\n255\n"),
    pictures("A PNM with a strange header", "bad.pgm", b"P5\nfour four\n255\n" + bytes(16)),
    pictures("A PNM with values above its maximum", "bad.pgm", b"P2\n2 2\n15\n0 1 2 16\n"),
    "Writing",
    Case("A full disk behind standard output", "classify net.safetensors top.png", {"top.png": TOP}, output="/dev/full"),
    Case("A disk, or a limit, that a network file does not fit (here: 100 bytes)", "convert net.safetensors copy.safetensors", files_limit=100),
    Case("The same with a folder", "convert lfcW1A1 copy/", setup=folder("lfcW1A1"), files_limit=100),
    Case("Into a folder that does not exist", "convert net.safetensors nowhere/copy.safetensors"),
    Case("Into a folder that may not be written", "convert net.safetensors locked/copy.safetensors",
         setup=lambda: os.makedirs("locked", 0o555), as_root=False),
    Case("Over a device", "convert net.safetensors --to bnn /dev/null"),
    Case("Into a folder with other files", "convert lfcW1A1 home/", {"home/letter": b"dear"}, setup=folder("lfcW1A1")),
    Case("Over a folder with other files", "convert --force lfcW1A1 home/", {"home/letter": b"dear"}, setup=folder("lfcW1A1")),
    Case("A topology that no BNN-PYNQ folder has", "convert net.safetensors folder/"),
    "Usage",
    Case("No command", "", status=2),
    Case("An unknown command", "sort", status=2),
    Case("No network", "classify", status=2),
    Case("No pictures", "classify net.safetensors", status=2),
    Case("An unknown option", "classify --best net.safetensors top.png", status=2),
    Case("A value out of range", "classify --top 0 net.safetensors top.png", status=2),
    Case("A value that is no choice", "classify --format xml net.safetensors top.png", status=2),
    Case("A value of the wrong form", "classify --record 32x32 net.safetensors some.bin", status=2),
    Case("A value that is missing", "eval net.safetensors --labels", status=2),
    Case("A decode rule that the network does not have", "classify --decode multi net.safetensors top.png", status=2),
    Case("An argument too many", "convert net.safetensors a b", status=2),
]


def sections(page):
    """(text, must be looked at) for each piece of the page; what root cannot fail at is taken from the page as it stands."""
    scratch = 0
    for case in CASES:
        if isinstance(case, str):
            yield f"## {case}\n"
            continue
        scratch += 1
        if os.geteuid() == 0 and not case.as_root:
            at = page.find(f"{case.what}:\n")
            yield page[at:page.find("\n\n", page.find("    $", at)) + 1] if at >= 0 else ""
        else:
            yield case.section(f"case-{scratch}")


def main():
    page = open(PAGE, encoding="utf-8").read() if os.path.exists(PAGE) else ""
    now = INTRO + "\n" + "\n".join(s for s in sections(page) if s)
    if "--write" in sys.argv:
        open(PAGE, "w", encoding="utf-8").write(now)
    elif now != page:
        sys.stdout.writelines(difflib.unified_diff(page.splitlines(True), now.splitlines(True), "docs/bad-input.md", "the command today"))
        sys.exit(1)


if __name__ == "__main__":
    main()
