//! Existing files, symbolic links, and what a full disk leaves behind.

#[path = "../../../tests/fixtures/small_disk.rs"]
mod small_disk;

use std::io::Read;
use std::path::{Path, PathBuf};

use self::small_disk::{fill, on_a_small_disk};
use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn known(present: &[u8]) -> bool {
    present == b"known"
}

fn device(path: &Path, kind: rustix::fs::FileType) {
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
}

#[test]
fn a_file_of_ones_own_is_replaced_and_what_a_link_leads_to_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("victim"), "as it was").unwrap();
    std::os::unix::fs::symlink(at("victim"), at("own")).unwrap();
    for (content, bits) in [("first", 0o600), ("second", 0o755)] {
        replace(&at("own"), content, bits).unwrap();
        assert_eq!(std::fs::read_to_string(at("own")).unwrap(), content);
        assert!(!at("own").is_symlink() && mode(&at("own")) == bits);
    }
    assert_eq!(std::fs::read_to_string(at("victim")).unwrap(), "as it was");
    assert_eq!(names(folder.path()), ["own", "victim"]);
    assert!(replace(&at("no/such/folder"), "x", 0o600).is_err());
}

#[test]
fn what_must_be_new_replaces_nothing_not_even_a_link_that_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    create(&at("new"), "text", 0o640).unwrap();
    assert_eq!((std::fs::read_to_string(at("new")).unwrap(), mode(&at("new"))), ("text".to_owned(), 0o640));
    std::os::unix::fs::symlink(at("nowhere"), at("link")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    device(&at("pipe"), rustix::fs::FileType::Fifo);
    for there in ["new", "link", "folder", "pipe"] {
        let error = create(&at(there), "other", 0o600).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{there}: {error}");
    }
    // A file that appears while the new one is written.
    let draft = StagedFile::write(&at("late"), "other", 0o600).unwrap();
    std::fs::write(at("late"), "mine").unwrap();
    assert_eq!(draft.create().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(at("late")).unwrap(), "mine");
    drop(StagedFile::write(&at("never"), "text", 0o600).unwrap());
    assert_eq!(names(folder.path()), ["folder", "late", "link", "new", "pipe"]);
}

#[test]
fn what_an_operator_names_replaces_what_is_known_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    output(&at("out"), b"known", known).unwrap();
    std::fs::set_permissions(at("out"), Permissions::from_mode(0o600)).unwrap();
    output(&at("out"), b"other", known).unwrap();
    assert_eq!((std::fs::read(at("out")).unwrap(), mode(&at("out"))), (b"other".to_vec(), 0o600));
    assert!(output(&at("out"), b"known", known).unwrap_err().to_string().contains("is not replaced"));
    std::fs::write(at("out"), "").unwrap();
    output(&at("out"), b"known", known).unwrap();
    std::os::unix::fs::symlink(at("out"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
    for link in ["link", "dangling"] {
        let said = output(&at(link), b"other", known).unwrap_err().to_string();
        assert!(said.contains("it is a symbolic link"), "{said}");
    }
    assert!(output(folder.path(), b"other", known).is_err());
    assert_eq!(std::fs::read(at("out")).unwrap(), b"known");
    assert_eq!(names(folder.path()), ["dangling", "link", "out"]);
}

#[test]
fn a_stream_is_written_to_and_stays_one_also_behind_links() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let is_device = |path: &Path| path.symlink_metadata().unwrap().file_type().is_char_device();
    output(Path::new("/dev/null"), b"text", known).unwrap();
    assert!(is_device(Path::new("/dev/null")));
    let full = output(Path::new("/dev/full"), b"text", known).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    device(&at("pipe"), rustix::fs::FileType::Fifo);
    let (reader, writer) = io::pipe().unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&writer);
    std::os::unix::fs::symlink(format!("/proc/self/fd/{number}"), at("descriptor")).unwrap();
    std::os::unix::fs::symlink("pipe", at("link")).unwrap();
    let fifo = std::thread::spawn({
        let path = at("pipe");
        move || std::fs::read_to_string(path).unwrap()
    });
    output(&at("link"), b"through a link", known).unwrap();
    assert_eq!(fifo.join().unwrap(), "through a link");
    output(&at("descriptor"), b"through a descriptor", known).unwrap();
    drop(writer);
    let mut text = String::new();
    { reader }.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through a descriptor");
    assert!(at("descriptor").is_symlink() && at("link").is_symlink());
    assert_eq!(names(folder.path()), ["descriptor", "link", "pipe"]);
}

#[test]
fn a_full_disk_leaves_what_was_there_and_nothing_else() {
    let Some(disk) = on_a_small_disk(module_path!(), "a_full_disk_leaves_what_was_there_and_nothing_else")
    else {
        return;
    };
    let at = |name: &str| disk.join(name);
    std::fs::write(at("own"), "known").unwrap();
    fill(&disk);
    let text = vec![b'x'; 8192];
    for error in [
        replace(&at("own"), &text, 0o600).unwrap_err(),
        create(&at("new"), &text, 0o600).unwrap_err(),
        output(&at("own"), &text, known).unwrap_err(),
        output(&at("new"), &text, known).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
    assert_eq!(std::fs::read_to_string(at("own")).unwrap(), "known");
    assert_eq!(names(&disk), ["filler", "own"]);
}

/// The code of all crates without tests, file by file.
fn code() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn no_other_module_writes_a_whole_file() {
    for (path, text) in code() {
        let is_here = path.ends_with("os/file.rs");
        for call in ["fs::write(", "fs::copy(", "File::create(", ".truncate(true)"] {
            assert!(is_here || !text.contains(call), "{} has {call}", path.display());
        }
    }
}

#[test]
fn only_a_file_is_opened_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let [file, pipe] = ["file", "pipe"].map(|name| folder.path().join(name));
    std::fs::write(&file, "text").unwrap();
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut text = String::new();
    open(&file).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "text");
    for path in [pipe.as_path(), Path::new("/dev/zero")] {
        assert_eq!(open(path).unwrap_err().to_string(), "it is not a file");
    }
    assert_eq!(open(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
    assert_eq!(open(&folder.path().join("nowhere")).unwrap_err().kind(), ErrorKind::NotFound);
}
