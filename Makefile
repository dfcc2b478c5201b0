# make TARGET - one line to what does it.  `make OBJS=objs/asan ...` uses another configured build.

OBJS = objs
M    = $(MAKE) --no-print-directory -f $(OBJS)/Makefile

.PHONY: build run test quick bench fuzz lint docs install package clean

build:   $(OBJS)/Makefile ; @+$(M) weir
run:     ; @scripts/run
test:    ; @scripts/test
quick:   ; @scripts/test quick
bench:   ; @scripts/bench
fuzz:    ; @scripts/fuzz
lint:    ; @scripts/lint
docs:    $(OBJS)/Makefile ; @+$(M) weir && scripts/docs $(OBJS)/weir
install: $(OBJS)/Makefile ; @+$(M) install
package: ; @scripts/package
clean:   ; rm -rf objs

$(OBJS)/Makefile: ; ./configure $(if $(filter-out objs,$(OBJS)),--objs=$(OBJS))
