//! The list of elements that `docs/what-is-checked.md` is compared with is that of the installed libvirt.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use roxmltree::{Document, Node, NodeId};

const LISTED: &str = include_str!("../fixtures/libvirt-schema/elements.txt");
const SCHEMAS: &str = "/usr/share/libvirt/schemas";

/// The files of a schema, in the order in which they include each other.
fn read(name: &str, texts: &mut Vec<(String, String)>) {
    if texts.iter().any(|(known, _)| known == name) {
        return;
    }
    let text =
        std::fs::read_to_string(Path::new(SCHEMAS).join(name)).expect("libvirt's schemas are installed");
    texts.push((name.to_owned(), text.clone()));
    let document = Document::parse(&text).unwrap();
    for include in document.descendants().filter(|node| node.has_tag_name("include")) {
        read(include.attribute("href").unwrap(), texts);
    }
}

/// Which elements may be in which.
#[derive(Default)]
struct Elements<'a, 'input> {
    defined: BTreeMap<&'a str, Vec<(usize, Node<'a, 'input>)>>,
    found: BTreeSet<String>,
    seen: HashSet<(usize, NodeId)>,
    followed: HashSet<(String, String)>,
}

impl<'a, 'input> Elements<'a, 'input> {
    fn below(&mut self, file: usize, node: Node<'a, 'input>, parent: &str) {
        for child in node.children().filter(Node::is_element) {
            let name = child.attribute("name");
            match (child.tag_name().name(), name) {
                ("element", name) => {
                    let name = name.unwrap_or("?");
                    if !parent.is_empty() {
                        self.found.insert(format!("{parent}/{name}"));
                    }
                    if self.seen.insert((file, child.id())) {
                        self.below(file, child, name);
                    }
                }
                ("ref", Some(name)) => {
                    if self.followed.insert((parent.to_owned(), name.to_owned())) {
                        for (file, defined) in self.defined.get(name).cloned().unwrap_or_default() {
                            self.below(file, defined, parent);
                        }
                    }
                }
                _ => self.below(file, child, parent),
            }
        }
    }
}

#[test]
fn the_list_of_elements_of_a_domain_is_that_of_the_schema_that_is_installed() {
    let mut texts = Vec::new();
    read("domain.rng", &mut texts);
    let documents: Vec<_> = texts.iter().map(|(_, text)| Document::parse(text).unwrap()).collect();
    let mut elements = Elements::default();
    let mut starts = Vec::new();
    for (file, document) in documents.iter().enumerate() {
        for node in document.descendants() {
            match (node.tag_name().name(), node.attribute("name")) {
                ("define", Some(name)) => elements.defined.entry(name).or_default().push((file, node)),
                ("start", _) if file == 0 => starts.push((file, node)),
                _ => {}
            }
        }
    }
    for (file, start) in starts {
        elements.below(file, start, "");
    }
    let installed: BTreeSet<_> = elements.found.iter().map(String::as_str).collect();
    let listed: BTreeSet<_> = LISTED.lines().collect();
    let new: Vec<_> = installed.difference(&listed).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if !new.is_empty() {
        let all: BTreeSet<_> = installed.union(&listed).map(|element| format!("{element}\n")).collect();
        std::fs::write(folder.join("elements.txt"), all.into_iter().collect::<String>()).unwrap();
    }
    assert!(new.is_empty(), "not in the list: {new:?}; the whole one is {}/elements.txt", folder.display());
}
