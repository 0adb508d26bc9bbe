//! `/var/sadm/pkg/*/pkginfo`: a package's description of itself, pkginfo(4), and its patches.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::model::Patch;
use crate::software::SoftwareError;
use crate::software::lines::{each, shown, version, word};

/// One package.
#[derive(Debug)]
pub(in crate::software) struct Pkginfo {
    /// `SUNW_PKG_ALLZONES`: every zone must have the package, in the same version.
    pub all_zones: bool,
    /// `SUNW_PKG_THISZONE`: other zones do not have the package.
    pub this_zone: bool,
    /// `VERSION`; or what is wrong, if that or another parameter that matters cannot be read.
    pub version: Result<String, String>,
    /// The patches of `PATCHLIST`, in its order, as far as they can be read.
    pub patches: Vec<Patch>,
}

/// What has been parsed so far.
#[derive(Default)]
struct Said {
    all_zones: bool,
    this_zone: bool,
    version: Option<String>,
    list: Vec<String>,
    held: BTreeMap<String, Vec<String>>,
    /// What is wrong with the first damaged line.
    damage: Option<String>,
}

/// Parses a pkginfo. `PATCHLIST` lists the patches, `PATCH_INFO_<id>` describes one of them. A line that ends in a
/// backslash is continued on the next line:
///
/// ```text
/// VERSION=11.9.0,REV=2002.04.06.15.27
/// PATCHLIST=113964-08
/// PATCH_INFO_113964-08=Installed: Fri Jun 13 14:26:30 PDT 2003 From: fern \
///         Obsoletes: 113153-01 Requires: 112903-03
/// ```
pub(in crate::software) fn read(reader: impl BufRead, file: &str) -> Result<Pkginfo, SoftwareError> {
    let mut said = Said::default();
    // The beginning of a continued line.
    let mut begun: Vec<u8> = Vec::new();
    each(reader, file, |line| {
        let line = match line {
            Ok(line) => line,
            Err((start, what)) => {
                said.damaged(&[&begun, start].concat(), what);
                begun.clear();
                return ControlFlow::Continue(());
            }
        };
        let goes_on = line.strip_suffix(b"\\");
        begun.extend_from_slice(goes_on.unwrap_or(line));
        if begun.len() > LONGEST {
            said.damaged(&begun, "a line that is too long".to_owned());
            begun.clear();
        } else if goes_on.is_none() {
            said.take(&begun);
            begun.clear();
        }
        ControlFlow::Continue(())
    })?;
    if !begun.is_empty() {
        said.take(&begun);
    }
    let version = match (said.damage, said.version) {
        (Some(what), _) => Err(what),
        (None, version) => version.ok_or_else(|| "no VERSION".to_owned()),
    };
    let held = |id: &String| said.held.get(id).cloned().unwrap_or_default();
    let patch = |id: &String| Patch { obsoletes: held(id), id: id.clone(), packages: Vec::new() };
    let patches = said.list.iter().map(patch).collect();
    Ok(Pkginfo { all_zones: said.all_zones, this_zone: said.this_zone, version, patches })
}

/// Whether every zone must have the package.
const ALL_ZONES: &[u8] = b"SUNW_PKG_ALLZONES";

/// Maximum length of a parameter, in bytes.
const LONGEST: usize = 1 << 20;

impl Said {
    /// Takes a line with its continuations.
    fn take(&mut self, line: &[u8]) {
        let (name, value) = match parameter(line) {
            Ok(Some(parameter)) => parameter,
            Ok(None) => return,
            Err(what) => return self.damaged(line, what),
        };
        match name {
            ALL_ZONES => self.all_zones = value == b"true",
            b"SUNW_PKG_THISZONE" => self.this_zone = value == b"true",
            name => {
                if let Err(what) = self.keep(name, value) {
                    self.damage.get_or_insert(what);
                }
            }
        }
    }

    /// Records a line that cannot be read. If it is about zones, it may say that every zone must have the package.
    fn damaged(&mut self, line: &[u8], what: String) {
        self.damage.get_or_insert(what);
        self.all_zones |= line.windows(ALL_ZONES.len()).any(|part| part == ALL_ZONES);
    }

    fn keep(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        if name == b"VERSION" {
            let value = version(value)?;
            if self.version.as_ref().is_some_and(|other| *other != value) {
                return Err("two VERSIONs".to_owned());
            }
            self.version = Some(value);
        } else if name == b"PATCHLIST" {
            self.list = ids(value)?;
        } else if let Some(id) = name.strip_prefix(b"PATCH_INFO_") {
            self.held.insert(patch_id(id)?, obsoletes(value)?);
        }
        Ok(())
    }
}

/// Name and value.
type Parameter<'a> = (&'a [u8], &'a [u8]);

/// `NAME=value`, the value optionally in quotes. None: an empty line or a comment.
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

/// The patches between `Obsoletes:` and the next word with a colon.
fn obsoletes(info: &[u8]) -> Result<Vec<String>, String> {
    let words = info.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let after = words.skip_while(|word| *word != b"Obsoletes:").skip(1);
    after.take_while(|word| !word.ends_with(b":")).map(patch_id).collect()
}

fn ids(value: &[u8]) -> Result<Vec<String>, String> {
    value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(patch_id).collect()
}

/// `<number>-<revision>`; the number may contain letters (`IDR137292-01`), and the revision may be missing.
fn patch_id(id: &[u8]) -> Result<String, String> {
    let id = word(id, "a patch")?;
    let (number, revision) = id.split_once('-').unwrap_or((id, "00"));
    let is_id =
        !number.is_empty() && !revision.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id { Ok(id.to_owned()) } else { Err(format!("{id:?} is not a patch")) }
}
