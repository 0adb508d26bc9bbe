//! `/var/sadm/pkg/*/pkginfo`: what a package says of itself, pkginfo(4), and which patches it has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::model::Patch;
use crate::software::SoftwareError;
use crate::software::lines::{each, shown, word};

/// One package.
#[derive(Debug)]
pub(in crate::software) struct Pkginfo {
    /// `SUNW_PKG_ALLZONES`: every zone has it, in the same version.
    pub all_zones: bool,
    /// `SUNW_PKG_THISZONE`: no other zone has it.
    pub this_zone: bool,
    /// `VERSION`, and the patches of `PATCHLIST` in its order. Where these are damaged only those mind who count it.
    pub rest: Result<(String, Vec<Patch>), SoftwareError>,
}

/// What is read line by line.
#[derive(Default)]
struct Said {
    all_zones: bool,
    this_zone: bool,
    version: Option<String>,
    list: Vec<String>,
    held: BTreeMap<String, Vec<String>>,
    /// The first line that is damaged, and what is wrong with it.
    damage: Option<(usize, String)>,
}

/// Reads one. `PATCHLIST` says which patches there are, `PATCH_INFO_<id>` what one of them holds. A line that ends in a
/// backslash goes on in the next one:
///
/// ```text
/// VERSION=11.9.0,REV=2002.04.06.15.27
/// PATCHLIST=113964-08
/// PATCH_INFO_113964-08=Installed: Fri Jun 13 14:26:30 PDT 2003 From: fern \
///         Obsoletes: 113153-01 Requires: 112903-03
/// ```
pub(in crate::software) fn read(reader: impl BufRead, file: &str) -> Result<Pkginfo, SoftwareError> {
    let damaged = |line, what| SoftwareError::Damaged { file: file.to_owned(), line, what };
    let (mut said, mut last) = (Said::default(), 0);
    // What has been read of a line that goes on, and where it began.
    let mut begun: Option<(usize, Vec<u8>)> = None;
    let mut odd = None;
    each(reader, file, |line| {
        last += 1;
        let (number, line) = match begun.take() {
            Some((number, mut whole)) => {
                whole.extend_from_slice(line);
                (number, Cow::Owned(whole))
            }
            None => (last, Cow::Borrowed(line)),
        };
        match line.strip_suffix(b"\\") {
            Some(start) if start.len() > LONGEST => return Err("a line that goes on without end".to_owned()),
            Some(start) => begun = Some((number, start.to_owned())),
            None => odd = said.take(number, &line).err().map(|what| (number, what)),
        }
        Ok(if odd.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if let Some((number, line)) = begun {
        odd = said.take(number, &line).err().map(|what| (number, what));
    }
    if let Some((line, what)) = odd {
        return Err(damaged(line, what));
    }
    let (all_zones, this_zone) = (said.all_zones, said.this_zone);
    let rest = match (said.damage, said.version) {
        (Some((line, what)), _) => Err(damaged(line, what)),
        (None, None) => Err(damaged(last.max(1), "no VERSION".to_owned())),
        (None, Some(version)) => {
            let held = |id: &String| said.held.get(id).cloned().unwrap_or_default();
            let patch = |id: String| Patch { obsoletes: held(&id), id, packages: Vec::new() };
            Ok((version, said.list.into_iter().map(patch).collect()))
        }
    };
    Ok(Pkginfo { all_zones, this_zone, rest })
}

/// No parameter is longer, in bytes.
const LONGEST: usize = 1 << 20;

impl Said {
    /// Reads a line, with all in which it goes on.
    fn take(&mut self, number: usize, line: &[u8]) -> Result<(), String> {
        let Some((name, value)) = parameter(line)? else { return Ok(()) };
        match name {
            b"SUNW_PKG_ALLZONES" => self.all_zones = value == b"true",
            b"SUNW_PKG_THISZONE" => self.this_zone = value == b"true",
            name => {
                if let Err(what) = self.keep(name, value) {
                    self.damage.get_or_insert((number, what));
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        if name == b"VERSION" {
            self.version = Some(word(value, "a version")?.to_owned());
        } else if name == b"PATCHLIST" {
            self.list = ids(value)?;
        } else if let Some(id) = name.strip_prefix(b"PATCH_INFO_") {
            self.held.insert(patch_id(id)?, obsoletes(value)?);
        }
        Ok(())
    }
}

/// The name and the value of a parameter.
type Parameter<'a> = (&'a [u8], &'a [u8]);

/// `NAME=value`, the value perhaps in quotes. None: an empty line or a remark.
fn parameter(line: &[u8]) -> Result<Option<Parameter<'_>>, String> {
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    let at = line.iter().position(|byte| *byte == b'=');
    let (name, value) = at.and_then(|at| line.split_at_checked(at)).ok_or_else(|| no_parameter(line))?;
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(no_parameter(line));
    }
    let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Ok(Some((name, quoted.unwrap_or(value).trim_ascii())))
}

fn no_parameter(line: &[u8]) -> String {
    format!("no PARAMETER=value: {}", shown(line))
}

/// What stands between `Obsoletes:` and the next word with a colon.
fn obsoletes(info: &[u8]) -> Result<Vec<String>, String> {
    let words = info.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let after = words.skip_while(|word| *word != b"Obsoletes:").skip(1);
    after.take_while(|word| !word.ends_with(b":")).map(patch_id).collect()
}

fn ids(value: &[u8]) -> Result<Vec<String>, String> {
    value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(patch_id).collect()
}

/// `<number>-<revision>`, the number perhaps with letters (`IDR137292-01`), perhaps without a revision.
fn patch_id(id: &[u8]) -> Result<String, String> {
    let id = word(id, "a patch")?;
    let (number, revision) = id.split_once('-').unwrap_or((id, "00"));
    let is_id =
        !number.is_empty() && !revision.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id { Ok(id.to_owned()) } else { Err(format!("{id:?} is not a patch")) }
}
