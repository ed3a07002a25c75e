// SPDX-License-Identifier: GPL-2.0
/*
 * The ring in the memory of its consumers, read-only.
 */

#include <linux/mm.h>
#include "compat.h"
#include "file.h"

/**
 * DOC: maps
 *
 * A map shows the pages of the ring as they are: the exported page, the data
 * area, and the data area once more, so that a frame that crosses its end is
 * contiguous, as it is for the kernel.
 *
 * Pages come in by faults (MAP_POPULATE: all at once), each with a reference of
 * its own, so a map of a large ring costs what is looked at. The map holds its
 * file and that the ring; a page lives as long as anyone maps it.
 *
 * That a consumer cannot write is settled once, in ringbuf_mmap(): without
 * VM_MAYWRITE there is no mprotect() and no /proc/PID/mem that could.
 */

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	struct ringbuf_file *rf = vmf->vma->vm_file->private_data;
	struct ringbuf *rb = rf->ring;

	if (vmf->pgoff >= ringbuf_map_pages(rb))
		return VM_FAULT_SIGBUS;
	vmf->page = rb->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct map_ops = {
	.fault = map_fault,
};

/**
 * ringbuf_mmap() - Map the exported page and the data area, or a part of them
 * @file: open for reading, which the caller has seen to
 * @vma: the map
 *
 * A shared map of a file that is not open for writing has no VM_SHARED, so
 * VM_MAYSHARE tells that it is one.
 *
 * Context: task, mmap_lock held for writing.
 *
 * Return: 0; -EINVAL for a private map and for a range that is not all within
 * the two areas, -EPERM for a map to write or to execute.
 */
int ringbuf_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ringbuf_file *rf = file->private_data;
	unsigned long pages = ringbuf_map_pages(rf->ring);

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &map_ops;
	return 0;
}
