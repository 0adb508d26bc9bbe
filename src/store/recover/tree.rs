//! The contents of the pages: the trees of tables and indexes, their cells, and the records in those. Nothing
//! here trusts what it reads; invalid parts are left out.

use std::collections::BTreeSet;

use rusqlite::types::Value;

use super::image::{Image, word};

/// A row of a table, or an entry of an index.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BtreeRecord {
    /// The number of the row; in an index, the last value of the entry.
    pub id: i64,
    /// Its values, as far as they can be read.
    pub values: Vec<Value>,
    /// It is complete.
    pub is_whole: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PageKind {
    TableLeaf,
    TableInterior,
    IndexLeaf,
    IndexInterior,
}

/// A page with cells.
pub(super) struct BtreePage<'a> {
    image: &'a Image<'a>,
    page: &'a [u8],
    kind: PageKind,
    start: usize,
    cells: usize,
}

impl<'a> BtreePage<'a> {
    /// The page with that number, if it has cells.
    pub fn of(image: &'a Image<'a>, number: u32) -> Option<Self> {
        let (page, start) = (image.page(number)?, if number == 1 { 100 } else { 0 });
        let (kind, head) = match page.get(start)? {
            13 => (PageKind::TableLeaf, 8),
            5 => (PageKind::TableInterior, 12),
            10 => (PageKind::IndexLeaf, 8),
            2 => (PageKind::IndexInterior, 12),
            _ => return None,
        };
        let cells = usize::from(short(page, start + 3)?);
        (start + head + 2 * cells <= page.len()).then_some(Self { image, page, kind, start, cells })
    }

    /// Whether it has rows of a table.
    pub fn has_rows(&self) -> bool {
        self.kind == PageKind::TableLeaf
    }

    fn is_interior(&self) -> bool {
        matches!(self.kind, PageKind::TableInterior | PageKind::IndexInterior)
    }

    fn cells(&self) -> impl Iterator<Item = usize> {
        let head = self.start + if self.is_interior() { 12 } else { 8 };
        (0..self.cells).filter_map(move |cell| short(self.page, head + 2 * cell).map(usize::from))
    }

    /// The pages below it.
    pub fn children(&self) -> Vec<u32> {
        if !self.is_interior() {
            return Vec::new();
        }
        let last = word(self.page, self.start + 8);
        self.cells().map(|at| word(self.page, at)).chain([last]).flatten().collect()
    }

    /// Its rows or entries; none in place of an invalid one. Adds the pages on which long ones continue.
    pub fn records(&self, overflow: &mut BTreeSet<u32>) -> Vec<Option<BtreeRecord>> {
        match self.kind {
            PageKind::TableInterior => Vec::new(),
            _ => {
                let mut left = self.page.len();
                self.cells().map(|at| self.record(at, &mut left, overflow)).collect()
            }
        }
    }

    /// The record of a cell. Its bytes count against the `left` ones of the page: the cells of a damaged page may
    /// all claim the same bytes.
    fn record(&self, at: usize, left: &mut usize, overflow: &mut BTreeSet<u32>) -> Option<BtreeRecord> {
        let mut at = if self.kind == PageKind::IndexInterior { at + 4 } else { at };
        let length = usize::try_from(varint(self.page, &mut at)?).ok()?;
        let is_row = self.has_rows();
        let id = if is_row { varint(self.page, &mut at)? } else { 0 };
        let (payload, is_whole) = self.payload(at, length, left, overflow)?;
        let (values, all) = values(&payload)?;
        let id = match values.last() {
            Some(Value::Integer(id)) if !is_row => *id,
            _ => id,
        };
        Some(BtreeRecord { id, values, is_whole: is_whole && all })
    }

    /// The bytes of a record, and whether they are complete.
    fn payload(
        &self,
        at: usize,
        length: usize,
        left: &mut usize,
        overflow: &mut BTreeSet<u32>,
    ) -> Option<(Vec<u8>, bool)> {
        let usable = self.image.usable();
        let most = if self.has_rows() { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most {
            *left = left.checked_sub(length)?;
            return Some((self.page.get(at..at.checked_add(length)?)?.to_owned(), true));
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let here = least + (length - least) % (usable - 4);
        let here = if here <= most { here } else { least };
        *left = left.checked_sub(here)?;
        let mut bytes = self.page.get(at..at + here)?.to_owned();
        let mut next = word(self.page, at + here)?;
        while bytes.len() < length {
            let page = self.image.page(next).filter(|page| page.iter().any(|byte| *byte != 0));
            // Each page belongs to a single record.
            let Some(page) = page.filter(|_| overflow.insert(next)) else { return Some((bytes, false)) };
            let more = (length - bytes.len()).min(usable - 4);
            bytes.extend_from_slice(page.get(4..4 + more)?);
            next = word(page, 0)?;
        }
        Some((bytes, true))
    }
}

/// The values of a record, up to the first one that cannot be read, and whether that is all of them.
fn values(payload: &[u8]) -> Option<(Vec<Value>, bool)> {
    let mut at = 0;
    let head = usize::try_from(varint(payload, &mut at)?).ok()?;
    let mut content = head;
    let mut values = Vec::new();
    while at < head {
        let kind = varint(payload, &mut at)?;
        let Some(value) = value(payload, kind, &mut content) else { return Some((values, false)) };
        values.push(value);
    }
    Some((values, true))
}

fn value(payload: &[u8], kind: i64, at: &mut usize) -> Option<Value> {
    let length = match kind {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 | 7 => 8,
        12.. => usize::try_from((kind - 12) / 2).ok()?,
        _ => return None,
    };
    let bytes = payload.get(*at..at.checked_add(length)?)?;
    *at += length;
    Some(match kind {
        0 => Value::Null,
        8 | 9 => Value::Integer(kind - 8),
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        1..=6 => {
            let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            Value::Integer(bytes.iter().fold(start, |number, byte| number << 8 | i64::from(*byte)))
        }
        _ if kind % 2 == 1 => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
        _ => Value::Blob(bytes.to_owned()),
    })
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A number of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut number: u64 = 0;
    for n in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if n == 8 {
            return Some((number << 8 | u64::from(byte)).cast_signed());
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number.cast_signed())
}
