// SPDX-License-Identifier: GPL-2.0
// stream.mjs WAY [DEVICE]: copies what it reads to stdout, in one of Node's ways to read.
// From DEVICE, which has no end; else from stdin.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import readline from 'node:readline';

const [way, path] = process.argv.slice(2);
const write = part => process.stdout.write(part);

// Leaves a moment after the last record.
let timer;
const leaveSoon = before => {
	clearTimeout(timer);
	timer = setTimeout(() => {
		before();
		process.exit(3);
	}, 500);
};

const ways = {
	async stdin() {
		process.stdin.pipe(process.stdout);
	},
	async 'stdin, for await'() {
		for await (const part of process.stdin)
			write(part);
	},
	async createReadStream() {
		fs.createReadStream(null, { fd: 0, highWaterMark: 100 }).pipe(process.stdout);
	},
	async readline() {
		for await (const line of readline.createInterface({ input: process.stdin }))
			write(line + '\n');
	},
	async readFileSync() {
		write(fs.readFileSync(0));
	},
	async readSync() {
		const buf = Buffer.alloc(512);
		for (let n; (n = fs.readSync(0, buf)) > 0;)
			write(Buffer.from(buf.subarray(0, n)));
	},
	// Below it reads from DEVICE, and leaves.
	async exit() {
		process.on('exit', () => fs.writeSync(2, 'exits\n'));
		fs.createReadStream(path).on('data', part => {
			write(part);
			// A thread of the pool is in the next read by then.
			leaveSoon(() => {});
		});
	},
	async child() {
		const cat = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
		cat.stdout.on('data', part => {
			write(part);
			leaveSoon(() => cat.kill());
		});
	},
	async nonblock() {
		const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		const buf = Buffer.alloc(65536);
		const look = () => {
			try {
				for (let n; (n = fs.readSync(fd, buf)) > 0;)
					write(Buffer.from(buf.subarray(0, n)));
			} catch (e) {
				if (e.code !== 'EAGAIN')
					throw e;
			}
		};
		setInterval(look, 50);
		leaveSoon(() => {});
	},
};

await ways[way]();
