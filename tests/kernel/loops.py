#!/usr/bin/env python3
"""loops.py OBJECT... (or a list with ;): no stack traffic in the hot loops of the kernels.

Disassembles each kernel object, finds the innermost loops of the blocks (a
backward jump with no other inside), and reports any instruction in them that
reads or writes memory relative to the stack or frame pointer: an accumulator
that the compiler could not keep in a register.
"""
import re
import shutil
import subprocess
import sys

# The blocks of each level that carry its batches and its single images, and what their loops count with.
BLOCKS = {
    "avx512": (r"(x1w1|x1w2|x2w1|bytes)_(2x8|one)|csa_2x4", r"vpopcnt|vpdpbusd"),
    "avx2": (r"(bits|ternary)_(2x4|4x1)", r"vpshufb"),
    "avx2_bytes": (r"bytes_4x2|colours_4x2", r"vpmaddubsw"),
    "avx512_sums": (r"row_[12]|colours_2", r"vpermw"),
    "amx": (r"block", r"tdpbssd"),
}
STACK = re.compile(r"\(%r[sb]p|%r[sb]p\)")


def functions(path):
    """Name and instructions (address, text) of each function of an object."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]+ <)", text):
        head = re.match(r"[0-9a-f]+ <([^>]+)>:\n", part)
        if head:
            lines = re.findall(r"^\s*([0-9a-f]+):\s+(.*)$", part, re.M)
            yield head.group(1), [(int(address, 16), line) for address, line in lines]


def innermost_loops(code):
    """Runs of instructions between a backward jump and its target that hold no other such run."""
    loops = []
    for at, (address, line) in enumerate(code):
        jump = re.match(r"j\w+\s+([0-9a-f]+)\b", line)
        if jump and int(jump.group(1), 16) <= address:
            first = next((i for i, (a, _) in enumerate(code) if a == int(jump.group(1), 16)), None)
            if first is not None and not any(text.startswith("ret") for _, text in code[first:at]):
                loops.append((first, at))
    return [code[a : b + 1] for a, b in loops if not any((c, d) != (a, b) and a <= c and d <= b for c, d in loops)]


def check(path):
    level = re.search(r"(\w+)\.c\.o$", path).group(1)
    names, counting = BLOCKS[level]
    found, wrong = 0, []
    for name, code in functions(path):
        if not re.fullmatch(r"(?:" + names + r")(?:\.\w+)*", name):
            continue
        for loop in innermost_loops(code):
            if not any(re.search(counting, line) for _, line in loop):
                continue
            found += 1
            wrong += [f"{level}.c: {name}: {line.strip()}" for _, line in loop if STACK.search(line)]
    print(f"{level}: {found} hot loops, {len(wrong)} instructions on the stack")
    return wrong + ([] if found else [f"{level}.c: no loop found in {names}"])


if not shutil.which("objdump"):
    print("skipped: objdump is not installed")
    sys.exit(77)
problems = [line for path in ";".join(sys.argv[1:]).split(";") for line in check(path)]
print("\n".join(problems[:40]))
sys.exit(bool(problems))
