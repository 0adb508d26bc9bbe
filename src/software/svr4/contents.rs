//! `/var/sadm/install/contents`, the list of every file of every package: contents(4).

use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::model::Package;
use crate::software::lines::{OddLines, each, shown, word};
use crate::software::{Folders, SoftwareError};

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentsEntry<'a> {
    /// The path that is delivered.
    pub path: &'a [u8],
    /// A folder, which many packages may share, and which cannot be executed.
    pub is_folder: bool,
    /// Editable (`e`) or volatile (`v`).
    pub is_variable: bool,
    /// The packages that deliver it, each with its marks, separated by spaces.
    packages: &'a [u8],
}

impl<'a> ContentsEntry<'a> {
    pub fn packages(&self) -> impl Iterator<Item = Result<&'a str, String>> {
        words(self.packages).map(package_name)
    }
}

/// Packages, and whether each delivers a file that is neither editable nor volatile.
pub(in crate::software) type Deliverers = BTreeMap<String, bool>;

/// The packages that deliver a file into each of these folders, and the invalid lines, which may name more.
pub(in crate::software) fn packages_in(
    reader: impl BufRead,
    file: &str,
    folders: &Folders,
) -> Result<(Vec<Deliverers>, Vec<Package>), SoftwareError> {
    let mut found = vec![Deliverers::new(); folders.count()];
    let mut odd = OddLines::default();
    each(reader, file, |line| {
        let line = line.map_err(|(start, what)| (start, format!("{what}: {}", shown(start))));
        let read = line.and_then(|line| note(line, folders, &mut found).map_err(|what| (line, what)));
        if let Err((line, what)) = read
            && may_lie_in(line, folders)
        {
            odd.add(line, &what);
        }
        ControlFlow::Continue(())
    })?;
    Ok((found, odd.packages(file)?))
}

/// Whether an invalid line may be about a path in one of these folders; others do not matter.
fn may_lie_in(line: &[u8], folders: &Folders) -> bool {
    let path = line.split(|byte| matches!(byte, b' ' | b'=')).next().unwrap_or_default();
    !path.starts_with(b"/") || folders.hold(path) || path.len() == line.len()
}

/// Records the packages on a line.
fn note(line: &[u8], folders: &Folders, found: &mut [Deliverers]) -> Result<(), String> {
    let Some(entry) = entry(line)? else { return Ok(()) };
    for name in entry.packages() {
        let name = name?;
        if entry.is_folder {
            continue;
        }
        for folder in folders.holding(entry.path) {
            let Some(deliverers) = found.get_mut(folder) else { continue };
            if let Some(is_static) = deliverers.get_mut(name) {
                *is_static |= !entry.is_variable;
            } else {
                deliverers.insert(name.to_owned(), !entry.is_variable);
            }
        }
    }
    Ok(())
}

/// Parses one line; none if it is a comment.
///
/// ```text
/// /etc/passwd e passwd 0644 root sys 580 48299 1077177419 SUNWcsr
/// /bin=./usr/bin s none SUNWcsr
/// /dev d none 0755 root sys SUNWcsr SUNWcsd
/// /devices/pseudo/arp@0:arp c none 44 0 0666 root sys SUNWcsd
/// ```
pub(super) fn entry(line: &[u8]) -> Result<Option<ContentsEntry<'_>>, String> {
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    let odd = |what: &str| format!("{what}: {}", shown(line));
    let (path, rest) = cut(line).ok_or_else(|| odd("no type"))?;
    let (kind, rest) = cut(rest).ok_or_else(|| odd("no class"))?;
    // Between the type and the packages: class; then mode, owner, group; then size, sum, time; or the device's
    // numbers.
    let between = match kind {
        b"s" | b"l" | b"?" => 1,
        b"d" | b"x" | b"p" => 4,
        b"b" | b"c" => 6,
        b"f" | b"e" | b"v" => 7,
        _ => return Err(odd("an unknown type")),
    };
    let packages = (0..between).try_fold(rest, |rest, _| cut(rest).map(|(_, rest)| rest));
    let packages = packages.filter(|rest| words(rest).next().is_some()).ok_or_else(|| odd("no package"))?;
    let path = match kind {
        b"s" | b"l" => path.split(|byte| *byte == b'=').next().filter(|link| link.len() < path.len()),
        _ => Some(path),
    };
    let path = path.ok_or_else(|| odd("a link without a target"))?;
    if !path.starts_with(b"/") {
        return Err(odd("no path"));
    }
    // No manual has the type `?`; pkgadd writes it for a folder that it does not recognize.
    let is_folder = matches!(kind, b"d" | b"x" | b"?");
    Ok(Some(ContentsEntry { path, is_folder, is_variable: matches!(kind, b"e" | b"v"), packages }))
}

/// The name of a package without the marks that contents(4) puts around it: a sign before it (`*` edited, `!` not
/// verified, `+`, `-`, …) and a class or a sign after it (`:class`, `\`).
pub(super) fn package_name(marked: &[u8]) -> Result<&str, String> {
    let name = match marked {
        [b'*' | b'!' | b'+' | b'-' | b'~' | b'%' | b'#' | b'@' | b'?', name @ ..] => name,
        name => name,
    };
    let end = name.iter().position(|byte| matches!(byte, b':' | b'\\')).unwrap_or(name.len());
    let name = word(name.get(..end).unwrap_or(name), "the name of a package")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(allowed) {
        Ok(name)
    } else {
        Err(format!("{} is not the name of a package", shown(marked)))
    }
}

/// Splits at the first space.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b' ')?;
    let (word, rest) = text.split_at_checked(at)?;
    Some((word, rest.trim_ascii_start())).filter(|(word, _)| !word.is_empty())
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}
