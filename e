usage: bnn bench [OPTION]... NET

Runs a network on noise, in batches and image by image, and between that the fastest
schedules of operations this core has, so that each figure stands beside what was
possible at that moment. One thread, unless --threads says otherwise (0: all cores).

      --format text|json      what is printed (default text)
      --seconds S             how long to measure (default 3)
      --batch N               images a call (default: some milliseconds of them)
      --peers                 also OpenBLAS and oneDNN on the same layers, where installed
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
  -h, --help                  print this
