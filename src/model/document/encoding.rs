//! Decodes the bytes of an XML document, and rejects other encodings.

use super::{DocumentError, LIMIT, too_long};
use crate::xml::excess;

/// The text of an XML document in UTF-8, if it is one and not larger than a manifest may be.
pub(super) fn text<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, DocumentError> {
    let wrong = |line, what: &str| Err(DocumentError::new(file, line, what));
    if bytes.len() > LIMIT {
        return wrong(0, &too_long());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return wrong(0, "it is empty");
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'<', ..] | [b'<', 0, ..] = bytes {
        return wrong(
            0,
            "the file is in UTF-16, and UTF-8 is expected: convert it with iconv -f UTF-16 -t UTF-8",
        );
    }
    let utf8 = ["utf-8", "us-ascii"];
    if let Some(other) = declared(bytes).filter(|name| !utf8.contains(&name.to_ascii_lowercase().as_str())) {
        let what = format!(
            "the file is in {other}, and UTF-8 is expected: convert it with iconv -f {other} -t UTF-8"
        );
        return wrong(1, &what);
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            return wrong(line, &format!("byte {byte:#04x} is not UTF-8, which is expected"));
        }
    };
    if let Some((line, what)) = excess(text) {
        return wrong(line, &what);
    }
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    if !begin.starts_with('<') {
        return wrong(1, "it is not an XML document");
    }
    Ok(text)
}

/// The encoding named by the XML declaration, which is in ASCII whatever follows it.
fn declared(bytes: &[u8]) -> Option<&str> {
    let begin = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    let end = begin.windows(2).position(|two| two == b"?>")?;
    let declaration = str::from_utf8(begin.get(..end)?).ok()?.strip_prefix("<?xml")?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}
