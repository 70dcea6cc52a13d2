//! The lines of one input: a file or standard input, plain or compressed, of any length.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

/// The lines of an input.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read>>,
    /// How much of the reader's buffer the last line takes, with its line break; 0 where that line
    /// did not lie there whole.
    taken: usize,
    /// A line that did not, or a document.
    buffer: Vec<u8>,
    number: u64,
}

/// One line.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct LogLine<'a> {
    /// From 1.
    pub(super) number: u64,
    /// Without the line break; absent where there is more than [`MOST_BYTES`] of it.
    pub(super) bytes: Option<&'a [u8]>,
}

impl Lines {
    /// The lines of what is read. Compressed input is recognized by its first bytes.
    pub(super) fn of(source: impl Read + 'static) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let reader: Box<dyn Read> = if source.fill_buf()?.starts_with(GZIP) {
            Box::new(MultiGzDecoder::new(source))
        } else {
            Box::new(source)
        };
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            taken: 0,
            buffer: Vec::new(),
            number: 0,
        })
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<LogLine<'_>>> {
        self.reader.consume(std::mem::take(&mut self.taken));
        // Nearly all lines lie there whole, and are read where they are.
        if let Some(end) = memchr(b'\n', self.reader.buffer()) {
            self.taken = end.saturating_add(1);
            self.number = self.number.saturating_add(1);
            return Ok(Some(self.line(self.reader.buffer().get(..end))));
        }
        self.buffer.clear();
        // One more than is taken, for the line break.
        let limit = MOST_BYTES.saturating_add(1);
        let mut limited = self.reader.by_ref().take(limit);
        if limited.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        let is_cut = limited.limit() == 0;
        self.number = self.number.saturating_add(1);
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if is_cut {
            self.reader.skip_until(b'\n')?;
            self.buffer = Vec::new();
            return Ok(Some(self.line(None)));
        }
        Ok(Some(self.line(Some(&self.buffer))))
    }

    const fn line<'a>(&self, bytes: Option<&'a [u8]>) -> LogLine<'a> {
        LogLine {
            number: self.number,
            bytes,
        }
    }

    /// The last line and all that follows it; `None` where that is more than [`MOST_BYTES`].
    pub(super) fn document(&mut self) -> io::Result<Option<&[u8]>> {
        if self.taken > 0 {
            self.buffer.clear();
            let line = self.reader.buffer().get(..self.taken);
            self.buffer.extend_from_slice(line.unwrap_or_default());
            self.reader.consume(std::mem::take(&mut self.taken));
        }
        self.reader
            .by_ref()
            .take(MOST_BYTES)
            .read_to_end(&mut self.buffer)?;
        let is_whole = self.reader.fill_buf()?.is_empty();
        Ok(is_whole.then_some(&*self.buffer))
    }
}

/// Opens a file; `-` is standard input.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// RFC 1952 §2.3.1.
const GZIP: &[u8] = &[0x1f, 0x8b];

const BUFFER_BYTES: usize = 256 * 1024;

/// A collector writes a batch of records on one line: 8,192 of them, by default, of a few
/// kilobytes.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
