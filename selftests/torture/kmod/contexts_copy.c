// SPDX-License-Identifier: GPL-2.0
/* Of the KUnit suites, which most kernels cannot have. */
#include "contexts.c"
