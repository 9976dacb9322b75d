usage: bnn classify [OPTION]... NET FILE...

Classifies pictures (PNG, JPEG, PNM, folders and lists of them) and data sets (IDX,
records) with a network. Text has a line an image: file, index, label, class and
score, with tabs between; json an object a line; labels an integer a line; raw the
outputs of the last layer, little endian.

      --format text|json|labels|raw
                              what is printed for an image (default text)
      --top K                 the K best classes (default 1)
  -n, --network NET           network file, BNN-PYNQ folder, or name of a shipped network
      --topology T            topology (name or file) of a folder whose name does not say
      --variant xilinx|workshop
                              kind of BNN-PYNQ folder (default xilinx)
      --classes N             rows of the last layer that take part
      --backend NAME          what computes: cpu, ... (default: the best available)
      --cpu LEVEL             kernels of backend cpu: auto, scalar, ... (see `bnn info --cpu`)
      --threads N             worker threads; 0 = one per core (default)
      --decode argmax|multi|single|margin
                              rule from scores to label (default: the network's)
      --labels FILE           labels: IDX file, or one integer a line
      --record HxWxC          shape of records that are not CIFAR-10's 32x32x3
      --input photo           prepare photographs of a dark digit on paper
      --skip-bad              leave out pictures that cannot be read
  -h, --help                  print this
