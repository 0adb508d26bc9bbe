//! Which row belongs to which table, and which rows are known to be missing.
//!
//! The tables' own trees say to which table a page belongs. If a tree is broken, some pages belong to no tree: a
//! row on one of them belongs to the only table that it fits. An index has the names of rows whose own page is
//! gone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::image::Image;
use super::tree::{BtreePage, BtreeRecord};

/// A table of the schema.
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<TableColumn>,
}

pub(super) struct TableColumn {
    pub name: String,
    is_number: bool,
    is_required: bool,
    has_default: bool,
    /// The column is the number of the row, and has no value of its own.
    is_id: bool,
}

impl Table {
    /// All tables of a database.
    pub fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
        let mut names = connection.prepare(names)?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        names.into_iter().map(|name| Ok(Self { columns: columns(connection, &name)?, name })).collect()
    }

    /// Whether a row may belong to this table.
    fn fits(&self, record: &BtreeRecord) -> bool {
        let mut values = record.values.iter();
        let fits = self.columns.iter().all(|column| match values.next() {
            None => column.has_default || !column.is_required,
            Some(Value::Null) => column.is_id || !column.is_required,
            Some(Value::Integer(_)) => column.is_number && !column.is_id,
            Some(Value::Text(_)) => !column.is_number,
            Some(Value::Real(_) | Value::Blob(_)) => false,
        });
        fits && values.next().is_none() && record.is_whole && !record.values.is_empty()
    }

    /// The values of a row, in the order of the columns.
    pub fn values(&self, record: &BtreeRecord) -> Vec<Value> {
        let own = |(value, column): (&Value, &TableColumn)| match column.is_id {
            true => Value::Integer(record.id),
            false => value.clone(),
        };
        record.values.iter().zip(&self.columns).map(own).collect()
    }

    /// The values that a row need not have.
    pub fn optional(&self, values: &[Value]) -> impl Iterator<Item = usize> {
        let may_be_missing = |at: &usize| !self.columns[*at].is_required && values[*at] != Value::Null;
        (0..self.columns.len().min(values.len())).filter(may_be_missing)
    }

    /// The description of a row: its first values, and its place if it is a zone on another host.
    pub fn call(&self, values: &[Value]) -> String {
        let location = self.columns.iter().position(|column| column.name == "location");
        let first = values.iter().take(2).filter_map(text);
        let words: Vec<_> = first.chain(location.and_then(|at| text(values.get(at)?))).collect();
        if words.is_empty() { "a row without a name".to_owned() } else { words.join(", ") }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<TableColumn>> {
    let mut statement = connection.prepare("SELECT * FROM pragma_table_info(?1) ORDER BY cid")?;
    let mut columns = statement
        .query_map([table], |row| {
            let is_key = row.get::<_, i64>("pk")? > 0;
            let is_number = row.get::<_, String>("type")? == "INTEGER";
            Ok(TableColumn {
                name: row.get("name")?,
                is_number,
                is_required: row.get::<_, bool>("notnull")? || is_key,
                has_default: row.get::<_, Option<String>>("dflt_value")?.is_some(),
                is_id: is_key && is_number,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let keys: i64 =
        connection.query_row("SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0", [table], |row| {
            row.get(0)
        })?;
    if keys > 1 {
        columns.iter_mut().for_each(|column| column.is_id = false);
    }
    Ok(columns)
}

/// What was found in the pages.
#[derive(Default)]
pub(super) struct SalvagedRows {
    /// Rows, with the number of their table.
    pub rows: Vec<(usize, BtreeRecord)>,
    /// What is lost, with the number of its table if that is known.
    pub lost: Vec<(Option<usize>, String)>,
}

/// Searches all pages.
pub(super) fn search(image: &Image<'_>, tables: &[Table]) -> SalvagedRows {
    let mut search = PageSearch { seen: image.free(), ..PageSearch::new(image, tables) };
    search.trees();
    search.strays();
    search.missing();
    search.found
}

struct PageSearch<'a> {
    image: &'a Image<'a>,
    tables: &'a [Table],
    /// Pages that are accounted for.
    seen: BTreeSet<u32>,
    overflow: BTreeSet<u32>,
    /// Pages that are gone, by table.
    gone: BTreeMap<usize, BTreeSet<u32>>,
    /// What the indexes of a table say of a row.
    indexed: BTreeMap<(usize, i64), Vec<String>>,
    /// Rows that are incomplete.
    torn: BTreeSet<(usize, i64)>,
    found: SalvagedRows,
}

impl<'a> PageSearch<'a> {
    fn new(image: &'a Image<'a>, tables: &'a [Table]) -> Self {
        Self {
            image,
            tables,
            seen: BTreeSet::new(),
            overflow: BTreeSet::new(),
            gone: BTreeMap::new(),
            indexed: BTreeMap::new(),
            torn: BTreeSet::new(),
            found: SalvagedRows::default(),
        }
    }

    /// Follows every tree in the schema.
    fn trees(&mut self) {
        let mut roots = Vec::new();
        for record in self.tree(1, None).into_iter().flatten() {
            if let [Value::Text(kind), Value::Text(_), Value::Text(table), Value::Integer(root), ..] =
                record.values.as_slice()
                && let Some(table) = self.tables.iter().position(|known| known.name == *table)
                && let Ok(root) = u32::try_from(*root)
                && root > 0
            {
                roots.push((kind == "table", table, root));
            }
        }
        for (is_table, table, root) in roots {
            let records = self.tree(root, is_table.then_some(table));
            for record in records {
                match (record, is_table) {
                    (Some(record), true) => self.row(table, record),
                    (None, true) => self.lose(Some(table), "a row that makes no sense".to_owned()),
                    (Some(record), false) if record.is_whole => self.index(table, &record),
                    (_, false) => {}
                }
            }
        }
    }

    /// The records of a tree. Its pages that cannot be read are gone if it is a table's.
    fn tree(&mut self, root: u32, table: Option<usize>) -> Vec<Option<BtreeRecord>> {
        let (mut records, mut open) = (Vec::new(), vec![root]);
        while let Some(number) = open.pop() {
            if !self.seen.insert(number) {
                continue;
            }
            match BtreePage::of(self.image, number) {
                Some(node) => {
                    open.extend(node.children());
                    records.extend(node.records(&mut self.overflow));
                }
                // Without an index nothing is lost; without the schema anything may be.
                None => match table {
                    Some(table) => drop(self.gone.entry(table).or_default().insert(number)),
                    None if root == 1 => drop(self.seen.remove(&number)),
                    None => {}
                },
            }
        }
        records
    }

    fn row(&mut self, table: usize, record: BtreeRecord) {
        let known = &self.tables[table];
        if known.fits(&record) {
            self.found.rows.push((table, record));
            return;
        }
        self.torn.insert((table, record.id));
        let text = format!("{}: not all of it can be read", known.call(&known.values(&record)));
        self.lose(Some(table), text);
    }

    fn index(&mut self, table: usize, entry: &BtreeRecord) {
        let (_, keys) = entry.values.split_last().unwrap_or((&Value::Null, &[]));
        let words = self.indexed.entry((table, entry.id)).or_default();
        for word in keys.iter().filter_map(text) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }

    /// Finds rows on pages that belong to no tree, and pages that cannot be read.
    fn strays(&mut self) {
        let mut unreadable = BTreeSet::new();
        for number in 1..=self.image.last() {
            if self.seen.contains(&number) || self.overflow.contains(&number) {
                continue;
            }
            match BtreePage::of(self.image, number) {
                Some(node) if node.has_rows() => {
                    for record in node.records(&mut self.overflow).into_iter().flatten() {
                        self.stray(record);
                    }
                }
                Some(_) => {}
                None => {
                    unreadable.insert(number);
                }
            }
        }
        if self.image.last().max(self.image.claimed()) == 0 {
            self.lose(None, "the file is empty; its former contents are unknown".to_owned());
        }
        // The pages on which they continue are known only when all are read.
        let mut pages = Ranges::default();
        unreadable.difference(&self.overflow).for_each(|page| pages.push(*page, *page));
        self.push_claimed(&mut pages);
        if !pages.0.is_empty() {
            self.lose(None, format!("{}; its former contents are unknown", pages.cannot_be_read()));
        }
    }

    /// Adds the pages that only the header claims. They are never counted one by one: a damaged header may claim
    /// millions.
    fn push_claimed(&self, pages: &mut Ranges) {
        let (mut first, last) = (self.image.last() + 1, self.image.claimed());
        if first > last {
            return;
        }
        for known in self.seen.range(first..=last) {
            pages.push(first, known - 1);
            first = known + 1;
        }
        pages.push(first, last);
    }

    fn stray(&mut self, record: BtreeRecord) {
        let fitting = || (0..self.tables.len()).filter(|table| self.tables[*table].fits(&record));
        // Only a row that is older than a column has no value for it.
        let is_full = |table: &usize| self.tables[*table].columns.len() == record.values.len();
        let mut full = fitting().filter(is_full);
        let of = match (full.next(), full.next()) {
            (None, _) => fitting().next().filter(|_| fitting().count() == 1),
            (Some(table), None) => Some(table),
            (Some(_), Some(_)) => None,
        };
        match of {
            Some(table) => self.found.rows.push((table, record)),
            _ if is_schema(&record) => {}
            _ => {
                let words: Vec<_> = record.values.iter().take(3).filter_map(text).collect();
                self.lose(None, format!("a row of an unknown table: {}", words.join(", ")));
            }
        }
    }

    /// Finds rows that are known only by an index, and pages of tables that are gone.
    fn missing(&mut self) {
        let there: BTreeSet<_> = self.found.rows.iter().map(|(table, record)| (*table, record.id)).collect();
        for (row, mut words) in std::mem::take(&mut self.indexed) {
            // Names say more than UUIDs.
            words.sort_by_key(|word| uuid::Uuid::parse_str(word).is_ok());
            if !there.contains(&row) && !self.torn.contains(&row) {
                self.lose(Some(row.0), format!("{}: nothing but its name can be read", words.join(", ")));
            }
        }
        for (table, pages) in std::mem::take(&mut self.gone) {
            let mut ranges = Ranges::default();
            pages.iter().for_each(|page| ranges.push(*page, *page));
            self.lose(Some(table), ranges.cannot_be_read());
        }
    }

    fn lose(&mut self, table: Option<usize>, text: String) {
        self.found.lost.push((table, text));
    }
}

/// Whether it is a row of the schema itself.
fn is_schema(record: &BtreeRecord) -> bool {
    matches!(record.values.as_slice(), [Value::Text(kind), ..] if kind == "table" || kind == "index" || kind == "trigger")
}

/// Page numbers in ascending order, as ranges.
#[derive(Default)]
struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    fn push(&mut self, first: u32, last: u32) {
        match self.0.last_mut() {
            _ if first > last => {}
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => self.0.push((first, last)),
        }
    }

    fn cannot_be_read(&self) -> String {
        let words = self.0.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        let word =
            if matches!(self.0.as_slice(), [(first, last)] if first == last) { "page" } else { "pages" };
        format!("{word} {} of the file cannot be read", words.collect::<Vec<_>>().join(", "))
    }
}
