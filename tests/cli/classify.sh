# What each picture shows: formats of output, places of options, kinds of files.
make network n.safetensors
make digits four-images.idx
make pictures top.png left.pgm pics/left-1.png pics/top-2.pgm

# NET first, or -n NET; options before and after the files.
bnn classify n.safetensors top.png left.pgm
bnn classify top.png -n n.safetensors
bnn classify four-images.idx --network=n.safetensors

# The K best, and no more than there are.
bnn classify n.safetensors --top 2 top.png left.pgm
bnn classify n.safetensors --top 1000 top.png

# A line of JSON, an integer, the outputs of the last layer.
bnn classify n.safetensors --format json four-images.idx
bnn classify n.safetensors --format json --top 2 top.png
bnn classify n.safetensors --format labels four-images.idx top.png
"$BNN" classify n.safetensors --format raw top.png left.pgm | od -An -td4 -w12

# A list of files; the same picture twice.
printf 'top.png\npics/left-1.png\ntop.png\n' >list.txt
bnn classify n.safetensors list.txt

# Any bytes in a file's name are one line of valid JSON.
cp top.png "$(printf 'caf\351.png')"
"$BNN" classify n.safetensors --format json caf*.png | /usr/bin/python3 -c 'import json, sys; print(ascii(json.loads(sys.stdin.read())["file"]))'

# In text, too, a file's name is on one line, and neither it nor a class speaks to the terminal.
cp top.png "$(printf 'new\nline\033[31m.png')"
make odd odd.safetensors
"$BNN" classify odd.safetensors new*.png
bnn info odd.safetensors | grep -a -n 'class \|recipe\|hand'
bnn eval odd.safetensors --labels zero.txt new*.png | grep -a -n '  1 '

# What cannot be read stops the command, or is left out and named.
head -c 40 top.png >pics/bad.png
echo notes >pics/README
bnn classify n.safetensors pics
bnn classify n.safetensors --skip-bad pics

# Labels are those of `label`, of the scores the first largest.
make network tie.safetensors
"$BNN" classify tie.safetensors four-images.idx --format json | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    image = json.loads(line)
    assert image["label"] == image["scores"].index(max(image["scores"])), image
'
