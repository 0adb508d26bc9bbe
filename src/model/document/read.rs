//! From the document to the manifest.

use std::path::Path;

use roxmltree::{Document, Error, Node, ParsingOptions};

use super::fields::{DocumentSource, Fields, elements, name};
use super::parts::DocumentParts;
use super::{DocumentError, VERSION, Written, encoding};
use crate::{Manifest, Software, Zone};

/// Reads the manifest and who wrote it; `file` is the document's name in errors.
///
/// # Errors
/// What is wrong, and in which line.
pub fn read(bytes: &[u8], file: &str) -> Result<(Manifest, Written), DocumentError> {
    let text = encoding::text(bytes, file)?;
    let document = Document::parse(text).map_err(|error| explain(&error, text, file))?;
    let place = DocumentSource { document: &document, file };
    let root = document.root_element();
    is_ours(root, &place)?;
    let mut parts = DocumentParts::default();
    for child in elements(root, &place)? {
        parts.take(child, &place)?;
    }
    let missing = |what: &str| place.wrong(root, &format!("<{what}> is missing: the manifest is not whole"));
    let written = parts.written.take().ok_or_else(|| missing("written"))?;
    Ok((manifest(&Fields::of(root, &place, ROOT)?, parts, missing)?, written))
}

/// The attributes of the root element.
const ROOT: &[&str] =
    &["name", "zonepath", "autoboot", "brand", "version", "uuid", "state", "aux", "id", "persistent"];

fn manifest(
    zone: &Fields<'_, '_, '_>,
    parts: DocumentParts,
    missing: impl Fn(&str) -> DocumentError,
) -> Result<Manifest, DocumentError> {
    let (packages, patches) = (parts.packages, parts.patches);
    if parts.system.is_none() && !(packages.is_empty() && patches.is_empty()) {
        return Err(missing("software"));
    }
    let (platform, config) = parts.config.ok_or_else(|| missing("config"))?;
    let manifest = Manifest {
        zone: Zone {
            name: zone.parse("name")?,
            uuid: zone.parse("uuid")?,
            brand: zone.parse("brand")?,
            state: zone.parse("state")?,
            aux: zone.parse_if_there("aux")?,
            id: zone.parse_if_there("id")?,
            autostart: zone.parse("autoboot")?,
            persistent: zone.parse("persistent")?,
            ended: None,
            memory: parts.memory.ok_or_else(|| missing("mcap"))?,
            cpus: parts.cpus.ok_or_else(|| missing("virtual-cpu"))?,
        },
        config,
        platform,
        disks: parts.disks,
        networks: parts.networks,
        interfaces: parts.interfaces,
        obstacles: parts.obstacles,
        software: parts.system.map(|system| Software { system, packages, patches }),
        processor: parts.processor,
    };
    // The zonepath is there for people who know zones. It follows from the rest, so it must agree.
    let path = zone.text("zonepath")?;
    if Path::new(path) == manifest.zonepath().unwrap_or(Path::new("")) {
        return Ok(manifest);
    }
    Err(zone.wrong(&format!("zonepath={path:?} of <zone>: the zone's root file system is not in it")))
}

/// Whether this is a manifest of this program in a version that it can read. Manifests of other systems are
/// recognized first, since otherwise the error would be about some missing attribute.
fn is_ours(root: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<(), DocumentError> {
    if name(root) != "zone" {
        let what = format!("a manifest begins with <zone>, and this with <{}>", root.tag_name().name());
        return Err(place.wrong(root, &what));
    }
    let wrong = |what: &str| Err(place.wrong(root, &format!("cannot attach: {what}")));
    let version = root.attribute("version");
    if let Some(other) = version.filter(|version| !is_known(version, VERSION)) {
        let what = format!("manifest version {other}, this sysadm reads version {VERSION}");
        let hint = Some("use the sysadm that has written it");
        return wrong(&what).map_err(|error| DocumentError { hint, ..error });
    }
    if let Some(missing) = ["version", "uuid"].iter().find(|key| !root.has_attribute(**key)) {
        let all = "only a manifest by 'sysadm zone detach' has all that is needed";
        return wrong(&format!("it has no {missing}; {all}"));
    }
    Ok(())
}

/// Whether a version, as written, is at most the newest one.
fn is_known(version: &str, newest: u32) -> bool {
    (1..=newest).any(|known| version == known.to_string())
}

/// The error for a text that is not well-formed XML.
fn explain(error: &Error, text: &str, file: &str) -> DocumentError {
    let line = usize::try_from(error.pos().row).unwrap_or(0);
    match error {
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            let last = text.lines().count();
            DocumentError::new(
                file,
                last,
                "the file ends too early; it may not have been written or copied completely",
            )
        }
        Error::DtdDetected => has_dtd(text, file),
        other => {
            let what = other.to_string().replace(&format!(" at {}", other.pos()), "");
            DocumentError::new(file, line, &format!("the file is not a valid XML document: {what}"))
        }
    }
}

/// The error for a document with a DTD. It is parsed, to recognize manifests of Solaris and illumos, only if it
/// declares no entity.
fn has_dtd(text: &str, file: &str) -> DocumentError {
    let options = ParsingOptions { allow_dtd: !text.contains("<!ENTITY"), ..ParsingOptions::default() };
    if let Ok(document) = Document::parse_with_options(text, options) {
        let place = DocumentSource { document: &document, file };
        if let Err(error) = is_ours(document.root_element(), &place) {
            return error;
        }
    }
    DocumentError::new(
        file,
        1,
        "the file has a DTD, which is not accepted; a manifest by 'sysadm zone detach' has none",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_versions_are_read_and_newer_ones_and_what_is_no_version_are_not() {
        for version in ["1", "2", "3"] {
            assert!(is_known(version, 3), "{version}");
        }
        for version in ["4", "0", "", "01", "+1", "1.0", " 1", "-1", "99999999999"] {
            assert!(!is_known(version, 3), "{version}");
        }
        assert!(is_known(&VERSION.to_string(), VERSION));
    }
}
