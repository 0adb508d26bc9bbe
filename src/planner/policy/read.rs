//! Parses a TOML file key by key, and continues after an error, so that all of them can be reported at once.
//!
//! serde alone would stop at the first one. Here each key is taken out of its section and parsed by itself; what
//! is left in the section at the end is unknown.

use std::ops::{Range, RangeInclusive};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::diagnostic::Diagnostic;

/// The errors so far, with the bytes that they are about.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<(Range<usize>, String)>);

impl Diagnostics {
    /// Adds an error.
    pub fn add(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.0.push((span, text.into()));
    }

    /// The value, if there are no errors.
    ///
    /// # Errors
    /// All errors, in the order of the file.
    pub fn or<T>(mut self, text: &str, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|(span, _)| span.start);
        Err(self.0.iter().map(|(span, what)| Diagnostic::new(text, span, what)).collect())
    }
}

/// The values of a list with their positions.
pub type List<T> = Vec<Spanned<T>>;

/// A table of the file that is being parsed.
pub struct Section<'i> {
    name: String,
    span: Range<usize>,
    table: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Section<'i> {
    /// The whole file. If it is not TOML, only that is reported: what follows a syntax error means little.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn whole(text: &'i str) -> Result<Self, Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut diagnostics = Diagnostics::default();
        for error in errors {
            diagnostics.add(error.span().unwrap_or_default(), error.message());
        }
        diagnostics.or(text, Self::new("the file".to_owned(), 0..0, table.into_inner()))
    }

    const fn new(name: String, span: Range<usize>, table: DeTable<'i>) -> Self {
        Self { name, span, table, known: Vec::new() }
    }

    /// Its position.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// The value of a key with its position; none if it is missing or invalid.
    pub fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        read(self.take(key)?, diagnostics)
    }

    /// An integer within those bounds.
    pub fn number<T>(
        &mut self,
        key: &'static str,
        within: RangeInclusive<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let value = self.take(key)?;
        let (span, kind) = (value.span(), value.get_ref().type_str());
        let number =
            read::<i64>(value, &mut Diagnostics::default()).and_then(|n| T::try_from(n.into_inner()).ok());
        let good = number.filter(|number| within.contains(number));
        if good.is_none() {
            let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
            let what = if kind == "integer" {
                "this one is outside".to_owned()
            } else {
                format!("this is {article} {kind}")
            };
            diagnostics.add(
                span,
                format!(
                    "{key}: a whole number from {} to {} is expected, {what}",
                    within.start(),
                    within.end()
                ),
            );
        }
        good
    }

    /// The values of a list, which must not be empty. An invalid one is left out, and reported.
    pub fn list<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<List<T>> {
        list(key, self.take(key)?, diagnostics)
    }

    /// A section within this one; an empty one if it is missing.
    pub fn section(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Self {
        let empty = || Self::new(format!("[{key}]"), 0..0, DeTable::new());
        self.take(key).and_then(|value| table(format!("[{key}]"), value, diagnostics)).unwrap_or_else(empty)
    }

    /// Sections that may occur several times: `[[key]]`.
    pub fn sections(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let (span, name) = (value.span(), format!("[[{key}]]"));
        match value.into_inner() {
            DeValue::Array(items) => {
                items.into_iter().filter_map(|item| table(name.clone(), item, diagnostics)).collect()
            }
            other => {
                diagnostics
                    .add(span, format!("{key} is {}, and not sections of the form {name}", other.type_str()));
                Vec::new()
            }
        }
    }

    /// The lists of a section with arbitrary keys, each with its key.
    pub fn lists<T: DeserializeOwned>(
        self,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(Spanned<String>, List<T>)> {
        let read = |(key, value): (Spanned<std::borrow::Cow<'i, str>>, Spanned<DeValue<'i>>)| {
            let key = Spanned::new(key.span(), key.into_inner().into_owned());
            let values = list(key.get_ref(), value, diagnostics)?;
            Some((key, values))
        };
        self.table.into_iter().filter_map(read).collect()
    }

    /// Reports the keys that were not taken: they are unknown.
    pub fn end(self, diagnostics: &mut Diagnostics) {
        for (key, _) in &self.table {
            let (name, known) = (&self.name, self.known.join(", "));
            diagnostics.add(key.span(), format!("{name} has no key {:?}; it has {known}", key.get_ref()));
        }
    }
}

fn read<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<T>> {
    let span = value.span();
    match T::deserialize(ValueDeserializer::from(value)) {
        Ok(value) => Some(Spanned::new(span, value)),
        Err(error) => {
            diagnostics.add(error.span().unwrap_or(span), error.message());
            None
        }
    }
}

fn list<T: DeserializeOwned>(
    key: &str,
    value: Spanned<DeValue<'_>>,
    diagnostics: &mut Diagnostics,
) -> Option<List<T>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(items) => {
            if items.is_empty() {
                diagnostics.add(span, format!("{key} is empty"));
            }
            Some(items.into_iter().filter_map(|item| read(item, diagnostics)).collect())
        }
        other => {
            diagnostics.add(span, format!("{key} is a list in [ ]; {} was found", other.type_str()));
            None
        }
    }
}

fn table<'i>(
    name: String,
    value: Spanned<DeValue<'i>>,
    diagnostics: &mut Diagnostics,
) -> Option<Section<'i>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Some(Section::new(name, span, table)),
        other => {
            diagnostics.add(
                span,
                format!("{name} is a section with keys of its own ({} was found)", other.type_str()),
            );
            None
        }
    }
}
