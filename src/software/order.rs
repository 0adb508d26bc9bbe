//! Which of two versions is older, by the rule of each packaging system.

use std::cmp::Ordering;

use crate::model::{System, is_unknown_version};

/// Separates the versions of a package that is installed in several. Those are not ordered.
pub(super) const SEVERAL: &str = ", ";

/// Compares two versions of a package; none if they are not comparable.
pub(super) fn order(system: System, one: &str, other: &str) -> Option<Ordering> {
    if one == other {
        return Some(Ordering::Equal);
    }
    if is_unknown_version(one) || is_unknown_version(other) {
        return None;
    }
    match system {
        System::Dpkg => Some(dpkg(one, other)),
        System::Rpm if one.contains(SEVERAL) || other.contains(SEVERAL) => None,
        System::Rpm => Some(rpm(one, other)),
        System::Ips => ips(one, other),
        // No manual has a rule: numbers are compared by value, as in `11.10.0,REV=2005.01.21.15.53` and `8.2.2`.
        System::Svr4 | System::Hypervisor => Some(segments(one.as_bytes(), other.as_bytes())),
    }
}

/// Compares two revisions of a patch.
pub(super) fn revisions(one: &str, other: &str) -> Ordering {
    segments(one.as_bytes(), other.as_bytes())
}

/// The release: the first two numbers of a version. None if it does not begin with a number.
pub(super) fn release(version: &str) -> Option<[u64; 2]> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let first = numbers.next()?.parse().ok()?;
    Some([first, numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0)])
}

/// Debian's: `[epoch:]upstream[-revision]`, deb-version(7).
fn dpkg(one: &str, other: &str) -> Ordering {
    let (one, other) = (VersionParts::of(one), VersionParts::of(other));
    let whole = one.epoch.cmp(&other.epoch).then_with(|| debian(one.version, other.version));
    whole.then_with(|| debian(one.revision.unwrap_or_default(), other.revision.unwrap_or_default()))
}

/// rpm's: `[epoch:]version[-release]`, rpm-version(7).
fn rpm(one: &str, other: &str) -> Ordering {
    let (one, other) = (VersionParts::of(one), VersionParts::of(other));
    let whole = one.epoch.cmp(&other.epoch);
    let whole = whole.then_with(|| segments(one.version.as_bytes(), other.version.as_bytes()));
    match (one.revision, other.revision) {
        (Some(one), Some(other)) => whole.then_with(|| segments(one.as_bytes(), other.as_bytes())),
        (one, other) => whole.then_with(|| one.is_some().cmp(&other.is_some())),
    }
}

/// The image packaging system's: `release[,build][-branch][:time]`, numbers between dots. The build release is
/// ignored.
fn ips(one: &str, other: &str) -> Option<Ordering> {
    let key = |version: &str| {
        let (version, time) = version.split_once(':').unwrap_or((version, ""));
        let (version, branch) = version.split_once('-').unwrap_or((version, ""));
        let release = version.split_once(',').map_or(version, |(release, _)| release);
        Some((numbers(release)?, numbers(branch)?, time.to_owned()))
    };
    Some(key(one)?.cmp(&key(other)?))
}

fn numbers(dotted: &str) -> Option<Vec<u64>> {
    dotted.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

/// The parts of a version of dpkg or rpm.
struct VersionParts<'a> {
    epoch: u64,
    version: &'a str,
    revision: Option<&'a str>,
}

impl<'a> VersionParts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (version, revision) = match rest.rsplit_once('-') {
            Some((version, revision)) => (version, Some(revision)),
            None => (rest, None),
        };
        Self { epoch: epoch.parse().unwrap_or(0), version, revision }
    }
}

/// Debian's rule for one part: text and numbers alternate; in text `~` sorts before the end, and letters before
/// all other characters.
fn debian(one: &str, other: &str) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        None => 0,
        Some(b'~') => -1,
        Some(digit) if digit.is_ascii_digit() => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(sign) => i32::from(*sign) + 256,
    };
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !(one.is_empty() && other.is_empty()) {
        let is_text = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
        while is_text(one) || is_text(other) {
            match weight(one.first()).cmp(&weight(other.first())) {
                Ordering::Equal => {}
                unlike => return unlike,
            }
            (one, other) = (one.get(1..).unwrap_or_default(), other.get(1..).unwrap_or_default());
        }
        let (first, second);
        (first, one) = digits(one);
        (second, other) = digits(other);
        match by_value(first, second) {
            Ordering::Equal => {}
            unlike => return unlike,
        }
    }
    Ordering::Equal
}

/// rpm's rule for one part: numbers and words, with any separators; a number is greater than a word; `~` sorts before
/// the end, `^` after the end and before anything else.
fn segments(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        (one, other) = (to_segment(one), to_segment(other));
        match (one, other) {
            ([b'~', rest @ ..], [b'~', others @ ..]) | ([b'^', rest @ ..], [b'^', others @ ..]) => {
                (one, other) = (rest, others);
                continue;
            }
            ([b'~', ..], _) => return Ordering::Less,
            (_, [b'~', ..]) => return Ordering::Greater,
            ([b'^', ..], []) => return Ordering::Greater,
            ([], [b'^', ..]) => return Ordering::Less,
            ([b'^', ..], _) => return Ordering::Less,
            (_, [b'^', ..]) => return Ordering::Greater,
            ([], []) => return Ordering::Equal,
            ([], _) => return Ordering::Less,
            (_, []) => return Ordering::Greater,
            _ => {}
        }
        let is_number = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
        let unlike = match (is_number(one), is_number(other)) {
            (true, true) => {
                let (first, second);
                (first, one) = digits(one);
                (second, other) = digits(other);
                by_value(first, second)
            }
            (false, false) => {
                let (first, second);
                (first, one) = split(one, u8::is_ascii_alphabetic);
                (second, other) = split(other, u8::is_ascii_alphabetic);
                first.cmp(second)
            }
            (number, _) => return if number { Ordering::Greater } else { Ordering::Less },
        };
        if unlike.is_ne() {
            return unlike;
        }
    }
}

/// The text from the next letter, digit, `~` or `^` on.
fn to_segment(text: &[u8]) -> &[u8] {
    split(text, |byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^')).1
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    split(text, u8::is_ascii_digit)
}

/// The beginning that consists of such characters, and the rest.
fn split(text: &[u8], is: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !is(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// Compares two numbers of any length.
fn by_value(one: &[u8], other: &[u8]) -> Ordering {
    let significant = |digits| split(digits, |digit| *digit == b'0').1;
    let (one, other) = (significant(one), significant(other));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
