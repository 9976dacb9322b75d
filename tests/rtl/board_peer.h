/* board_peer.h -- what board_trap.c and board_peer.c say to each other.
 *
 * dev/uio0 of the tree of files is the peer's listening socket. The driver's
 * first connection is the file it opened: 4 bytes in enable the interrupt, 4
 * bytes out are the count of interrupts, as with UIO. The second carries the
 * accesses to the mapped registers.
 */
#ifndef BNN_TESTS_BOARD_PEER_H
#define BNN_TESTS_BOARD_PEER_H

#include <stdint.h>

typedef struct bnn_access { uint32_t is_write, address, value; } bnn_access; /* a read is answered by its 4-byte value */

#endif
