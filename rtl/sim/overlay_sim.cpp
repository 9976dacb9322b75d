// overlay_sim.cpp -- the harness inside a Verilated overlay's shared object (contract: overlay_sim.h).
//
// Every clock cycle: drive the inputs, let them settle, look at who shakes
// hands, then the edge. The memory answers reads a burst after the other and
// takes writes as they come; `stalls` holds back each channel at random.
#include "Voverlay.h"
#include "Voverlay__Dpi.h"
#include "overlay_sim.h"
#include "overlay_description.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <string>

namespace {

enum { UNITS = 64, PATIENCE = 10000 };

struct Burst { uint64_t address; uint32_t beats; };

thread_local bnn_sim *current; // the instance whose eval() calls the DPI functions

} // namespace

struct bnn_sim {
    VerilatedContext context;
    std::unique_ptr<Voverlay> top;
#if VM_TRACE
    std::unique_ptr<VerilatedVcdC> waves;
#endif
    uint8_t *bytes = nullptr;
    uint64_t base = 0, cycle = 0, random = 1;
    size_t size = 0;
    uint32_t percent = 0;
    std::deque<Burst> reads, writes;
    uint32_t responses = 0;
    bool write_error = false, offers_read = false, offers_response = false;
    bnn_sim_tap_fn tap_fn = nullptr;
    void *tap_user = nullptr;
    uint32_t peaks[UNITS] = {};
    int lost = -1;

    // The part of a beat that memory has; nullptr outside it
    uint8_t *at(uint64_t address) const
    {
        return address >= base && address - base + 8 <= size ? bytes + (address - base) : nullptr;
    }
    bool held() // xorshift64*; the upper bits are the good ones
    {
        if (percent == 0)
            return false;
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        return (random * 0x2545f4914f6cdd1dull >> 33) % 100 < percent;
    }
    void drive_memory();
    void take_memory();
    void tick();
    int access(bool is_write, uint32_t address, uint32_t *value);
};

void bnn_sim::drive_memory()
{
    Voverlay &t = *top;
    t.m_axi_arready = !held();
    t.m_axi_awready = !held();
    t.m_axi_wready  = !writes.empty() && !held();
    // An offer of the slave stays until it is taken
    t.m_axi_bvalid = offers_response = responses != 0 && (offers_response || !held());
    t.m_axi_bresp  = write_error ? 2 : 0;
    t.m_axi_rvalid = offers_read = !reads.empty() && (offers_read || !held());
    if (t.m_axi_rvalid) {
        const uint8_t *p = at(reads.front().address);
        uint64_t word = 0;
        if (p)
            memcpy(&word, p, sizeof word);
        t.m_axi_rdata = word;
        t.m_axi_rresp = p ? 0 : 2;
        t.m_axi_rlast = reads.front().beats == 1;
    }
}

void bnn_sim::take_memory()
{
    Voverlay &t = *top;
    if (t.m_axi_rvalid && t.m_axi_rready) {
        Burst &b = reads.front();
        b.address += 8;
        offers_read = false;
        if (--b.beats == 0)
            reads.pop_front();
    }
    if (t.m_axi_wvalid && t.m_axi_wready) {
        Burst &b = writes.front();
        uint8_t *p = at(b.address);
        if (p)
            memcpy(p, &t.m_axi_wdata, 8);
        write_error |= !p || (t.m_axi_wlast != 0) != (b.beats == 1);
        b.address += 8;
        if (--b.beats == 0) {
            writes.pop_front();
            responses++;
        }
    }
    if (t.m_axi_bvalid && t.m_axi_bready) {
        offers_response = false;
        if (--responses == 0)
            write_error = false;
    }
    if (t.m_axi_arvalid && t.m_axi_arready)
        reads.push_back({t.m_axi_araddr, t.m_axi_arlen + 1u});
    if (t.m_axi_awvalid && t.m_axi_awready)
        writes.push_back({t.m_axi_awaddr, t.m_axi_awlen + 1u});
}

void bnn_sim::tick()
{
    Voverlay &t = *top;
    current = this;
    drive_memory();
    t.aclk = 0;
    t.eval();
#if VM_TRACE
    if (waves)
        waves->dump(10 * cycle + 5);
#endif
    take_memory(); // looks at the handshakes of this cycle, drives nothing
    t.aclk = 1;
    t.eval();
    cycle++;
#if VM_TRACE
    if (waves)
        waves->dump(10 * cycle);
#endif
}

int bnn_sim::access(bool is_write, uint32_t address, uint32_t *value)
{
    Voverlay &t = *top;
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (i == 0 && is_write) {
            t.s_axi_awvalid = t.s_axi_wvalid = 1;
            t.s_axi_awaddr  = address;
            t.s_axi_wdata   = *value;
        } else if (i == 0) {
            t.s_axi_arvalid = 1;
            t.s_axi_araddr  = address;
        }
        t.eval(); // ready follows valid in the same cycle
        const bool taken = is_write ? t.s_axi_awready : t.s_axi_arready;
        const bool answered = is_write ? t.s_axi_bvalid : t.s_axi_rvalid;
        if (answered && !is_write)
            *value = t.s_axi_rdata;
        tick();
        if (taken)
            t.s_axi_awvalid = t.s_axi_wvalid = t.s_axi_arvalid = 0;
        if (answered)
            return 0;
    }
    return -1;
}

extern "C" void bnn_sim_tap(int id, int piece, int value)
{
    if (current->tap_fn)
        current->tap_fn(current->tap_user, id, piece, static_cast<uint32_t>(value));
}

extern "C" void bnn_sim_peak(int id, int fill)
{
    if (fill < 0 && current->lost < 0)
        current->lost = id;
    else if (fill > 0 && id < UNITS && current->peaks[id] < static_cast<uint32_t>(fill))
        current->peaks[id] = static_cast<uint32_t>(fill);
}

namespace {

void close(bnn_sim *sim)
{
    if (sim && sim->top)
        sim->top->final();
    delete sim;
}

bnn_sim *open(const char *init, const char *waves)
try {
    auto sim = std::make_unique<bnn_sim>();
    std::string argument = std::string("+init=") + (init ? init : "");
    const char *args[] = {"overlay", argument.c_str()};
    sim->context.commandArgs(init ? 2 : 1, args);
#if VM_TRACE
    sim->context.traceEverOn(waves != nullptr);
#endif
    current = sim.get();
    sim->top = std::make_unique<Voverlay>(&sim->context, "overlay");
#if VM_TRACE
    if (waves) {
        sim->waves = std::make_unique<VerilatedVcdC>();
        sim->top->trace(sim->waves.get(), 99);
        sim->waves->open(waves);
    }
#else
    (void)waves;
#endif
    sim->top->s_axi_bready = sim->top->s_axi_rready = 1;
    sim->top->aresetn = 0;
    for (int i = 0; i < 8; i++)
        sim->tick();
    sim->top->aresetn = 1;
    for (int i = 0; i < 4; i++)
        sim->tick();
    return sim.release();
} catch (const std::bad_alloc &) {
    return nullptr;
}

int wait(bnn_sim *sim, uint64_t cycles)
{
    for (uint64_t i = 0; i < cycles; i++) {
        if (sim->top->irq)
            return 1;
        sim->tick();
    }
    return sim->top->irq != 0;
}

const bnn_sim_ops ops = {
    BNN_SIM_ABI,
    BNN_OVERLAY_DESCRIPTION,
    open,
    close,
    [](bnn_sim *sim, uint32_t address, uint32_t *value) { return sim->access(false, address, value); },
    [](bnn_sim *sim, uint32_t address, uint32_t value) { return sim->access(true, address, &value); },
    [](bnn_sim *sim, uint8_t *bytes, uint64_t address, size_t size) {
        sim->bytes = bytes;
        sim->base  = address;
        sim->size  = size;
    },
    [](bnn_sim *sim, uint32_t seed, uint32_t percent) {
        sim->random  = (static_cast<uint64_t>(seed) + 1) * 0x9e3779b97f4a7c15ull;
        sim->percent = percent;
    },
    wait,
    [](bnn_sim *sim, bnn_sim_tap_fn fn, void *user) {
        sim->tap_fn   = fn;
        sim->tap_user = user;
    },
    [](const bnn_sim *sim, uint32_t unit) { return unit < UNITS ? sim->peaks[unit] : 0u; },
    [](const bnn_sim *sim) { return sim->cycle; },
    [](const bnn_sim *sim) { return sim->lost; },
};

} // namespace

extern "C" __attribute__((visibility("default"))) const bnn_sim_ops *bnn_overlay_sim(void)
{
    return &ops;
}
