#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The foreign tools that `make torture` sets on the device. Without them that part is
# skipped.
exec "$(dirname "$0")/../vm/deps.sh" --optional stress-ng trinity
