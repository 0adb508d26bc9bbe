//! Sets of processors or memory nodes, as libvirt and the kernel write them: `0-3,8,^2`.

use std::collections::BTreeSet;

/// Some of a host's processors, or of its memory nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(BTreeSet<u32>);

/// libvirt knows no higher number.
const HIGHEST: u32 = 16_383;

impl Numbers {
    /// Reads them. What is no number, and what is higher than any, is left out.
    pub fn parse(text: &str) -> Self {
        let (mut all, mut not) = (BTreeSet::new(), BTreeSet::new());
        for part in text.split(',').map(str::trim) {
            let (set, part) = match part.strip_prefix('^') {
                Some(part) => (&mut not, part),
                None => (&mut all, part),
            };
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
                set.extend(first..=last.min(HIGHEST));
            }
        }
        Self(&all - &not)
    }

    /// Those that the others are not.
    pub fn without(&self, others: &Self) -> Self {
        Self(&self.0 - &others.0)
    }

    /// These, and the others.
    pub fn add(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is said of these if a host has none of them: the first by itself, and then the rest.
    pub fn missing(&self, what: &str) -> Option<String> {
        let first = self.0.first()?;
        let rest = Self(self.0.iter().skip(1).copied().collect());
        let nor = if rest.is_empty() { String::new() } else { format!(", nor {rest}") };
        Some(format!("no {what} {first} there{nor}"))
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for &number in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        let text = |(first, last): (u32, u32)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        f.write_str(&ranges.into_iter().map(text).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read_and_missed_by_name() {
        for (text, expected) in
            [("0-3,^2,8", "0-1,3,8"), (" 7\n", "7"), ("", ""), ("3-1,x,-", ""), ("0-4294967295", "0-16383")]
        {
            assert_eq!(Numbers::parse(text).to_string(), expected, "{text:?}");
        }
        let missing = |wanted: &str, there: &str| {
            Numbers::parse(wanted).without(&Numbers::parse(there)).missing("processor")
        };
        assert_eq!(missing("0-1", "0-3"), None);
        assert_eq!(missing("500", "0-3").as_deref(), Some("no processor 500 there"));
        assert_eq!(missing("2-5,9", "0-3").as_deref(), Some("no processor 4 there, nor 5,9"));
    }
}
