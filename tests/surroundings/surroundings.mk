# SPDX-License-Identifier: GPL-2.0-only
# bpf/surroundings.h by itself; tests/e2e/test_surroundings.sh asks it.

E2E_TOOLS += $(BUILD)/tests/surroundings/way $(BUILD)/tests/surroundings/way4.bpf.o \
	     $(BUILD)/tests/surroundings/way6.bpf.o

$(BUILD)/tests/surroundings/way: tests/surroundings/way.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LIBS)

$(BUILD)/tests/surroundings/%4.bpf.o: tests/surroundings/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=4 -MMD -MP -c -o $@ $<

$(BUILD)/tests/surroundings/%6.bpf.o: tests/surroundings/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=6 -MMD -MP -c -o $@ $<
