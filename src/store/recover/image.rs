//! The pages of a database as they are on the disk: those of the file, replaced by those committed in its journal
//! (`-wal`).
//!
//! They are read here and not by SQLite, which refuses a file that is truncated or whose first page is damaged.
//! The formats are described in <https://sqlite.org/fileformat2.html>.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::file_kind::{MAGIC, PAGE};

/// More pages than any of these databases has.
const MOST: u32 = 1 << 20;

/// All pages; the first one has the number 1.
pub(super) struct Image<'a> {
    file: &'a [u8],
    journal: BTreeMap<u32, &'a [u8]>,
    size: usize,
}

impl<'a> Image<'a> {
    pub fn new(file: &'a [u8], journal: &'a [u8]) -> Self {
        let header = Header::of(journal);
        let size = page_size(file).or(header.as_ref().map(|header| header.size)).unwrap_or(PAGE);
        let journal = header.filter(|header| header.size == size).map(|header| header.committed(journal));
        Self { file, journal: journal.unwrap_or_default(), size }
    }

    /// A page; none if it is not complete.
    pub fn page(&self, number: u32) -> Option<&'a [u8]> {
        if let Some(page) = self.journal.get(&number) {
            return Some(page);
        }
        let start = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(self.size)?;
        self.file.get(start..start.checked_add(self.size)?)
    }

    /// The number of the last page of which any byte exists.
    pub fn last(&self) -> u32 {
        let file = u32::try_from(self.file.len().div_ceil(self.size)).unwrap_or(u32::MAX);
        let journal = self.journal.keys().next_back().copied().unwrap_or(0);
        file.max(journal)
    }

    /// The number of pages according to the header, which may be damaged; 0 if it is absurd.
    pub fn claimed(&self) -> u32 {
        self.header(28).filter(|claimed| *claimed <= MOST).unwrap_or(0)
    }

    /// The bytes of a page that can be used for its contents.
    pub const fn usable(&self) -> usize {
        // sysadm's databases reserve none.
        self.size
    }

    /// A number in the header of the database, if that can be read.
    pub fn header(&self, at: usize) -> Option<u32> {
        let page = self.page(1).filter(|page| page.starts_with(MAGIC))?;
        word(page, at)
    }

    /// The pages that are not in use.
    pub fn free(&self) -> BTreeSet<u32> {
        let mut free = BTreeSet::new();
        let mut trunk = self.header(32).unwrap_or(0);
        while trunk != 0
            && let Some(page) = self.page(trunk)
            && free.insert(trunk)
        {
            let leaves = word(page, 4).map_or(0, |count| count as usize).min(self.size / 4 - 2);
            free.extend((0..leaves).filter_map(|leaf| word(page, 8 + 4 * leaf)));
            trunk = word(page, 0).unwrap_or(0);
        }
        free
    }
}

fn page_size(file: &[u8]) -> Option<usize> {
    let size = match file.get(16..18).filter(|_| file.starts_with(MAGIC))? {
        [0, 1] => 65536,
        bytes => bytes.iter().fold(0, |size, byte| size << 8 | usize::from(*byte)),
    };
    valid(size)
}

fn valid(size: usize) -> Option<usize> {
    (size.is_power_of_two() && (512..=65536).contains(&size)).then_some(size)
}

/// A number of four bytes.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The header of a journal.
struct Header {
    size: usize,
    salt: [u8; 8],
    is_big: bool,
    sum: [u32; 2],
}

const HEADER: usize = 32;
const FRAME: usize = 24;

impl Header {
    fn of(journal: &[u8]) -> Option<Self> {
        let magic = word(journal, 0)?;
        let is_big = magic & 1 == 1;
        let sum = checksum([0, 0], journal.get(..24)?, is_big);
        let is_whole = magic | 1 == 0x377f_0683 && sum == [word(journal, 24)?, word(journal, 28)?];
        let size = valid(usize::try_from(word(journal, 8)?).ok()?)?;
        is_whole.then_some(Self { size, salt: journal.get(16..24)?.try_into().ok()?, is_big, sum })
    }

    /// The newest version of each page, up to the last commit.
    fn committed(self, journal: &[u8]) -> BTreeMap<u32, &[u8]> {
        let (mut committed, mut pending) = (BTreeMap::new(), Vec::new());
        let mut sum = self.sum;
        for frame in journal.get(HEADER..).unwrap_or_default().chunks_exact(FRAME + self.size) {
            let (head, page) = frame.split_at(FRAME);
            sum = checksum(checksum(sum, &head[..8], self.is_big), page, self.is_big);
            let is_whole = head[8..16] == self.salt && [word(head, 16), word(head, 20)] == sum.map(Some);
            let (Some(number), Some(commit), true) = (word(head, 0), word(head, 4), is_whole) else { break };
            pending.push((number, page));
            if commit > 0 {
                committed.extend(pending.drain(..));
            }
        }
        committed
    }
}

fn checksum(mut sum: [u32; 2], bytes: &[u8], is_big: bool) -> [u32; 2] {
    for pair in bytes.chunks_exact(8) {
        let number = |at: usize| {
            let word: [u8; 4] = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
            if is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        sum[0] = sum[0].wrapping_add(number(0)).wrapping_add(sum[1]);
        sum[1] = sum[1].wrapping_add(number(4)).wrapping_add(sum[0]);
    }
    sum
}
