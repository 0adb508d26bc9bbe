//! Everything that a command could change in a lab, as text.

use std::fmt::Write;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Host, Lab};

/// Every host's guests, libvirt settings, files and database; the shared storage with its hidden files.
pub fn dump(lab: &Lab) -> String {
    let mut text = String::new();
    for host in lab.hosts() {
        let _ = writeln!(text, "== {}\n{}", host.name, host.guests());
        guests(host, &mut text);
        for folder in
            ["etc/libvirt", "etc/sysadm", "local", "run/sysadm", "var/lib/sysadm", "var/lib/libvirt"]
        {
            files(&host.path(folder), &mut text);
        }
        if host.database().exists() {
            tables(&host.database(), &mut text);
        }
    }
    files(&lab.shared(), &mut text);
    text
}

/// Two dumps must be the same; prints the lines that differ.
#[track_caller]
pub fn assert_same(before: &str, after: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>()
    };
    assert!(before == after, "gone: {:#?}\nnew: {:#?}", only(&before, &after), only(&after, &before));
}

fn guests(host: Host<'_>, text: &mut String) {
    for driver in ["qemu:///system", "lxc:///system"] {
        let virsh = |question: &[&str]| host.run(&[&["virsh", "-q", "-c", driver], question].concat());
        let names = virsh(&["list", "--all", "--name"]).ends(0).stdout;
        for name in names.split_whitespace() {
            for question in [&["dumpxml", name][..], &["dumpxml", "--inactive", name], &["dominfo", name]] {
                let answer = virsh(question).ends(0).stdout;
                let steady = answer
                    .lines()
                    .filter(|line| !line.starts_with("CPU time") && !line.starts_with("Used memory"));
                steady.for_each(|line| text.extend([line, "\n"]));
            }
        }
    }
}

/// Names, sizes and times. Guests write to their logs; a database has a dump of its own, and the lock file does
/// not matter after a run.
fn files(folder: &Path, text: &mut String) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
        let name = path.to_string_lossy().into_owned();
        if name.ends_with("-wal")
            || name.ends_with("-shm")
            || name.contains("/capabilities")
            || name.ends_with("/run.lock")
        {
            continue;
        }
        let changes = ["log", "db", "socket", "monitor.sock"].iter().any(|end| name.ends_with(end));
        if about.is_dir() || changes {
            let _ = writeln!(text, "{name}");
        } else {
            let _ = writeln!(text, "{name} {} {:?}", about.len(), about.modified().unwrap());
        }
        if about.is_dir() {
            files(&path, text);
        }
    }
}

fn tables(database: &Path, text: &mut String) {
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut names =
        database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        let _ = writeln!(text, "-- {name}");
        let mut select = database.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let _ = match row.get_ref(column).unwrap() {
                    ValueRef::Null => write!(text, "NULL|"),
                    ValueRef::Integer(number) => write!(text, "{number}|"),
                    ValueRef::Real(number) => write!(text, "{number}|"),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        write!(text, "{}|", String::from_utf8_lossy(bytes))
                    }
                };
            }
            text.push('\n');
        }
    }
}
