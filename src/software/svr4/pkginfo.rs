//! `/var/sadm/pkg/*/pkginfo`: what a package says of itself, pkginfo(4), and which patches it has.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::model::Patch;
use crate::software::SoftwareError;
use crate::software::lines::{each, shown, word};

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software) struct Pkginfo {
    /// `VERSION`.
    pub version: String,
    /// `SUNW_PKG_ALLZONES`: every zone has it, in the same version.
    pub all_zones: bool,
    /// `SUNW_PKG_THISZONE`: no other zone has it.
    pub this_zone: bool,
    /// The patches of `PATCHLIST`, in its order.
    pub patches: Vec<Patch>,
}

/// Reads one. `PATCHLIST` says which patches there are, `PATCH_INFO_<id>` what one of them holds:
///
/// ```text
/// VERSION=11.9.0,REV=2002.04.06.15.27
/// PATCHLIST=113964-08
/// PATCH_INFO_113964-08=Installed: Fri Jun 13 14:26:30 PDT 2003 From: fern Obsoletes: 113153-01 Requires: 112903-03
/// ```
pub(in crate::software) fn read(reader: impl BufRead, file: &str) -> Result<Pkginfo, SoftwareError> {
    let (mut all_zones, mut this_zone) = (false, false);
    let (mut version, mut list) = (None, Vec::new());
    let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = 0;
    each(reader, file, |line| {
        last += 1;
        let Some((name, value)) = parameter(line)? else { return Ok(ControlFlow::Continue(())) };
        match name {
            b"VERSION" => version = Some(word(value, "a version")?.to_owned()),
            b"SUNW_PKG_ALLZONES" => all_zones = value == b"true",
            b"SUNW_PKG_THISZONE" => this_zone = value == b"true",
            b"PATCHLIST" => list = ids(value)?,
            name => {
                if let Some(id) = name.strip_prefix(b"PATCH_INFO_") {
                    held.insert(patch_id(id)?, obsoletes(value)?);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let none =
        || SoftwareError::Damaged { file: file.to_owned(), line: last.max(1), what: "no VERSION".to_owned() };
    let patch = |id: String| Patch { obsoletes: held.get(&id).cloned().unwrap_or_default(), id };
    let patches = list.into_iter().map(patch).collect();
    Ok(Pkginfo { version: version.ok_or_else(none)?, all_zones, this_zone, patches })
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

/// `<number>-<revision>`, the number perhaps with letters (`IDR137292-01`).
fn patch_id(id: &[u8]) -> Result<String, String> {
    let id = word(id, "a patch")?;
    let is_id = id.split_once('-').is_some_and(|(number, revision)| {
        !number.is_empty() && !revision.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if is_id { Ok(id.to_owned()) } else { Err(format!("{id:?} is not a patch")) }
}
