/* design.c -- the text of a design. */
#include "net/design.h"
#include "base/bytes.h"
#include "base/sha256.h"
#include "base/text.h"

#include <string.h>

int bnn_design_set(bnn_design *out, const bnn_topology *t, const bnn_folding *f, uint32_t port_bits, uint32_t pipe, bnn_error *err)
{
    if (port_bits != 8 && port_bits != 64)
        return bnn_fail(err, BNN_EINVAL, "ports of %u bits; expected 8 or 64", port_bits);
    if (pipe > 1)
        return bnn_fail(err, BNN_EINVAL, "pipe %u; expected 0 or 1", pipe);
    bnn_units units;
    const int rc = bnn_units_set(&units, t, f, err);
    if (rc == BNN_OK)
        *out = (bnn_design){ .topology = *t, .folding = *f, .units = units, .port_bits = port_bits, .pipe = pipe };
    return rc;
}

size_t bnn_design_print(const bnn_design *d, char *out, size_t size)
{
    char text[BNN_DESIGN_TEXT];
    bnn_printer p = { out, size, 0 };
    bnn_topology_print(&d->topology, text, sizeof text);
    bnn_print(&p, "%s%%\n", text);
    bnn_folding_print(&d->folding, text, sizeof text);
    bnn_print(&p, "%s%%\nports %u pipe %u map %d\n", text, d->port_bits, d->pipe, BNN_REGISTER_MAP);
    return p.used;
}

/* The text up to a line "%", which is taken off too. */
static bool next_part(bnn_span *rest, bnn_span *part)
{
    bnn_span line;
    *part = (bnn_span){ rest->at, 0 };
    while (bnn_next_line(rest, &line)) {
        if (bnn_span_is(line, "%"))
            return true;
        part->size = (size_t)(line.at + line.size - part->at);
    }
    return false;
}

static bool parse_ports(bnn_span line, uint32_t *port_bits, uint32_t *pipe, uint32_t *map)
{
    bnn_span w[6] = { { "", 0 } };
    for (int i = 0; i < 6; i++)
        bnn_next_word(&line, &w[i]);
    return bnn_span_is(w[0], "ports") && bnn_span_number(w[1], port_bits) && bnn_span_is(w[2], "pipe")
        && bnn_span_number(w[3], pipe) && bnn_span_is(w[4], "map") && bnn_span_number(w[5], map);
}

int bnn_design_parse(bnn_design *out, const char *text, size_t size, bnn_error *err)
{
    bnn_span rest = { text, size }, topology, folding, ports;
    bnn_topology t;
    bnn_folding f;
    uint32_t port_bits, pipe, map;
    if (!next_part(&rest, &topology) || !next_part(&rest, &folding) || !bnn_next_line(&rest, &ports)
        || !parse_ports(ports, &port_bits, &pipe, &map))
        return bnn_fail(err, BNN_ECORRUPT, "description of an overlay; expected topology, '%%', folding, '%%' and a line of ports");
    if (map != BNN_REGISTER_MAP)
        return bnn_fail(err, BNN_EVERSION, "register map %u; expected %d", map, BNN_REGISTER_MAP);
    int rc = bnn_topology_parse(&t, topology.at, topology.size, err);
    if (rc == BNN_OK)
        rc = bnn_folding_parse(&f, &t, folding.at, folding.size, err);
    return rc == BNN_OK ? bnn_design_set(out, &t, &f, port_bits, pipe, err) : rc;
}

uint64_t bnn_design_identity(const bnn_design *d)
{
    char text[BNN_DESIGN_TEXT];
    uint8_t digest[32];
    bnn_sha256 s;
    bnn_sha256_init(&s);
    bnn_sha256_add(&s, text, bnn_design_print(d, text, sizeof text));
    bnn_sha256_end(&s, digest);
    return bnn_get_u64le(digest);
}
