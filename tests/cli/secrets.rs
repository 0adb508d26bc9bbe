//! Keys and tokens do not leak: everything that a most verbose evacuation and return leave behind is searched for
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sysadm::testing::platform::sim::{Effect, Fault};

use crate::environment::{Environment, HOSTS};
use crate::tokens::tokens_in;

/// The text of every private key of the site, line by line.
fn keys(site: &Environment) -> BTreeSet<String> {
    let mut files = vec![site.at("ca/ca.key")];
    files.extend(HOSTS.map(|host| site.paths(host).tls_dir().join("host.key")));
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts
        .flat_map(|text| {
            text.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The folders of the migrations in progress.
fn folders(site: &Environment) -> Vec<String> {
    let folders = HOSTS.map(|host| site.paths(host).run_dir());
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.len() == 32).collect()
}

/// Arguments and environment of every process of this machine that belongs to the site.
fn processes(site: &Environment) -> BTreeSet<String> {
    let root = site.at("").display().to_string();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let about = [read("cmdline"), read("environ")].concat();
        let about = String::from_utf8_lossy(&about).replace('\0', " ");
        if about.contains(&root) {
            found.insert(about);
        }
    }
    found
}

/// All files below a folder, except for the keys.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() && path.extension().is_none_or(|extension| extension != "key") {
            found.push(path);
        }
    }
}

fn finds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn no_key_and_no_token_is_in_an_output_an_argument_list_or_a_file() {
    let site = Environment::locked();
    // One zone fails, so that there are errors to be searched, too.
    let cut = Fault { zone: Some("evac2".parse().unwrap()), ..Fault::always(Effect::Cut { rounds: 1 }) };
    site.set_faults("h1", &[cut]);
    let mut seen = String::new();
    let (mut used, mut ran) = (BTreeSet::new(), BTreeSet::new());
    for line in ["evacuate -va", "maintain -e", "evacuate -rva", "evacuate -l -o all"] {
        let mut child =
            site.command("h1", line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            used.extend(folders(&site));
            ran.extend(processes(&site));
        }
        let output = child.wait_with_output().unwrap();
        seen.push_str(&String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    seen.push_str(&site.agents_said());
    assert!(seen.contains("evac2: failed"), "{seen}");
    assert!(ran.iter().any(|ran| ran.contains("sysadm agent --listen")), "{ran:?}");
    seen.extend(ran);
    assert!(!used.is_empty(), "no migration was seen");

    let mut written = Vec::new();
    files(&site.at(""), &mut written);
    assert!(written.iter().any(|path| path.ends_with("h2/var/lib/sysadm/sysadm.db")), "{written:?}");
    let keys = keys(&site);
    let secrets_in = |bytes: &[u8]| {
        let keys = keys.iter().filter(|key| finds(bytes, key)).cloned();
        keys.chain(tokens_in(bytes, &used)).collect::<Vec<_>>()
    };
    assert_eq!(secrets_in(seen.as_bytes()), [""; 0], "shown");
    for path in &written {
        assert_eq!(secrets_in(&fs::read(path).unwrap()), [""; 0], "in {}", path.display());
    }
}
