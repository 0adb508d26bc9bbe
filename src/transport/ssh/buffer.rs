//! A buffer for bytes that pass through a session.

use std::io::Read;

/// A guest's memory passes through it; libssh2 makes packets of 32 KiB of it.
const SIZE: usize = 256 << 10;

/// Filled when empty, and taken from the front.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SIZE].into_boxed_slice(), start: 0, end: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The first `count` bytes were passed on.
    pub(super) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Discards the contents.
    pub(super) fn clear(&mut self) {
        self.start = self.end;
    }

    /// Reads what is available into an empty buffer.
    pub(super) fn fill(&mut self, from: &mut impl Read) -> std::io::Result<usize> {
        (self.start, self.end) = (0, 0);
        self.end = from.read(&mut self.bytes)?;
        Ok(self.end)
    }
}
