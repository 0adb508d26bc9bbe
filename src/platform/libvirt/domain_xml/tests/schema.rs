//! `docs/what-is-checked.md` lists every element that a domain may have.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../../docs/what-is-checked.md");
const ELEMENTS: &str = include_str!("../../../../../tests/fixtures/libvirt-schema/elements.txt");

/// The elements in the first column of the page's tables.
fn known() -> BTreeSet<&'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    // Between two words in backticks there is always text.
    rows.flat_map(|(elements, _)| elements.split('`').step_by(2)).collect()
}

#[test]
fn the_page_on_what_is_checked_knows_every_element_of_libvirts_schema() {
    let known = known();
    let is_known = |element: &&str| {
        let (_, name) = element.split_once('/').unwrap();
        known.contains(*element) || known.contains(name)
    };
    let unknown: Vec<_> = ELEMENTS.lines().filter(|element| !is_known(element)).collect();
    assert!(ELEMENTS.lines().count() > 500);
    assert!(unknown.is_empty(), "docs/what-is-checked.md does not say what is checked of {unknown:?}");
}

#[test]
fn every_row_of_the_page_says_what_an_element_names_and_how_that_is_checked() {
    for row in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
    }
}
