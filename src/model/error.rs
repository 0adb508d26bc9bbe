//! What is said of an error: a fact that names its subject and, apart from it, what to do.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An error that may know what to do about it.
pub trait Hinted: Error {
    /// What to do: a sentence each. An error that wraps another one has its hints, too.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What settles a move that was interrupted.
pub const RESUME: &str =
    "run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back";

/// The same, where something that still goes on must end first.
pub const RESUME_LATER: &str = "when that has ended, run 'sysadm evacuate --resume'";

impl Hinted for std::io::Error {}
impl Hinted for serde_json::Error {}

/// An error and its causes on one line, outermost first.
pub fn chain(error: &dyn Error) -> String {
    let mut text = without_number(error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&without_number(error.to_string()));
        cause = error.source();
    }
    text
}

/// The text of an [`io::Error`](std::io::Error) without the number that Rust adds to the system's words.
fn without_number(text: String) -> String {
    match text.rsplit_once(" (os error ") {
        Some((words, end)) if end.strip_suffix(')').is_some_and(|number| number.parse::<i32>().is_ok()) => {
            words.to_owned()
        }
        _ => text,
    }
}

/// A fact, and what to do about it: what becomes of an error where it is shown, recorded, or sent to another host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The fact, on one line.
    pub text: String,
    /// What to do: a sentence each, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Message {
    /// An error with its causes, and the hints of all of them.
    pub fn of(error: &dyn Hinted) -> Self {
        Self::from(chain(error)).with_hints(error.hints())
    }

    /// A message whose hints are the lines of one text, as they are recorded.
    pub fn recorded(text: String, hint: Option<&str>) -> Self {
        Self::from(text).with_hints(hint.iter().flat_map(|hint| hint.lines()))
    }

    /// Several facts as one, and the hints of all of them.
    pub fn join(parts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut whole = Self::default();
        for (number, part) in parts.into_iter().enumerate() {
            if number > 0 {
                whole.text.push_str(between);
            }
            whole.text.push_str(&part.text);
            whole = whole.with_hints(part.hints);
        }
        whole
    }

    /// The same, with what to do.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.with_hints([hint])
    }

    /// The same, with these hints after its own.
    #[must_use]
    pub fn with_hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        for hint in hints.into_iter().map(Into::into) {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        self
    }

    /// Another fact that has the same hints, most often one with this one in it.
    #[must_use]
    pub fn map(self, text: impl FnOnce(&str) -> String) -> Self {
        Self { text: text(&self.text), ..self }
    }

    /// The same fact, said of something.
    #[must_use]
    pub fn about(self, subject: impl fmt::Display) -> Self {
        self.map(|text| format!("{subject}: {text}"))
    }

    /// This fact and another one.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        Self::join([self, other.into()], "; ")
    }

    /// All hints as one text, a line each.
    pub fn hint(&self) -> Option<String> {
        (!self.hints.is_empty()).then(|| self.hints.join("\n"))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self { text, hints: Vec::new() }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&Self> for Message {
    fn from(message: &Self) -> Self {
        message.clone()
    }
}

impl From<&String> for Message {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl<E: Hinted> From<E> for Message {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect")]
    struct Outer(#[source] std::io::Error);

    impl Hinted for Outer {
        fn hints(&self) -> Vec<String> {
            vec!["start the agent".to_owned()]
        }
    }

    #[test]
    fn the_words_of_the_system_come_without_its_number() {
        assert_eq!(chain(&std::io::Error::from_raw_os_error(2)), "No such file or directory");
        let nested = Outer(std::io::Error::from_raw_os_error(13));
        assert_eq!(chain(&nested), "cannot connect: Permission denied");
        for other in ["(os error 2)x", "failed (os error two)", " (os error "] {
            assert_eq!(chain(&std::io::Error::other(other)), other);
        }
    }

    #[test]
    fn an_error_is_its_causes_and_its_hints() {
        let message = Message::from(Outer(std::io::Error::other("refused")));
        assert_eq!(message.to_string(), "cannot connect: refused");
        assert_eq!(message.hints, ["start the agent"]);
        let about = message.about("h2");
        assert_eq!(
            (about.text.as_str(), about.hint().as_deref()),
            ("h2: cannot connect: refused", Some("start the agent"))
        );
    }

    #[test]
    fn a_hint_is_there_once_whatever_it_is_the_hint_of() {
        let one = |text: &str, hint: &str| Message::from(text).with_hint(hint);
        let all = Message::join([one("a", "x"), one("b", "y"), one("c", "x"), Message::from("d")], "; ");
        assert_eq!((all.text.as_str(), all.hint().as_deref()), ("a; b; c; d", Some("x\ny")));
        assert_eq!(Message::recorded(all.text.clone(), all.hint().as_deref()), all);
        assert_eq!(Message::join([], "; "), Message::default());
    }

    #[test]
    fn hints_cross_the_wire() {
        let message = Message::from("busy").with_hint("wait");
        let wire = serde_json::to_string(&message).unwrap();
        assert_eq!(wire, r#"{"text":"busy","hints":["wait"]}"#);
        assert_eq!(serde_json::from_str::<Message>(&wire).unwrap(), message);
        assert_eq!(serde_json::to_string(&Message::from("busy")).unwrap(), r#"{"text":"busy"}"#);
    }
}
