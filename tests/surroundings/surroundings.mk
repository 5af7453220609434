# SPDX-License-Identifier: GPL-2.0-only
# bpf/surroundings.h by itself; tests/e2e/test_surroundings.sh asks it.

E2E_TOOLS += $(patsubst %,$(BUILD)/tests/surroundings/%,way way4.bpf.o way6.bpf.o traced4.bpf.o \
	     traced6.bpf.o routes4.bpf.o)

$(BUILD)/tests/surroundings/way: tests/surroundings/way.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LIBS)

$(BUILD)/tests/surroundings/%4.bpf.o: tests/surroundings/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=4 -MMD -MP -c -o $@ $<

$(BUILD)/tests/surroundings/%6.bpf.o: tests/surroundings/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=6 -MMD -MP -c -o $@ $<

# As the loader links it where the kernel can look up connections.
$(BUILD)/tests/surroundings/traced%.bpf.o: $(BUILD)/tests/surroundings/way%.bpf.o $(BUILD)/bpf/trace%.bpf.o
	bpftool gen object $@ $^
