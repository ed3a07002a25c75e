// SPDX-License-Identifier: GPL-2.0
//! stream WAY [DEVICE]: copies what it reads from stdin to stdout, in one of Rust's ways
//! to read.
use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::io::FromRawFd;

fn copy(way: &str, mut f: File, out: &mut dyn Write) -> io::Result<()> {
    match way {
        "read_to_end" => {
            let mut all = Vec::new();
            f.read_to_end(&mut all)?;
            out.write_all(&all)
        }
        "read_to_string" => {
            let mut all = String::new();
            f.read_to_string(&mut all)?;
            out.write_all(all.as_bytes())
        }
        "read" => {
            let mut buf = [0; 512];
            loop {
                let n = f.read(&mut buf)?;
                if n == 0 {
                    return Ok(());
                }
                out.write_all(&buf[..n])?;
            }
        }
        "read_exact" => {
            let mut byte = [0];
            while f.read_exact(&mut byte).is_ok() {
                out.write_all(&byte)?;
            }
            Ok(())
        }
        "lines" => {
            for line in BufReader::new(f).lines() {
                writeln!(out, "{}", line?)?;
            }
            Ok(())
        }
        "read_until" => {
            let mut r = BufReader::with_capacity(64, f);
            let mut line = Vec::new();
            while r.read_until(b'\n', &mut line)? > 0 {
                out.write_all(&line)?;
                line.clear();
            }
            Ok(())
        }
        "copy" => io::copy(&mut f, out).map(|_| ()),
        "stdin" => io::copy(&mut io::stdin().lock(), out).map(|_| ()),
        "seek" => {
            if f.seek(SeekFrom::Current(0)).is_ok() {
                return Err(io::Error::new(io::ErrorKind::Other, "it has a position"));
            }
            copy("read_to_end", f, out)
        }
        _ => Err(io::Error::new(io::ErrorKind::Other, "no such way")),
    }
}

fn main() -> io::Result<()> {
    let way = env::args().nth(1).unwrap_or_default();
    // Of stdin, whatever it is.
    let stdin = unsafe { File::from_raw_fd(0) };
    let mut out = BufWriter::new(io::stdout());
    copy(&way, stdin, &mut out)?;
    out.flush()
}
