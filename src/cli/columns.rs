//! Tables, and their machine-readable form: `-o FIELD,…` and `-p`.
//!
//! The format of `-p` is stable: a line for each row, fields in the requested order, separated by `:`, with a `\`
//! before each `:` and `\`, empty for no value, without a header.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::CliError;
use crate::model::plain;

/// A column of a table of `T`.
pub struct Column<T> {
    /// In capitals.
    pub name: &'static str,
    /// Minimum width.
    pub width: u16,
    pub value: fn(&T) -> Option<String>,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

/// The columns named by `-o`, in its order; `all` means all, and without `-o` the first `default` ones.
pub fn pick<T>(all: &[Column<T>], default: usize, wanted: Option<&str>) -> Result<Vec<Column<T>>, CliError> {
    let Some(wanted) = wanted else { return Ok(all.iter().take(default).copied().collect()) };
    if wanted.eq_ignore_ascii_case("all") {
        return Ok(all.to_vec());
    }
    wanted
        .split(',')
        .map(|name| {
            let found = all.iter().find(|column| column.name.eq_ignore_ascii_case(name.trim()));
            found.copied().ok_or_else(|| {
                let names: Vec<_> = all.iter().map(|column| column.name).collect();
                CliError::usage(format!("unknown field {name:?}; there are: {}, or all", names.join(",")))
            })
        })
        .collect()
}

/// A table for people, with a header.
pub fn table<T>(columns: &[Column<T>], rows: &[T]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.name));
    for row in rows {
        table.add_row(
            columns
                .iter()
                .map(|column| (column.value)(row).map_or_else(|| "-".to_owned(), |text| plain(&text))),
        );
    }
    for (column, about) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 1));
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(about.width + 1)));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The lines of `-p`.
pub fn parsable<T>(columns: &[Column<T>], rows: &[T]) -> String {
    let mut text = String::new();
    for row in rows {
        let fields: Vec<_> =
            columns.iter().map(|column| escape(&(column.value)(row).unwrap_or_default())).collect();
        text.push_str(&fields.join(":"));
        text.push('\n');
    }
    text
}

/// A field of `-p`.
pub fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in plain(value).chars() {
        if matches!(c, ':' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column<(&str, Option<&str>)>] = &[
        Column { name: "TYPE", width: 6, value: |row| Some(row.0.to_owned()) },
        Column { name: "MESSAGE", width: 1, value: |row| row.1.map(str::to_owned) },
    ];

    #[test]
    fn a_table_keeps_its_columns_and_has_no_blanks_at_line_ends() {
        let rows = [("admin", Some("a\tb")), ("a-long-type", None)];
        assert_eq!(table(COLUMNS, &rows), "TYPE        MESSAGE\nadmin       a b\na-long-type -\n");
        assert_eq!(table(COLUMNS, &rows[..1]), "TYPE   MESSAGE\nadmin  a b\n");
    }

    #[test]
    fn fields_are_picked_by_name_in_any_case_and_order() {
        let names =
            |wanted| pick(COLUMNS, 1, wanted).map(|list| list.iter().map(|c| c.name).collect::<Vec<_>>());
        assert_eq!(names(None).unwrap(), ["TYPE"]);
        assert_eq!(names(Some("message,Type")).unwrap(), ["MESSAGE", "TYPE"]);
        assert_eq!(names(Some("ALL")).unwrap(), ["TYPE", "MESSAGE"]);
        let error = names(Some("type,colour")).unwrap_err();
        assert!(
            error.message().contains("unknown field \"colour\"; there are: TYPE,MESSAGE"),
            "{}",
            error.message()
        );
    }

    proptest! {
        #[test]
        fn parsable_fields_can_always_be_taken_apart_again(a in "\\PC*", b in "\\PC*") {
            let line = format!("{}:{}", escape(&a), escape(&b));
            let mut fields = vec![String::new()];
            let mut chars = line.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => fields.last_mut().unwrap().extend(chars.next()),
                    ':' => fields.push(String::new()),
                    c => fields.last_mut().unwrap().push(c),
                }
            }
            prop_assert_eq!(fields, [plain(&a), plain(&b)]);
        }
    }
}
