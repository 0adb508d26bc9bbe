//! `sysadm policy`, and what `evacuate` and `setup` do about policies.

use insta::assert_snapshot;

use crate::environment::Environment;

fn with(files: &[(&str, &str)]) -> Environment {
    let site = Environment::new();
    let folder = site.paths("h1").policies();
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    site
}

const FULL: &str = include_str!("../../fuzz/corpus/policy/full.toml");

const WRONG: &str = "\
destinations = [\"rack\"]
[limits]
headrom = \"10%\"
outbound = 0
[[zones]]
match = { name = \"web[1-3]\" }
action = \"sleep\"
";
