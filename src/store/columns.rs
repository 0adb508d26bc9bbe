//! What the columns of the tables hold, read and written.

use rusqlite::types::ValueRef;

use crate::model::Message;

/// Parses a column with the text of one of our own types.
pub(crate) fn parsed<T: std::str::FromStr>(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Err: std::fmt::Display,
{
    let value = row.get_ref(column)?;
    value.as_str()?.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(
            0,
            rusqlite::types::Type::Text,
            format!("column {column}: {error}").into(),
        )
    })
}

/// Likewise for a column that may be empty.
pub(crate) fn parsed_optional<T: std::str::FromStr>(
    row: &rusqlite::Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>>
where
    T::Err: std::fmt::Display,
{
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => parsed(row, column).map(Some),
    }
}

/// A message, whose text and hints have a column each.
pub(crate) fn recorded(row: &rusqlite::Row<'_>, text: &str, hint: &str) -> rusqlite::Result<Option<Message>> {
    let (text, hint): (Option<String>, Option<String>) = (row.get(text)?, row.get(hint)?);
    Ok(text.map(|text| Message::recorded(text, hint.as_deref())))
}

/// A size as SQLite stores it.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A size as it was stored.
pub(crate) fn unsigned(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// Reads a JSON column.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

/// Writes a JSON column.
pub(super) fn to_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
