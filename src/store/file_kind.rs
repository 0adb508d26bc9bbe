//! Whether a file that SQLite cannot read is a damaged database or never was one.

use std::path::Path;

/// The beginning of an SQLite database.
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The page size to assume for a database whose header is damaged.
pub(super) const PAGE: usize = 4096;

/// Whether nothing in the file looks like an SQLite database, or like one that was overwritten with zeros. A file
/// that cannot be read counts as one.
pub(super) fn is_foreign(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| !looks_like_one(&bytes))
}

fn looks_like_one(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
        || MAGIC.starts_with(bytes)
        || bytes.iter().all(|byte| *byte == 0)
        || bytes.chunks(PAGE).any(is_page)
}

/// Whether that may be a page of a tree: its kind, and the offsets of its free space and cells.
fn is_page(bytes: &[u8]) -> bool {
    let &[kind, free_high, free_low, cells_high, cells_low, start_high, start_low, fragments, ..] = bytes
    else {
        return false;
    };
    let number = |high, low| usize::from(u16::from_be_bytes([high, low]));
    let (free, cells) = (number(free_high, free_low), number(cells_high, cells_low));
    let start = number(start_high, start_low);
    matches!(kind, 2 | 5 | 10 | 13)
        && free < PAGE
        && fragments <= 60
        && start <= PAGE
        && 8 + 2 * cells <= start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_programs_are_foreign_and_remains_of_databases_are_not() {
        let letter = "dear grandmother, \n\r\n".repeat(1000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sysadm.db");
        let mut page_in_garbage = vec![0xa5; 3 * PAGE];
        page_in_garbage[PAGE..PAGE + 8].copy_from_slice(&[13, 0, 0, 0, 1, 15, 200, 0]);
        let program = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[0x90; 8192]].concat();
        for (bytes, foreign) in [
            (letter.as_bytes(), true),
            (program.as_slice(), true),
            (&[0xa5; 3 * PAGE], true),
            (&page_in_garbage, false),
            (&[0; 2 * PAGE], false),
            (b"SQLite for", false),
            (b"SQLite format 3\0and then garbage", false),
            (b"", false),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(is_foreign(&path), foreign, "{:?}", &bytes[..bytes.len().min(20)]);
        }
        assert!(!is_foreign(&folder.path().join("none")));
    }
}
