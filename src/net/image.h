/* image.h -- memory images: the parameters of a network as an overlay's memories hold them. */
#ifndef BNN_NET_IMAGE_H
#define BNN_NET_IMAGE_H

#include "net/design.h"

/* Writes wN.hex and tN.hex of each unit N into `folder`, which exists: a row a
 * line, the highest lane first, as $readmemh reads them. EIO, ENOMEM. */
int bnn_images_write(const bnn_design *d, const char *folder, const bnn_network *net, bnn_error *err);

#endif
