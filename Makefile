# SPDX-License-Identifier: GPL-2.0
# kbuild reads Kbuild; this file is for people.

REL  ?= $(shell uname -r)
KDIR ?= /lib/modules/$(REL)/build

all: modules

help:
	@echo 'make                          kmod/ringbuf.ko for the running kernel'
	@echo 'make KDIR=/lib/modules/REL/build   for another one'
	@echo 'make modules_install          into /lib/modules (INSTALL_MOD_PATH: below it)'
	@echo 'make sign KEY=… CERT=…        sign the modules (Documentation/secure-boot.rst)'
	@echo 'make demo                     see it work, in a throw-away VM'
	@echo 'make test                     all suites on a stock kernel in throw-away VMs: minutes'
	@echo 'make test-all                 and on all kernels that the suites are for: an hour'
	@echo '  SLOWEST=20                  shows what took longest'
	@echo '  RINGBUF_NO_CACHE=1          also checks of what has not changed since they passed'
	@echo 'make check | native | kunit | selftest | userspace   one suite of them'
	@echo '  T=NAME[:TEST]               one selftest program, one test in it'
	@echo '  T=SUITE[.CASE]              one KUnit suite or case (globs work)'
	@echo '  K="6.12 6.1 debug"          on these kernels'
	@echo 'make programs                 programs that know nothing of rings, on a ring (T=GROUP)'
	@echo 'make torture                  fuzzers, contexts; an hour or two (CALLS= SEED= ROUNDS= T= K=)'
	@echo 'make soak TIME=SECONDS        everything at once, for so long (K=, SEED=)'
	@echo 'make model                    the checked models of the barriers (FULL=1: larger bounds)'
	@echo 'make matrix                   against all kernels, architectures, compilers there are'
	@echo 'make intree                   as a part of the kernel, built in and signed, in a VM'
	@echo 'make mutation                 bugs made on purpose: is each noticed? (T=NAME: that one)'
	@echo 'make fuzz                     fuzzers, for TIME=60 seconds each (T=core, file or lib)'
	@echo 'make coverage                 which lines of the module the tests run'
	@echo 'make bench                    all benchmarks side by side, 20 minutes (MINUTES=n: other)'
	@echo 'make bench-quick | bench-check   in 3 minutes; and against the ratios of ref.csv'
	@echo 'make bench-docs               what make bench measured into Documentation/benchmarks'
	@echo 'make bench-more               thousands of consumers, watermarks, readers that lag'
	@echo 'make bench-native             natively, against other queues (quick: bench-native-quick)'
	@echo 'make bench-kernel             in the kernel, against its queues (quick: bench-kernel-quick)'
	@echo 'make bench-native-check       instructions per record against the committed ones'
	@echo 'make install | uninstall      command, library, manual, group and udev rules'
	@echo '                              (DESTDIR; prefix=/usr/local, bindir, libdir, ...)'
	@echo 'make dkms-install | dkms-uninstall   the module, for each kernel that comes'
	@echo 'make deb                      Debian packages, in build/deb (no root needed)'
	@echo 'make package-test             them, installed, upgraded, purged and booted'
	@echo 'make clean                    build products; make distclean: and build/'

headers:
	@selftests/vm/headers.sh '$(KDIR)'

modules modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

sign:
	@scripts/sign.sh '$(KDIR)' '$(KEY)' '$(CERT)' $(wildcard kmod/*.ko kmod/*/*.ko)

# Works without headers, so it does not ask kbuild.
clean:
	@find kmod Kbuild .Module.symvers.cmd .modules.order.cmd Module.symvers modules.order \
		\( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '.*.d' -o -name Module.symvers -o -name modules.order \) -type f -delete 2>/dev/null || :
	@for d in selftests selftests/native; do \
		if [ -e $$d/Makefile ]; then $(MAKE) -s -C $$d clean; fi; done

distclean: clean
	rm -rf build

test:
	@selftests/run.sh

test-all:
	@selftests/run.sh --all

check native kunit selftest userspace:
	@selftests/run.sh $@

programs torture:
	@selftests/run.sh $@

soak:
	@selftests/run.sh soak

deps:
	@selftests/vm/deps.sh

demo:
	@selftests/demo/demo.sh

matrix intree: deps
	@selftests/matrix/deps.sh
	@selftests/run.sh $@

bench bench-quick bench-check bench-docs bench-readme:
	@selftests/bench/suite.sh $(@:bench-%=%)

bench-more:
	@selftests/bench/bench.sh

bench-native:
	@selftests/bench/native/bench.sh

bench-native-quick:
	@selftests/bench/native/bench.sh quick

bench-kernel:
	@selftests/bench/kernel/bench.sh

bench-kernel-quick:
	@selftests/bench/kernel/bench.sh quick

bench-native-check:
	@selftests/bench/native/count.sh

# The module itself: modules_install for one kernel, or dkms-install for all.
install uninstall:
	$(MAKE) -C userspace $@ $@-system

dkms-install dkms-uninstall:
	@packaging/dkms.sh $@

deb:
	@packaging/deb.sh

package-test:
	@selftests/run.sh package

model: deps
	@selftests/model/run.sh

mutation:
	@selftests/mutation/run.sh $(T)

fuzz:
	@selftests/fuzz/fuzz.sh $(or $(TIME),60) $(T)

coverage:
	@selftests/coverage/coverage.sh


export T K V SLOWEST REL DESTDIR CALLS SEED ROUNDS TIME MINUTES SETTINGS

.PHONY: all help headers modules modules_install sign install uninstall dkms-install dkms-uninstall deb \
	clean distclean test test-all check native kunit selftest userspace matrix intree package-test deps demo model \
	bench-native bench-native-quick bench-native-check
.PHONY: programs mutation fuzz coverage torture soak bench-kernel bench-kernel-quick bench bench-quick bench-check bench-docs bench-readme bench-more
