# Between network files and BNN-PYNQ folders: the same bytes back, nothing half written, nothing lost by accident.
make network n.safetensors
mkdir again
for kind in lfcW1A1 cnvW1A1; do
    make folder $kind
    bnn convert $kind $kind.safetensors
    bnn convert $kind.safetensors again/$kind
    diff -r $kind again/$kind && echo "$kind: the same bytes"
done

# The name says what is written, or it is the other kind; --to says it whatever the name.
bnn convert lfcW1A1 file && "$BNN" info file | grep '^format'
bnn convert file other.kind && ls -d other.kind/classes.txt
bnn convert file another.safetensors && "$BNN" info another.safetensors | grep '^format'
bnn convert lfcW1A1 folder.v2/ && ls -d folder.v2/classes.txt
bnn convert lfcW1A1 --to bnn plain && "$BNN" info plain | grep '^format'
bnn convert lfcW1A1 --to bnn-pynq other.safetensors && ls -d other.safetensors/classes.txt

# A file is replaced; a folder only with --force, and only when it holds parameters and nothing else.
bnn convert n.safetensors lfcW1A1.safetensors && "$BNN" info lfcW1A1.safetensors | grep '^input  '
bnn convert lfcW1A1 again/cnvW1A1
bnn convert --force lfcW1A1 again/cnvW1A1 && diff -r lfcW1A1 again/cnvW1A1 && echo replaced
ls again
mkdir mine && echo precious >mine/letter
bnn convert --force lfcW1A1 mine
cat mine/letter

# Neither a device nor a folder becomes a file.
bnn convert lfcW1A1 /dev/null
test -c /dev/null && echo 'still a device'
bnn convert --to bnn lfcW1A1 mine

# What a folder cannot hold.
bnn convert n.safetensors small/
test -e small || echo 'nothing written'

# The workshop's folders, both ways.
make folder workshop/lfcW1A1 lfcW1A1
bnn convert --variant workshop workshop/lfcW1A1 w.safetensors
bnn convert --variant workshop w.safetensors workshop/again
