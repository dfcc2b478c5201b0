# make TARGET - one line to what does it.  `make OBJS=objs/asan ...` uses another configured build.

OBJS = objs
M    = $(MAKE) --no-print-directory -f $(OBJS)/Makefile

.PHONY: build run test quick bench fuzz lint docs install uninstall package clean help

build:   $(OBJS)/Makefile ; @+$(M) weir
run:     ; @scripts/run
test:    ; @scripts/test
quick:   ; @scripts/test quick
bench:   ; @scripts/bench
fuzz:    ; @scripts/fuzz
lint:    ; @scripts/lint
docs:    $(OBJS)/Makefile ; @+$(M) weir && scripts/docs $(OBJS)/weir
install: $(OBJS)/Makefile ; @+$(M) install
uninstall: $(OBJS)/Makefile ; @+$(M) uninstall
package: ; @scripts/package
clean:   ; rm -rf objs
help:
	@echo 'make [build]    build the program into $(OBJS)/ (./configure is run first where it was not; ./configure --help lists its options)'
	@echo 'make run        install what building needs, build, and run conf/quickstart.conf in the foreground'
	@echo 'make test       all tests: gcc, clang, sanitizers, injected faults;  make quick: with the gcc build alone'
	@echo 'make bench      what a proxied request costs;  make fuzz: a minute for each parser;  make lint: clang-tidy'
	@echo 'make docs       the reference and the man pages, from the program'
	@echo 'make install    below the prefix of ./configure, or DESTDIR;  make uninstall: remove it; configuration and logs stay'
	@echo 'make package    a Debian package'
	@echo 'make clean      remove objs/'
	@echo 'OBJS=DIR        another configured build;  V=1: whole commands'

$(OBJS)/Makefile: ; ./configure $(if $(filter-out objs,$(OBJS)),--objs=$(OBJS))
