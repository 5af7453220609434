# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets. All outputs go to build/ (or where BUILD says).

BUILD  ?= build
CC      = gcc
CLANG  ?= clang
AR     ?= ar

PREFIX  ?= /usr/local
DESTDIR ?=

PACKAGES := libbpf libelf libmnl libnftnl
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -fno-strict-aliasing -fstack-protector-strong \
		   $(WARNINGS) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(SANITIZE)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
TEST_LIBS = $(shell pkg-config --libs criterion)
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS := -std=gnu17 -O2 -g --target=bpf -mcpu=v3 -Wall -Wextra -Werror -I/usr/include/$(MULTIARCH)

# One archive a folder; an archive may use those to its right.
AREAS := loader translator iptables-compat supervisor common
MAINS := translator/driver_main.c translator/cli.c $(wildcard translator/command_*.c) supervisor/main.c

area_sources = $(filter-out $(MAINS),$(wildcard $(1)/*.c $(1)/extensions/*.c)) $(wildcard $(1)/*.S)
area_objects = $(patsubst %,$(BUILD)/%.o,$(basename $(call area_sources,$(1))))
archives     = $(patsubst %,$(BUILD)/lib%.a,$(AREAS))

# Entry programs serve one family each: the same source, compiled twice.
BPF_OBJECTS := $(patsubst %,$(BUILD)/bpf/%.bpf.o,dispatch dispatch_netfilter execute state state_rates groups wall_clock surroundings \
		 connection4 connection6 trace4 trace6 way4 way6 \
		 $(foreach stage,xdp tc netfilter xdp_early tc_early,$(stage)4 $(stage)6 $(stage)4c $(stage)6c))
PROGRAMS := $(BUILD)/ubpfilter $(BUILD)/ubpfilterd $(BUILD)/bpfilter_umh $(BUILD)/libubpfilter.so

# What a build needs and is not there, by the names of Debian's packages.
MISSING := $(strip $(if $(shell command -v pkg-config),,pkg-config) \
	     $(foreach tool,$(CC) $(CLANG),$(if $(shell command -v $(tool)),,$(tool))) \
	     $(foreach package,$(PACKAGES),$(if $(shell pkg-config --exists $(package) 2>/dev/null && echo y),,$(package)-dev)))

.DELETE_ON_ERROR:
.PHONY: all
all: $(PROGRAMS)

.PHONY: tools
tools:
	@test -z "$(MISSING)" || { echo "missing: $(MISSING)" >&2; \
		echo "\`make deps' as root installs Debian's packages" >&2; exit 1; }

define area_rule
$(BUILD)/lib$(1).a: $(call area_objects,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach area,$(AREAS),$(eval $(call area_rule,$(area))))

$(BUILD)/%.o: %.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S $(BPF_OBJECTS) | tools
	@mkdir -p $(@D)
	$(CC) -I$(BUILD) -c -o $@ $<

$(BUILD)/bpf/%4c.bpf.o: bpf/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=4 -DCLASSIFIED -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%6c.bpf.o: bpf/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=6 -DCLASSIFIED -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%4.bpf.o: bpf/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=4 -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%6.bpf.o: bpf/%.bpf.c | tools
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DFAMILY=6 -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c | tools
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

# --- tests -----------------------------------------------------------------------------------

# What `make check` runs, in this order, and beside that, what keeps to itself. A file
# tests/<kind>/<kind>.mk may add its own suite, and the programs that it runs.
CHECK_SUITES    = sanitize e2e
CHECK_ALONGSIDE = lint unit
CHECK_PROGRAMS  = $(UNIT_TESTS) $(E2E_TOOLS)

-include $(wildcard tests/*/*.mk)

.PHONY: deps deps-run
deps:
	@tests/deps build run test
deps-run:
	@tests/deps build run

# A make of its own, because what this one found missing may be there after deps.
.PHONY: check check-all
check: deps
	@$(MAKE) --no-print-directory check-all
# All is built before, because suites that run at once must not build the same.
check-all:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all check-programs
	@BUILD=$(BUILD) MAKE=$(MAKE) tests/check $(CHECK_SUITES) -- $(CHECK_ALONGSIDE)

.PHONY: check-programs
check-programs: $(CHECK_PROGRAMS)

.PHONY: lint
lint:
	@tests/lint

.PHONY: unit
unit: $(UNIT_TESTS)
	@tests/unit/run $(UNIT_TESTS)

.PHONY: sanitize
sanitize:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) BUILD=$(BUILD)/sanitize \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" unit

.PHONY: e2e
e2e: all $(E2E_TOOLS)
	@BUILD=$(abspath $(BUILD)) tests/e2e/run

.PHONY: run
run: deps-run
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all $(E2E_TOOLS)
	@BUILD=$(abspath $(BUILD)) tests/e2e/demo

# --- installation ----------------------------------------------------------------------------

# The programs find each other side by side, so all lie in one folder.
libexec := $(DESTDIR)$(PREFIX)/libexec/ubpfilter
MANUALS := $(wildcard docs/man/*.8)
UNITS   := $(wildcard supervisor/systemd/*)

.PHONY: install
install: all
	install -d $(libexec) $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 $(filter-out %.so,$(PROGRAMS)) $(libexec)
	install -m 644 $(filter %.so,$(PROGRAMS)) $(libexec)
	ln -sf ../libexec/ubpfilter/ubpfilter $(DESTDIR)$(PREFIX)/sbin/ubpfilter
	ln -sf ../libexec/ubpfilter/ubpfilterd $(DESTDIR)$(PREFIX)/sbin/ubpfilterd
	install -m 644 $(MANUALS) $(DESTDIR)$(PREFIX)/share/man/man8
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in $(UNITS); do sed 's|/usr/local|$(PREFIX)|' $$unit \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done

.PHONY: uninstall
uninstall:
	rm -rf $(libexec)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/sbin/,ubpfilter ubpfilterd)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/systemd/system/,$(notdir $(UNITS)))
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(PREFIX)/share/man/man8/%,$(MANUALS))

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@echo "make            build the programs into $(BUILD)/"
	@echo "make run        show it at work on real traffic, in network namespaces of its own (root)"
	@echo "make check      install what the tests need, then lint, build and run all tests (root)"
	@echo "make lint       format and static checks"
	@echo "make unit       unit tests"
	@echo "make sanitize   unit tests under ASan and UBSan"
	@echo "make e2e        tests of the programs as users run them (root)"
	@echo "make deps       install the Debian packages that are missing (root)"
	@echo "make install    install under PREFIX ($(PREFIX)), below DESTDIR; make uninstall removes it"
	@echo "make clean      remove $(BUILD)/"

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
