/* qemu_count.c -- a plugin of qemu-user that counts the instructions of the program it runs.
 *
 *     qemu-aarch64 -plugin ./qemu_count.so -d plugin PROGRAM...
 *
 * QEMU's own plugin of this kind (tests/plugin/insn.c) is in no Debian package,
 * nor is qemu-plugin.h: what is used of its interface, version 1, is declared here.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum { ADD_U64 = 0 }; /* enum qemu_plugin_op */

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void   qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct qemu_plugin_tb *block));
void   qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int op, void *to, uint64_t value);
void   qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id id, void *data), void *data);
void   qemu_plugin_outs(const char *text);

int qemu_plugin_version = 1;
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

static uint64_t instructions;

/* Whenever a block runs, its instructions are added. */
static void on_block(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &instructions, qemu_plugin_tb_n_insns(block));
}

static void on_exit_of_program(plugin_id id, void *data)
{
    char text[64];
    (void)id;
    (void)data;
    snprintf(text, sizeof text, "instructions %" PRIu64 "\n", instructions);
    qemu_plugin_outs(text);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
    return 0;
}
