# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets. All outputs go to build/.

BUILD  ?= build
CC     ?= gcc
CLANG  ?= clang
AR     ?= ar
FORMAT ?= clang-format

PACKAGES := libbpf libelf libmnl libnftnl
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -fno-strict-aliasing -fstack-protector-strong \
		   $(WARNINGS) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(SANITIZE)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
TEST_LIBS = $(shell pkg-config --libs criterion)
MULTIARCH := $(shell $(CC) -print-multiarch)
BPF_CFLAGS := -std=gnu17 -O2 -g --target=bpf -mcpu=v3 -Wall -Wextra -Werror -I/usr/include/$(MULTIARCH)

# One archive a folder; an archive may use those to its right.
AREAS := loader translator iptables-compat supervisor common
MAINS := translator/driver_main.c translator/cli.c $(wildcard translator/command_*.c) supervisor/main.c

area_sources = $(filter-out $(MAINS),$(wildcard $(1)/*.c $(1)/extensions/*.c)) $(wildcard $(1)/*.S)
area_objects = $(patsubst %,$(BUILD)/%.o,$(basename $(call area_sources,$(1))))
archives     = $(patsubst %,$(BUILD)/lib%.a,$(AREAS))

# Entry programs serve one family each: the same source, compiled twice.
BPF_OBJECTS := $(patsubst %,$(BUILD)/bpf/%.bpf.o,dispatch classify xdp4 xdp6 tc4 tc6)
PROGRAMS := $(BUILD)/ubpfilter $(BUILD)/ubpfilterd $(BUILD)/bpfilter_umh $(BUILD)/libubpfilter.so

.DELETE_ON_ERROR:
.PHONY: all
all: $(PROGRAMS)

define area_rule
$(BUILD)/lib$(1).a: $(call area_objects,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach area,$(AREAS),$(eval $(call area_rule,$(area))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(BPF_OBJECTS)
	@mkdir -p $(@D)
	$(CC) -I$(BUILD) -c -o $@ $<

$(BUILD)/bpf/%4.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=4 -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%6.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=6 -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bpfilter_umh: $(BUILD)/translator/driver_main.o $(archives)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -Wl,--start-group $(archives) -Wl,--end-group $(LIBS)

$(BUILD)/ubpfilterd: $(BUILD)/supervisor/main.o $(BUILD)/libsupervisor.a $(BUILD)/libcommon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/ubpfilter: $(patsubst %.c,$(BUILD)/%.o,translator/cli.c $(wildcard translator/command_*.c)) $(archives)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(archives) -Wl,--end-group $(LIBS)

SHIM_USES := iptables-compat/sockopt_ours.c common/io.c common/message.c \
	     $(addprefix supervisor/,client.c autostart.c meeting.c frame.c)
$(BUILD)/libubpfilter.so: $(wildcard shim/*.c shim/*.h) $(SHIM_USES) $(wildcard supervisor/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $(filter %.c,$^) -ldl

# tests/unit/<area>/test_*.c: one criterion program each, linked with the area and what it may use.
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT_TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SOURCES))
$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(TEST_SUPPORT) -Wl,--start-group $(TEST_ARCHIVES) -Wl,--end-group $(TEST_LIBS) $(LIBS)

uses = $(patsubst %,$(BUILD)/lib%.a,$(1))
$(BUILD)/tests/unit/compat/%:     TEST_ARCHIVES = $(call uses,translator iptables-compat common)
$(BUILD)/tests/unit/translator/%: TEST_ARCHIVES = $(call uses,translator iptables-compat common)
$(BUILD)/tests/unit/loader/%:     TEST_ARCHIVES = $(call uses,loader translator iptables-compat common)
$(BUILD)/tests/unit/supervisor/%: TEST_ARCHIVES = $(call uses,supervisor common)
$(filter $(BUILD)/tests/unit/compat/%,$(UNIT_TESTS)):     $(call uses,translator iptables-compat common)
$(filter $(BUILD)/tests/unit/translator/%,$(UNIT_TESTS)): $(call uses,translator iptables-compat common)
$(filter $(BUILD)/tests/unit/loader/%,$(UNIT_TESTS)):     $(call uses,loader translator iptables-compat common)
$(filter $(BUILD)/tests/unit/supervisor/%,$(UNIT_TESTS)): $(call uses,supervisor common)

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@echo "make         build the programs into $(BUILD)/"
	@echo "make clean   remove $(BUILD)/"

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
