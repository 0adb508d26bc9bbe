//! How long a placement takes, and how good it is compared with others.
//!
//! ```text
//! cargo bench --bench placement                            growth, and generated clusters beside hbal
//! cargo bench --bench placement -- scale                   growth alone
//! cargo bench --bench placement -- FOLDER                  the same beside hbal, and the clusters in FOLDER (*.data)
//! ```
//!
//! For hbal: `apt-get install ganeti-htools`. It may take 300 seconds for a cluster, and does for the largest.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, starts programs and ends at the first surprise"
)]

mod clock;
mod clusters;
mod generate;
mod hbal;
mod scale;

fn main() -> std::io::Result<()> {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let folder = words.iter().find(|word| *word != "scale");
    if folder.is_none() {
        scale::table();
    }
    if words.iter().any(|word| word == "scale") {
        return Ok(());
    }
    if std::process::Command::new("hbal").arg("--version").output().is_err() {
        println!("hbal is not installed (apt-get install ganeti-htools): nothing to compare with");
        return Ok(());
    }
    hbal::head();
    folder.map_or(Ok(()), |folder| hbal::files(folder.as_ref()))?;
    for (hosts, zones, leaving) in
        [(16, 252, 12), (40, 665, 12), (100, 1666, 25), (200, 3386, 12), (200, 3386, 25), (200, 3386, 152)]
    {
        hbal::compare(&format!("{hosts} hosts, {zones} zones"), &clusters::cluster(hosts, zones, leaving))?;
    }
    Ok(())
}
