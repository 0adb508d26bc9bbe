//! Bytes on their way through a line.

use std::io::Read;

/// A guest's memory passes through it; libssh2 makes packets of 32 KiB of it.
const SIZE: usize = 256 << 10;

/// Bytes on their way: filled when empty, taken from the front.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SIZE].into_boxed_slice(), start: 0, end: 0 }
    }

    /// Whether there is nothing to pass on.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// What is to be passed on.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The first `count` bytes are passed on.
    pub(super) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Gives up what there is.
    pub(super) fn clear(&mut self) {
        self.start = self.end;
    }

    /// Reads as much as there is, into an empty buffer.
    pub(super) fn fill(&mut self, from: &mut impl Read) -> std::io::Result<usize> {
        (self.start, self.end) = (0, 0);
        self.end = from.read(&mut self.bytes)?;
        Ok(self.end)
    }
}
