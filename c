usage: bnn COMMAND [OPTION]... [ARGUMENT]...
       bnn help [COMMAND] | --version

Networks of one and two bits: classify pictures, measure, look inside, convert.

  classify  say what each picture shows
  detect    say where in a picture
  eval      measure accuracy and speed on a labelled data set
  info      list what ships, or show the inside of a network
  convert   convert between network files and BNN-PYNQ folders
  verify    compare every backend and kernel level with the scalar kernels
  train     train a network on your own pictures
  sheet     draw many labelled images into one picture
  bench     measure speed, beside the peaks of this core

`bnn COMMAND --help` tells a command's options; `bnn info` lists the networks that ship.
