# Contact sheets: the pixels are those of the data set, captions beside them, mistakes when they are asked for.
make network n.safetensors
make digits t4-images-idx3-ubyte t4-labels-idx1-ubyte
make digits bare.idx

# Where cells are is worked out from the picture: images of 4x4 at 21 pixels a pixel, 84 wide, 6 between them.
look() { /usr/bin/python3 - "$@" <<'END'
import sys
from PIL import Image
path, columns, lines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sheet = Image.open(path)
print(sheet.mode, sheet.size)
for cell in range(int(sys.argv[4])):
    x, y = 6 + cell % columns * 90, 6 + cell // columns * (84 + 2 + 10 * lines + 6)
    image = sheet.crop((x, y, x + 84, y + 84)).convert("L")
    assert image == image.resize((4, 4), Image.NEAREST).resize((84, 84), Image.NEAREST)
    small = image.resize((4, 4), Image.NEAREST).tobytes()
    kind = {bytes(16): "dark", b"\xff" * 8 + bytes(8): "top", b"\xff\xff\0\0" * 4: "left"}.get(small, small)
    caption = sheet.crop((x, y + 86, x + 84, y + 86 + 10 * lines))
    colours = {c: n for n, c in caption.getcolors(10000)}
    print(cell, kind, *("%s:%d" % (name, colours[c]) for name, c in
          [("ink", (20, 20, 20)), ("red", (200, 0, 0)), ("green", (0, 120, 30)), ("faint", (140, 140, 140))] if c in colours))
END
}
bnn sheet t4-images-idx3-ubyte -o all.png --columns 3 && look all.png 3 2 4
bnn sheet t4-images-idx3-ubyte -n n.safetensors -o given.png && look given.png 3 3 4
bnn sheet t4-images-idx3-ubyte -n n.safetensors --errors -o errors.png && look errors.png 1 3 1
bnn sheet t4-images-idx3-ubyte -o some.png --first 1 --count 2 && look some.png 2 2 2
bnn sheet bare.idx -o bare.png && look bare.png 3 2 1

# A seed chooses the same images each time, each at most once.
bnn sheet t4-images-idx3-ubyte -o a.png --seed 7 --columns 2
"$BNN" sheet t4-images-idx3-ubyte -o b.png --seed 7 --columns 2 >again && cmp a.png b.png && echo 'the same again'
look a.png 2 2 4 | awk '{ print $2 }' | sort

# Sizes: the scale is what is asked for.
bnn sheet t4-images-idx3-ubyte -o small.png --scale 1 --columns 4
make records r.bin && bnn sheet r.bin -o records.png

# What cannot be drawn.
make network right.safetensors
printf '0\n1\n2\n2\n' >right.txt
bnn sheet bare.idx --labels right.txt -n right.safetensors --errors -o none.png
bnn sheet bare.idx -n n.safetensors --errors -o none.png
bnn sheet bare.idx --errors -o none.png
bnn sheet bare.idx
bnn sheet -o none.png
bnn sheet bare.idx -o none.png --first 4
bnn sheet bare.idx -o none.png --seed seven
bnn sheet bare.idx -o missing/none.png
bnn sheet bare.idx -o /dev/null
make records odd.bin 8 2 3 && bnn sheet odd.bin --record 8x8x2 -o none.png
ls | grep -e none -e part || echo 'nothing half written'
