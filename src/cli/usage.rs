//! What is wrong with a command line, as every other error is printed: the fact, the usage, and hints.

use super::{Exit, time_arg, ui, zone};
use crate::model::{Hinted, HostUriError, SizeError, ZoneNameError};

/// Prints it.
pub(super) fn complain(error: &clap::Error) -> Exit {
    let UsageError { fact, details, hints } = UsageError::of(&error.render().to_string());
    ui::complain(fact);
    ui::report(&details);
    ui::hint(&hints);
    ui::hint(&hints_of(error));
    Exit::Usage
}

/// The parts of clap's message.
#[derive(Debug, Default, PartialEq, Eq)]
struct UsageError {
    fact: String,
    /// Lines of text: missing arguments, possible values, the usage.
    details: String,
    hints: Vec<String>,
}

impl UsageError {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        for line in text.lines() {
            if let Some(fact) = line.strip_prefix("error: ") {
                parts.fact = fact.to_owned();
            } else if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
                // What begins with '-' is a misspelt option, hardly ever a zone.
                if !tip.starts_with("to pass '") {
                    parts.hints.push(tip.to_owned());
                }
            } else if !line.is_empty() && !line.starts_with("For more information") {
                parts.details.push_str(line);
                parts.details.push('\n');
            }
        }
        parts
    }
}

/// The hints of the value that was not understood.
fn hints_of(error: &clap::Error) -> Vec<String> {
    let Some(source) = std::error::Error::source(error) else { return Vec::new() };
    let hinted = [
        source.downcast_ref::<HostUriError>().map(Hinted::hints),
        source.downcast_ref::<ZoneNameError>().map(Hinted::hints),
        source.downcast_ref::<SizeError>().map(Hinted::hints),
        source.downcast_ref::<time_arg::TimeArgError>().map(Hinted::hints),
        source.downcast_ref::<time_arg::DurationError>().map(Hinted::hints),
        source.downcast_ref::<zone::WishError>().map(Hinted::hints),
    ];
    hinted.into_iter().flatten().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claps_message_is_taken_apart() {
        let text = "error: unrecognized subcommand 'evacute'\n\n  tip: a similar subcommand exists: 'evacuate'\n\n\
                    Usage: sysadm <COMMAND>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            UsageError::of(text),
            UsageError {
                fact: "unrecognized subcommand 'evacute'".to_owned(),
                details: "Usage: sysadm <COMMAND>\n".to_owned(),
                hints: vec!["a similar subcommand exists: 'evacuate'".to_owned()],
            }
        );
        let text = "error: unexpected argument '-x' found\n\n  tip: to pass '-x' as a value, use '-- -x'\n";
        assert_eq!(UsageError::of(text).hints, Vec::<String>::new());
    }
}
