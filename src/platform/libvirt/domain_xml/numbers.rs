//! Sets of CPUs or NUMA nodes, in the format of libvirt and the kernel: `0-3,8,^2`.

/// A set of CPUs or NUMA nodes: ranges in ascending order that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Numbers(Vec<(u32, u32)>);

/// libvirt's highest number.
const HIGHEST: u32 = 16_383;

impl Numbers {
    /// Parses a set. Text that is not a number, and numbers that are too high, are ignored.
    pub fn parse(text: &str) -> Self {
        let (mut all, mut not) = (Vec::new(), Vec::new());
        for part in text.split(',').map(str::trim) {
            let (ranges, part) = match part.strip_prefix('^') {
                Some(part) => (&mut not, part),
                None => (&mut all, part),
            };
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
                ranges.push((first, last.min(HIGHEST)));
            }
        }
        Self::of(all).without(&Self::of(not))
    }

    /// The set of all numbers in these ranges.
    fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut all: Vec<(u32, u32)> = Vec::new();
        for (first, last) in ranges {
            match all.last_mut() {
                Some((_, end)) if first <= *end + 1 => *end = last.max(*end),
                _ => all.push((first, last)),
            }
        }
        Self(all)
    }

    pub fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> Self {
        Self::of(sets.flat_map(|set| &set.0).copied().collect())
    }

    /// The numbers that are not in the other set.
    pub fn without(&self, others: &Self) -> Self {
        let mut rest = Vec::new();
        let mut gaps = others.0.iter().copied().peekable();
        for &(mut first, last) in &self.0 {
            while let Some(&(from, to)) = gaps.peek().filter(|(from, _)| *from <= last) {
                if first < from {
                    rest.push((first, from - 1));
                }
                first = first.max(to + 1);
                if to > last {
                    break;
                }
                gaps.next();
            }
            if first <= last {
                rest.push((first, last));
            }
        }
        Self(rest)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The message if a host has none of these: the first, and how many more.
    pub fn missing(&self, what: &str) -> Option<String> {
        let (first, _) = *self.0.first()?;
        let rest = self.without(&Self(vec![(first, first)]));
        let nor = if rest.is_empty() { String::new() } else { format!(", nor {rest}") };
        Some(format!("no {what} {first}{nor}"))
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |&(first, last): &(u32, u32)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        f.write_str(&self.0.iter().map(text).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read_and_missed_by_name() {
        for (text, expected) in [
            ("0-3,^2,8", "0-1,3,8"),
            (" 7\n", "7"),
            ("", ""),
            ("3-1,x,-", ""),
            ("0-4294967295", "0-16383"),
            ("5,1-2,3,0-9,12", "0-9,12"),
            ("0-9,^0,^3-5,^9-20", "1-2,6-8"),
            ("3-5,^0-4", "5"),
            ("^1", ""),
            ("1,2,^1-2", ""),
        ] {
            assert_eq!(Numbers::parse(text).to_string(), expected, "{text:?}");
        }
        let missing = |wanted: &str, there: &str| {
            Numbers::parse(wanted).without(&Numbers::parse(there)).missing("processor")
        };
        assert_eq!(missing("0-1", "0-3"), None);
        assert_eq!(missing("0-1,4-9", "0-3,6,8-20").as_deref(), Some("no processor 4, nor 5,7"));
        assert_eq!(missing("500", "0-3").as_deref(), Some("no processor 500"));
        assert_eq!(missing("2-5,9", "0-3").as_deref(), Some("no processor 4, nor 5,9"));
    }
}
