# auto/rules.mk - the rules of a build; objs/Makefile includes it after the facts that configure found.
#
# Run as `make -f objs/Makefile TARGET` from the top of the tree (the Makefile there does).  Targets: weir unit
# fuzz-replay fuzz fault seal install uninstall.  `V=1` shows whole commands.

.DEFAULT_GOAL := weir
.DELETE_ON_ERROR:
.SUFFIXES:
FORCE:
.PHONY: FORCE weir unit fuzz-replay fuzz fault seal install uninstall

ifeq ($(V),)
Q = @
say = @printf '  %-5s %s\n' $(1) $@;
else
say =
endif
COMPILE = $(call say,CC) mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) $(LTO_CFLAGS) -MMD -MP -c -o $@ $<
compile_and_link = $(call say,CCLD) mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -It/unit -MMD -MP -MF $@.d -MT $@ \
    -o $@ $< $(1) $(LIBRARY) $(NO_LTO) $(LDFLAGS) $(LIBS)

# --- what to build from: kept up to date by itself ------------------------------------------------------------------

$(OBJS)/Makefile: configure auto/lib auto/options auto/config auto/make $(wildcard auto/probe/*)
	$(Q)sh $(OBJS)/config.status

$(OBJS)/sources.mk: FORCE
	$(Q)sh auto/modules $(OBJS) $(MODULE_ARGS)
$(OBJS)/modules.c: $(OBJS)/sources.mk ;
include $(OBJS)/sources.mk

$(OBJS)/flags: FORCE
	$(Q)echo '$(subst ','\'',$(CC) $(CFLAGS) $(LTO_CFLAGS) $(LDFLAGS) $(LIBS))' | cmp -s - $@ \
	    || echo '$(subst ','\'',$(CC) $(CFLAGS) $(LTO_CFLAGS) $(LDFLAGS) $(LIBS))' > $@

# --- the program ----------------------------------------------------------------------------------------------------

LIBRARY   = $(OBJS)/libweir.a
MAIN      = core/main.c
MAIN_OBJ  = $(MAIN:%.c=$(OBJS)/%.o)
LIB_OBJS  = $(patsubst %.c,$(OBJS)/%.o,$(filter-out $(MAIN),$(CORE_SRCS)) $(MODULE_SRCS)) \
            $(ADDON_OBJS) $(OBJS)/modules.o $(OBJS)/manual.o

weir: $(OBJS)/weir

$(OBJS)/weir: $(MAIN_OBJ) $(LIBRARY) $(OBJS)/flags
	$(call say,LD) $(CC) $(CFLAGS) $(LTO_LDFLAGS) -o $@ $(MAIN_OBJ) $(LIBRARY) $(LDFLAGS) $(LIBS)

$(LIBRARY): $(LIB_OBJS) $(OBJS)/sources.mk
	$(call say,AR) rm -f $@ && ar rcs $@ $(LIB_OBJS)

$(OBJS)/modules.o: $(OBJS)/modules.c $(OBJS)/flags
	$(COMPILE)

$(OBJS)/manual.c: auto/manual.awk $(PAGE_TEXTS) $(CORE_TEXTS) $(MODULE_TEXTS) $(OBJS)/sources.mk
	$(call say,AWK) LC_ALL=C awk -f auto/manual.awk $(filter %.md,$^) < /dev/null > $@

$(OBJS)/manual.o: $(OBJS)/manual.c $(OBJS)/flags
	$(COMPILE)

$(OBJS)/core/%.o: core/%.c $(OBJS)/flags
	$(COMPILE)

$(OBJS)/modules/%.o: modules/%.c $(OBJS)/flags
	$(COMPILE)

# --- unit tests and fuzz targets: every file is found by its place --------------------------------------------------

UNIT_SRCS = $(sort $(shell find t/unit -name '*.c' 2>/dev/null))
UNITS     = $(UNIT_SRCS:%.c=$(OBJS)/%)
FUZZ_SRCS = $(filter-out t/fuzz/replay.c,$(sort $(wildcard t/fuzz/*.c)))
REPLAYS   = $(FUZZ_SRCS:%.c=$(OBJS)/%)
FUZZERS   = $(FUZZ_SRCS:t/fuzz/%.c=$(OBJS)/fuzzers/%)
# The target t/fuzz/NAME.c may have parts in t/fuzz/NAME-world/.
FUZZ_PARTS = $(patsubst %.c,$(OBJS)/%.o,$(sort $(wildcard t/fuzz/*-world/*.c)))
parts_of   = $(filter $(OBJS)/t/fuzz/$(notdir $(1))-world/%,$(FUZZ_PARTS))

unit: $(UNITS)
$(UNITS): $(OBJS)/%: %.c $(LIBRARY) $(OBJS)/flags
	$(call compile_and_link)

fuzz-replay: $(REPLAYS)
$(REPLAYS): $(OBJS)/%: %.c $(OBJS)/t/fuzz/replay.o $(LIBRARY) $(OBJS)/flags
	$(call compile_and_link,$(OBJS)/t/fuzz/replay.o $(call parts_of,$@))
$(foreach part,$(FUZZ_PARTS),$(eval $(patsubst $(OBJS)/t/fuzz/%-world/,$(OBJS)/t/fuzz/%,$(dir $(part))) \
    $(patsubst $(OBJS)/t/fuzz/%-world/,$(OBJS)/fuzzers/%,$(dir $(part))): $(part)))
$(OBJS)/t/fuzz/%.o: t/fuzz/%.c $(OBJS)/flags
	$(COMPILE)

# libFuzzer programs need everything instrumented by clang: a build of its own, beside this one.
ifneq ($(FUZZING),)
fuzz: $(FUZZERS)
$(FUZZERS): $(OBJS)/fuzzers/%: t/fuzz/%.c $(LIBRARY) $(OBJS)/flags
	$(call compile_and_link,-fsanitize=fuzzer $(call parts_of,$@))
else
fuzz:
	$(Q)./configure --objs=$(OBJS)/fuzz --with-cc=clang --with-sanitizer=address,undefined \
	    --with-cc-opt=-fsanitize=fuzzer-no-link > /dev/null
	$(Q)$(MAKE) -f $(OBJS)/fuzz/Makefile FUZZING=yes fuzz
endif

# --- the program in which every allocation and system call can be made to fail --------------------------------------

FAULT_SRCS = $(sort $(wildcard t/fault/*.c))
FAULT_OBJS = $(FAULT_SRCS:%.c=$(OBJS)/%.o)
SEAMS      = $(shell LC_ALL=C grep -ohE '\<weir_(sys_[a-z0-9_]+|heap_(alloc|map|resize))\>' \
                 core/os/sys.h core/base/heap.h 2>/dev/null | sort -u)

fault: $(if $(FAULT_SRCS),$(OBJS)/weir-fault)
$(OBJS)/weir-fault: $(MAIN_OBJ) $(FAULT_OBJS) $(LIBRARY) $(OBJS)/flags
	$(call say,LD) $(CC) $(CFLAGS) -o $@ $(MAIN_OBJ) $(FAULT_OBJS) $(LIBRARY) $(NO_LTO) $(LDFLAGS) \
	    $(SEAMS:%=-Wl,--wrap=%) $(LIBS)
$(OBJS)/t/fault/%.o: t/fault/%.c $(OBJS)/flags
	$(COMPILE)

# --- the program that tells of writes to a configuration that serves ------------------------------------------------

seal: $(OBJS)/weir-sealed
$(OBJS)/weir-sealed: $(MAIN_OBJ) $(OBJS)/t/seal/seal.o $(LIBRARY) $(OBJS)/flags
	$(call say,LD) $(CC) $(CFLAGS) -o $@ $(MAIN_OBJ) $(OBJS)/t/seal/seal.o $(LIBRARY) $(NO_LTO) $(LDFLAGS) \
	    -Wl,--wrap=weir_heap_alloc -Wl,--wrap=weir_life_adopt -Wl,--wrap=weir_arena_fini \
	    -Wl,--wrap=weir_piece_take -Wl,--wrap=weir_piece_give $(LIBS)
$(OBJS)/t/seal/%.o: t/seal/%.c $(OBJS)/flags
	$(COMPILE)

# --- install --------------------------------------------------------------------------------------------------------

D          = $(DESTDIR)
CONF_DIR   = $(dir $(CONF_PATH))

install: $(OBJS)/weir
	mkdir -p '$(D)$(dir $(SBIN_PATH))' '$(D)$(CONF_DIR)' '$(D)$(PREFIX)' \
	    '$(D)$(dir $(PID_PATH))' '$(D)$(dir $(ERROR_LOG_PATH))' '$(D)$(dir $(HTTP_LOG_PATH))'
	cp $(OBJS)/weir '$(D)$(SBIN_PATH).new' && mv -f '$(D)$(SBIN_PATH).new' '$(D)$(SBIN_PATH)'
	cp conf/weir.conf '$(D)$(CONF_PATH).default'
	test -e '$(D)$(CONF_PATH)' || cp conf/weir.conf '$(D)$(CONF_PATH)'
	cp conf/mime.types '$(D)$(CONF_DIR)mime.types.default'
	test -e '$(D)$(CONF_DIR)mime.types' || cp conf/mime.types '$(D)$(CONF_DIR)mime.types'
	mkdir -p '$(D)$(PREFIX)/share/man/man5' '$(D)$(PREFIX)/share/man/man8'
	cp docs/man/weir.conf.5 '$(D)$(PREFIX)/share/man/man5/' && cp docs/man/weir.8 '$(D)$(PREFIX)/share/man/man8/'

# What install brought; what a person may have changed (configuration, logs) stays, and folders that are not empty.
uninstall:
	rm -f '$(D)$(SBIN_PATH)' '$(D)$(CONF_PATH).default' '$(D)$(CONF_DIR)mime.types.default' \
	    '$(D)$(PREFIX)/share/man/man5/weir.conf.5' '$(D)$(PREFIX)/share/man/man8/weir.8'
	rmdir '$(D)$(PREFIX)/share/man/man5' '$(D)$(PREFIX)/share/man/man8' '$(D)$(PREFIX)/share/man' '$(D)$(PREFIX)/share' \
	    '$(D)$(dir $(SBIN_PATH))' 2> /dev/null || true

-include $(LIB_OBJS:.o=.d) $(MAIN_OBJ:.o=.d) $(FAULT_OBJS:.o=.d) $(UNITS:=.d) $(REPLAYS:=.d) $(FUZZERS:=.d)
-include $(OBJS)/t/fuzz/replay.d $(FUZZ_PARTS:.o=.d)
