//! How long it takes to validate what a zone depends on: to read a host's package database, to select what
//! counts, and to compare that with the software of the zone's own host. A Solaris 10 host with 5,000 packages
//! and 200,000 files; a zone that inherits `/lib`, `/platform`, `/sbin` and `/usr`. Run with `cargo bench --bench
//! software`.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints and ends at the first surprise"
)]

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use sysadm::testing::software;
use sysadm_model::{Inherited, Software};

#[allow(dead_code, reason = "another benchmark needs more of it")]
#[path = "placement/clock.rs"]
mod clock;

const PACKAGES: usize = 5000;
const FILES: usize = 200_000;
const RUNS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    lay(folder.path());
    let inherited = ["/lib", "/platform", "/sbin", "/usr"].map(|folder| Path::new(folder).into());
    let mut source = read(folder.path(), &inherited).await;
    for package in source.packages.iter_mut().step_by(100) {
        package.version = "11.9.0,REV=2002.04.06.15.27".to_owned();
    }
    println!(
        "{PACKAGES} packages, {FILES} files; {} packages and {} patches count",
        source.packages.len(),
        source.patches.len()
    );
    clock::forget();
    let before = clock::peak();
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let local = read(folder.path(), &inherited).await;
        let report = software::compare(&source, Some(&local));
        times.push(start.elapsed());
        assert_eq!(report.packages.len(), source.packages.len().div_ceil(100), "{report}");
    }
    times.sort();
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    println!(
        "read, select and compare: median {}, slowest {} of {RUNS}",
        ms(times[RUNS / 2]),
        ms(times[RUNS - 1])
    );
    println!(
        "memory: {} MiB at most, {} MiB of them for it",
        clock::peak() >> 20,
        (clock::peak() - before) >> 20
    );
}

async fn read(root: &Path, inherited: &[Inherited<'_>]) -> Software {
    software::count(root, inherited).await.expect("it can be read").software.expect("there are packages")
}

/// The database: packages of 40 files each, with three patches each that contain another one.
fn lay(root: &Path) {
    let packages = root.join("var/sadm/pkg");
    let mut contents = String::new();
    for number in 0..PACKAGES {
        let folder = packages.join(format!("SUNWp{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("pkginfo"), pkginfo(number)).expect("a file");
    }
    for number in 0..FILES {
        let package = number % PACKAGES;
        let top = ["usr/lib", "usr/share/man/man1", "etc", "opt/vendor"][package % 4];
        let line = format!(
            "/{top}/p{package}/file{number}.so.1 f none 0755 root bin {number} 9259 1253045976 SUNWp{package}"
        );
        writeln!(contents, "{line}").expect("memory");
    }
    let install = root.join("var/sadm/install");
    std::fs::create_dir_all(&install).expect("a folder");
    std::fs::write(install.join("contents"), contents).expect("a file");
}

fn pkginfo(number: usize) -> String {
    let patch = |of: usize| format!("{}-{:02}", 110_000 + (number * 3 + of) % 900, of + 1);
    let info = |of: usize| {
        format!(
            "PATCH_INFO_{}=Installed: Fri Jun 13 14:26:30 PDT 2003 From: fern Obsoletes: {}-01 Requires: 112903-03 Incompatibles:\n",
            patch(of),
            100_000 + number
        )
    };
    format!(
        "ARCH=i386\nBASEDIR=/\nCATEGORY=system\nDESC=Package {number}\nEMAIL=\nMAXINST=1000\nNAME=Package {number}\n\
         PKG=SUNWp{number}\nSUNW_PKGTYPE=usr\nSUNW_PKGVERS=1.0\nSUNW_PKG_ALLZONES={}\nSUNW_PKG_HOLLOW=false\n\
         VENDOR=Sun Microsystems, Inc.\nVERSION=11.10.0,REV=2005.01.08.01.09\nCLASSES=none\n\
         PATCHLIST={} {} {}\n{}{}{}",
        number.is_multiple_of(10),
        patch(0),
        patch(1),
        patch(2),
        info(0),
        info(1),
        info(2)
    )
}
