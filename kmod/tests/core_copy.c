// SPDX-License-Identifier: GPL-2.0
#include "../core.c"
#include "../cursor.c"
#include "../hold.c"
