# SPDX-License-Identifier: GPL-2.0
# kbuild reads Kbuild; this file is for people.

REL  ?= $(shell uname -r)
KDIR ?= /lib/modules/$(REL)/build

all: modules

help:
	@echo 'make                          kmod/ringbuf.ko for the running kernel'
	@echo 'make KDIR=/lib/modules/REL/build   for another one'
	@echo 'make modules_install          into /lib/modules (INSTALL_MOD_PATH: below it)'
	@echo 'make demo                     see it work, in a throw-away VM'
	@echo 'make test                     all tests, on several kernels in throw-away VMs'
	@echo 'make check | native | kunit | selftest | userspace   one suite of them'
	@echo '  T=NAME[:TEST]               one selftest program, one test in it'
	@echo '  T=SUITE[.CASE]              one KUnit suite or case (globs work)'
	@echo '  K="6.12 6.1 debug"          on these kernels'
	@echo 'make model                    the checked models of the barriers (FULL=1: larger bounds)'
	@echo 'make bench                    all benchmarks side by side, 20 minutes (MINUTES=n: other)'
	@echo 'make bench-quick | bench-check   in 3 minutes; and against the ratios of ref.csv'
	@echo 'make bench-docs               what make bench measured into Documentation/benchmarks'
	@echo 'make bench-more               thousands of consumers, watermarks, readers that lag'
	@echo 'make bench-native             natively, against other queues (quick: bench-native-quick)'
	@echo 'make bench-native-check       instructions per record against the committed ones'
	@echo 'make clean                    build products; make distclean: and build/'

headers:
	@selftests/vm/headers.sh '$(KDIR)'

modules modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

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

check native kunit selftest userspace:
	@selftests/run.sh $@

deps:
	@selftests/vm/deps.sh

demo:
	@selftests/demo/demo.sh

bench bench-quick bench-check bench-docs:
	@selftests/bench/suite.sh $(@:bench-%=%)

bench-more:
	@selftests/bench/bench.sh

bench-native:
	@selftests/bench/native/bench.sh

bench-native-quick:
	@selftests/bench/native/bench.sh quick

bench-native-check:
	@selftests/bench/native/count.sh

model: deps
	@selftests/model/run.sh

export T K V MINUTES SETTINGS

.PHONY: all help headers modules modules_install clean distclean test check native kunit selftest userspace deps demo bench bench-quick bench-check bench-docs bench-more bench-native bench-native-quick bench-native-check model
